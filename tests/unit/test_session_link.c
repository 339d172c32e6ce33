/* What clients, the daemon and roles of sessions tell each other: there and back, every length cut, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/link.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define S "s_01HZZZZZZZ0000000000000000"
#define E "e_01HZZZZZZZ0000000000000000"

static const struct serve_hello hello = {
	.revision = 1, .pid = 7, .dev = 8, .ino = UINT64_C(1) << 40, .version = "0.1.0"
};
static const struct serve_name name = { .request = 3, .session = S };
#define ROW                                                                                                            \
	{                                                                                                              \
		.request = 4, .state = SESSION_BUSY, .made_ms = 5, .events = UINT64_MAX, .running = 6, .session = S,   \
		.agent = "coder", .workspace = "/w"                                                                    \
	}
static const struct session_row row = ROW;
static const struct session_ready ready = { .next = 9, .oldest = 9, .row = ROW };
static const struct link_number number = { .request = 1, .value = UINT64_MAX };
static const struct serve_status status = { .request = 1,
					    .pid = 2,
					    .started_ms = 3,
					    .clients = 4,
					    .clients_now = 5,
					    .sessions_now = 6,
					    .running_now = 7,
					    .sessions_made = 8,
					    .events_taken = 9,
					    .events_ended = 10,
					    .events_failed = 11,
					    .events_interrupted = 12,
					    .denials = 13,
					    .refused = 14 };
static const struct session_taken taken = { .request = 1, .replayed = 1, .n = 2, .event = E };
static const struct session_event event = { .request = 1, .a = 2, .b = 3, .n = 4 };
static const struct link_halt halt = {
	.request = 1, .deed = HALT_KILL, .keep = 1, .n = UINT64_MAX, .what = E, .reason = "a reason"
};
static const struct link_halted halted = { .request = 1, .before = 1, .events = 2, .cancelled = UINT32_MAX };
static const struct session_grew grew = { .n = 1, .out = 2, .err = UINT64_MAX };
static const struct session_step step = { .request = 1, .flags = STEP_SHOWS, .n = 2, .timeout_ms = UINT64_MAX };
static const struct step_row step_row = { .n = 1,
					  .step = STEPS_MAX,
					  .state = STEP_NEVER,
					  .flags = STEP_FLAGS,
					  .taken_ms = 2,
					  .begun_ms = 3,
					  .ended_ms = 4,
					  .out_at = 5,
					  .out_end = 6,
					  .err_at = 7,
					  .err_end = 8,
					  .result_at = 9,
					  .result_end = 10,
					  .bytes = 11,
					  .sha256 = { 12 } };
static const struct event_row over = {
	.n = 1,
	.state = EVENT_OVER,
	.flags = EVENT_FLAGS,
	.taken_ms = 2,
	.begun_ms = 3,
	.ended_ms = 4,
	.out_bytes = 5,
	.err_bytes = 6,
	.result_bytes = 7,
	.exit_status = 255,
	.denied = 1,
	.outcome = { .cause = CAUSE_LIMIT, .limit = LIMIT_WALL, .usage = { .wall_ms = 9 } },
	.labels = { "private,untrusted" },
	.event = E,
	.command = "true",
	.code = AMBIT_DENIED,
	.message = "why",
	.hint = "do"
};

/* ---- each message: written, read, and written again ---- */

#define MESSAGE(word, kind, value, take)                                                                               \
	static void put_##word(struct buf *out)                                                                        \
	{                                                                                                              \
		kind##_put(out, &(value));                                                                             \
	}                                                                                                              \
	static bool again_##word(struct rbuf *in, struct buf *out)                                                     \
	{                                                                                                              \
		struct kind back;                                                                                      \
                                                                                                                       \
		if (!take(in, &back))                                                                                  \
			return false;                                                                                  \
		kind##_put(out, &back);                                                                                \
		return true;                                                                                           \
	}

