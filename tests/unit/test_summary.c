#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/summary.h"
#include "lib/summary_stage.h"
#include "sample_results.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void says(const struct event_result *r, const char *record, const char *what, const char *expected)
{
	auto_buf out = { .max = 0 };
	const char *text;

	buf_init(&out, 1u << 20);
	summary_text(r, record, false, &out);
	text = out.len > 0 ? buf_cstr(&out) : "";
	if (strcmp(text, expected) != 0)
		fail_msg("%s:\n%s--- expected:\n%s", what, text, expected);
}

static void each_case_in_its_words(void **state)
{
	static const struct {
		const char *sample, *record, *text;
	} rows[] = {
		{ "plain", NULL, "" },
		{ "killed", NULL,
		  "ambit: denied: exec /tmp/tool (2 times)\n"
		  "  why: what was written in a place of the cell's own is never executed\n"
		  "  hint: write it beneath a work grant\n"
		  "ambit: denied: write /usr/share/new\n"
		  "  why: you may not do it yourself, and a grant gives no more than you have\n"
		  "  hint: do that part as who may, outside\n" },
		{ "withdrawn", NULL,
		  "ambit: withdrawn: connect b.test:443\n"
		  "  why: somebody withdrew it while the command ran (ambit grant revoke)\n"
		  "ambit: denied: connect inet b.test:443 (9 times)\n"
		  "  why: its grant was withdrawn while it ran\n"
		  "  hint: run it again: the grant is withdrawn from that event alone\n"
		  "ambit: denied: request inet a.test:443 DELETE /x 403\n"
		  "  why: no rule of the grant means this request, or it brought a credential of its own, or would have carried a secret without TLS\n"
		  "  hint: the answer that the program got says which, and the grant that would allow it\n" },
		{ "output-text", "r.json", "" },
		{ "refused", NULL,
		  "ambit: program 'pyhton3' is not in the cell\n"
		  "  why: no directory of its PATH has it\n"
		  "  hint: check the spelling, or install it\n" },
		{ "canary", NULL,
		  "ambit: canary: touched /home/ann/.aws/credentials.prod\n"
		  "  why: it looks like a secret, and nobody has a reason to touch it: the event was ended\n"
		  "  hint: `ambit explain e_01KDVQJZ00000000000000EVEN` says what else it did; `--canary tell` does not end what may look there\n" },
		{ "canary-told", NULL,
		  "ambit: canary: touched /home/ann/shop/passwords.txt\n"
		  "ambit: canary: touched /home/ann/.ssh/id_ed25519_deploy\n" },
		{ "lost", NULL,
		  "ambit: the event was lost: its warden or its supervisor ended before it\n"
		  "  why: the warden ended before the cell\n"
		  "  hint: nothing of the cell runs on; look at what it changed, then run it again\n" },
		{ "limit-wall", NULL,
		  "ambit: ended by its limit: wall=30s\n"
		  "  why: time from start to end went over it\n"
		  "  hint: --limit wall=1m allows twice as much; a limit of a policy is raised there\n" },
		{ "limit-memory", NULL,
		  "ambit: ended by its limit: memory=512M\n"
		  "  why: memory of all processes together went over it\n"
		  "  hint: --limit memory=1G allows twice as much; a limit of a policy is raised there\n" },
		{ "signal", NULL,
		  "ambit: node crashed (signal 6), likely since it may not write machine code here\n"
		  "  why: V8 compiles while it runs; no grant allows that in this cell\n"
		  "  hint: --run node\n" },
		{ "names", NULL,
		  "ambit: denied: read /srv/\\xed\\xb0\\x80\n"
		  "  why: no grant covers it\n"
		  "  hint: --read $'/srv/\\xed\\xb0\\x80' allows it\n"
		  "ambit: denied: read /srv/it's \"here\"\\x0a\n"
		  "  why: no grant covers it\n"
		  "  hint: --read $'\"/srv/it\\'s \"\"here\"\"\\x0a\"' allows it\n"
		  "ambit: denied: write /srv/\\u{202e}txt.exe\n"
		  "  why: no grant covers it\n"
		  "  hint: --write $'/srv/\\xe2\\x80\\xaetxt.exe' allows it\n"
		  "ambit: denied: write /srv/\\x01\\x7f (4294967295 times)\n"
		  "  why: no grant covers it\n"
		  "  hint: --write $'/srv/\\x01\\x7f' allows it\n" },
		{ "denied", "last.json",
		  "ambit: denied: read /home/ann/.ssh/id_ed25519 (2 times)\n"
		  "  why: no grant covers it\n"
		  "  hint: --read /home/ann/.ssh/id_ed25519 allows it\n"
		  "ambit: denied: write /home/ann/shop/package.json\n"
		  "  why: it may be read, but no grant lets it be changed\n"
		  "  hint: --write /home/ann/shop/package.json allows it\n"
		  "ambit: denied: write /home/ann/shop/.git/hooks/pre-commit\n"
		  "  why: it may be read, but no grant lets it be changed\n"
		  "  hint: --write /home/ann/shop/.git/hooks allows it\n"
		  "ambit: denied: mkdir /srv/new dir\n"
		  "  why: no grant covers it\n"
		  "  hint: --write /srv allows it, and much besides\n"
		  "ambit: denied: 5 more\n"
		  "  hint: ambit explain last.json\n"
		  "ambit: 9 effects had no room in the record: denials may be among them\n"
		  "  why: there were more than a record takes, or who counts them had ended\n"
		  "  hint: split the command, or watch less of it: --observe effects\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct event_result r;

		sample_make(sample_find(rows[i].sample), &r);
		says(&r, rows[i].record, rows[i].sample, rows[i].text);
		sample_finish(&r);
	}
}

static void what_closed_it_is_told_with_where_it_came_from(void **state)
{
	struct result_closing of_anybody = { .label = "a\x1b[1m", .by = "\x1b[2m", .object = NULL };
	auto_buf out = { .max = 1u << 20 };
	const char *text, *at;
	struct event_result r;

	(void)state;
	sample_make(sample_find("connected"), &r);
	summary_text(&r, NULL, false, &out);
	text = buf_cstr(&out);
	at = text != NULL ? strstr(text, "ambit: closed by labels") : NULL;
	assert_non_null(at);
	assert_string_equal(
		at,
		"ambit: closed by labels: bees (stream b_01JZ8Q6S1R9C8T7W5V4X3Y2Z1C, in e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1B), garden (given), lost, "
		"private (read /home/u/notes, in e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1A), "
		"untrusted (path /srv/a\\x1b[1m\\xff b, in e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1B)\n"
		"  why: who has all of these could pass on what nobody meant to send there\n"
		"  hint: leave out what brings them, or give that to another agent; `unless` beside that grant in the "
		"policy says what closes it; `ambit labels --unmark PATH` takes them off a path; `ambit labels "
		"--forget b_01JZ8Q6S1R9C8T7W5V4X3Y2Z1D` begins anew\n");
	buf_reset(&out);
	summary_text(&r, NULL, true, &out);
	assert_int_equal(out.len, 0);
	result_put_closing(&of_anybody, 1, &out);
	assert_string_equal(buf_cstr(&out), "a\\x1b[1m (\\x1b[2m)");
	sample_finish(&r);
}

/* What one grant would allow is one line. */
static void what_belongs_together_is_one_line(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("limit-cpu"), &r);
	r.cause = CAUSE_EXITED;
	sample_effect(&r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/proc/1/stat");
	sample_effect(&r, EFFECT_WRITE, EFFECT_DENIED_NEW, GRANT_NONE, 1, "/srv/out/a");
	sample_effect(&r, EFFECT_WRITE, EFFECT_DENIED_NEW, GRANT_NONE, 1, "/srv/out/b");
	sample_effect(&r, EFFECT_DELETE, EFFECT_DENIED, GRANT_NONE, 1, "/srv/out/c");
	says(&r, NULL, "together",
	     "ambit: denied: write /srv/out/a and 2 more there\n"
	     "  why: no grant covers it\n"
	     "  hint: --write /srv/out allows it\n"
	     "ambit: denied: read /proc/1/stat\n"
	     "  why: a cell has its own /proc, /dev and /sys, and never those of the host\n"
	     "  hint: most programs go on without; no grant gives it\n");
	sample_finish(&r);
}

/* A flag that the person could not give is none. */
static void what_nobody_could_grant_is_said(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("limit-cpu"), &r);
	r.cause = CAUSE_EXITED;
	sample_effect(&r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/etc/shadow");
	r.effects[r.n_effects - 1].beyond = 1;
	sample_effect(&r, EFFECT_MKDIR, EFFECT_DENIED_NEW, GRANT_NONE, 1, "/usr/x");
	r.effects[r.n_effects - 1].beyond = 1;
	sample_effect(&r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/srv/a");
	says(&r, NULL, "beyond",
	     "ambit: denied: read /srv/a\n"
	     "  why: no grant covers it\n"
	     "  hint: --read /srv/a allows it\n"
	     "ambit: denied: read /etc/shadow\n"
	     "  why: you may not do it yourself, and a grant gives no more than you have\n"
	     "  hint: do that part as who may, outside\n"
	     "ambit: denied: mkdir /usr/x\n"
	     "  why: you may not do it yourself, and a grant gives no more than you have\n"
	     "  hint: do that part as who may, outside\n");
	sample_finish(&r);
}

static void a_record_that_is_not_kept_is_said(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("plain"), &r);
	(void)err_sys(&r.unrecorded, AMBIT_LIMIT, 28 /* ENOSPC */, "make room", "its record is not in the ledger");
	says(&r, NULL, "the record alone",
	     "ambit: its record is not in the ledger\n"
	     "  why: No space left on device\n"
	     "  hint: make room\n");
	sample_finish(&r);
}

/* A grant adds up with what is granted around it. */
static void what_is_shown_can_be_written_too(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("plain"), &r);
	sample_effect(&r, EFFECT_READ, EFFECT_DENIED_HIDDEN, GRANT_NONE, 1, "/home/ann/shop/.env");
	says(&r, NULL, "in what can be written",
	     "ambit: denied: read /home/ann/shop/.env\n"
	     "  why: it is likely a secret: a grant of all around it does not show it\n"
	     "  hint: --read /home/ann/shop/.env allows it; like all around it, it can then be written, too\n");
	sample_finish(&r);
	sample_make(sample_find("denied"), &r); /* it has the grants of `plain` for reading only */
	r.effects_dropped = r.n_effects = 0;
	sample_effect(&r, EFFECT_READ, EFFECT_DENIED_HIDDEN, GRANT_NONE, 1, "/home/ann/shop/.env");
	says(&r, NULL, "in what can be read",
	     "ambit: denied: read /home/ann/shop/.env\n"
	     "  why: it is likely a secret: a grant of all around it does not show it\n"
	     "  hint: --read /home/ann/shop/.env allows it\n");
	sample_finish(&r);
}

