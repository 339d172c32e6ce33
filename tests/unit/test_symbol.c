/* One effect as one word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/symbol.h"
#include "prop.h"

struct row {
	uint8_t kind, verdict;
	const char *object, *symbol;
};

#define OK EFFECT_ALLOWED
#define NO EFFECT_DENIED
#define GONE EFFECT_ABSENT

static struct grant_set grants;

static void give(enum grant_verb verb, const char *object)
{
	uint32_t id;
	struct err e;

	assert_int_equal(grant_add(&grants, verb, object, 0, &id, &e), 0);
}

static void check(const char *home, const struct row *rows, size_t n)
{
	const struct symbol_place place = { .home = home, .grants = &grants };
	static struct effect f;
	char got[SYMBOL_MAX];

	for (size_t i = 0; i < n; i++) {
		f = (struct effect){
			.kind = rows[i].kind, .verdict = rows[i].verdict, .grant = GRANT_NONE, .count = 1
		};
		(void)snprintf(f.object, sizeof f.object, "%s", rows[i].object);
		symbol_of(&place, &f, got);
		if (strcmp(got, rows[i].symbol) != 0)
			fail_msg("row %zu, %s: %s, and not %s", i, rows[i].object, got, rows[i].symbol);
	}
}

#define CHECK(home, rows) check(home, rows, sizeof rows / sizeof rows[0])

static void a_path_is_told_by_its_class(void **state)
{
	static const struct row rows[] = {
		{ EFFECT_READ, OK, "/home/ann/shop/src/deep/main.py", "read:work.py" },
		{ EFFECT_READ, OK, "/home/ann/shop", "read:work" },
		{ EFFECT_READ, OK, "/home/ann/shop/src", "read:work" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/Makefile", "write:work.obeyed.build" },
		{ EFFECT_READ, OK, "/home/ann/shop/Makefile", "read:work.build" },
		{ EFFECT_DELETE, OK, "/home/ann/shop/web/package.json", "delete:work.config" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/node_modules/x/package.json", "write:work/node_modules" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/package.json.txt", "write:work.doc" },
		{ EFFECT_RENAME, OK, "/home/ann/shop/.github/workflows/ci.yml", "rename:work.obeyed/.github" },
		{ EFFECT_MKDIR, OK, "/home/ann/shop/.github", "mkdir:work/.github" },
		{ EFFECT_MKDIR, OK, "/home/ann/shop/.husky", "mkdir:work/.husky" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/.husky/pre-commit", "write:work.obeyed/.husky" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/.envrc", "write:work.secret/.envrc" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/.pre-commit-config.yaml", "write:work.obeyed/.pre-commit-config" },
		{ EFFECT_READ, OK, "/home/ann/shop/deploy/server.key", "read:work.secret.key" },
		{ EFFECT_READ, OK, "/home/ann/shop/deploy/server.pub", "read:work.other" },
		{ EFFECT_READ, OK, "/home/ann/shop/.ssh/known/x.txt", "read:work.secret/.ssh" },
		{ EFFECT_READ, OK, "/srv/set/wallet.dat", "read:given.secret.data" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/a.locked", "write:work.other" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/lib/libx.so.1.2", "write:work.object" },
		{ EFFECT_READ, OK, "/home/ann/shop/.git/objects/ab/cdef01", "read:work/.git/objects" },
		{ EFFECT_WRITE, NO, "/home/ann/shop/.git/hooks/pre-commit", "write:work.obeyed/.git/hooks!" },
		{ EFFECT_READ, OK, "/home/ann/shop/.git/HEAD", "read:work/.git" },
		{ EFFECT_READ, OK, "/home/ann/shop/sub/.env.local", "read:work.secret/.env" },
		{ EFFECT_WRITE, OK, "/home/ann/shop/.coverage.host17.4711", "write:work/.coverage" },
		{ EFFECT_READ, OK, "/home/ann/shop/node_modules/left-pad/x.js", "read:work/node_modules" },
		{ EFFECT_DELETE, OK, "/home/ann/shop/report.PDF", "delete:work.doc" },
		{ EFFECT_READ, OK, "/srv/set/2026/rows.csv", "read:given.data" },
		{ EFFECT_READ, OK, "/srv/one.csv", "read:given.data" },
		{ EFFECT_READ, OK, "/home/ann/site.js", "read:work" },
		{ EFFECT_READ, OK, "/home/ann/site.js/a", "read:work" },
		{ EFFECT_MKDIR, OK, "/home/ann", "mkdir:home" },
		{ EFFECT_READ, NO, "/home/ann/.ssh/id_ed25519", "read:~/.ssh.secret!" },
		{ EFFECT_READ, GONE, "/home/ann/.config/gcloud/credentials.db", "read:~/.config/gcloud.secret?" },
		{ EFFECT_WRITE, OK, "/home/ann/.bashrc", "write:~/.bashrc.obeyed" },
		{ EFFECT_READ, OK, "/home/ann/.bashrc", "read:~/.bashrc" },
		{ EFFECT_WRITE, NO, "/home/ann/.config/systemd/user/x.service", "write:~/.config/systemd.obeyed!" },
		{ EFFECT_MKDIR, NO, "/home/ann/.config", "mkdir:~/.config!" },
		{ EFFECT_READ, NO, "/home/ann/.aws/credentials", "read:~/.aws.secret!" },
		{ EFFECT_READ, NO, "/home/ann/.aws/config", "read:~/.aws!" },
		{ EFFECT_READ, NO, "/home/ann/taxes/2026.pdf", "read:home.doc!" },
		{ EFFECT_READ, NO, "/home/bob/taxes/2026.pdf", "read:/home!" },
		{ EFFECT_READ, NO, "/home/bob/.ssh/config", "read:/home/.ssh!" },
		{ EFFECT_READ, NO, "/root/.aws/credentials", "read:/home/.aws!" },
		{ EFFECT_READ, OK, "/usr/lib/python3.11/os.py", "read:/usr/lib" },
		{ EFFECT_READ, OK, "/lib64/ld-linux-x86-64.so.2", "read:/usr/lib" },
		{ EFFECT_READ, OK, "/usr/lib64/libc.so.6", "read:/usr/lib" },
		{ EFFECT_READ, OK, "/usr", "read:/usr" },
		{ EFFECT_READ, OK, "/", "read:/" },
		{ EFFECT_READ, OK, "/etc/ssl/certs/ca.pem", "read:/etc/ssl" },
		{ EFFECT_READ, NO, "/etc/shadow", "read:/etc/shadow!" },
		{ EFFECT_READ, OK, "/proc/self/status", "read:/proc/self/status" },
		{ EFFECT_READ, OK, "/proc/self/fd/17", "read:/proc/self/fd" },
		{ EFFECT_READ, NO, "/proc/4711/environ", "read:/proc/#/environ!" },
		{ EFFECT_READ, OK, "/proc/cpuinfo", "read:/proc/cpuinfo" },
		{ EFFECT_READ, OK, "/dev/urandom", "read:/dev/urandom" },
		{ EFFECT_READ, NO, "/dev/sda1", "read:/dev/sda#!" },
		{ EFFECT_WRITE, OK, "/dev/shm/sem.x7", "write:shm.other" },
		{ EFFECT_WRITE, OK, "/tmp/ccXy12.s", "write:tmp.c" },
		{ EFFECT_WRITE, OK, "/tmp/tmp8fj3_x", "write:tmp" },
		{ EFFECT_WRITE, OK, "/var/tmp/.x/miner", "write:tmp/." },
		{ EFFECT_WRITE, NO, "/etc/cron.d/job", "write:/etc/cron.d!" },
		{ EFFECT_READ, NO, "/data/anns-secret-project/x.csv", "read:other.data!" },
		{ EFFECT_MKDIR, OK, "/home/ann/shop/out", "mkdir:work" },
		{ EFFECT_RENAME, OK, "/home/ann/shop/x.json", "rename:work.config" },
		{ EFFECT_LINK, OK, "/home/ann/shop/x", "link:work" },
		{ EFFECT_MODE, OK, "/home/ann/shop/run.sh", "mode:work.sh" },
		{ EFFECT_OPAQUE, OK, "system call 257", "opaque:call" },
	};

	(void)state;
	grant_set_init(&grants);
	give(VERB_WORK, "/home/ann/shop");
	give(VERB_WORK, "/home/ann/site.js");
	give(VERB_READ, "/srv/set");
	give(VERB_READ, "/srv/one.csv");
	give(VERB_WRITE, "/home/ann/.bashrc");
	CHECK("/home/ann", rows);
}

static void a_program_is_told_by_its_name_or_as_new(void **state)
{
	static const struct row rows[] = {
		{ EFFECT_EXEC, OK, "/usr/bin/git", "exec:git" },
		{ EFFECT_EXEC, OK, "/bin/sh", "exec:sh" },
		{ EFFECT_EXEC, OK, "/usr/bin/python3.11", "exec:python" },
		{ EFFECT_EXEC, OK, "/usr/bin/x86_64-linux-gnu-gcc-12", "exec:gcc" },
		{ EFFECT_EXEC, OK, "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "exec:cc" },
		{ EFFECT_EXEC, OK, "/usr/bin/sha256sum", "exec:sha#sum" },
		{ EFFECT_EXEC, GONE, "/usr/local/bin/git", "exec:git?" },
		{ EFFECT_EXEC, OK, "/w/tree/a.out", "exec:new" },
		{ EFFECT_EXEC, NO, "/tmp/x", "exec:new!" },
		{ EFFECT_EXEC, EFFECT_DENIED_WRITTEN, "/opt/tool/x", "exec:new!" },
		{ EFFECT_EXEC, GONE, "/home/ann/.local/bin/git", "exec:new?" },
		{ EFFECT_EXEC, OK, "/given/tool", "exec:given" },
		{ EFFECT_EXEC, NO, "/data/tool", "exec:other!" },
	};

	(void)state;
	grant_set_init(&grants);
	give(VERB_WORK, "/w/tree");
	give(VERB_RUN, "/given/tool");
	CHECK("/home/ann", rows);
}

static void a_connection_is_told_by_where_it_leads(void **state)
{
	static const struct row rows[] = {
		{ EFFECT_CONNECT, NO, "inet 93.184.216.34:443", "connect:net.web!" },
		{ EFFECT_CONNECT, NO, "inet 93.184.216.34:4444", "connect:net.high!" },
		{ EFFECT_CONNECT, NO, "inet 10.0.0.7:22", "connect:private.ssh!" },
		{ EFFECT_CONNECT, NO, "inet [fd00::1]:6379", "connect:private.data!" },
		{ EFFECT_CONNECT, NO, "inet 169.254.169.254:80", "connect:metadata.web!" },
		{ EFFECT_CONNECT, OK, "inet 127.0.0.1:8000", "connect:local" },
		{ EFFECT_CONNECT, OK, "inet [::1]:31337", "connect:local" },
		{ EFFECT_CONNECT, NO, "inet api.example:443", "connect:name.web!" },
		{ EFFECT_CONNECT, NO, "family 16", "connect:other!" },
		{ EFFECT_CONNECT, NO, "unix /run/docker.sock", "unix:/run/docker.sock!" },
		{ EFFECT_CONNECT, NO, "unix /run/user/1000/bus", "unix:/run/user!" },
		{ EFFECT_CONNECT, OK, "unix @/tmp/.X11-unix/X0", "unix:abstract" },
		{ EFFECT_CONNECT, OK, "unix /tmp/agent", "unix:tmp" },
	};
	static const struct row granted = { EFFECT_CONNECT, OK, "inet 93.184.216.34:443", "connect:granted.web" };
	const struct symbol_place place = { .home = "/home/ann", .grants = &grants };
	static struct effect f;
	char got[SYMBOL_MAX];

	(void)state;
	grant_set_init(&grants);
	CHECK("/home/ann", rows);
	f = (struct effect){ .kind = granted.kind, .verdict = granted.verdict, .grant = 0, .count = 1 };
	(void)snprintf(f.object, sizeof f.object, "%s", granted.object);
	symbol_of(&place, &f, got);
	assert_string_equal(got, granted.symbol);
}

/* Where the tree is, and whose it is, changes nothing. */
static void the_same_work_elsewhere_is_the_same(void **state)
{
	static const char *const homes[] = { "/home/ann", "/root", "/var/lib/agent", "/tmp/h" };
	static const char *const rest[] = { "/x.py", "/.git/index", "/deep/er/y.c", "/node_modules/z.js", "" };
	static const struct row dots[] = { { EFFECT_READ, NO, "/.ssh/id_rsa", "read:~/.ssh.secret!" },
					   { EFFECT_READ, NO, "/papers/x.pdf", "read:home.doc!" } };
	char before[sizeof rest / sizeof rest[0]][SYMBOL_MAX];

	(void)state;
	for (size_t h = 0; h < sizeof homes / sizeof homes[0]; h++) {
		const struct symbol_place place = { .home = homes[h], .grants = &grants };
		static struct effect f;
		char tree[64], got[SYMBOL_MAX];

		(void)snprintf(tree, sizeof tree, "%s/of-%zu/project", homes[h], h);
		grant_set_init(&grants);
		give(VERB_WORK, tree);
		for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
			f = (struct effect){ .kind = EFFECT_READ, .verdict = OK, .count = 1 };
			(void)snprintf(f.object, sizeof f.object, "%s%s", tree, rest[i]);
			symbol_of(&place, &f, got);
			if (h > 0)
				assert_string_equal(got, before[i]);
			memcpy(before[i], got, sizeof got);
		}
		for (size_t i = 0; i < 2; i++) {
			f = (struct effect){ .kind = EFFECT_READ, .verdict = NO, .count = 1 };
			(void)snprintf(f.object, sizeof f.object, "%s%s", homes[h], dots[i].object);
			symbol_of(&place, &f, got);
			assert_string_equal(got, dots[i].symbol);
		}
	}
}