MESSAGE(hello, serve_hello, hello, serve_hello_take)
MESSAGE(name, serve_name, name, serve_name_take)
MESSAGE(list, serve_name, name, serve_list_take)
MESSAGE(row, session_row, row, session_row_take)
MESSAGE(ready, session_ready, ready, session_ready_take)
MESSAGE(number, link_number, number, link_number_take)
MESSAGE(status, serve_status, status, serve_status_take)
MESSAGE(taken, session_taken, taken, session_taken_take)
MESSAGE(event, session_event, event, session_event_take)
MESSAGE(grew, session_grew, grew, session_grew_take)
MESSAGE(halt, link_halt, halt, link_halt_take)
MESSAGE(halted, link_halted, halted, link_halted_take)
MESSAGE(over, event_row, over, event_row_take)
MESSAGE(step, session_step, step, session_step_take)
MESSAGE(step_row, step_row, step_row, step_row_take)

static const struct message {
	const char *name;
	size_t size; /* of messages.def */
	void (*put)(struct buf *out);
	bool (*again)(struct rbuf *in, struct buf *out);
} messages[] = {
	{ "hello", 56, put_hello, again_hello },
	{ "name", 36, put_name, again_name },
	{ "list", 36, put_list, again_list },
	{ "row", 4220, put_row, again_row },
	{ "ready", 4236, put_ready, again_ready },
	{ "number", 12, put_number, again_number },
	{ "status", 104, put_status, again_status },
	{ "taken", 48, put_taken, again_taken },
	{ "event", 20, put_event, again_event },
	{ "grew", 24, put_grew, again_grew },
	{ "halt", 253, put_halt, again_halt },
	{ "halted", 16, put_halted, again_halted },
	{ "event row", 1488 + sizeof "private,untrusted" - 1, put_over, again_over },
	{ "step", 24, put_step, again_step },
	{ "step row", STEP_ROW_BYTES, put_step_row, again_step_row },
};

static const struct message *message_of(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(messages); i++)
		if (strcmp(messages[i].name, word) == 0)
			return &messages[i];
	abort();
}

static void messages_come_as_they_were_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		auto_buf out = { .max = 8192 }, back = { .max = 8192 };
		struct rbuf in;

		messages[i].put(&out);
		if (out.failed || out.len != messages[i].size)
			fail_msg("%s: %zu bytes", messages[i].name, out.len);
		rbuf_init(&in, out.data, out.len);
		if (!messages[i].again(&in, &back) || back.len != out.len || memcmp(back.data, out.data, out.len) != 0)
			fail_msg("%s: came otherwise", messages[i].name);
		buf_put_u8(&out, 0);
		for (size_t n = 0; n <= out.len; n++) {
			rbuf_init(&in, out.data, n);
			if (n != messages[i].size && messages[i].again(&in, &back))
				fail_msg("%s: taken with %zu bytes", messages[i].name, n);
		}
	}
}

