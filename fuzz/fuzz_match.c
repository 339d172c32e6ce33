/* An expression, a line feed, and a text: what is taken is taken again within others, and matches the same there; and no text takes more steps than it may. */
#include <stdio.h>
#include <string.h>

#include "core/match.h"
#include "fuzz.h"

/* Whether the text matches the expression with that around it; what: what it is if that is too much. */
static bool matches_within(const char *before, const uint8_t *expression, size_t n, const char *behind,
			   const char *text, size_t text_n, bool what)
{
	char all[2 * MATCH_TEXT_MAX];
	const int all_n = snprintf(all, sizeof all, "%s%.*s%s", before, (int)n, (const char *)expression, behind);
	struct match m;
	const int rc = match_compile(all, (size_t)all_n, &m, NULL);

	promise(rc == 0 || rc == -AMBIT_LIMIT);
	return rc == 0 ? match_is(&m, text, text_n) : what;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	const size_t n = end != NULL ? (size_t)(end - data) : size;
	const char *text = end != NULL ? (const char *)end + 1 : "";
	const size_t text_n = end != NULL ? size - n - 1 : 0;
	struct err e = { .msg = "" };
	struct match m;
	uint64_t steps;
	bool is;

	if (match_compile((const char *)data, n, &m, &e) < 0) {
		promise(e.msg[0] != 0 && e.hint[0] != 0);
		return 0;
	}
	promise(m.n_states <= MATCH_STATES_MAX && n <= MATCH_TEXT_MAX);
	is = match_counted(&m, text, text_n, &steps);
	promise(steps <= (text_n + 1) * MATCH_STEPS(&m));
	promise(is == match_is(&m, text, text_n));
	promise(matches_within("(", data, n, ")", text, text_n, is) == is);
	promise(matches_within("((", data, n, ")){1}", text, text_n, is) == is);
	promise(matches_within("(", data, n, ")?", text, text_n, is || text_n == 0) == (is || text_n == 0));
	promise(matches_within("", data, n, "|\\.{0}", text, text_n, is || text_n == 0) == (is || text_n == 0));
	if (is) {
		promise(matches_within("(", data, n, ")*", text, text_n, true));
		promise(matches_within("(", data, n, ")+", text, text_n, true));
		promise(matches_within("x?(", data, n, ").{0,3}", text, text_n, true));
	}
	return 0;
}
