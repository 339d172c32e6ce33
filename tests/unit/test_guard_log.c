/* The process that writes a gate's records, with a ledger that is the test's: what it does with a gate that was taken over, and what the gate does when it does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "cli/found.h"
#include "cli/guard_log.h"
#include "ledger/talk.h"
#include "lib/ledger.h"
#include "lib/payload.h"

/* Of both processes: nothing else stays open in the other. */
static struct shared {
	unsigned records, entries, starts;
	unsigned dies;       /* so many times, at the end of what it is told */
	int fails;           /* payloads cannot be written, by this code */
	bool was_told_wrong; /* of a payload that was not written */
} * shared;

int ledger_join(int dir_fd, const char *path, int *ret_fd, struct ledger_hello *ret, struct err *e)
{
	(void)dir_fd, (void)path, (void)ret, (void)e;
	shared->starts++;
	*ret_fd = -1;
	return 0;
}

int payload_directory(int ledger_fd, bool make, int *ret_fd, struct err *e)
{
	(void)ledger_fd, (void)make, (void)ret_fd, (void)e;
	return 0;
}

int payload_write(int ledger_fd, const void *bytes, size_t n, int *ret_dir_fd, struct payload *ret, struct err *e)
{
	(void)ledger_fd, (void)ret_dir_fd;
	if (shared->fails != 0)
		return err_set(e, (enum ambit_code)shared->fails, NULL, "none is written");
	for (size_t i = 0; i < n; i++)
		shared->records += ((const char *)bytes)[i] == '\n';
	*ret = (struct payload){ .digest = { 'w' }, .size = n };
	return 0;
}

void talk_init(struct talk *t, int sock, const char *event)
{
	t->sock = sock;
	t->event = event;
	buf_init_in(&t->body, t->body_room, sizeof t->body_room);
}

void talk_finish(struct talk *t)
{
	t->sock = -1;
}

struct json *talk_body(struct talk *t)
{
	buf_reset(&t->body);
	json_begin(&t->json, &t->body);
	json_put_object(&t->json);
	return &t->json;
}

void talk_put_text(struct json *j, const char *s)
{
	json_put_name(j, s);
}

int talk_put(struct talk *t, enum entry_type type, const char *grant, struct err *e)
{
	(void)grant, (void)e;
	shared->entries++;
	if (type == ENTRY_RESULT && strstr(buf_cstr(&t->body), "\"digest\":\"77") == NULL)
		shared->was_told_wrong = true;
	return 0;
}

int talk_settle(struct talk *t, bool durable, struct err *e)
{
	(void)t, (void)durable;
	if (shared->dies == 0)
		return 0;
	shared->dies--;
	return err_set(e, AMBIT_GONE, NULL, "the ledger has gone");
}

int found_refuse(bool json, const struct err *e)
{
	(void)json, (void)e;
	return 1;
}

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);

/* It is waited for no longer than the test likes. */
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	static const struct timeval soon = { .tv_sec = 1 };

	return name == SO_SNDTIMEO ? __real_setsockopt(fd, level, name, &soon, sizeof soon)
				   : __real_setsockopt(fd, level, name, value, n);
}

static int begin(void **state)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = shared;
	return shared == MAP_FAILED;
}

static int ends(void **state)
{
	return munmap(*state, sizeof *shared);
}

static struct guard_log opened(void)
{
	struct guard_log l;
	struct err e;

	assert_int_equal(guard_log_open(&l, 0, "/ledger", "/work", &e), 0);
	return l;
}

static int ask(struct guard_log *l, uint32_t number)
{
	const struct record_call c = { .event = "e_1", .server = "e_0", .object = "bad/echo", .verdict = GUARD_YES };
	struct err e;

	return guard_log_asked(l, number, &c, &e);
}

static void who_never_says_how_it_ended_loses_no_record(void **state)
{
	struct guard_log l = opened();
	struct err e;

	(void)state;
	for (uint32_t i = 1; i <= 1500; i++)
		assert_int_equal(ask(&l, i % 3), 0); /* nor by numbers that are another's */
	guard_log_over(&l, &(struct guard_over){ .number = 1, .end = GUARD_DONE });
	guard_log_over(&l, &(struct guard_over){ .number = 77, .end = GUARD_DONE }); /* of nothing */
	assert_int_equal(guard_log_close(&l, &e), 0);
	assert_int_equal(shared->records, 1500);
	assert_int_equal(shared->entries, 3 * 1500);
}

static void who_takes_nothing_is_not_waited_for_twice(void **state)
{
	struct guard_log l = opened();
	const uint64_t begin_ms = clock_ms();
	unsigned asked = 0;
	struct err e;

	(void)state;
	assert_int_equal(kill(l.pid, SIGSTOP), 0);
	while (ask(&l, asked + 1) == 0)
		assert_true(++asked < 100000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(&l, 1), -AMBIT_GONE);
	assert_in_range(clock_ms() - begin_ms, 500, 30000);
	assert_int_equal(kill(l.pid, SIGCONT), 0);
	assert_int_equal(guard_log_close(&l, &e), 0);
	assert_int_equal(shared->records, asked); /* what it was told it tells */
}

static void what_is_not_written_is_not_told(void **state)
{
	static const int codes[] = { AMBIT_LIMIT, AMBIT_GONE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct guard_log l = opened();
		struct err e;

		shared->fails = codes[i];
		assert_int_equal(ask(&l, 1), 0);
		assert_int_equal(guard_log_close(&l, &e), -AMBIT_GONE);
		assert_string_equal(e.msg, "records of calls are missing: what writes them ended too soon");
		assert_int_equal(shared->entries, 0);
	}
}

static void a_ledger_that_dies_is_told_again(void **state)
{
	struct guard_log l = opened();
	struct err e;

	(void)state;
	shared->dies = 3;
	assert_int_equal(ask(&l, 1), 0);
	assert_int_equal(guard_log_close(&l, &e), 0);
	assert_int_equal(shared->starts, 4);
	assert_false(shared->was_told_wrong);
	l = opened();
	shared->dies = 4; /* and is given up */
	assert_int_equal(ask(&l, 1), 0);
	assert_int_equal(guard_log_close(&l, &e), -AMBIT_GONE);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, ends)
	const struct CMUnitTest tests[] = {
		EACH(who_never_says_how_it_ended_loses_no_record),
		EACH(who_takes_nothing_is_not_waited_for_twice),
		EACH(what_is_not_written_is_not_told),
		EACH(a_ledger_that_dies_is_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
