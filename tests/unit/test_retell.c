/* What retells a log: how much it takes of a long one, what it says that it left out, and what it does where memory is gone. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "account/account.h"
#include "audit/body.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "export/ocsf.h"
#include "export/otlp.h"
#include "paper/paper.h"

/* ---- allocations that fail when their turn comes ---- */

static int left = -1; /* until then; negative: never */

static bool fails(void)
{
	return left >= 0 && left-- == 0;
}

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

static struct canonical_value body_of(const char *text)
{
	return (struct canonical_value){ (const uint8_t *)text, strlen(text) };
}

/* ---- how often a body is looked through ---- */

static unsigned searches;

bool __real_canonical_find(struct canonical_value v, const char *name, struct canonical_value *ret);
bool __wrap_canonical_find(struct canonical_value v, const char *name, struct canonical_value *ret);

bool __wrap_canonical_find(struct canonical_value v, const char *name, struct canonical_value *ret)
{
	searches++;
	return __real_canonical_find(v, name, ret);
}

static void a_command_is_looked_for_once(void **state)
{
	static const struct {
		const char *body, *command;
	} rows[] = {
		{ "{\"argv\":[\"a\",\"\",\"b c\",\"\\n\"],\"z\":1}", "a  b c \\x0a" },
		{ "{\"argv\":[1,{},\"x\"]}", "... ... x" },
		{ "{\"argv\":{}}", "" },
		{ "{}", "" },
	};
	char command[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		body_command(body_of(rows[i].body), command, sizeof command);
		assert_string_equal(command, rows[i].command);
	}
	searches = 0;
	body_command(body_of(rows[0].body), command, sizeof command);
	assert_int_equal(searches, 1);
}

/* ---- entries ---- */

#define STEPS 7

static void fill(char *room, size_t size, const char *body, uint64_t number)
{
	const size_t n = strcspn(body, "#");

	(void)snprintf(room, size, "%.*s%" PRIu64 "%s", (int)n, body, number, body + n + 1); /* it fits */
}

/* The nth entry of a log whose events have one name each that is no other's. */
static void make(uint64_t seq, char *room, size_t size, struct entry *ret)
{
	static const struct {
		enum entry_type type;
		const char *body; /* # is the number of the event */
	} steps[STEPS] = {
		{ ENTRY_GRANT, "{\"object\":\"/srv/#\",\"optional\":false,\"verb\":\"read\"}" },
		{ ENTRY_REQUEST,
		  "{\"agent\":\"agent #\",\"argc\":1,\"argv\":[\"true\"],\"program\":\"/bin/true\",\"workdir\":\"/srv\"}" },
		{ ENTRY_START, "{\"wall\":{\"files\":\"mechanism #\"}}" },
		{ ENTRY_EFFECT,
		  "{\"count\":2,\"kind\":\"read\",\"object\":\"/srv/#/x\",\"source\":\"requested\",\"verdict\":\"allowed\"}" },
		{ ENTRY_EFFECT,
		  "{\"count\":3,\"kind\":\"read\",\"object\":\"/etc/#\",\"source\":\"requested\",\"verdict\":\"denied\"}" },
		{ ENTRY_EFFECT,
		  "{\"held\":\"hidden\",\"kind\":\"added\",\"object\":\"/h/#\",\"source\":\"proved\",\"verdict\":\"held\",\"why\":\"w\"}" },
		{ ENTRY_STOP, "{\"cause\":\"cause #\",\"exit\":0}" },
	};
	const uint64_t event = seq / STEPS;
	uint8_t random[ID_RANDOM] = { 0 };

	memcpy(random, &event, sizeof event);
	*ret = (struct entry){ .type = steps[seq % STEPS].type, .seq = seq, .wall_ms = UINT64_C(1790000000000) + seq };
	id_write('e', ret->wall_ms - seq % STEPS, random, ret->event);
	if (seq % STEPS == 0 || seq % STEPS == 3)
		id_write('g', ret->wall_ms - seq % STEPS, random, ret->grant);
	memcpy(ret->grant + 2, ret->event + 2, ret->grant[0] != 0 ? ID_LEN - 2 : 0);
	fill(room, size, steps[seq % STEPS].body, event);
	ret->body = body_of(room);
}

static int take(reading_fn *fn, void *arg, uint64_t seq)
{
	static const struct hash leaf;
	struct entry entry;
	char room[512];

	make(seq, room, sizeof room, &entry);
	return fn(arg, &(struct reading_entry){ .entry = &entry, .leaf = &leaf, .is_signed = true });
}

static long peak_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* ---- a long log ---- */

