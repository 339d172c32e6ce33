/* answer - what a witness answered: HTTP, and in it lines of signatures or a number (C2SP tlog-witness).
 *
 * Owns:   the bytes of the answer, at most ANSWER_BODY_MAX and as many of headers.
 * Holds:  nothing that comes can do more than be refused. A cosignature counts for the very bytes of the checkpoint that was sent, by the
 *         very key that was named, and for nothing else.
 * Called: witness/main.c, tests, fuzz; makes no system call. HTTP is read by Debian's http-parser. */
#ifndef WITNESS_ANSWER_H
#define WITNESS_ANSWER_H

#include <http_parser.h>

#include "base/buf.h"
#include "witness/ask.h"

#define ANSWER_BODY_MAX (32u << 10) /* a hundred cosignatures */
#define ANSWER_HEAD_MAX (16u << 10)

struct answer {
	http_parser parser;
	size_t head;    /* bytes of headers so far */
	char type[64];  /* Content-Type; what is longer is none that is known */
	char field[16]; /* the header's name that is being read, cut */
	bool in_value, whole;
	enum witness_outcome wrong; /* not COSIGNED: what it is, and no more is read */
	struct buf body;            /* owned */
};

void answer_init(struct answer *a);
void answer_finish(struct answer *a);
/* Takes what came; true: more is wanted. n is 0 at the end. */
bool answer_take(struct answer *a, const void *bytes, size_t n);
/* Judges what has come; the note is made in `room`, which lives as long as the verdict. */
void answer_judge(const struct answer *a, const struct witness_ask *ask, struct buf *room, struct witness_verdict *ret);

/* What is asked: the request, with headers. */
void answer_request(const struct witness_ask *ask, struct buf *out);

#endif
