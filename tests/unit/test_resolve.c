#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "err_text.h"
#include "policy/policy.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A small world, made anew for the program:
 *
 *     T/w            the workspace: file, dir/sub, and the links named in main
 *     T/h            home: .gitconfig, dots -> T/dots
 *     T/srv/data     elsewhere
 *     T/open -> T/srv */
struct world {
	char top[64];
	char workspace[80], home[80];
};

static struct policy policy;
static struct grant_set set;

static void make_file(const struct world *w, const char *path)
{
	char full[256];
	FILE *f;

	(void)snprintf(full, sizeof full, "%s/%s", w->top, path);
	f = fopen(full, "we");
	assert_non_null(f);
	(void)fclose(f);
}

static void make_dir(const struct world *w, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof full, "%s/%s", w->top, path);
	assert_int_equal(mkdir(full, 0700), 0);
}

/* A target that starts with `@` is beneath the world. */
static void make_link(const struct world *w, const char *path, const char *target)
{
	char full[256], to[256];

	(void)snprintf(full, sizeof full, "%s/%s", w->top, path);
	(void)snprintf(to, sizeof to, "%s%s", target[0] == '@' ? w->top : "", target[0] == '@' ? target + 1 : target);
	assert_int_equal(symlink(to, full), 0);
}

static void make_socket(const struct world *w, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof full, "%s/%s", w->top, path);
	assert_int_equal(mknod(full, S_IFSOCK | 0600, 0), 0);
}

static int make_world(void **state)
{
	static const char *const dirs[] = { "w",   "w/dir",    "w/dir/sub", "h",        "h/dots",
					    "srv", "srv/data", "srv/out",   "srv/other" };
	static const char *const links[][2] = {
		{ "open", "@/srv" },
		{ "w/inside", "dir/sub" },
		{ "w/outside", "@/srv/data" },
		{ "w/up", "../srv" },
		{ "w/there-and-back", "../srv/../w/dir" },
		{ "w/gone", "nothing" },
		{ "w/loop", "loop" },
		{ "h/.gitconfig", "dots/gitconfig" },
		{ "srv/out/latest", "@/h" },
		{ "srv/out/mine", "a/../b" },
		{ "h/proc", "/proc/self" },
		{ "srv/root", "/" },
		{ "w/null", "/dev/null" },
		{ "link-to-w", "@/w" },
		{ "srv/chain", "@/w/outside" },
		{ "w/node", "file" },
		{ "srv/a-node", "@/srv/node" },
	};
	struct world *w = calloc(1, sizeof *w);
	char *real = NULL;

	if (w == NULL)
		return -1;
	(void)snprintf(w->top, sizeof w->top, "/tmp/ambit-resolve.XXXXXX");
	if (mkdtemp(w->top) == NULL || (real = realpath(w->top, NULL)) == NULL || strlen(real) >= sizeof w->top)
		return -1;
	memcpy(w->top, real, strlen(real) + 1); /* /tmp may be a link */
	free(real);
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		make_dir(w, dirs[i]);
	make_file(w, "w/file");
	make_file(w, "w/what?");
	make_file(w, "h/dots/gitconfig");
	make_file(w, "srv/node");
	make_file(w, "srv/out/b");
	make_dir(w, "srv/out/a");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		make_link(w, links[i][0], links[i][1]);
	make_socket(w, "w/socket");
	make_link(w, "w/to-socket", "socket");
	make_link(w, "srv/chain-0", "data");
	for (unsigned int i = 1; i <= 40; i++) { /* chain-39 goes through 40 links, chain-40 through one more */
		char name[32], target[32];

		(void)snprintf(name, sizeof name, "srv/chain-%u", i);
		(void)snprintf(target, sizeof target, "chain-%u", i - 1);
		make_link(w, name, target);
	}
	(void)snprintf(w->workspace, sizeof w->workspace, "%s/w", w->top);
	(void)snprintf(w->home, sizeof w->home, "%s/h", w->top);
	*state = w;
	return 0;
}