/* One byte is another. */
static void what_is_out_of_range_is_refused(void **state)
{
	static const struct {
		const char *what, *message;
		size_t at;
		uint8_t byte;
		bool good;
	} rows[] = {
		{ "a name as it was", "name", 4, 's', true },
		{ "another prefix", "name", 4, 'e', false },
		{ "a letter that no id has", "name", 8, 'U', false },
		{ "small letters", "name", 8, 'h', false },
		{ "something behind the NUL", "name", 35, 'x', false },
		{ "no state", "row", 4, 0, false },
		{ "the last state", "row", 4, SESSION_STATE_COUNT - 1, true },
		{ "one more", "row", 4, SESSION_STATE_COUNT, false },
		{ "a large state", "row", 7, 1, false },
		{ "an agent without an end", "row", 28 + 32 + 63, 'x', false },
		{ "a workspace without an end", "row", 4219, 'x', false },
		{ "no next number", "ready", 0, 0, false },
		{ "oldest behind next", "ready", 8, 10, false },
		{ "half replayed", "taken", 4, 2, false },
		{ "event 0", "taken", 8, 0, false },
		{ "of a session", "taken", 16, 's', false },
		{ "nothing to do", "halt", 4, 0, false },
		{ "a deed more", "halt", 4, HALT_DEED_COUNT, false },
		{ "kept twice", "halt", 8, 2, false },
		{ "of a session", "halt", 20, 's', true },
		{ "of a grant", "halt", 20, 'g', false },
		{ "something behind its NUL", "halt", 51, 'x', false },
		{ "a reason without an end", "halt", 252, 'x', false },
		{ "frozen twice", "halted", 4, 2, false },
		{ "event row 0", "event row", 0, 0, false },
		{ "no state of an event", "event row", 8, 0, false },
		{ "one state too many", "event row", 8, EVENT_STATE_COUNT, false },
		{ "interrupted", "event row", 8, EVENT_INTERRUPTED, true },
		{ "a kernel", "event row", 13, 1, true },
		{ "unusual and held", "event row", 13, 12, true },
		{ "one flag more", "event row", 13, 16, false },
		{ "status 256", "event row", 65, 1, false },
		{ "denied twice", "event row", 68, 2, false },
		{ "no cause", "event row", 72, 0, false },
		{ "a cause that is none", "event row", 72, 99, false },
		{ "a command without an end", "event row", 72 + 96 + 32 + 255, 'x', false },
		{ "a hint without an end", "event row", 1479, 'x', false },
		{ "a label that is none", "event row", 1488, 'P', false },
		{ "labels of one that runs", "event row", 8, EVENT_RUNS, false },
		{ "one flag more of a step", "step", 4, STEP_SHOWS + 1, false },
		{ "of no event", "step row", 0, 0, false },
		{ "a step more than there may be", "step row", 8, (STEPS_MAX + 1) & 0xff, false },
		{ "no state of a step", "step row", 16, 0, false },
		{ "one state of a step too many", "step row", 16, STEP_STATE_COUNT, false },
		{ "a flag of a step too many", "step row", 20, STEP_FLAGS + 1, false },
		{ "output that ends before it begins", "step row", 48, 7, false },
		{ "a result that ends before it begins", "step row", 80, 11, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct message *m = message_of(rows[i].message);
		auto_buf out = { .max = 8192 }, back = { .max = 8192 };
		struct rbuf in;

		m->put(&out);
		out.data[rows[i].at] = rows[i].byte;
		rbuf_init(&in, out.data, out.len);
		if (m->again(&in, &back) != rows[i].good)
			fail_msg("%s", rows[i].what);
	}
}

static void a_list_may_begin_before_the_first(void **state)
{
	const struct serve_name none = { .request = 1, .session = "" };
	struct serve_name back;
	uint8_t room[64];
	struct buf out;
	struct rbuf in;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	serve_name_put(&out, &none);
	rbuf_init(&in, out.data, out.len);
	assert_true(serve_list_take(&in, &back));
	rbuf_init(&in, out.data, out.len);
	assert_false(serve_name_take(&in, &back));
}

static void errors_come_as_they_were_sent(void **state)
{
	auto_buf out = { .max = 4096 };
	struct err said, back;
	uint32_t request;
	struct rbuf in;

	(void)state;
	(void)err_why(&said, err_set(&said, AMBIT_LIMIT, "hint", "message"), "why");
	link_failed_put(&out, 5, &said);
	rbuf_init(&in, out.data, out.len);
	assert_int_equal(link_failed_take(&in, &request, &back), -AMBIT_LIMIT);
	assert_int_equal(request, 5);
	assert_string_equal(back.msg, "message");
	assert_string_equal(back.why, "why");
	assert_string_equal(back.hint, "hint");
	for (size_t n = 0; n < out.len; n++) {
		rbuf_init(&in, out.data, n);
		assert_int_equal(link_failed_take(&in, &request, &back), -AMBIT_PROTOCOL);
	}
}

/* ---- what describes a session, and a run ---- */

static char *env[] = { (char[]){ "A=b" }, (char[]){ "B=" }, NULL };
static char *argv[] = { (char[]){ "cat" }, (char[]){ "" }, (char[]){ "\xff" }, NULL };

static const struct description described = { .key = "key",
					      .workspace = "/w",
					      .base = "minimal",
					      .observe = "off",
					      .without = "memory",
					      .changes = 1,
					      .events_max = 2,
					      .wall_ms_max = 3,
					      .cpu_ms_max = 4,
					      .keep_ms = 5,
					      .keep_bytes = 6,
					      .policy = (const uint8_t *)"policy",
					      .policy_bytes = 6,
					      .env = env };

static int describe_again(const void *bytes, size_t n, struct buf *out)
{
	struct description d;
	struct rbuf in;
	struct err e;
	int r;

	rbuf_init(&in, bytes, n);
	r = description_take(&in, &d, &e);
	if (r < 0)
		return r;
	description_put(out, &d);
	description_finish(&d);
	return 0;
}

static void a_description_comes_as_it_was_sent(void **state)
{
	auto_buf out = { .max = 65536 }, back = { .max = 65536 };

	(void)state;
	description_put(&out, &described);
	assert_int_equal(describe_again(out.data, out.len, &back), 0);
	assert_int_equal(back.len, out.len);
	assert_memory_equal(back.data, out.data, out.len);
	for (size_t n = 0; n < out.len; n++) {
		uint8_t *exact = malloc(n + 1);

		assert_non_null(exact);
		memcpy(exact, out.data, n);
		assert_true(describe_again(exact, n, &back) < 0);
		free(exact);
	}
	buf_put_u8(&out, 0);
	assert_int_equal(describe_again(out.data, out.len, &back), -AMBIT_MALFORMED);
}

static void a_description_that_is_wrong_is_refused(void **state)
{
	char *const no_value[] = { (char[]){ "A" }, NULL }, *const no_name[] = { (char[]){ "=a" }, NULL };
	static char *many[DESCRIPTION_ENV_MAX + 2];
	struct row {
		const char *what;
		struct description d;
		bool good;
	} rows[] = {
		{ "as it was", described, true },
		{ "a relative workspace", described, false },
		{ "a key that is no text", described, false },
		{ "no value", described, false },
		{ "no name", described, false },
		{ "as many variables as may be", described, true },
		{ "one more", described, false },
	};
	static char *most[DESCRIPTION_ENV_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= DESCRIPTION_ENV_MAX; i++)
		many[i] = env[0];
	memcpy(most, many, DESCRIPTION_ENV_MAX * sizeof *most);
	strcpy(rows[1].d.workspace, "w");
	strcpy(rows[2].d.key, "\xff");
	rows[3].d.env = (char **)(uintptr_t)no_value;
	rows[4].d.env = (char **)(uintptr_t)no_name;
	rows[5].d.env = most;
	rows[6].d.env = many;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 65536 }, back = { .max = 65536 };

		description_put(&out, &rows[i].d);
		if ((describe_again(out.data, out.len, &back) == 0) != rows[i].good)
			fail_msg("%s", rows[i].what);
	}
}

