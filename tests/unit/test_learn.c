#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cell/spec.h"
#include "explain/learn.h"
#include "explain/sensitive.h"
#include "policy/yaml.h"
#include "prop.h"
#include "sample_results.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define HOME "/home/ann"
#define WORK "/home/ann/shop"

/* ---- what is sensitive ---- */

/* A name that a row of the table fits: its wildcards stand for nothing. */
static void name_of(const char *parent, const char *pattern, char *ret, size_t size)
{
	char flat[2][64] = { "", "" };
	const char *from[2] = { parent, pattern };

	for (int i = 0; i < 2; i++)
		for (size_t n = 0; *from[i] != 0; from[i]++)
			if (*from[i] != '*' && n + 1 < sizeof flat[i])
				flat[i][n++] = *from[i];
	(void)snprintf(ret, size, WORK "/%s%s%s", flat[0], parent[0] != 0 ? "/" : "", flat[1]); /* it fits */
}

/* Not by a list of its own: whatever a cell hides is never granted unasked. */
static void whatever_is_hidden_is_sensitive(void **state)
{
	static const struct {
		const char *parent, *pattern;
	} rows[] = {
#define HIDDEN(pattern, why) { "", pattern },
#define HIDDEN_IN(parent, pattern, why) { parent, pattern },
#define SHOWN(pattern)
#include "stage/hidden.def"
#undef HIDDEN
#undef HIDDEN_IN
#undef SHOWN
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char path[256];

		name_of(rows[i].parent, rows[i].pattern, path, sizeof path);
		if (sensitive_reason(path, HOME) == NULL)
			fail_msg("%s is hidden, and granted", path);
	}
}

