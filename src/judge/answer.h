/* answer - what the judge says to a batch, as bytes.
 *
 * Owns:   the form: u32 magic, u32 count, then for each in the order asked u8 inert, u32 offset, why (u32 length and bytes).
 * Holds:  the answer comes from a process that read hostile bytes. At the worst it lies about single files of its batch, but
 *         it answers for each exactly once, and nothing in its words reaches a terminal as a control.
 * Called: the writer by the judge role, the reader by whoever asked. Pure; no heap but the buffer's. */
#ifndef JUDGE_ANSWER_H
#define JUDGE_ANSWER_H

#include "base/buf.h"
#include "base/err.h"
#include "judge/judge.h"

#define JUDGE_ANSWER_MAX (1u << 20) /* JUDGE_CASES_MAX of the longest */

void judge_answer_begin(struct buf *out, uint32_t count);
void judge_answer_put(struct buf *out, const struct judge_verdict *v);

/* Takes the answer to n_asked files into as many verdicts. -PROTOCOL: it is none; then nothing is inert. */
int judge_answer_decode(const void *bytes, size_t n, uint32_t n_asked, struct judge_verdict *ret, struct err *e);

#endif
