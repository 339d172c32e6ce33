#include "core/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

/* Each larger than anybody means; they keep later sums and conversions inside 63 bits. */
#define MS_MAX (UINT64_C(100) * 366 * 24 * 3600 * 1000) /* a hundred years, also in nanoseconds */
#define BYTES_MAX (UINT64_C(1) << 60)
#define COUNT_MAX (UINT64_C(1) << 30) /* the kernel's own tables of processes and files end before */

struct limit_row {
	const char *word, *text;
	enum limit_unit unit;
	uint64_t least, run, code;
};

static const struct limit_row limit_rows[LIMIT_COUNT] = {
/* clang-format off */
#define LIMIT(name, w, u, l, r, c, t)                                                                                        \
	[LIMIT_##name] = { .word = (w), .text = (t), .unit = UNIT_##u, .least = (l), .run = (r), .code = (c) },
#include "core/limits.def"
#undef LIMIT
	/* clang-format on */
};

const char *limit_word(enum limit l)
{
	return l < LIMIT_COUNT ? limit_rows[l].word : "?";
}

const char *limit_text(enum limit l)
{
	return l < LIMIT_COUNT ? limit_rows[l].text : "?";
}

enum limit_unit limit_unit(enum limit l)
{
	return l < LIMIT_COUNT ? limit_rows[l].unit : UNIT_COUNT;
}

void limits_default_run(struct limits *ret, uint64_t half_memory_bytes)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->value[i] = limit_rows[i].run;
	ret->value[LIMIT_MEMORY] = half_memory_bytes;
}

void limits_default_code(struct limits *ret)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->value[i] = limit_rows[i].code;
}

static bool limit_find(const char *word, enum limit *ret)
{
	for (enum limit l = 0; l < LIMIT_COUNT; l++) {
		if (strcmp(limit_rows[l].word, word) != 0)
			continue;
		*ret = l;
		return true;
	}
	return false;
}

static uint64_t unit_max(enum limit_unit unit)
{
	if (unit == UNIT_MS)
		return MS_MAX;
	return unit == UNIT_BYTES ? BYTES_MAX : COUNT_MAX;
}

bool limit_in_range(enum limit which, uint64_t value)
{
	return which < LIMIT_COUNT && value <= unit_max(limit_unit(which)) &&
	       (value == 0 || value >= limit_rows[which].least);
}

/* 0 is "none", so a zero that somebody wrote is not a value. */
static bool read_value(enum limit_unit unit, const char *text, uint64_t *ret)
{
	uint64_t v = 0;
	bool ok = false;

	switch (unit) {
	case UNIT_MS: ok = parse_duration(text, &v); break;
	case UNIT_BYTES: ok = parse_bytes(text, &v); break;
	case UNIT_COUNT: ok = parse_u64(text, 0, UINT64_MAX, &v); break;
	}
	if (!ok || v == 0 || v > unit_max(unit))
		return false;
	*ret = v;
	return true;
}

static const char *unit_hint(enum limit_unit unit)
{
	switch (unit) {
	case UNIT_MS: return "write a number and ms, s, m or h, such as 30s, at most 878400h; or none";
	case UNIT_BYTES: return "write bytes, or a number and K, M, G or T, such as 2G, at most 1048576T; or none";
	case UNIT_COUNT: return "write a whole number from 1 to 1073741824, such as 64; or none";
	}
	return NULL;
}

/* Too much, nothing, or too many digits to count: the unit behind it, if it is one, is good with another number. */
static bool is_well_formed(enum limit_unit unit, const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	char small[8];
	uint64_t v;

	return digits > 0 && snprintf(small, sizeof small, "1%s", text + digits) < (int)sizeof small &&
	       read_value(unit, small, &v);
}

static const char *why_bad(enum limit_unit unit, const char *text)
{
	const char *rest = text + strspn(text, "0123456789");

	if (is_well_formed(unit, text))
		return "it is out of range";
	if (rest == text)
		return "it does not begin with a digit";
	if (*rest == '.' || *rest == ',')
		return "its number is not a whole one";
	if (*rest == 0)
		return "it has no unit";
	return unit == UNIT_COUNT ? "something stands after its number" : "its unit is not a known one";
}