static int remove_world(void **state)
{
	struct world *w = *state;
	char command[128];
	int rc;

	(void)snprintf(command, sizeof command, "rm -rf '%s'", w->top);
	rc = system(command);
	free(w);
	return rc;
}

/* Puts the world in place of each `@`. */
static void expand(const struct world *w, const char *text, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = 0;
	for (; *text != 0; text++) {
		if (*text == '@')
			n += (size_t)snprintf(ret + n, size - n, "%s", w->top);
		else
			n += (size_t)snprintf(ret + n, size - n, "%c", *text);
		assert_true(n < size);
	}
}

static void start(const struct world *w, const char *const *flags)
{
	memset(&policy, 0, sizeof policy);
	grant_set_init(&set);
	for (; flags[0] != NULL; flags += 2) {
		char text[256];
		struct err e;

		expand(w, flags[1], text, sizeof text);
		if (policy_add_flag(&policy, flags[0], text, &e) < 0)
			fail_msg("%s %s: %s", flags[0], text, e.msg);
	}
}

static int resolve(const struct world *w, struct policy_names *names, struct err *e)
{
	const struct policy_place place = { .workspace = w->workspace, .home = w->home };
	struct limits limits = { .value = { 0 } };

	return policy_resolve(&policy, &place, &set, &limits, names, e);
}

