#include "core/qualifiers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "core/limits.h"

/* Each larger than anybody means; they keep later sums and products inside 64 bits. */
#define COUNT_MAX (1u << 30)
#define BYTES_MAX (UINT64_C(1) << 60)
#define SHOWN_MAX 80

static const char *const words[QUALIFIER_COUNT] = {
#define QUALIFIER_WORD(name, word) [QUALIFIER_##name] = (word),
	QUALIFIERS(QUALIFIER_WORD)
#undef QUALIFIER_WORD
};

static const struct period {
	char unit;
	uint32_t seconds;
} periods[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };

#define PERIODS (sizeof periods / sizeof periods[0])

const char *qualifier_word(enum qualifier which)
{
	return which < QUALIFIER_COUNT ? words[which] : "?";
}

bool qualifier_is(const char *word, enum qualifier *ret)
{
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

bool qualifiers_has(const struct qualifiers *q, enum qualifier which)
{
	switch (which) {
	case QUALIFIER_USES: return q->uses != 0;
	case QUALIFIER_BYTES: return q->bytes != 0;
	case QUALIFIER_RATE: return q->rate != 0;
	case QUALIFIER_ECH: return q->ech != 0;
	case QUALIFIER_UNTIL: return q->until_s != 0;
	case QUALIFIER_BETWEEN: return !window_is_none(&q->between);
	case QUALIFIER_ASK: return q->ask != 0;
	case QUALIFIER_DEPTH: return q->depth != 0;
	case QUALIFIER_COUNT: break;
	}
	return false;
}

/* ---- reading ---- */

static bool read_rate(const char *value, struct qualifiers *q)
{
	const size_t n = strcspn(value, "/");
	char number[16];
	uint32_t rate;

	if (n >= sizeof number || strlen(value) != n + 2)
		return false;
	memcpy(number, value, n);
	number[n] = 0;
	if (!parse_u32(number, 1, COUNT_MAX, &rate))
		return false;
	for (size_t i = 0; i < PERIODS; i++) {
		if (periods[i].unit != value[n + 1])
			continue;
		q->rate = rate;
		q->period_s = periods[i].seconds;
		return true;
	}
	return false;
}

static bool read_bytes(const char *value, uint64_t *ret)
{
	uint64_t bytes;

	if (!parse_bytes(value, &bytes) || bytes == 0 || bytes > BYTES_MAX)
		return false;
	*ret = bytes;
	return true;
}

static bool read_true(const char *value, uint32_t *ret)
{
	if (strcmp(value, "true") != 0)
		return false;
	*ret = 1;
	return true;
}

/* As timestamps are written, to the second. */
static bool read_until(const char *value, uint64_t *ret)
{
	const size_t n = TIMESTAMP_LEN - 5; /* up to the `Z` */
	char text[TIMESTAMP_LEN + 1];
	uint64_t ms;

	if (strlen(value) != n + 1 || value[n] != 'Z')
		return false;
	(void)snprintf(text, sizeof text, "%.*s.000Z", (int)n, value);
	if (!timestamp_read(text, TIMESTAMP_LEN, &ms) || ms == 0)
		return false;
	*ret = ms / 1000;
	return true;
}

static bool read_value(struct qualifiers *q, enum qualifier which, const char *value)
{
	switch (which) {
	case QUALIFIER_USES: return parse_u32(value, 1, COUNT_MAX, &q->uses);
	case QUALIFIER_BYTES: return read_bytes(value, &q->bytes);
	case QUALIFIER_RATE: return read_rate(value, q);
	case QUALIFIER_ECH: return read_true(value, &q->ech);
	case QUALIFIER_UNTIL: return read_until(value, &q->until_s);
	case QUALIFIER_BETWEEN: return window_take(value, &q->between, NULL) == 0;
	case QUALIFIER_ASK: return read_true(value, &q->ask);
	case QUALIFIER_DEPTH: return parse_u32(value, 1, QUALIFIERS_DEPTH_MAX, &q->depth);
	case QUALIFIER_COUNT: break;
	}
	return false;
}

static const char *hint_of(enum qualifier which)
{
	switch (which) {
	case QUALIFIER_USES: return "write a whole number from 1 to 1073741824, such as 50; or leave it out";
	case QUALIFIER_BYTES:
		return "write bytes, or a number and K, M, G or T, such as 10M, at most 1048576T; or leave it out";
	case QUALIFIER_RATE: return "write a number and /s, /m or /h, such as 10/s; or leave it out";
	case QUALIFIER_ECH: return "write true, or leave it out";
	case QUALIFIER_ASK: return "write true, beside connect also labelled, or leave it out";
	case QUALIFIER_DEPTH: return "write a whole number from 1 to 8; or leave it out, which is 1";
	case QUALIFIER_UNTIL: return "write a moment in UTC, such as 2026-12-01T00:00:00Z; or leave it out";
	case QUALIFIER_BETWEEN:
		return "write two times of day and a time zone, such as 09:00-18:00 Europe/Berlin; or leave it out";
	case QUALIFIER_COUNT: break;
	}
	return NULL;
}

int qualifiers_set(struct qualifiers *q, enum qualifier which, const char *value, struct err *e)
{
	char shown[SHOWN_MAX];

	if (read_value(q, which, value))
		return 0;
	text_escape(shown, sizeof shown, value, strlen(value));
	return err_set(e, AMBIT_MALFORMED, hint_of(which), "%s: '%s' is not a value", qualifier_word(which), shown);
}

/* ---- writing ---- */

static char unit_of(uint32_t seconds)
{
	for (size_t i = 0; i < PERIODS; i++)
		if (periods[i].seconds == seconds)
			return periods[i].unit;
	return '?';
}

static void put_until(uint64_t until_s, char *ret, size_t size)
{
	char text[TIMESTAMP_LEN + 1];

	(void)timestamp_write(timestamp_ms_of(until_s), text);
	(void)snprintf(ret, size, "%.*sZ", TIMESTAMP_LEN - 5, text);
}

static void put_between(const struct window *w, char *ret, size_t size)
{
	char text[WINDOW_TEXT_MAX];

	window_put(w, text);
	(void)text_copy(ret, size, text); /* the caller's room */
}

void qualifier_format(const struct qualifiers *q, enum qualifier which, char *ret, size_t size)
{
	const struct limits bytes = { .value = { [LIMIT_DISK] = q->bytes } }; /* sizes are written alike everywhere */

	ret[0] = 0;
	if (!qualifiers_has(q, which))
		return;
	switch (which) {
	case QUALIFIER_USES: (void)snprintf(ret, size, "%" PRIu32, q->uses); break;
	case QUALIFIER_BYTES: limits_format(&bytes, LIMIT_DISK, ret, size); break;
	case QUALIFIER_RATE: (void)snprintf(ret, size, "%" PRIu32 "/%c", q->rate, unit_of(q->period_s)); break;
	case QUALIFIER_ECH:
	case QUALIFIER_ASK: (void)snprintf(ret, size, "true"); break;
	case QUALIFIER_DEPTH: (void)snprintf(ret, size, "%" PRIu32, q->depth); break;
	case QUALIFIER_UNTIL: put_until(q->until_s, ret, size); break;
	case QUALIFIER_BETWEEN: put_between(&q->between, ret, size); break;
	case QUALIFIER_COUNT: break;
	}
}

void qualifiers_format(const struct qualifiers *q, char ret[QUALIFIERS_TEXT_MAX])
{
	size_t n = 0;

	ret[0] = 0;
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++) {
		char value[QUALIFIER_VALUE_MAX];
		const char *quote = i == QUALIFIER_BETWEEN ? "'" : ""; /* it has a blank */

		qualifier_format(q, i, value, sizeof value);
		if (value[0] != 0) /* it fits: eight words, four numbers, a moment and a time of day */
			n += (size_t)snprintf(ret + n, QUALIFIERS_TEXT_MAX - n, "%s%s=%s%s%s", n > 0 ? " " : "",
					      words[i], quote, value, quote);
	}
}