static int bad_value(struct err *e, enum limit l, const char *value)
{
	char shown[80];

	text_escape(shown, sizeof shown, value, strlen(value));
	return err_why(e,
		       err_set(e, AMBIT_MALFORMED, unit_hint(limit_unit(l)), "limit %s: '%s' is not a value",
			       limit_word(l), shown),
		       "%s", why_bad(limit_unit(l), value));
}

static int too_small(struct err *e, enum limit which, const char *value)
{
	struct limits least = { .value = { 0 } };
	char text[32], hint[80];

	least.value[which] = limit_rows[which].least;
	limits_format(&least, which, text, sizeof text);
	(void)snprintf(hint, sizeof hint, "at least %s=%s; or none", limit_word(which), text); /* it fits */
	return err_why(e, err_set(e, AMBIT_MALFORMED, hint, "limit %s: %s is too little", limit_word(which), value),
		       "the cell needs some for itself, before its program starts");
}

int limits_set(struct limits *l, const char *word, const char *value, struct err *e)
{
	char shown[80];
	enum limit which;
	uint64_t v = 0;

	if (!limit_find(word, &which)) {
		text_escape(shown, sizeof shown, word, strlen(word));
		return err_set(e, AMBIT_UNKNOWN, "limits are wall, cpu, memory, tasks, files, disk and output",
			       "no limit is called '%s'", shown);
	}
	if (strcmp(value, "none") != 0 && !read_value(limit_unit(which), value, &v))
		return bad_value(e, which, value);
	if (!limit_in_range(which, v))
		return too_small(e, which, value);
	l->value[which] = v;
	return 0;
}

void limits_narrow(struct limits *l, const struct limits *bound)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (bound->value[i] != 0 && (l->value[i] == 0 || l->value[i] > bound->value[i]))
			l->value[i] = bound->value[i];
}

struct unit_row {
	uint64_t factor;
	const char *suffix;
};

/* The largest unit that loses nothing. */
static void format_units(uint64_t v, const struct unit_row *units, char *ret, size_t size)
{
	while (v % units->factor != 0) /* the last factor is 1 */
		units++;
	(void)snprintf(ret, size, "%" PRIu64 "%s", v / units->factor, units->suffix);
}

void limits_format(const struct limits *l, enum limit which, char *ret, size_t size)
{
	static const struct unit_row times[] = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } };
	static const struct unit_row sizes[] = {
		{ UINT64_C(1) << 40, "T" }, { 1u << 30, "G" }, { 1u << 20, "M" }, { 1u << 10, "K" }, { 1, "" }
	};
	static const struct unit_row counts[] = { { 1, "" } };
	const uint64_t v = which < LIMIT_COUNT ? l->value[which] : 0;

	if (v == 0) {
		(void)snprintf(ret, size, "none");
		return;
	}
	switch (limit_unit(which)) {
	case UNIT_MS: format_units(v, times, ret, size); break;
	case UNIT_BYTES: format_units(v, sizes, ret, size); break;
	case UNIT_COUNT: format_units(v, counts, ret, size); break;
	}
}

void limits_tell(const struct limits *l, enum limit which, const char *beside, struct err *e)
{
	struct limits twice = *l;
	char now[32], more[32], hint[ERR_HINT_MAX];

	if (twice.value[which] <= UINT64_MAX / 2)
		twice.value[which] *= 2;
	limits_format(l, which, now, sizeof now);
	limits_format(&twice, which, more, sizeof more);
	(void)snprintf(hint, sizeof hint, "--limit %s=%s allows twice as much; %s", limit_word(which), more,
		       beside); /* it fits */
	(void)err_set(e, AMBIT_LIMIT, hint, "ended by its limit: %s=%s", limit_word(which), now);
	(void)err_why(e, AMBIT_LIMIT, "%s went over it", limit_text(which));
}