static void sensitive_places_are_known(void **state)
{
	static const struct {
		const char *path;
		bool sensitive, beneath, broad;
	} rows[] = {
		{ HOME "/.ssh", true, false, false },
		{ HOME "/.ssh/config", true, false, false },
		{ HOME "/.sshx", false, false, false },
		{ "/home/bob/.ssh/id_rsa", true, false, false },
		{ "/root/.aws/credentials", true, false, false },
		{ "/srv/.ssh/x", true, false, false },  /* in nobody's home, and a cell hides it all the same */
		{ "/srv/.aws/x", false, false, false }, /* what is hidden there has other names */
		{ HOME "/.bash_history", true, false, false },
		{ HOME "/.config/gh/hosts.yml", true, false, false },
		{ HOME "/.config", false, true, true },
		{ HOME "/.config/other", false, false, false },
		{ HOME "/.config/git", false, true, false },
		{ HOME "/.claude.json", true, false, false },
		{ HOME, false, true, true },
		{ "/home", false, true, true },
		{ "/home/bob", false, true, true },
		{ "/", false, true, true },
		{ "/root", false, true, true },
		{ "/etc", false, true, true },
		{ "/etc/shadow", true, false, false },
		{ "/etc/shadow-", true, false, false },
		{ "/etc/ssl", false, true, false },
		{ "/etc/ssl/certs", false, false, false },
		{ "/etc/cron.d", false, false, true },
		{ "/var", false, true, true },
		{ "/var/lib", false, true, true },
		{ "/var/lib/thing", false, false, true },
		{ "/var/lib/thing/data", false, false, false },
		{ "/srv", false, false, true },
		{ "/srv/data", false, false, false },
		{ "/srv/data/.env", true, false, false },
		{ "/srv/data/.env/x", true, false, false },
		{ "/srv/data/.env.example", false, false, false }, /* an exception of what is hidden */
		{ WORK "/.npmrc", true, false, false },
		{ WORK "/sub/.Npmrc", true, false, false }, /* in both cases, as it is hidden */
		{ WORK "/age/keys.txt", true, false, false },
		{ WORK "/keys.txt", false, false, false },
		{ WORK "/certs/ca.pem", false, false, false },
		{ "/srv/data/tls.key", true, false, false },
		{ WORK "/terraform.tfstate", true, false, false },
		{ HOME "/Documents", false, false, true },
		{ HOME "/Documents/thesis", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if ((sensitive_reason(rows[i].path, HOME) != NULL) != rows[i].sensitive)
			fail_msg("%s: sensitive", rows[i].path);
		if (!rows[i].sensitive && sensitive_is_beneath(rows[i].path, HOME) != rows[i].beneath)
			fail_msg("%s: holds something sensitive", rows[i].path);
		if (is_broad(rows[i].path, HOME) != rows[i].broad)
			fail_msg("%s: broad", rows[i].path);
	}
	assert_true(is_broad("/data/people", "/data/people/ann")); /* a home need not be in /home */
	assert_false(is_broad("/data/people", HOME));
	assert_non_null(sensitive_reason("/data/people/ann/.aws/x", "/data/people/ann"));
	assert_null(sensitive_reason("/data/people/ann/.aws/x", NULL));
}

/* ---- grouping ---- */

static bool anything_may(const void *user, const char *directory)
{
	(void)user;
	return strcmp(directory, "/srv") != 0 && strcmp(directory, HOME) != 0;
}

/* "N of PATTERN" with %u in it, then what is left. */
static void directories_stand_for_what_was_used(void **state)
{
	static const struct {
		const char *name;
		struct {
			unsigned int n;
			const char *pattern;
		} in[3];
		const char *out; /* joined by blanks */
	} rows[] = {
		{ "one stays one", { { 1, "/srv/a/%u" } }, "/srv/a/0" },
		{ "seven stay seven", { { 3, "/srv/a/%u" } }, "/srv/a/0 /srv/a/1 /srv/a/2" },
		{ "eight are a directory", { { 8, "/srv/a/%u" } }, "/srv/a" },
		{ "two in the workspace", { { 2, WORK "/a/%u" } }, WORK "/a/0 " WORK "/a/1" },
		{ "three in the workspace", { { 3, WORK "/a/%u" } }, WORK "/a" },
		{ "the workspace itself", { { 3, WORK "/%u" } }, WORK },
		{ "a neighbour of the workspace", { { 3, WORK "s/%u" } }, WORK "s/0 " WORK "s/1 " WORK "s/2" },
		{ "never what may not stand",
		  { { 9, "/srv/%u" } },
		  "/srv/0 /srv/1 /srv/2 /srv/3 /srv/4 /srv/5 /srv/6 /srv/7 /srv/8" },
		{ "never home",
		  { { 9, HOME "/%u" } },
		  HOME "/0 " HOME "/1 " HOME "/2 " HOME "/3 " HOME "/4 " HOME "/5 " HOME "/6 " HOME "/7 " HOME "/8" },
		{ "one child is not a directory", { { 40, "/srv/a/b/%u" } }, "/srv/a/b" },
		{ "what lies beneath another goes", { { 1, "/srv/a" }, { 4, "/srv/a/%u" } }, "/srv/a" },
		{ "a name that only begins alike",
		  { { 1, "/srv/a" }, { 1, "/srv/a-b/%u" }, { 1, "/srv/a/%u" } },
		  "/srv/a /srv/a-b/0" },
		{ "deep before wide", { { 8, "/srv/a/x/%u" }, { 1, "/srv/a/y/%u" } }, "/srv/a/x /srv/a/y/0" },
		{ "many in few",
		  { { 24, "/srv/a/x/q%u/f" }, { 3, "/srv/a/y/%u" } },
		  "/srv/a/x /srv/a/y/0 /srv/a/y/1 /srv/a/y/2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct group_rules rules = {
			.workspace = WORK, .home = HOME, .may_stand = anything_may, .most = 100
		};
		struct path_list l = { .n = 0 };
		char path[256];
		auto_buf out;

		for (size_t k = 0; k < 3 && rows[i].in[k].n > 0; k++)
			for (unsigned int n = rows[i].in[k].n; n-- > 0;) {
				const char *mark = strstr(rows[i].in[k].pattern, "%u");
				const int head = mark != NULL ? (int)(mark - rows[i].in[k].pattern) : 255;

				(void)snprintf(path, sizeof path, "%.*s", head, rows[i].in[k].pattern);
				if (mark != NULL)
					(void)snprintf(path + head, sizeof path - (size_t)head, "%u%s", n, mark + 2);
				path_list_add(&l, path);
			}
		path_list_group(&l, &rules);
		buf_init(&out, 1u << 16);
		for (size_t k = 0; k < l.n; k++)
			buf_printf(&out, "%s%s", k > 0 ? " " : "", l.paths[k]);
		if (strcmp(buf_cstr(&out), rows[i].out) != 0)
			fail_msg("%s: %s", rows[i].name, (const char *)out.data);
		path_list_finish(&l);
	}
}

static void thresholds_are_lowered_until_there_are_few(void **state)
{
	const struct group_rules rules = { .workspace = WORK, .home = HOME, .may_stand = anything_may, .most = 100 };
	struct path_list l = { .n = 0 };
	char path[64];

	(void)state;
	for (unsigned int i = 0; i < 400; i++) {
		(void)snprintf(path, sizeof path, "/srv/d%u/%u", i / 4,
			       i % 4); /* four of each: less than the threshold */
		path_list_add(&l, path);
	}
	path_list_group(&l, &rules);
	assert_int_equal(l.n, 100);
	assert_string_equal(l.paths[0], "/srv/d0");
	path_list_finish(&l);
}

/* ---- whole policies ---- */

static void result_init(struct event_result *r)
{
	sample_make(sample_find("output-text"), r);
	r->base = CELL_BASE_HOST;
	r->usage = (struct event_usage){
		.wall_ms = 3000, .memory_peak_bytes = 100u << 20, .tasks_peak = 9, .written_bytes = 1
	};
	(void)sample_grant(r, VERB_ENV, "TERM");
	(void)sample_grant(r, VERB_WORK, WORK);
}

static void learn_text(const struct event_result *r, struct learned *l, struct buf *out)
{
	struct err e;

	buf_init(out, 4u << 20);
	if (learned_from(r, l, &e) != 0)
		fail_msg("%s", e.msg);
	learn_write(l, r, false, out);
	assert_non_null(buf_cstr(out));
}

/* The lines between the head and the limits, without `env`. */
static void body_of(const char *text, char *ret, size_t size)
{
	const char *from = strstr(text, "version: 1\n"), *to = strstr(text, "# Limits with room");

	if (from == NULL || to == NULL) {
		fail_msg("no head or no limits in:\n%s", text);
		return;
	}
	from += strlen("version: 1\n");
	assert_true((size_t)(to - from) < size);
	memcpy(ret, from, (size_t)(to - from));
	ret[to - from] = 0;
}

struct seen {
	enum effect_kind kind;
	enum effect_verdict verdict;
	const char *object;
};

#define ALLOWED EFFECT_ALLOWED
#define DENIED EFFECT_DENIED
#define DENIED_NEW EFFECT_DENIED_NEW

static void the_policy_is_as_expected(void **state)
{
	static const struct {
		const char *name;
		struct seen seen[10];
		const char *text;
	} rows[] = {
		{ "nothing", { { 0 } }, "grants:\n  - env: [\"TERM\"]\n" },
		{ "the base needs no grant",
		  { { EFFECT_READ, ALLOWED, "/usr/lib/x.so" },
		    { EFFECT_EXEC, ALLOWED, "/usr/bin/make" },
		    { EFFECT_WRITE, ALLOWED, "/tmp/x" } },
		  "grants:\n  - env: [\"TERM\"]\n" },
		{ "work is writing and running",
		  { { EFFECT_WRITE, ALLOWED, WORK "/out/a.o" },
		    { EFFECT_EXEC, ALLOWED, WORK "/out/a" },
		    { EFFECT_READ, ALLOWED, WORK "/a.c" } },
		  "grants:\n  - work: .\n  - env: [\"TERM\"]\n" },
		{ "writing alone is not work",
		  { { EFFECT_WRITE, ALLOWED, WORK "/out/a.o" }, { EFFECT_READ, ALLOWED, WORK "/a.c" } },
		  "grants:\n  - read: ./a.c\n  - write: ./out\n  - env: [\"TERM\"]\n" },
		{ "a runtime brings its traits",
		  { { EFFECT_EXEC, ALLOWED, "/usr/bin/node" }, { EFFECT_EXEC, ALLOWED, "/usr/bin/python3.11" } },
		  "grants:\n  - run: [\"node\"]\n  - env: [\"TERM\"]\n" },
		{ "places beneath home are optional",
		  { { EFFECT_READ, ALLOWED, HOME "/.gitconfig" }, { EFFECT_READ, ALLOWED, "/srv/data/x" } },
		  "grants:\n  - read: \"~/.gitconfig?\"\n  - read: /srv/data/x\n  - env: [\"TERM\"]\n" },
		{ "keys are for the person to decide",
		  { { EFFECT_READ, ALLOWED, HOME "/.ssh/config" }, { EFFECT_READ, ALLOWED, "/etc/shadow" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: read: /etc/shadow  -- passwords\n"
		  "# decide: read: \"~/.ssh/config?\"  -- private keys, and the hosts that they open\n" },
		{ "a secret in the workspace keeps the workspace apart",
		  { { EFFECT_READ, ALLOWED, WORK "/.env" },
		    { EFFECT_READ, ALLOWED, WORK "/a" },
		    { EFFECT_READ, ALLOWED, WORK "/b" },
		    { EFFECT_READ, ALLOWED, WORK "/c" },
		    { EFFECT_READ, ALLOWED, WORK "/d" } },
		  "grants:\n  - read: ./a\n  - read: ./b\n  - read: ./c\n  - read: ./d\n  - env: [\"TERM\"]\n"
		  "# decide: read: ./.env  -- often holds passwords and keys\n" },
		{ "listing what holds a secret cannot be had without it",
		  { { EFFECT_READ, ALLOWED, WORK "/.env" }, { EFFECT_READ, ALLOWED, WORK } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: read: .  -- holds something sensitive that was used, see there\n"
		  "# decide: read: ./.env  -- often holds passwords and keys\n" },
		{ "work covers it and says so",
		  { { EFFECT_READ, ALLOWED, WORK "/mycredentials.1.json" },
		    { EFFECT_WRITE, ALLOWED, WORK "/a" },
		    { EFFECT_EXEC, ALLOWED, WORK "/b" } },
		  "grants:\n  - work: .\n  - env: [\"TERM\"]\n"
		  "# covered by `work: .`: read: ./mycredentials.1.json  -- looks like keys to an account\n" },
		{ "work does not cover what is hidden in it",
		  { { EFFECT_READ, ALLOWED, WORK "/.npmrc" },
		    { EFFECT_WRITE, ALLOWED, WORK "/.env" },
		    { EFFECT_WRITE, ALLOWED, WORK "/a" },
		    { EFFECT_EXEC, ALLOWED, WORK "/b" } },
		  "grants:\n  - work: .\n  - env: [\"TERM\"]\n"
		  "# decide: write: ./.env  -- often holds passwords and keys\n"
		  "# decide: read: ./.npmrc  -- often holds the token to publish with\n" },
		{ "never home, a top or the whole",
		  { { EFFECT_READ, ALLOWED, HOME },
		    { EFFECT_READ, ALLOWED, "/srv" },
		    { EFFECT_READ, ALLOWED, "/var/lib/thing" },
		    { EFFECT_DELETE, DENIED, "/etc" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: read: \"~?\"  -- holds more than what was used of it\n"
		  "# decide: read: /srv  -- holds more than what was used of it\n"
		  "# decide: read: /var/lib/thing  -- holds more than what was used of it\n" },
		{ "what was denied would have sufficed too",
		  { { EFFECT_WRITE, DENIED_NEW, "/srv/out/new" },
		    { EFFECT_WRITE, DENIED, "/opt/app/log" },
		    { EFFECT_READ, DENIED, "/opt/app/conf" } },
		  "grants:\n  - read: /opt/app/conf\n  - write: /opt/app/log\n  - write: /srv/out\n  - env: [\"TERM\"]\n" },
		{ "reading where one may write needs nothing more",
		  { { EFFECT_WRITE, DENIED_NEW, "/srv/out/new" }, { EFFECT_READ, ALLOWED, "/srv/out/old" } },
		  "grants:\n  - write: /srv/out\n  - env: [\"TERM\"]\n" },
		{ "a cell has its own home to write to",
		  { { EFFECT_WRITE, DENIED_NEW, HOME "/.cache/pip/x" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: write: \"~/.cache/pip?\"  -- without it, this goes to the cell's own home and is forgotten\n" },
		{ "never home, even as a suggestion",
		  { { EFFECT_WRITE, DENIED_NEW, HOME "/.newrc" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: write: \"~/.newrc?\"  -- without it, this goes to the cell's own home and is forgotten\n" },
		{ "what another access brings is not to be decided",
		  { { EFFECT_WRITE, ALLOWED, HOME "/.app/a" }, { EFFECT_WRITE, DENIED_NEW, HOME "/.app/b" } },
		  "grants:\n  - write: \"~/.app?\"\n  - env: [\"TERM\"]\n" },
		{ "a directory brings no secret along, not even one that needed no grant",
		  { { EFFECT_WRITE, ALLOWED, "/tmp/d/e/x.key" },
		    { EFFECT_READ, DENIED, "/tmp/d/1" },
		    { EFFECT_READ, DENIED, "/tmp/d/2" },
		    { EFFECT_READ, DENIED, "/tmp/d/3" },
		    { EFFECT_READ, DENIED, "/tmp/d/4" },
		    { EFFECT_READ, DENIED, "/tmp/d/5" },
		    { EFFECT_READ, DENIED, "/tmp/d/6" },
		    { EFFECT_READ, DENIED, "/tmp/d/7" },
		    { EFFECT_READ, DENIED, "/tmp/d/8" } },
		  "grants:\n  - read: /tmp/d/1\n  - read: /tmp/d/2\n  - read: /tmp/d/3\n  - read: /tmp/d/4\n  - read: /tmp/d/5\n"
		  "  - read: /tmp/d/6\n  - read: /tmp/d/7\n  - read: /tmp/d/8\n  - env: [\"TERM\"]\n" },
		{ "what others obey",
		  { { EFFECT_WRITE, DENIED, WORK "/.git/config" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: write: ./.git/config  -- other programs run or obey what stands there\n" },
		{ "what is far away",
		  { { EFFECT_CONNECT, DENIED, "inet 192.0.2.1:443" },
		    { EFFECT_CONNECT, ALLOWED, "inet 127.0.0.1:80" },
		    { EFFECT_CONNECT, DENIED, "inet open.test:8080" },
		    { EFFECT_CONNECT, DENIED, "inet 192.0.2.53:53" },
		    { EFFECT_CONNECT, DENIED, "inet [fe80::1%lo]:1" },
		    { EFFECT_CONNECT, DENIED, "unix /run/\033[31m" },
		    { EFFECT_CONNECT, DENIED, "unix run" } },
		  "grants:\n  - env: [\"TERM\"]\n"
		  "# decide: connect: \"192.0.2.1:443\"  -- whoever is there gets what the program sends\n"
		  "# cannot be granted: connect inet 192.0.2.53:53  -- a name was looked up: grant its host by name\n"
		  "# cannot be granted: connect inet [fe80::1%lo]:1  -- no grant can be written for it\n"
		  "# decide: connect: open.test:8080  -- whoever is there gets what the program sends\n"
		  "# cannot be granted: connect unix run  -- its listener would act with its own authority, and no grant can "
		  "name it\n"
		  "# decide: connect: \"unix:/run/\\x1b[31m\"  -- its listener would act with its own authority\n" },
		{ "probes need nothing",
		  { { EFFECT_READ, EFFECT_ABSENT, "/srv/data/nothing" } },
		  "grants:\n  - env: [\"TERM\"]\n" },
		{ "no name ends a comment or a line",
		  { { EFFECT_READ, ALLOWED, "/srv/d/a\nb: c # \"d" },
		    { EFFECT_READ, ALLOWED, HOME "/.ssh/a\n- work: /x" },
		    { EFFECT_READ, ALLOWED, "/srv/d/why?" },
		    { EFFECT_READ, ALLOWED, WORK "/a b" } },
		  "grants:\n  - read: \"./a b\"\n  - read: \"/srv/d/a\\x0ab: c # \\\"d\"\n  - read: \"/srv/d/why?\?\"\n  - env: [\"TERM\"]\n"
		  "# decide: read: \"~/.ssh/a\\x0a- work: /x?\"  -- private keys, and the hosts that they open\n" },
		{ "what YAML cannot say",
		  { { EFFECT_READ, ALLOWED, "/srv/d/\xff" } },
		  "grants:\n  # YAML cannot say this name; as a flag it can be given: read /srv/d/\\xff\n  - env: [\"TERM\"]\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct event_result r;
		struct learned l;
		char body[4096];
		auto_buf out;

		result_init(&r);
		for (size_t k = 0; k < COUNT_OF(rows[i].seen) && rows[i].seen[k].kind != 0; k++) {
			const struct seen *s = &rows[i].seen[k];

			sample_effect(&r, s->kind, s->verdict, GRANT_NONE, 1, s->object);
			r.effects[r.n_effects - 1].base = s->verdict == ALLOWED;
		}
		learn_text(&r, &l, &out);
		body_of((const char *)out.data, body, sizeof body);
		if (strcmp(body, rows[i].text) != 0)
			fail_msg("%s:\n%s--- expected:\n%s", rows[i].name, body, rows[i].text);
		learned_finish(&l);
		sample_finish(&r);
	}
}

static void limits_have_room(void **state)
{
	struct event_result r;
	struct learned l;
	auto_buf out;

	(void)state;
	result_init(&r);
	learn_text(&r, &l, &out);
	assert_non_null(strstr((const char *)out.data,
			       "# limits:\n#   wall: 20s\n#   memory: 512M\n#   tasks: 64\n#   disk: 64M\n"));
	learned_finish(&l);
	sample_finish(&r);
}

/* ---- properties ---- */

static const char *const places[] = {
	WORK,
	WORK "/src",
	WORK "/src/deep/er",
	WORK "/.git",
	WORK "/node_modules/m",
	HOME,
	HOME "/.config",
	HOME "/.config/gh",
	HOME "/.config/app",
	HOME "/.ssh",
	HOME "/notes",
	"/srv",
	"/srv/data",
	"/srv/data/sub",
	"/etc",
	"/etc/app",
	"/var/lib/app",
	"/opt/tool/lib",
	"/home/bob",
	"/home/bob/.aws",
	"/tmp",
	"/tmp/x",
	"/usr/lib",
	"/root",
	"/root/.ssh",
	"/",
};
static const char *const names[] = { "a",  "b",   "c", "d.txt",       ".env", "x.key", "y z",
				     "q?", "k:v", "#", "caf\xc3\xa9", "~",    "-",     "{" };

static void random_effect(struct prop *p, struct event_result *r)
{
	static const enum effect_verdict verdicts[] = { ALLOWED, ALLOWED, ALLOWED, DENIED, DENIED_NEW, EFFECT_ABSENT };
	static const enum effect_kind kinds[] = { EFFECT_READ, EFFECT_READ,   EFFECT_READ,  EFFECT_WRITE,
						  EFFECT_EXEC, EFFECT_DELETE, EFFECT_MKDIR, EFFECT_MODE };
	const char *place = places[prop_below(p, COUNT_OF(places))];
	const enum effect_verdict verdict = verdicts[prop_below(p, COUNT_OF(verdicts))];
	char path[512];

	if (prop_below(p, 8) == 0)
		(void)snprintf(path, sizeof path, "%s", place);
	else if (prop_below(p, 3) == 0)
		(void)snprintf(path, sizeof path, "%s/n%u", strcmp(place, "/") == 0 ? "" : place, prop_below(p, 30));
	else
		(void)snprintf(path, sizeof path, "%s/%s", strcmp(place, "/") == 0 ? "" : place,
			       names[prop_below(p, COUNT_OF(names))]);
	sample_effect(r, kinds[prop_below(p, COUNT_OF(kinds))], verdict, GRANT_NONE, 1, path);
	r->effects[r->n_effects - 1].base = verdict == ALLOWED;
}

/* The grants of the text, as a cell in this workspace and home would have them. */
static struct grant_set *grants_of(struct prop *p, const struct buf *text)
{
	struct policy *policy = calloc(1, sizeof *policy);
	struct grant_set *set = calloc(1, sizeof *set);
	struct policy_mistake m = { .line = 0 };

	assert_true(policy != NULL && set != NULL);
	if (policy_parse_yaml(text->data, text->len, policy, &m) != 0)
		prop_fail(p, "line %u: %s\n%s", m.line, m.err.msg, (const char *)text->data);
	for (uint32_t i = 0; i < policy->n_lines; i++) {
		const struct policy_line *l = &policy->lines[i];
		const char *root = l->object[0] == '~' ? HOME : WORK;
		char path[GRANT_OBJECT_MAX];

		if (verb_rights((enum grant_verb)l->verb) == 0 ||
		    (l->verb == VERB_RUN && strpbrk(l->object, "/.") == NULL))
			continue; /* env; a runtime by its name */
		assert_true(path_normalise(root, l->object + (l->object[0] == '~' ? 1 + (l->object[1] == '/') : 0),
					   path, sizeof path) ||
			    strcmp(l->object, "~") == 0);
		assert_int_equal(grant_add(set, (enum grant_verb)l->verb, path, l->flags, NULL, NULL), 0);
	}
	free(policy);
	return set;
}

static bool is_covered(const struct grant_set *set, const struct effect *f)
{
	static const enum grant_verb verbs[] = {
		[RIGHT_READ] = VERB_READ, [RIGHT_WRITE] = VERB_WRITE, [RIGHT_RUN] = VERB_RUN
	};
	const struct grant_request want = { .verb = verbs[effect_right(f->kind)], .object = f->object };

	return grant_check(set, &want).allowed;
}

static bool is_decided(const struct learned *l, const struct effect *f)
{
	for (size_t i = 0; i < l->decide.n; i++)
		if (path_is_beneath(f->object, l->decide.items[i].object))
			return true;
	return false;
}

/* By its words in the issue, not by learned.c: a place that every cell has. */
static bool every_cell_has_it(const struct effect *f)
{
	return f->verdict == ALLOWED && (path_is_beneath(f->object, "/tmp") ||
					 (path_is_beneath(f->object, "/usr") && effect_right(f->kind) != RIGHT_WRITE) ||
					 (effect_right(f->kind) == RIGHT_READ &&
					  (strcmp(f->object, "/") == 0 || strcmp(f->object, "/etc") == 0)));
}

/* Nothing beneath `/` can be made, removed or renamed by any grant, and `/` itself is never granted. */
static bool no_grant_can(const struct effect *f)
{
	return strcmp(f->object, "/") == 0 ||
	       (effect_right(f->kind) == RIGHT_WRITE && strrchr(f->object, '/') == f->object);
}

static void check_effects(struct prop *p, const struct event_result *r, const struct learned *l,
			  const struct grant_set *set, const char *text)
{
	for (size_t i = 0; i < r->n_effects; i++) {
		const struct effect *f = &r->effects[i];
		const bool covered = is_covered(set, f);

		if (f->verdict != EFFECT_ABSENT && !covered && !is_decided(l, f) && !every_cell_has_it(f) &&
		    !no_grant_can(f))
			prop_fail(p, "%s %s is neither granted nor to be decided\n%s", effect_word(f->kind), f->object,
				  text);
		if (f->verdict != EFFECT_ABSENT && covered && sensitive_reason(f->object, HOME) != NULL &&
		    !(l->work && path_is_beneath(f->object, WORK)))
			prop_fail(p, "%s is sensitive and granted\n%s", f->object, text);
	}
}

static void check_grants(struct prop *p, const struct grant_set *set, const char *text)
{
	static const char *const never[] = { "/",
					     "/etc",
					     "/var",
					     "/srv",
					     "/home",
					     "/root",
					     "/usr",
					     "/opt",
					     HOME,
					     "/home/bob",
					     HOME "/.ssh",
					     HOME "/.ssh/id",
					     HOME "/.config/gh/hosts.yml",
					     "/home/bob/.aws/x",
					     "/etc/shadow",
					     "/root/.ssh/x",
					     HOME "/.config",
					     HOME "/.bash_history" };

	for (size_t i = 0; i < COUNT_OF(never); i++)
		if (grant_check(set, &(struct grant_request){ .verb = VERB_READ, .object = never[i] }).allowed)
			prop_fail(p, "%s is granted\n%s", never[i], text);
	for (uint32_t a = 0; a < set->count; a++)
		for (uint32_t b = 0; b < set->count; b++)
			if (a != b && (set->grants[a].rights & ~set->grants[b].rights) == 0 &&
			    path_is_beneath(grant_object(set, a), grant_object(set, b)))
				prop_fail(p, "%s is covered by %s\n%s", grant_object(set, a), grant_object(set, b),
					  text);
}

static void shuffle(struct prop *p, struct event_result *r)
{
	for (size_t i = r->n_effects; i > 1; i--) {
		const size_t k = prop_below(p, (uint32_t)i);
		const struct effect f = r->effects[i - 1];

		r->effects[i - 1] = r->effects[k];
		r->effects[k] = f;
	}
}

static void every_access_is_granted_or_to_be_decided(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(400); round++) {
		struct prop p = prop_round(round);
		const uint32_t n = 1 + prop_below(&p, round % 16 == 0 ? 300 : 40);
		struct grant_set *set;
		struct event_result r;
		struct learned l, again;
		auto_buf text, other;

		result_init(&r);
		for (uint32_t i = 0; i < n; i++)
			random_effect(&p, &r);
		learn_text(&r, &l, &text);
		set = grants_of(&p, &text);
		check_effects(&p, &r, &l, set, (const char *)text.data);
		check_grants(&p, set, (const char *)text.data);
		shuffle(&p, &r);
		learn_text(&r, &again, &other);
		if (strcmp((const char *)text.data, (const char *)other.data) != 0)
			prop_fail(&p, "another order, another policy\n%s---\n%s", (const char *)text.data,
				  (const char *)other.data);
		learned_finish(&l);
		learned_finish(&again);
		free(set);
		sample_finish(&r);
	}
}

/* However much was seen, the policy is one that can be read, by a person and by us. */
static void the_largest_record_makes_a_policy(void **state)
{
	struct prop p = prop_round(0);
	struct event_result r;
	struct grant_set *set;
	struct learned l;
	char path[EFFECT_OBJECT_MAX];
	auto_buf text;

	(void)state;
	result_init(&r);
	for (unsigned int i = 0; i < EFFECTS_MAX; i++) {
		const int n = snprintf(path, sizeof path, "/srv/%u/", i);

		memset(path + n, i % 2 == 0 ? 'x' : '\n', i % 3 == 0 ? 4000 : 20);
		path[n + (i % 3 == 0 ? 4000 : 20)] = 0;
		sample_effect(&r,
			      i % 5 == 0   ? EFFECT_EXEC
			      : i % 2 == 0 ? EFFECT_MODE
					   : EFFECT_READ,
			      DENIED, GRANT_NONE, 1, path);
	}
	learn_text(&r, &l, &text);
	assert_true(text.len < POLICY_FILE_MAX);
	set = grants_of(&p, &text);
	assert_true(set->count > 10 && set->count <= POLICY_LINES_MAX);
	check_effects(&p, &r, &l, set, "(large)");
	free(set);
	learned_finish(&l);
	sample_finish(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_hidden_is_sensitive),
		cmocka_unit_test(sensitive_places_are_known),
		cmocka_unit_test(directories_stand_for_what_was_used),
		cmocka_unit_test(thresholds_are_lowered_until_there_are_few),
		cmocka_unit_test(the_policy_is_as_expected),
		cmocka_unit_test(limits_have_room),
		cmocka_unit_test(every_access_is_granted_or_to_be_decided),
		cmocka_unit_test(the_largest_record_makes_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