/* ---- comparing ---- */

bool qualifiers_are_only(const struct qualifiers *q, uint32_t set)
{
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++)
		if ((set >> i & 1u) == 0 && qualifiers_has(q, i))
			return false;
	return true;
}

uint32_t qualifiers_depth(const struct qualifiers *q)
{
	return q->depth != 0 ? q->depth : 1;
}

bool qualifiers_are_none(const struct qualifiers *q)
{
	return qualifiers_are_only(q, 0);
}

bool qualifiers_are_same(const struct qualifiers *a, const struct qualifiers *b)
{
	return a->uses == b->uses && a->bytes == b->bytes && a->rate == b->rate && a->period_s == b->period_s &&
	       a->ech == b->ech && a->until_s == b->until_s && a->ask == b->ask &&
	       qualifiers_depth(a) == qualifiers_depth(b) && window_is_within(&a->between, &b->between) &&
	       window_is_within(&b->between, &a->between);
}

static bool is_no_larger(uint64_t inner, uint64_t outer)
{
	return outer == 0 || (inner != 0 && inner <= outer);
}

/* No more at once, and no more in the long run: 10/s is not within 100/m, nor 100/m within 10/s. */
static bool is_rate_within(const struct qualifiers *inner, const struct qualifiers *outer)
{
	if (outer->rate == 0 || inner->rate == 0)
		return outer->rate == 0;
	return inner->rate <= outer->rate &&
	       (uint64_t)inner->rate * outer->period_s <= (uint64_t)outer->rate * inner->period_s;
}