/* A home that is itself the tree: what lies in it is work, but what programs keep there is what it is. */
static void a_home_that_is_the_tree(void **state)
{
	static const struct row rows[] = {
		{ EFFECT_READ, OK, "/home/ann/x.py", "read:work.py" },
		{ EFFECT_READ, OK, "/home/ann/.ssh/config", "read:~/.ssh.secret" },
		{ EFFECT_READ, OK, "/home/ann/shop/.git/HEAD", "read:work/.git" },
	};

	(void)state;
	grant_set_init(&grants);
	give(VERB_WORK, "/home/ann");
	CHECK("/home/ann", rows);
}

/* Whatever the object: a symbol, and its mark is there. */
static void any_object_gives_a_symbol(void **state)
{
	const uint64_t rounds = prop_rounds(20000);
	const struct symbol_place place = { .home = "/home/ann", .grants = &grants };
	static const char *const pieces[] = { "/home/ann",
					      "/",
					      "/.",
					      "/usr",
					      "\n",
					      " ",
					      "\x1b[2J",
					      "\xff\xfe",
					      "/..",
					      "/tmp",
					      "/a.",
					      ".py",
					      "inet ",
					      "unix ",
					      ":443",
					      "9999999",
					      "\xe2\x80\xae",
					      "/.git/hooks",
					      "/proc/1/",
					      "/dev/shm/.",
					      "[::1]",
					      "/.config/",
					      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
	static struct effect f;

	(void)state;
	grant_set_init(&grants);
	give(VERB_WORK, "/home/ann/shop");
	for (uint64_t i = 0; i < rounds; i++) {
		struct prop p = prop_round(i);
		char got[SYMBOL_MAX];
		size_t n;

		f = (struct effect){ .kind = (uint8_t)(1 + prop_below(&p, EFFECT_REQUEST)), .count = 1 };
		f.verdict = (uint8_t)prop_below(&p, EFFECT_DENIED_REQUEST + 1);
		f.grant = prop_below(&p, 2) == 0 ? GRANT_NONE : 0;
		for (uint32_t k = prop_below(&p, 8); k > 0; k--)
			strcat(f.object, pieces[prop_below(&p, sizeof pieces / sizeof pieces[0])]);
		symbol_of(&place, &f, got);
		n = strlen(got);
		if (!symbol_is(got, n) || (effect_is_denied(f.verdict) && got[n - 1] != '!') ||
		    (f.verdict == GONE && got[n - 1] != '?'))
			fail_msg("seed %" PRIu64 ": %s", p.seed, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_told_by_its_class),
		cmocka_unit_test(a_program_is_told_by_its_name_or_as_new),
		cmocka_unit_test(a_connection_is_told_by_where_it_leads),
		cmocka_unit_test(the_same_work_elsewhere_is_the_same),
		cmocka_unit_test(a_home_that_is_the_tree),
		cmocka_unit_test(any_object_gives_a_symbol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