static void another_version_says_so(void **state)
{
	auto_buf out = { .max = 65536 }, back = { .max = 16 };

	(void)state;
	description_put(&out, &described);
	out.data[0] = 2;
	assert_int_equal(describe_again(out.data, out.len, &back), -AMBIT_PROTOCOL);
}

static const struct run run = { .key = "key",
				.flags = EVENT_BACKGROUND | EVENT_INPUT | EVENT_TERMINAL,
				.changes = 8,
				.rows = 65535,
				.columns = 65535,
				.limits = "wall=1s",
				.on_conflict = "ours",
				.labels = { "private,untrusted" },
				.argv = argv,
				.env = env };

static int run_again(const void *bytes, size_t n, struct buf *out, uint8_t digest[32])
{
	struct run r;
	struct err e;
	const int rc = run_take(bytes, n, &r, digest, &e);

	if (rc < 0)
		return rc;
	run_put(out, &r);
	run_finish(&r);
	return 0;
}

static void a_run_comes_as_it_was_sent(void **state)
{
	auto_buf out = { .max = 65536 }, back = { .max = 65536 };
	uint8_t digest[32];

	(void)state;
	run_put(&out, &run);
	assert_int_equal(run_again(out.data, out.len, &back, digest), 0);
	assert_int_equal(back.len, out.len);
	assert_memory_equal(back.data, out.data, out.len);
	for (size_t n = 0; n < out.len; n++) {
		uint8_t *exact = malloc(n + 1);

		assert_non_null(exact);
		memcpy(exact, out.data, n);
		assert_true(run_again(exact, n, &back, digest) < 0);
		free(exact);
	}
}