#ifdef AMBIT_SANITIZED
#define MANY UINT64_C(100000)
#else
#define MANY UINT64_C(1000000)
#endif

static void an_account_of_a_long_log_is_bounded(void **state)
{
	const uint64_t events = (MANY + STEPS - 1) / STEPS;
	struct account *a = account_create();
	const long before = peak_kib();
	const struct tally *t;

	(void)state;
	assert_non_null(a);
	for (uint64_t seq = 0; seq < MANY; seq++)
		assert_int_equal(take(account_take, a, seq), 0);
	account_close(a);
#ifndef AMBIT_SANITIZED
	assert_true(peak_kib() - before < 24 * 1024);
#else
	(void)before;
#endif
	assert_int_equal(a->entries, MANY);
	assert_int_equal(a->n_events, events);
	assert_int_equal(a->forgotten, events - ACCOUNT_EVENTS);
	assert_int_equal(a->denied, (MANY / STEPS + (MANY % STEPS > 4 ? 1 : 0)) * 3);
	t = &a->tally[ACCOUNT_DENIALS];
	assert_int_equal(t->n + t->over, MANY / STEPS + (MANY % STEPS > 4 ? 1 : 0));
	t = &a->tally[ACCOUNT_GRANTS];
	assert_int_equal(t->n + t->over, events);
	/* each effect is by its grant, or told as nobody's */
	for (size_t i = 0; i < t->n; i++)
		assert_true(t->rows[i].n[0] == 1 && t->rows[i].n[1] == 1 && t->rows[i].n[2] == 2);
	assert_int_equal(a->unattributed + 2 * t->n, a->allowed);
	account_destroy(a);
}

struct sink {
	struct otlp *otlp;
	struct ocsf *ocsf;
	struct buf out; /* owned */
	uint64_t lines;
};

static int export(void *arg, const struct reading_entry *r)
{
	struct sink *s = arg;
	const int rc = s->otlp != NULL ? otlp_take(s->otlp, r, &s->out) : ocsf_take(s->ocsf, r, &s->out);

	for (size_t i = 0; i < s->out.len; i++)
		s->lines += s->out.data[i] == '\n' ? 1 : 0;
	buf_reset(&s->out);
	return rc;
}

static struct snapshot *snapshot(void)
{
	static struct snapshot s;

	(void)snprintf(s.key.name, sizeof s.key.name, "ambit.test/retell");
	s.key.type = VKEY_ED25519;
	return &s;
}

static void export_of_a_long_log_is_bounded(void **state)
{
	struct sink s = { .otlp = otlp_create() }, t = { .ocsf = ocsf_create(snapshot()) };
	const long before = peak_kib();

	(void)state;
	otlp_begin(s.otlp, snapshot());
	buf_init(&s.out, 1 << 20);
	buf_init(&t.out, 1 << 20);
	for (uint64_t seq = 0; seq < MANY / 4; seq++) {
		assert_int_equal(take(export, &s, seq), 0);
		assert_int_equal(take(export, &t, seq), 0);
	}
	assert_int_equal(otlp_end(s.otlp, &s.out), 0);
#ifndef AMBIT_SANITIZED
	assert_true(peak_kib() - before < 24 * 1024);
#else
	(void)before;
#endif
	assert_int_equal(t.lines, MANY / 4);
	assert_int_equal(s.lines, (MANY / 4 + STEPS - 1) / STEPS - OTLP_OPEN_MAX);
	otlp_destroy(s.otlp);
	ocsf_destroy(t.ocsf);
	buf_finish(&s.out);
	buf_finish(&t.out);
}

/* ---- memory that is gone ---- */

static int all_of(reading_fn *fn, void *arg)
{
	int r = 0;

	for (uint64_t seq = 0; seq < UINT64_C(3) * STEPS && r >= 0; seq++)
		r = take(fn, arg, seq);
	return r;
}

/* Each allocation once: it is said, or nothing hung on it, and nothing is used that is not there. */
static void memory_that_is_gone_is_told(void **state)
{
	bool any = false, met = true;

	(void)state;
	for (int n = 0; met; n++) {
		struct account *a;
		int r = -ENOMEM;

		left = n;
		a = account_create();
		if (a != NULL)
			r = all_of(account_take, a);
		met = left < 0;
		left = -1;
		assert_true(r == 0 || (r == -ENOMEM && met));
		any = any || r == -ENOMEM;
		account_destroy(a);
	}
	assert_true(any);
}