static void objects_become_the_place_where_they_lie(void **state)
{
	static const struct {
		const char *flags[7];
		const char *expected; /* grants, then {asked = real} */
	} rows[] = {
		{ { "work", ".", NULL }, "work @/w;" },
		{ { "read", "./file", NULL }, "read @/w/file;" },
		{ { "read", "./", NULL }, "read @/w;" },
		{ { "read", "./dir//./sub/", NULL }, "read @/w/dir/sub;" },
		{ { "read", "~", NULL }, "read @/h;" },
		{ { "read", "~/", NULL }, "read @/h;" },
		{ { "read", "~/.gitconfig", NULL }, "read @/h/dots/gitconfig; {@/h/.gitconfig = @/h/dots/gitconfig}" },
		{ { "read", "@/srv/data", NULL }, "read @/srv/data;" },
		{ { "read", "@/open/data", NULL }, "read @/srv/data; {@/open/data = @/srv/data}" },
		{ { "read", "./inside", NULL }, "read @/w/dir/sub; {@/w/inside = @/w/dir/sub}" },
		{ { "read", "./there-and-back", NULL }, "read @/w/dir; {@/w/there-and-back = @/w/dir}" },
		{ { "read", "@/link-to-w/dir", NULL }, "read @/w/dir; {@/link-to-w/dir = @/w/dir}" },
		{ { "read", "[@/srv/data, ./nothing?, ~/x?, ./gone?, ./file/x?]", NULL }, "read @/srv/data;" },
		{ { "read",
		    "./what?"
		    "?",
		    NULL },
		  "read @/w/what?;" },
		{ { "read", "@/srv/out/mine", NULL }, "read @/srv/out/b; {@/srv/out/mine = @/srv/out/b}" },
		{ { "read", "@/srv/out/latest", NULL },
		  "read @/h; {@/srv/out/latest = @/h}" }, /* nobody here may write it */
		{ { "write", "@/srv/out", "read", "@/srv/out/mine", NULL },
		  "write @/srv/out; read @/srv/out/b; {@/srv/out/mine = @/srv/out/b}" },
		{ { "read", "@/srv/chain-39", NULL }, "read @/srv/data; {@/srv/chain-39 = @/srv/data}" },
		{ { "run", "node", NULL }, "run node; jit ;" },
		{ { "run", "python3", NULL }, "run python3;" },
		{ { "run", "./file", NULL }, "run @/w/file;" },
		{ { "run", "./node", NULL }, "run @/w/file; jit ; {@/w/node = @/w/file}" },
		{ { "run", "@/srv/a-node", NULL }, "run @/srv/node; jit ; {@/srv/a-node = @/srv/node}" },
		{ { "read", "@/srv/node", NULL }, "read @/srv/node;" },
		{ { "env", "A=1", "jit", "", NULL }, "env A=1; jit ;" },
		{ { NULL }, "" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct policy_names names = { .count = 0 };
		char got[1024] = "", expected[1024];
		struct err e;
		size_t n = 0;

		start(*state, rows[i].flags);
		if (resolve(*state, &names, &e) < 0)
			fail_msg("row %zu: %s", i, e.msg);
		for (uint32_t g = 0; g < set.count; g++)
			n += (size_t)snprintf(got + n, sizeof got - n, "%s%s %s;", g > 0 ? " " : "",
					      verb_word((enum grant_verb)set.grants[g].verb), grant_object(&set, g));
		for (size_t k = 0; k < names.count; k++)
			n += (size_t)snprintf(got + n, sizeof got - n, " {%s = %s}", names.items[k].asked,
					      names.items[k].real);
		policy_names_finish(&names);
		expand(*state, rows[i].expected, expected, sizeof expected);
		assert_string_equal(got, expected);
	}
}

static void what_may_not_be_granted_is_refused(void **state)
{
	static const struct {
		const char *flags[7];
		enum ambit_code code;
		const char *msg, *hint;
	} rows[] = {
		{ { "read", "./nothing", NULL }, AMBIT_NOT_FOUND, "read: there is no '@/w/nothing'", "`?`" },
		{ { "write", "./nothing", NULL },
		  AMBIT_NOT_FOUND,
		  "write: there is no '@/w/nothing'",
		  "grant the directory" },
		{ { "read", "./file/x", NULL }, AMBIT_NOT_FOUND, "there is no", "`?`" },
		{ { "read", "./gone", NULL }, AMBIT_NOT_FOUND, "there is no", "`?`" },
		{ { "read", "./loop", NULL }, AMBIT_NOT_FOUND, "more than 40 links", "the place itself" },
		{ { "read", "@/srv/chain-40", NULL }, AMBIT_NOT_FOUND, "more than 40 links", "the place itself" },
		{ { "read", "./loop?", NULL }, AMBIT_NOT_FOUND, "more than 40 links", "the place itself" },
		/* a cell has its own */
		{ { "read", "~/proc", NULL }, AMBIT_DENIED, "is never granted", "leave the grant out" },
		{ { "read", "~/proc/cwd", NULL }, AMBIT_DENIED, "is never granted", "leave the grant out" },
		{ { "read", "./null", NULL }, AMBIT_DENIED, "is never granted", "leave the grant out" },
		/* never whole */
		{ { "read", "@/srv/root", NULL },
		  AMBIT_DENIED,
		  "read: '/' is never granted whole",
		  "name the directories" },
		{ { "run", "@/srv/root?", NULL },
		  AMBIT_DENIED,
		  "run: '/' is never granted whole",
		  "name the directories" },
		/* not a file */
		{ { "read", "./socket", NULL }, AMBIT_DENIED, "'@/w/socket' is a socket", "connect: unix:" },
		{ { "write", "./socket?", NULL }, AMBIT_DENIED, "'@/w/socket' is a socket", "connect: unix:" },
		{ { "read", "./to-socket", NULL }, AMBIT_DENIED, "is a socket", "connect: unix:" },
		/* links that an earlier event may have left */
		{ { "read", "./outside", NULL }, AMBIT_DENIED, "leads to '@/srv/data': a program", "read: @/srv/data" },
		{ { "read", "./up/data", NULL }, AMBIT_DENIED, "leads to '@/srv/data': a program", "read: @/srv/data" },
		{ { "read", "@/w/outside", NULL },
		  AMBIT_DENIED,
		  "leads to '@/srv/data': a program",
		  "read: @/srv/data" },
		{ { "read", "@/link-to-w/outside", NULL }, AMBIT_DENIED, "leads to '@/srv/data'", "read: @/srv/data" },
		{ { "read", "@/srv/chain", NULL }, AMBIT_DENIED, "leads to '@/srv/data'", "read: @/srv/data" },
		{ { "work", "./outside", NULL }, AMBIT_DENIED, "leads to '@/srv/data'", "work: @/srv/data" },
		{ { "run", "./outside?", NULL }, AMBIT_DENIED, "leads to '@/srv/data'", "run: @/srv/data" },
		{ { "write", "@/srv/out", "read", "@/srv/out/latest", NULL },
		  AMBIT_DENIED,
		  "leads to '@/h'",
		  "read: @/h" },
		{ { "read", "@/srv/out/latest", "write", "@/open/out", NULL },
		  AMBIT_DENIED,
		  "leads to '@/h'",
		  "read: @/h" },
		{ { "read", "@/srv/out/latest", "work", "@/srv", NULL }, AMBIT_DENIED, "leads to '@/h'", "read: @/h" },
		/* one name, two values */
		{ { "env", "A=1", "env", "A=2", NULL }, AMBIT_CONFLICT, "env: 'A'", "keep one" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char msg[256], hint[256];
		struct err e;
		int rc;

		start(*state, rows[i].flags);
		rc = resolve(*state, NULL, &e);
		expand(*state, rows[i].msg, msg, sizeof msg);
		expand(*state, rows[i].hint, hint, sizeof hint);
		if (rc != -(int)rows[i].code || !err_says(&e, msg) || strstr(e.hint, hint) == NULL)
			fail_msg("row %zu: %d %s (%s)", i, rc, err_text(&e).s, e.hint);
	}
}

/* `.` and `~` may be it. */
static void the_root_is_no_workspace_to_grant(void **state)
{
	static const char *const rows[][3] = { { "read", ".", NULL }, { "work", "~", NULL }, { "work", "~/.", NULL } };
	static const struct policy_place root = { .workspace = "/", .home = "/" };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct limits limits = { .value = { 0 } };
		struct err e;

		start(*state, rows[i]);
		assert_int_equal(policy_resolve(&policy, &root, &set, &limits, NULL, &e), -AMBIT_DENIED);
		assert_non_null(strstr(e.msg, "'/' is never granted whole"));
	}
}

static void what_cannot_be_reached_cannot_be_granted(void **state)
{
	static const char *const flags[] = { "read", "./locked/x?", NULL };
	const struct world *w = *state;
	char path[128];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/locked", w->workspace);
	assert_int_equal(mkdir(path, 0), 0);
	start(w, flags);
	if (geteuid() == 0) { /* root reaches everything: then it is merely missing */
		assert_int_equal(resolve(w, NULL, &e), 0);
	} else {
		assert_int_equal(resolve(w, NULL, &e), -AMBIT_DENIED);
		assert_non_null(strstr(e.msg, "stops at"));
	}
	assert_int_equal(rmdir(path), 0);
}

static void a_mistake_says_where_it_was_written(void **state)
{
	static struct policy file;
	const struct world *w = *state;
	struct err e;

	memset(&policy, 0, sizeof policy);
	memset(&file, 0, sizeof file);
	grant_set_init(&set);
	assert_int_equal(policy_add(&file, VERB_READ, "./nothing", 3, 11, NULL), 0);
	assert_int_equal(policy_merge(&policy, &file, "my.yaml", NULL), 0);
	assert_int_equal(resolve(w, NULL, &e), -AMBIT_NOT_FOUND);
	assert_memory_equal(e.msg, "my.yaml:3:11: read: there is no", strlen("my.yaml:3:11: read: there is no"));
	policy = file; /* a file that nobody named */
	assert_int_equal(resolve(w, NULL, &e), -AMBIT_NOT_FOUND);
	assert_memory_equal(e.msg, "line 3, column 11: read", strlen("line 3, column 11: read"));
	file.lines[0].line = 0;
	policy = file; /* a flag */
	assert_int_equal(resolve(w, NULL, &e), -AMBIT_NOT_FOUND);
	assert_memory_equal(e.msg, "read: there is no", strlen("read: there is no"));
}

static void places_are_checked(void **state)
{
	const struct world *w = *state;
	struct limits limits = { .value = { 0 } };
	char link[128], nothing[128];
	static const char *const home[] = { "read", "~/x", NULL }, *const work[] = { "work", ".", NULL };
	const struct {
		const char *workspace, *home;
		int expected;
	} rows[] = {
		{ w->workspace, NULL, -AMBIT_NOT_FOUND }, { "w", w->home, -AMBIT_MALFORMED },
		{ w->workspace, "h", -AMBIT_MALFORMED },  { nothing, w->home, -AMBIT_NOT_FOUND },
		{ "/proc/self", w->home, -AMBIT_DENIED },
	};

	(void)snprintf(nothing, sizeof nothing, "%s/nothing", w->top);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct policy_place place = { .workspace = rows[i].workspace, .home = rows[i].home };
		struct err e;

		start(w, home);
		if (policy_resolve(&policy, &place, &set, &limits, NULL, &e) != rows[i].expected)
			fail_msg("row %zu: %s", i, e.msg);
	}
	(void)snprintf(link, sizeof link, "%s/link-to-w", w->top); /* the workspace itself may be named by a link */
	start(w, work);
	assert_int_equal(policy_resolve(&policy, &(struct policy_place){ .workspace = link, .home = NULL }, &set,
					&limits, NULL, NULL),
			 0);
	assert_string_equal(grant_object(&set, 0), w->workspace);
}