static void a_run_is_known_by_all_but_its_key(void **state)
{
	struct run other = run;
	auto_buf one = { .max = 65536 }, two = { .max = 65536 }, three = { .max = 65536 }, back = { .max = 1u << 20 };
	uint8_t digests[3][32];

	(void)state;
	run_put(&one, &run);
	strcpy(other.key, "another");
	run_put(&two, &other);
	other.columns = 1;
	run_put(&three, &other);
	assert_int_equal(run_again(one.data, one.len, &back, digests[0]), 0);
	assert_int_equal(run_again(two.data, two.len, &back, digests[1]), 0);
	assert_int_equal(run_again(three.data, three.len, &back, digests[2]), 0);
	assert_memory_equal(digests[0], digests[1], 32);
	assert_memory_not_equal(digests[1], digests[2], 32);
	other = run;
	strcpy(other.labels.text, "private");
	buf_reset(&three);
	run_put(&three, &other);
	assert_int_equal(run_again(three.data, three.len, &back, digests[2]), 0);
	assert_memory_not_equal(digests[0], digests[2], 32);
}

static void a_run_that_is_wrong_is_refused(void **state)
{
	char *kernel_argv[] = { (char[]){ "python" }, (char[]){ "" }, NULL };
	char *shell_argv[] = { (char[]){ "shell" }, (char[]){ "" }, NULL };
	char *other_argv[] = { (char[]){ "python" }, (char[]){ "a b" }, NULL };
	char *no_program[] = { NULL }, *empty_program[] = { (char[]){ "" }, NULL };
	struct row {
		const char *what;
		struct run r;
	} rows[] = {
		{ "no program", run },
		{ "an empty program", run },
		{ "a flag that is ours to set", run },
		{ "rows", run },
		{ "columns", run },
		{ "a key that is no text", run },
		{ "no environment", run },
		{ "a kernel of the foreground", run },
		{ "a kernel with input", run },
		{ "a kernel of a shell", run },
		{ "a kernel with another name", run },
		{ "time for no kernel", run },
		{ "labels in another order", run },
		{ "a label twice", run },
		{ "labels that nobody knows", run },
		{ "more labels than are given", run },
	};

	(void)state;
	rows[0].r.argv = no_program;
	rows[1].r.argv = empty_program;
	rows[2].r.flags = EVENT_PRUNED;
	rows[3].r.rows = 65536;
	rows[4].r.columns = 65536;
	strcpy(rows[5].r.key, "\xc3");
	rows[6].r.env = argv;
	for (size_t i = 7; i < 11; i++)
		rows[i].r = (struct run){ .flags = EVENT_KERNEL | EVENT_BACKGROUND | KIND_PYTHON << EVENT_KIND_SHIFT,
					  .argv = kernel_argv };
	rows[7].r.flags &= ~(uint32_t)EVENT_BACKGROUND;
	rows[8].r.flags |= EVENT_INPUT;
	rows[9].r.flags |= KIND_SHELL << EVENT_KIND_SHIFT;
	rows[9].r.argv = shell_argv;
	rows[10].r.argv = other_argv;
	rows[11].r.idle_ms = 1;
	strcpy(rows[12].r.labels.text, "untrusted,private");
	strcpy(rows[13].r.labels.text, "private,private");
	strcpy(rows[14].r.labels.text, "?");
	strcpy(rows[15].r.labels.text, "a,b,c,d,e,f,g,h,i");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 65536 }, back = { .max = 65536 };
		uint8_t digest[32];

		run_put(&out, &rows[i].r);
		if (run_again(out.data, out.len, &back, digest) != -AMBIT_MALFORMED)
			fail_msg("%s", rows[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_as_they_were_sent),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(a_list_may_begin_before_the_first),
		cmocka_unit_test(errors_come_as_they_were_sent),
		cmocka_unit_test(a_description_comes_as_it_was_sent),
		cmocka_unit_test(a_description_that_is_wrong_is_refused),
		cmocka_unit_test(another_version_says_so),
		cmocka_unit_test(a_run_comes_as_it_was_sent),
		cmocka_unit_test(a_run_is_known_by_all_but_its_key),
		cmocka_unit_test(a_run_that_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
