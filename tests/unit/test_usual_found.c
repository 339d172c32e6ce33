/* The keeper of profiles reads what is hostile: what it says of an event or a call is bounded where it is taken, and moves no terminal where it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "lib/record_usual.h"
#include "policy/policy.h"
#include "usual/calls_link.h"
#include "usual/link.h"

#define EVENT "e_01M8C9AH53WTA81NZN3BP0CGXM"

static void set(char *to, size_t size, const char *text)
{
	assert_true(text_copy(to, size, text));
}

static struct usual_found usual(void)
{
	struct usual_found u = { .f = { .events = 20, .p = 1, .least = 1, .n_reasons = 1 },
				 .nearest = { .event = EVENT, .part = 1, .text = "the same" } };

	for (size_t i = 0; i < LAYERS; i++)
		u.f.ps[i] = 1;
	set(u.f.reasons[0].text, sizeof u.f.reasons[0].text, "first");
	return u;
}

static bool is_taken(const struct usual_found *u)
{
	auto_buf out = { .max = USUAL_FOUND_MAX };
	struct usual_found back;
	struct rbuf in;

	usual_found_put(&out, u);
	assert_false(out.failed);
	rbuf_init(&in, out.data, out.len);
	return usual_found_take(&in, &back);
}

static void what_is_said_of_an_event_is_bounded(void **state)
{
	struct usual_found u = usual();

	(void)state;
	assert_true(is_taken(&u));
	for (unsigned i = 0; i < 6; i++) {
		u = usual();
		switch (i) {
		case 0: set(u.nearest.event, sizeof u.nearest.event, "e_\033[2J\nambit: all is well"); break;
		case 1: set(u.nearest.event, sizeof u.nearest.event, "s_01M8C9AH53WTA81NZN3BP0CGXM"); break;
		case 2: u.nearest.part = 1.5; break;
		case 3: u.f.p = 1e300; break;
		case 4: u.f.least = 2; break;
		default: u.f.ps[LAYERS - 1] = 1.1; break;
		}
		if (is_taken(&u))
			fail_msg("row %u is taken", i);
	}
	u = usual();
	u.nearest = (struct likeness){ .event = "" };
	assert_true(is_taken(&u));
}

static bool is_call_taken(double bits, double of)
{
	const struct usual_verdict v = {
		.unusual = true, .bits = bits, .n = 1, .reasons = { { .bits = of, .text = "x" } }
	};
	auto_buf out = { .max = 2048 };
	struct usual_verdict back;
	struct rbuf in;

	usual_verdict_put(&out, &v);
	rbuf_init(&in, out.data, out.len);
	return usual_verdict_take(&in, &back);
}

static void what_is_said_of_a_call_is_bounded(void **state)
{
	(void)state;
	assert_true(is_call_taken(USUAL_BITS_MAX, 0));
	assert_false(is_call_taken(1e300, 0));
	assert_false(is_call_taken(0, 1e300));
}

/* Whatever it says, of an event that it refuses as well. */
static void nothing_of_it_moves_a_terminal(void **state)
{
	static const char odd[] = "\033[2J\r\nambit: all is well";
	struct event_result r = { .session = "s", .usual = { .judged = true, .profile = PROFILE_LOG } };
	auto_buf out = { .max = 1u << 16 };

	(void)state;
	r.usual.found = usual();
	r.usual.found.f.flagged[PROMISED_LOG] = true;
	r.usual.found.f.n_reasons = REASONS_MAX;
	for (size_t i = 0; i < REASONS_MAX; i++)
		set(r.usual.found.f.reasons[i].text, sizeof r.usual.found.f.reasons[i].text, odd);
	set(r.usual.found.nearest.text, sizeof r.usual.found.nearest.text, odd);
	summary_usual(&r, &out);
	r.usual.error.code = AMBIT_MALFORMED;
	set(r.usual.error.msg, sizeof r.usual.error.msg, odd);
	set(r.usual.error.why, sizeof r.usual.error.why, odd);
	set(r.usual.error.hint, sizeof r.usual.error.hint, odd);
	summary_usual(&r, &out);
	buf_put_u8(&out, 0);
	assert_false(out.failed);
	assert_non_null(strstr((const char *)out.data, "all is well"));
	assert_null(strstr((const char *)out.data, "\nambit: all"));
	assert_null(strpbrk((const char *)out.data, "\033\r"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_of_an_event_is_bounded),
		cmocka_unit_test(what_is_said_of_a_call_is_bounded),
		cmocka_unit_test(nothing_of_it_moves_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