static void limits_that_are_given_replace_defaults(void **state)
{
	const struct world *w = *state;
	const struct policy_place place = { .workspace = w->workspace, .home = w->home };
	struct limits limits;

	memset(&policy, 0, sizeof policy);
	grant_set_init(&set);
	limits_default_code(&limits);
	assert_int_equal(policy_add_limit(&policy, "tasks=4096,wall=none", NULL), 0);
	assert_int_equal(policy_resolve(&policy, &place, &set, &limits, NULL, NULL), 0);
	assert_int_equal(limits.value[LIMIT_TASKS], 4096);
	assert_int_equal(limits.value[LIMIT_WALL], 0);
	assert_int_equal(limits.value[LIMIT_FILES], 256);
}

/* The same lines in another order give the same grants, or the same refusal. */
static void order_never_matters(void **state)
{
	static const char *const lines[][2] = {
		{ "read", "./inside" },
		{ "read", "./outside" },
		{ "write", "@/srv/out" },
		{ "read", "@/srv/out/latest" },
		{ "read", "@/open/data" },
		{ "run", "node" },
		{ "work", "." },
		{ "read", "@/srv/out/mine" },
		{ "read", "~/.gitconfig" },
		{ "run", "./node" },
		{ "read", "@/srv/chain" },
	};
	static struct grant_set first;
	uint64_t good = 0;

	for (uint64_t round = 0; round < prop_rounds(200); round++) {
		struct prop p = prop_round(round);
		const char *forth[9] = { NULL }, *back[9] = { NULL };
		struct err e;
		int rc;

		for (size_t i = 0; i < 4; i++) {
			const char *const *line = lines[prop_below(&p, COUNT_OF(lines))];

			memcpy(forth + 2 * i, line, 2 * sizeof *line);
			memcpy(back + 6 - 2 * i, line, 2 * sizeof *line);
		}
		start(*state, forth);
		rc = resolve(*state, NULL, &e);
		first = set;
		start(*state, back);
		if ((resolve(*state, NULL, &e) < 0) != (rc < 0))
			prop_fail(&p, "refused in one order only: %s", e.msg);
		if (rc < 0)
			continue;
		good++;
		assert_int_equal(set.count, first.count);
		for (uint32_t i = 0; i < set.count; i++) {
			bool found = false;

			for (uint32_t k = 0; k < first.count; k++)
				found |= first.grants[k].verb == set.grants[i].verb &&
					 strcmp(grant_object(&first, k), grant_object(&set, i)) == 0;
			if (!found)
				prop_fail(&p, "%s", grant_object(&set, i));
		}
	}
	assert_true(good > 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_become_the_place_where_they_lie),
		cmocka_unit_test(what_may_not_be_granted_is_refused),
		cmocka_unit_test(the_root_is_no_workspace_to_grant),
		cmocka_unit_test(what_cannot_be_reached_cannot_be_granted),
		cmocka_unit_test(a_mistake_says_where_it_was_written),
		cmocka_unit_test(places_are_checked),
		cmocka_unit_test(limits_that_are_given_replace_defaults),
		cmocka_unit_test(order_never_matters),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
