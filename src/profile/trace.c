#include "profile/trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cell/spec.h"

/* No text, so that it is never taken for one. */
static const uint8_t magic[4] = { 0xff, 't', 'r', 'c' };

/* What is told of a run: its symbol, twice shifted, and whether the thread is another than that before, and whether it is more than one step. */
#define RUN_OTHER 1u
#define RUN_MANY 2u

void trace_finish(struct trace *t)
{
	free(t->symbols);
	free(t->steps);
	*t = (struct trace){ .symbols = NULL };
}

/* ---- writing ---- */

/* Seven bits in a byte, the lowest first. */
static void put_number(struct buf *out, uint32_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_put_u8(out, (uint8_t)(n | 0x80));
	buf_put_u8(out, (uint8_t)n);
}

static size_t run_length(const struct trace *t, size_t at)
{
	size_t n = 1;

	while (at + n < t->n_steps && memcmp(&t->steps[at + n], &t->steps[at], sizeof t->steps[at]) == 0)
		n++;
	return n;
}

static void put_runs(const struct trace *t, struct buf *out)
{
	uint32_t thread = 0;

	for (size_t at = 0, n; at < t->n_steps; at += n) {
		const struct trace_step *s = &t->steps[at];
		const bool other = s->thread != thread;

		n = run_length(t, at);
		put_number(out, (uint32_t)s->symbol << 2 | (other ? RUN_OTHER : 0) | (n > 1 ? RUN_MANY : 0));
		if (other)
			put_number(out, s->thread);
		if (n > 1)
			put_number(out, (uint32_t)n - 2);
		thread = s->thread;
	}
}

void trace_encode(const struct trace *t, struct buf *out)
{
	buf_put(out, magic, sizeof magic);
	buf_put_u16(out, TRACE_VERSION);
	buf_put_u8(out, (uint8_t)t->observed);
	buf_put_u8(out, 0);
	buf_put_u16(out, (uint16_t)t->threads);
	buf_put_u16(out, (uint16_t)t->n_symbols);
	buf_put_u32(out, (uint32_t)t->n_steps);
	buf_put_u64(out, t->calls);
	for (size_t i = 0; i < t->n_symbols; i++) {
		const size_t n = strlen(t->symbols[i]);

		buf_put_u8(out, (uint8_t)n);
		buf_put(out, t->symbols[i], n);
	}
	put_runs(t, out);
}

/* ---- reading ---- */

struct reading {
	struct rbuf in;
	struct trace *t;
	struct err *e;
	size_t gaps;
};

/* at: where what is wrong begins. */
static int wrong(const struct reading *r, size_t at, const char *what)
{
	return err_set(r->e, AMBIT_MALFORMED, "a trace is kept in the record of an event, as it was written",
		       "trace, byte %zu: %s", at, what);
}

/* In as few bytes as it can be. */
static bool take_number(struct reading *r, uint32_t most, uint32_t *ret)
{
	uint32_t n = 0;
	unsigned at = 0;
	uint8_t byte;

	do {
		byte = rbuf_u8(&r->in);
		if (r->in.failed || at > 14)
			return false;
		n |= (uint32_t)(byte & 0x7f) << at;
		at += 7;
	} while ((byte & 0x80) != 0);
	*ret = n;
	return n <= most && (byte != 0 || at == 7);
}

static int take_head(struct reading *r, uint32_t *ret_symbols, uint32_t *ret_steps)
{
	struct trace *t = r->t;
	const uint8_t *begin = rbuf_bytes(&r->in, sizeof magic);
	const uint16_t version = rbuf_u16(&r->in);
	uint8_t zero;

	if (begin == NULL || memcmp(begin, magic, sizeof magic) != 0)
		return wrong(r, 0, "this is no trace");
	if (version != TRACE_VERSION)
		return err_set(r->e, AMBIT_UNAVAILABLE, "read it with the Ambit that wrote it, or a later one",
			       "a trace of version %u", version);
	t->observed = rbuf_u8(&r->in);
	zero = rbuf_u8(&r->in);
	t->threads = rbuf_u16(&r->in);
	*ret_symbols = rbuf_u16(&r->in);
	*ret_steps = rbuf_u32(&r->in);
	t->calls = rbuf_u64(&r->in);
	if (r->in.failed)
		return wrong(r, r->in.len, "it ends in its head");
	if (zero != 0 || (t->observed != CELL_OBSERVE_EFFECTS && t->observed != CELL_OBSERVE_FULL))
		return wrong(r, 6, "no level of observation");
	if (*ret_symbols > TRACE_SYMBOLS_MAX || *ret_steps > TRACE_STEPS_MAX || t->threads > TRACE_THREADS_MAX ||
	    t->calls > TRACE_CALLS_MAX)
		return err_set(r->e, AMBIT_LIMIT, "it is none of Ambit's", "trace: more than a trace may have");
	return 0;
}