bool qualifiers_are_within(const struct qualifiers *inner, const struct qualifiers *outer)
{
	return is_no_larger(inner->uses, outer->uses) && is_no_larger(inner->bytes, outer->bytes) &&
	       is_rate_within(inner, outer) && inner->ech <= outer->ech && inner->ask >= outer->ask &&
	       is_no_larger(inner->until_s, outer->until_s) && qualifiers_depth(inner) <= qualifiers_depth(outer) &&
	       window_is_within(&inner->between, &outer->between);
}

/* ---- between processes ---- */

void qualifiers_put(struct buf *out, const struct qualifiers *q)
{
	const bool timed = !window_is_none(&q->between);

	buf_put_u32(out, q->uses);
	buf_put_u64(out, q->bytes);
	buf_put_u32(out, q->rate);
	buf_put_u32(out, q->period_s);
	/* two bits, a number of four, and whether a time of day follows */
	buf_put_u8(out, (uint8_t)(q->ech | q->ask << 1 | q->depth << 2 | (timed ? 1u << 6 : 0)));
	buf_put_u64(out, q->until_s);
	if (timed)
		window_encode(&q->between, out);
}

static bool is_period(uint32_t rate, uint32_t seconds)
{
	return rate == 0 ? seconds == 0 : unit_of(seconds) != '?';
}

bool qualifiers_are_well_formed(const struct qualifiers *q)
{
	return q->uses <= COUNT_MAX && q->bytes <= BYTES_MAX && q->rate <= COUNT_MAX &&
	       is_period(q->rate, q->period_s) && q->ech <= 1 && q->ask <= 1 && q->depth <= QUALIFIERS_DEPTH_MAX &&
	       q->until_s < TIMESTAMP_END_MS / 1000 && window_is_well_formed(&q->between);
}

void qualifiers_take(struct rbuf *in, struct qualifiers *ret)
{
	uint8_t marks;

	memset(ret, 0, sizeof *ret); /* also what lies between its members: policies are compared as bytes */
	ret->uses = rbuf_u32(in);
	ret->bytes = rbuf_u64(in);
	ret->rate = rbuf_u32(in);
	ret->period_s = rbuf_u32(in);
	marks = rbuf_u8(in);
	ret->ech = marks & 1u;
	ret->ask = marks >> 1 & 1u;
	ret->depth = marks >> 2 & 15u;
	ret->until_s = rbuf_u64(in);
	if ((marks >> 6 & 1u) != 0)
		window_decode(in, &ret->between);
	if (marks >> 7 != 0 || (marks >> 6 & 1u) == window_is_none(&ret->between) || !qualifiers_are_well_formed(ret))
		in->failed = true;
}