static void exports_without_memory_say_so(void **state)
{
	bool any = false, met = true;

	(void)state;
	for (int n = 0; met; n++) {
		struct sink s = { .otlp = NULL };
		int r = -ENOMEM;

		buf_init(&s.out, 1 << 20);
		left = n;
		s.otlp = otlp_create();
		if (s.otlp != NULL) {
			otlp_begin(s.otlp, snapshot());
			r = all_of(export, &s);
		}
		if (r == 0)
			r = otlp_end(s.otlp, &s.out);
		met = left < 0;
		left = -1;
		assert_true(r == 0 || (r == -ENOMEM && met));
		any = any || r == -ENOMEM;
		otlp_destroy(s.otlp);
		buf_finish(&s.out);
	}
	assert_true(any);
}

/* ---- tables ---- */

static void a_table_tells_names_apart(void **state)
{
	static const char *const names[][3] = {
		{ "a", "bc", "" }, { "ab", "c", "" }, { "a", "b", "c" }, { "", "", "" }, { "abc", "", "" }
	};
	struct tally t;

	(void)state;
	assert_int_equal(tally_init(&t, 4, 64), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t i = 0; i < 4; i++) {
			struct tally_row *row = tally_at(&t, names[i], 3);

			assert_non_null(row);
			row->n[0] += i;
			for (size_t k = 0; k < 3; k++)
				assert_string_equal(tally_name(&t, row, k), names[i][k]);
			assert_string_equal(tally_name(&t, row, 3), "");
		}
		assert_null(tally_at(&t, names[4], 3));
	}
	assert_int_equal(t.n, 4);
	assert_int_equal(t.over, 3);
	tally_sort(&t, 0);
	assert_int_equal(t.rows[0].n[0], 9);
	assert_string_equal(tally_name(&t, &t.rows[0], 0), "");
	assert_string_equal(tally_name(&t, &t.rows[1], 2), "c");
	tally_finish(&t);
}

/* Its last byte is the limit; a name more has no room, and leaves what there is as it was. */
static void a_table_has_no_more_text_than_it_may(void **state)
{
	struct tally t;

	(void)state;
	assert_int_equal(tally_init(&t, 8, 8), 0);
	assert_non_null(tally_at(&t, (const char *const[]){ "1234567" }, 1));
	assert_null(tally_at(&t, (const char *const[]){ "" }, 1));
	assert_int_equal(t.over, 1);
	assert_int_equal(t.text.len, 8);
	assert_string_equal(tally_name(&t, &t.rows[0], 0), "1234567");
	tally_finish(&t);
}

/* ---- the paper: whatever the chapters forgot ---- */

static void a_paper_shows_what_it_is_given(void **state)
{
	static const struct paper_column columns[] = { { "A", PAPER_CODE }, { "B", PAPER_NUMBER } };
	static const char foreign[] = "\x1b[1m<b>&\xff\xe2\x80\xae\"'";

	(void)state;
	for (unsigned html = 0; html < 2; html++) {
		const int fd = memfd_create("paper", MFD_CLOEXEC);
		auto_buf text = { .max = 1 << 20 };
		struct paper p;

		assert_true(fd >= 0);
		paper_begin(&p, fd, html != 0, foreign);
		paper_banner(&p, true, foreign, foreign);
		paper_contents(&p, NULL, NULL, 0);
		paper_say(&p, foreign);
		paper_warn(&p, foreign);
		paper_heading(&p, foreign);
		paper_fact(&p, foreign, foreign, PAPER_CODE);
		paper_lines(&p, foreign, strlen(foreign));
		paper_table(&p, foreign, columns, 2);
		paper_row(&p, (const char *const[]){ foreign, foreign }, true);
		paper_table_end(&p);
		assert_int_equal(paper_end(&p, ""), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(fd_read_into(fd, &text), 0);
		assert_non_null(buf_cstr(&text));
		assert_null(strpbrk((const char *)text.data, "\x1b\xff\xae"));
		assert_non_null(
			strstr((const char *)text.data, html != 0 ? "\\x1b[1m&lt;b&gt;&amp;\\xff\\u{202e}&quot;&#39;"
								  : "\\x1b[1m<b>&\\xff\\u{202e}\"'"));
		assert_true(html == 0 || strstr((const char *)text.data, "<b>") == NULL);
		(void)close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_looked_for_once),
		cmocka_unit_test(an_account_of_a_long_log_is_bounded),
		cmocka_unit_test(export_of_a_long_log_is_bounded),
		cmocka_unit_test(memory_that_is_gone_is_told),
		cmocka_unit_test(exports_without_memory_say_so),
		cmocka_unit_test(a_table_tells_names_apart),
		cmocka_unit_test(a_paper_shows_what_it_is_given),
		cmocka_unit_test(a_table_has_no_more_text_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