static int take_symbols(struct reading *r, size_t n)
{
	struct trace *t = r->t;

	for (t->n_symbols = 0; t->n_symbols < n; t->n_symbols++) {
		const size_t at = r->in.at, length = rbuf_u8(&r->in);
		const uint8_t *text = rbuf_bytes(&r->in, length);

		if (text == NULL)
			return wrong(r, at, "it ends in a symbol");
		if (!symbol_is((const char *)text, length))
			return wrong(r, at, "not a symbol");
		memcpy(t->symbols[t->n_symbols], text, length);
		t->symbols[t->n_symbols][length] = 0;
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* 1, 0, or -MEMORY. */
static int has_twice(const struct trace *t)
{
	auto_free const char **sorted = calloc(t->n_symbols + 1, sizeof *sorted);
	int twice = 0;

	if (sorted == NULL)
		return -AMBIT_MEMORY;
	for (size_t i = 0; i < t->n_symbols; i++)
		sorted[i] = t->symbols[i];
	qsort(sorted, t->n_symbols, sizeof *sorted, by_text);
	for (size_t i = 1; i < t->n_symbols; i++)
		twice |= strcmp(sorted[i - 1], sorted[i]) == 0;
	return twice;
}

struct numbering {
	uint32_t symbols, threads; /* that had a step so far */
};

static int take_run(struct reading *r, size_t n, struct numbering *seen)
{
	struct trace *t = r->t;
	const struct trace_step *before = t->n_steps > 0 ? &t->steps[t->n_steps - 1] : NULL;
	uint32_t word, thread = before != NULL ? before->thread : 0, more = 0;
	const uint32_t was = thread;
	const size_t at = r->in.at;

	if (!take_number(r, TRACE_SYMBOLS_MAX << 2, &word))
		return wrong(r, at, "no run of steps");
	if ((word & RUN_OTHER) != 0 && (!take_number(r, TRACE_THREADS_MAX - 1, &thread) || thread == was))
		return wrong(r, at, "no other thread");
	if ((word & RUN_MANY) != 0 && (!take_number(r, TRACE_STEPS_MAX, &more) || n - t->n_steps < 2 + (size_t)more))
		return wrong(r, at, "more steps than there are");
	more += (word & RUN_MANY) != 0;
	if (word >> 2 > seen->symbols || word >> 2 >= t->n_symbols)
		return wrong(r, at, "a symbol out of its order");
	if (thread > seen->threads || thread >= t->threads)
		return wrong(r, at, "a thread out of its order");
	if (before != NULL && before->symbol == word >> 2 && before->thread == thread)
		return wrong(r, at, "a run that is part of that before");
	seen->symbols += word >> 2 == seen->symbols;
	seen->threads += thread == seen->threads;
	r->gaps += strcmp(t->symbols[word >> 2], SYMBOL_GAP) == 0 ? 1 + (size_t)more : 0;
	for (uint32_t i = 0; i <= more; i++)
		t->steps[t->n_steps++] = (struct trace_step){ .thread = (uint16_t)thread,
							      .symbol = (uint16_t)(word >> 2) };
	return 0;
}

static int take_steps(struct reading *r, size_t n)
{
	struct numbering seen = { .symbols = 0 };
	int rc = 0;

	for (r->t->n_steps = 0; rc == 0 && r->t->n_steps < n;)
		rc = take_run(r, n, &seen);
	if (rc == 0 && seen.symbols != r->t->n_symbols)
		return wrong(r, r->in.at, "a symbol without a step");
	return rc;
}

static int take_all(struct reading *r)
{
	struct trace *t = r->t;
	uint32_t symbols = 0, steps = 0;
	int rc = take_head(r, &symbols, &steps);

	if (rc < 0)
		return rc;
	t->symbols = calloc((size_t)symbols + 1, sizeof *t->symbols);
	t->steps = calloc((size_t)steps + 1, sizeof *t->steps);
	if (t->symbols == NULL || t->steps == NULL)
		return err_set(r->e, AMBIT_MEMORY, NULL, "no memory for a trace");
	rc = take_symbols(r, symbols);
	if (rc == 0 && (rc = has_twice(t)) != 0)
		return rc < 0 ? err_set(r->e, AMBIT_MEMORY, NULL, "no memory for a trace")
			      : wrong(r, TRACE_HEAD_BYTES, "a symbol twice");
	rc = rc < 0 ? rc : take_steps(r, steps);
	if (rc < 0)
		return rc;
	if (!rbuf_done(&r->in))
		return wrong(r, r->in.at, "something stands behind it");
	if (t->calls < t->n_steps - r->gaps)
		return wrong(r, 16, "more steps than calls");
	t->dropped = t->calls - (t->n_steps - r->gaps);
	return 0;
}

int trace_decode(const void *bytes, size_t n, struct trace *ret, struct err *e)
{
	struct trace t = { .symbols = NULL };
	struct reading r = { .t = &t, .e = e };
	int rc;

	rbuf_init(&r.in, bytes, n);
	rc = n > TRACE_BYTES_MAX ? err_set(e, AMBIT_LIMIT, "it is none of Ambit's", "a trace of %zu bytes", n)
				 : take_all(&r);
	if (rc < 0)
		trace_finish(&t);
	else
		*ret = t;
	return rc;
}