static void a_protected_name_is_said_to_be_one(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("plain"), &r);
	sample_effect(&r, EFFECT_WRITE, EFFECT_DENIED, GRANT_NONE, 1, "/home/ann/shop/.git/config");
	says(&r, NULL, "protected",
	     "ambit: denied: write /home/ann/shop/.git/config\n"
	     "  why: other programs run or obey what stands there\n"
	     "  hint: if you trust this program as yourself: --write /home/ann/shop/.git/config allows it\n");
	sample_finish(&r);
}

static void what_is_gone_is_said_once(void **state)
{
	struct event_result r;

	(void)state;
	sample_make(sample_find("plain"), &r);
	sample_effect(&r, EFFECT_WRITE, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/pr/lock");
	sample_effect(&r, EFFECT_DELETE, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/pr/lock");
	sample_effect(&r, EFFECT_WRITE, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/pr/a\t");
	sample_effect(&r, EFFECT_MODE, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/pr/b");
	sample_effect(&r, EFFECT_MKDIR, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/c");
	sample_effect(&r, EFFECT_RENAME, EFFECT_ALLOWED, GRANT_NONE, 1, "/home/ann/pr/a\t");
	for (size_t i = r.n_effects - 6; i < r.n_effects; i++)
		r.effects[i].base = EFFECT_BASE_GONE;
	says(&r, NULL, "gone",
	     "ambit: gone with the cell: /home/ann/pr/a\\x09 and 1 more\n"
	     "  why: no grant covers it, and that directory was the cell's own\n"
	     "  hint: --write /home/ann/pr keeps it\n");
	sample_finish(&r);
}

/* The hint is for those who lack the grant, and for programs that the crash can be of. */
static void no_hint_about_jit_without_reason(void **state)
{
	static const struct {
		const char *name;
		int exit_status, signal;
		const char *program;
		bool jit;
		uint32_t without;
		bool hint;
	} rows[] = {
		{ "node aborts", -1, 6, "/usr/bin/node", false, 0, true },
		{ "node traps", -1, 5, "/usr/local/bin/node", false, 0, true },
		{ "under a shell", 133, 0, "/usr/bin/node", false, 0, true },
		{ "with a version", -1, 11, "/usr/bin/node-20", false, 0, true },
		{ "has jit", -1, 6, "/usr/bin/node", true, 0, false },
		{ "given up", -1, 6, "/usr/bin/node", false, 1u << PROPERTY_CODE, false },
		{ "killed by a person", -1, 9, "/usr/bin/node", false, 0, false },
		{ "an exit of its own", 6, 0, "/usr/bin/node", false, 0, false },
		{ "needs none", -1, 6, "/usr/bin/python3.11", false, 0, false },
		{ "unknown", -1, 6, "/usr/bin/true", false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct event_result r;
		auto_buf out = { .max = 0 };

		sample_make(sample_find("output-text"), &r);
		r.exit_status = rows[i].exit_status;
		r.signal = rows[i].signal;
		r.without = rows[i].without;
		if (rows[i].jit)
			(void)sample_grant(&r, VERB_JIT, "");
		sample_effect(&r, EFFECT_EXEC, EFFECT_ALLOWED, GRANT_NONE, 1, rows[i].program);
		buf_init(&out, 4096);
		summary_text(&r, NULL, false, &out);
		if ((out.len > 0) != rows[i].hint)
			fail_msg("%s", rows[i].name);
		sample_finish(&r);
	}
}

static void labels_are_a_line(void **state)
{
	static const struct {
		const char *labels, *says;
	} rows[] = { { "", "" },
		     { "private,untrusted", "ambit: labels: private,untrusted\n" },
		     { "?", "ambit: labels: nobody knows which it has\n" } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (unsigned quiet = 0; quiet < 2; quiet++) {
			struct event_result r;
			auto_buf out = { .max = 4096 };

			sample_make(sample_find("output-text"), &r);
			strcpy(r.labels.text, rows[i].labels);
			summary_text(&r, NULL, quiet != 0, &out);
			assert_string_equal(out.len > 0 ? buf_cstr(&out) : "", quiet != 0 ? "" : rows[i].says);
			sample_finish(&r);
		}
}

static void thousands_are_a_few_lines(void **state)
{
	struct event_result r;
	size_t lines = 0;
	auto_buf out = { .max = 0 };

	(void)state;
	sample_make(sample_find("many"), &r);
	buf_init(&out, 1u << 20);
	summary_text(&r, NULL, false, &out);
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	assert_int_equal(lines, 3 * SUMMARY_DENIALS + 2 + 3); /* those, the rest, and what had no room */
	assert_non_null(strstr(buf_cstr(&out),
			       "denied: 4092 more\n  hint: run it with --record FILE, then ambit explain FILE\n"));
	sample_finish(&r);
}

/* What is held, what there is besides, and the line that says what can be done about it. */
static void held_changes_have_a_way_out(void **state)
{
#define DISCARD "`ambit discard e_1`\n"
	static const struct {
		uint8_t held[7];
		uint64_t changes, untold_held;
		const char *hint;
	} rows[] = {
		{ { HELD_PROTECTED }, 1, 0, "all of it: `ambit commit e_1 --write /t/n0`; none of it: " DISCARD },
		{ { HELD_PROTECTED },
		  2,
		  0,
		  "`ambit commit e_1 PATH...` commits the rest; all of it: `ambit commit e_1 --write /t/n0`; none of it: " DISCARD },
		{ { HELD_PROTECTED, HELD_CONFLICT, HELD_JUDGED },
		  3,
		  0,
		  "all of it: `ambit commit e_1 --write /t/n0 --write /t/n2 --on-conflict ours`; none of it: " DISCARD },
		{ { HELD_CONFLICT, HELD_CONFLICT },
		  2,
		  0,
		  "all of it: `ambit commit e_1 --on-conflict ours`; none of it: " DISCARD },
		{ { HELD_PROTECTED, HELD_REFUSED }, 3, 0, "`ambit commit e_1 PATH...` commits the rest; " DISCARD },
		{ { HELD_REFUSED }, 1, 0, DISCARD },
		{ { HELD_PROTECTED },
		  9,
		  1,
		  "`ambit commit e_1 PATH...` commits the rest; " DISCARD }, /* not all are known */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static const char *const names[] = { "n0", "n1", "n2", "n3", "n4", "n5", "n6" };
		struct change changes[COUNT_OF(names)] = { 0 }, *list[COUNT_OF(names)];
		char trees[1][STAGE_PATH_MAX] = { "/t" };
		struct stage_answer a = { .changes = list, .trees = trees, .n_trees = 1 };
		auto_buf out = { .max = 0 };
		const char *text, *last;

		buf_init(&out, 1u << 20);
		for (size_t n = 0; rows[i].held[n] != HELD_NOT; n++) {
			changes[n] =
				(struct change){ .kind = CHANGE_ADDED, .type = CHANGE_FILE, .held = rows[i].held[n] };
			changes[n].path = names[n];
			changes[n].from = changes[n].reason = "";
			list[a.n_changes++] = &changes[n];
		}
		(void)snprintf(a.end.event, sizeof a.end.event, "e_1");
		a.end.workspace = WORKSPACE_KEPT;
		a.end.why = STAGE_WHY_HELD;
		a.end.changes = rows[i].changes;
		a.end.held = a.n_changes + rows[i].untold_held;
		summary_stage_text(&a, NULL, &out);
		text = buf_cstr(&out);
		last = strstr(strstr(text, "ambit: kept:"), "  hint: ") + 8;
		if (strcmp(last, rows[i].hint) != 0)
			fail_msg("row %zu: %s--- expected:\n%s", i, last, rows[i].hint);
	}
#undef DISCARD
}

/* What a directory lets pass is one hint, with the directory. */
static void many_of_one_directory_are_one_hint(void **state)
{
	static const char many[] = "too many; --write of their directory lets all pass";
	static const struct change rows[] = {
		{ .path = "ks/1.key", .reason = many, .held = HELD_PROTECTED },
		{ .path = "ks/2.key", .reason = many, .held = HELD_PROTECTED },
		{ .path = "ks/3.key", .reason = "another", .held = HELD_PROTECTED },
		{ .path = "ks/4.key", .reason = many, .held = HELD_PROTECTED },
		{ .path = "plain", .reason = "", .held = HELD_NOT },
		{ .path = "spread/a/1/.npmrc", .reason = many, .held = HELD_PROTECTED },
		{ .path = "spread/a/12/.npmrc", .reason = many, .held = HELD_PROTECTED },
		{ .path = "top.key", .reason = many, .held = HELD_PROTECTED },
	};
	static const char expected[] =
		"ambit: not committed: added /t/ks/1.key and 2 more there\n"
		"  why: too many; --write of their directory lets all pass\n"
		"  hint: if they are meant: `ambit commit e_1 --write /t/ks`\n"
		"ambit: not committed: added /t/ks/3.key\n"
		"  why: another\n"
		"  hint: `ambit diff e_1` shows it; if you trust it as yourself: --write /t/ks/3.key\n"
		"ambit: not committed: added /t/spread/a/1/.npmrc and 1 more there\n"
		"  why: too many; --write of their directory lets all pass\n"
		"  hint: if they are meant: `ambit commit e_1 --write /t/spread/a`\n"
		"ambit: not committed: added /t/top.key\n"
		"  why: too many; --write of their directory lets all pass\n"
		"  hint: `ambit diff e_1` shows it; if you trust it as yourself: --write /t/top.key\n";
	static const char ways[] =
		"  hint: `ambit commit e_1 PATH...` commits the rest; all of it: `ambit commit e_1 --write /t/ks --write "
		"/t/ks/3.key --write /t/spread/a --write /t/top.key`; none of it: `ambit discard e_1`\n";
	struct change changes[COUNT_OF(rows)], *list[COUNT_OF(rows)];
	char trees[1][STAGE_PATH_MAX] = { "/t" };
	struct stage_answer a = { .changes = list, .n_changes = COUNT_OF(rows), .trees = trees, .n_trees = 1 };
	auto_buf out = { .max = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		changes[i] = rows[i];
		changes[i].kind = CHANGE_ADDED;
		changes[i].type = CHANGE_FILE;
		changes[i].from = "";
		list[i] = &changes[i];
	}
	(void)snprintf(a.end.event, sizeof a.end.event, "e_1");
	a.end.workspace = WORKSPACE_KEPT;
	a.end.why = STAGE_WHY_HELD;
	a.end.changes = COUNT_OF(rows);
	a.end.held = COUNT_OF(rows) - 1;
	buf_init(&out, 1u << 20);
	summary_stage_text(&a, NULL, &out);
	if (strncmp(buf_cstr(&out), expected, strlen(expected)) != 0 || strstr(buf_cstr(&out), ways) == NULL)
		fail_msg("%s--- expected:\n%s...%s", buf_cstr(&out), expected, ways);
}

/* What a shell would take for something else is not shown in quotes. */
static void a_larger_budget_can_be_pasted(void **state)
{
	static const struct qualifiers few = { .uses = 2 };
	static const struct qualifiers by_day = { .uses = 2, .between = { 540, 1080, "Europe/Berlin" } };
	static const struct {
		const char *object;
		const struct qualifiers *q;
		const char *hint;
	} rows[] = {
		{ "b.test:443", &few, "--connect 'b.test:443 uses=4' allows" },
		{ "*:443", &by_day, "--connect \"*:443 uses=4 between='09:00-18:00 Europe/Berlin'\" allows" },
		{ "unix:/run/a$b", &few, "uses=4 allows" },
		{ "unix:/run/a b", &few, "uses=4 allows" },
		{ "unix:/run/a`b", &by_day, "uses=4 between='09:00-18:00 Europe/Berlin' allows" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 0 };
		struct event_result r;
		uint32_t id;

		buf_init(&out, 1u << 20);
		sample_make(sample_find("plain"), &r);
		id = sample_grant(&r, VERB_CONNECT, rows[i].object);
		((struct grant_set *)(uintptr_t)r.grants)->grants[id].qualifiers =
			*rows[i].q; /* made by sample_grant */
		sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, id, 3, "inet b.test:443");
		r.effects[r.n_effects - 1].source = EFFECT_PROVED;
		r.effects[r.n_effects - 1].meter =
			(struct meter){ .opened = 2, .refused = 1, .stopped = 1u << QUALIFIER_USES };
		summary_text(&r, NULL, false, &out);
		if (strstr(buf_cstr(&out), rows[i].hint) == NULL ||
		    (strstr(buf_cstr(&out), "--connect") != NULL) != (strstr(rows[i].hint, "--connect") != NULL))
			fail_msg("%s:\n%s--- expected: %s", rows[i].object, buf_cstr(&out), rows[i].hint);
		sample_finish(&r);
	}
}

static void a_connection_that_led_nowhere_is_said(void **state)
{
	static const struct {
		struct meter meter;
		int status;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{ { .failed = 1, .sys_errno = EPERM },
		  0,
		  "ambit: not connected: b.test:443\n  why: its name leads to no public address\n  hint: an address" },
		{ { .failed = 2, .sys_errno = EHOSTUNREACH },
		  1,
		  "ambit: not connected: b.test:443\n  why: its name has no address, or no way leads there\n" },
		{ { .failed = 1, .sys_errno = ECONNREFUSED }, 1, "why: Connection refused\n" },
		{ { .failed = 1, .sys_errno = ECONNREFUSED }, 0, NULL },
		{ { .opened = 1, .failed = 1, .sys_errno = EHOSTUNREACH }, 1, NULL },
		{ { .opened = 1 }, 1, NULL },
		{ { .failed = 1 }, 1, "  why: nothing had answered when it ended\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 1u << 20 };
		struct event_result r;
		uint32_t id;

		sample_make(sample_find("plain"), &r);
		r.exit_status = rows[i].status;
		id = sample_grant(&r, VERB_CONNECT, "b.test:443");
		sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, id, 1, "inet b.test:443");
		r.effects[r.n_effects - 1].source = EFFECT_PROVED;
		r.effects[r.n_effects - 1].meter = rows[i].meter;
		summary_text(&r, NULL, false, &out);
		assert_non_null(buf_cstr(&out));
		if (rows[i].says == NULL ? strstr(buf_cstr(&out), "not connected") != NULL
					 : strstr(buf_cstr(&out), rows[i].says) == NULL)
			fail_msg("%zu: %s", i, buf_cstr(&out));
		sample_finish(&r);
	}
}

/* Of several, the one that a person can do something about. */
static void a_name_of_no_public_address_is_said_first(void **state)
{
	static const int fails[] = { ECONNREFUSED, EPERM, ETIMEDOUT };
	auto_buf out = { .max = 1u << 20 };
	struct event_result r;

	(void)state;
	sample_make(sample_find("plain"), &r);
	r.exit_status = 1;
	for (unsigned i = 0; i < COUNT_OF(fails); i++) {
		char object[32];

		(void)snprintf(object, sizeof object, "h%u.test:443", i);
		sample_effect(&r, EFFECT_CONNECT, EFFECT_ALLOWED, sample_grant(&r, VERB_CONNECT, object), 1,
			      "inet h.test:443");
		r.effects[r.n_effects - 1].source = EFFECT_PROVED;
		r.effects[r.n_effects - 1].meter = (struct meter){ .failed = 1, .sys_errno = (uint32_t)fails[i] };
	}
	summary_text(&r, NULL, false, &out);
	assert_non_null(strstr(buf_cstr(&out), "not connected: h1.test:443\n  why: its name leads to no public"));
	assert_null(strstr(buf_cstr(&out), "h0.test"));
	sample_finish(&r);
}

static void what_was_named_and_not_granted_is_said(void **state)
{
	static const char hint[] =
		"ambit: named in the command, and not granted: /srv/repo\n  why: what is not granted is not there for a cell\n  hint: --read /srv/repo allows it, if it is there\n";
	static const struct {
		const char *words[4];
		int status;
		bool says;
	} rows[] = {
		{ { "git", "clone", "/srv/repo" }, 128, true },
		{ { "git", "clone", "/srv/repo" }, 0, false },
		{ { "pip", "--find-links=/srv/repo", "x" }, 1, true },
		{ { "sh", "-c", "cd x && git clone '/srv/repo' y" }, 1, true },
		{ { "sh", "-c", "git clone /srv/other/../repo; ls /srv/repo/x" }, 1, true },
		{ { "/srv/repo", "x" }, 1, false }, /* the program was found, or it is another error */
		{ { "awk", "'/srv/repo/{print}'", "x" }, 1, false },
		{ { "sed", "s/srv/repo/" }, 1, false },
		{ { "curl", "https://srv/repo", "/tmp/srv/repo" }, 1, false },
		{ { "cat", "/etc/srv", "/usr/bin/env", "/proc/1" }, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *argv[] = { (char *)(uintptr_t)rows[i].words[0], (char *)(uintptr_t)rows[i].words[1],
				 (char *)(uintptr_t)rows[i].words[2], (char *)(uintptr_t)rows[i].words[3], NULL };
		auto_buf out = { .max = 1u << 20 };
		struct event_result r;

		sample_make(sample_find("plain"), &r);
		r.exit_status = rows[i].status;
		r.argv = argv;
		summary_text(&r, NULL, false, &out);
		buf_put_u8(&out, 0);
		if ((strstr((const char *)out.data, hint) != NULL) != rows[i].says ||
		    (!rows[i].says && strstr((const char *)out.data, "named in") != NULL))
			fail_msg("%zu: %s", i, (const char *)out.data);
		sample_finish(&r);
	}
}

static void times_are_words(void **state)
{
	static const struct {
		uint64_t s;
		const char *text;
	} rows[] = {
		{ 0, "less than a minute" }, { 58, "less than a minute" },
		{ 59, "1 minute" }, /* given as 1m a moment ago */
		{ 118, "1 minute" },         { 119, "2 minutes" },
		{ 3598, "59 minutes" },      { 3599, "1 hour" },
		{ 5400, "90 minutes" },      { 7199, "2 hours" },
		{ 86400, "24 hours" },       { 2 * 86400 - 1, "2 days" },
		{ 7 * 86400, "7 days" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[32];

		summary_time_left(rows[i].s * 1000000000, text, sizeof text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_in_its_words),
		cmocka_unit_test(what_closed_it_is_told_with_where_it_came_from),
		cmocka_unit_test(what_belongs_together_is_one_line),
		cmocka_unit_test(what_nobody_could_grant_is_said),
		cmocka_unit_test(a_record_that_is_not_kept_is_said),
		cmocka_unit_test(what_is_shown_can_be_written_too),
		cmocka_unit_test(a_protected_name_is_said_to_be_one),
		cmocka_unit_test(what_is_gone_is_said_once),
		cmocka_unit_test(no_hint_about_jit_without_reason),
		cmocka_unit_test(labels_are_a_line),
		cmocka_unit_test(thousands_are_a_few_lines),
		cmocka_unit_test(held_changes_have_a_way_out),
		cmocka_unit_test(many_of_one_directory_are_one_hint),
		cmocka_unit_test(a_larger_budget_can_be_pasted),
		cmocka_unit_test(a_connection_that_led_nowhere_is_said),
		cmocka_unit_test(a_name_of_no_public_address_is_said_first),
		cmocka_unit_test(what_was_named_and_not_granted_is_said),
		cmocka_unit_test(times_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
