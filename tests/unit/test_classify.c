/* What the supervisor says of an effect, and what anybody says later who has the grants and the facts, are the same. */
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

#include "base/cleanup.h"
#include "cell/base.h"
#include "prop.h"
#include "supervisor/classify.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Any name that ends so is hidden in this world. */
bool staging_hides(const struct staging *s, const char *path)
{
	const size_t n = strlen(path);

	return s->n_masks > 0 && n > 4 && strcmp(path + n - 4, ".env") == 0;
}

static char top[] = "/var/tmp/ambit-classify-XXXXXX"; /* not /tmp, which is the cell's own */

static const char *const files[] = { "home/.netrc", "home/work/a", "home/work/.env", "home/work/sub/b", "home/other/x",
				     "srv/data/x",  "srv/run",     "srv/store/e",    "srv/held/y" };
static const char *const directories[] = { "home",     "home/work", "home/work/sub", "home/other", "srv",
					   "srv/data", "srv/store", "srv/held",      "upper" };

static int make_world(void **state)
{
	char path[256], to[256];

	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	for (size_t i = 0; i < COUNT_OF(directories); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", top, directories[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		FILE *f;

		(void)snprintf(path, sizeof path, "%s/%s", top, files[i]);
		f = fopen(path, "we");
		if (f == NULL || fclose(f) != 0)
			return -1;
	}
	(void)snprintf(path, sizeof path, "%s/home/link", top);
	(void)snprintf(to, sizeof to, "%s/srv/data", top);
	return symlink(to, path);
}

static int remove_world(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

/* A name of the world, or one of the base. */
static void any_path(struct prop *p, char ret[EFFECT_OBJECT_MAX])
{
	static const char *const base[] = {
		"/",          "/usr",       "/usr/bin/env", "/usr/none",  "/bin/sh",     "/tmp",
		"/tmp/x",     "/tmp/x/y",   "/dev/null",    "/dev/shm/z", "/etc/shadow", "/etc/passwd",
		"/proc/self", "/var/tmp/q", "/nowhere/x",   "/etc/new",   "/proc/keys",
	};
	static const char *const more[] = { "", "/new", "/new/er", "/../x", "/.hidden", "/.env", "/." };
	const char *const *from = prop_below(p, 2) ? files : directories;
	const size_t n = from == files ? COUNT_OF(files) : COUNT_OF(directories);
	const uint32_t which = prop_below(p, 8);

	if (which == 0)
		(void)snprintf(ret, EFFECT_OBJECT_MAX, "%s", base[prop_below(p, COUNT_OF(base))]);
	else if (which == 1)
		(void)snprintf(ret, EFFECT_OBJECT_MAX, "%s/home/link%s", top, more[prop_below(p, COUNT_OF(more))]);
	else
		(void)snprintf(ret, EFFECT_OBJECT_MAX, "%s/%s%s", top, from[prop_below(p, (uint32_t)n)],
			       more[prop_below(p, COUNT_OF(more))]);
}

static void any_effect(struct prop *p, struct effect *ret)
{
	static const char *const addresses[] = { "inet 127.0.0.1:80", "inet [::1]:80", "inet 192.0.2.1:443",
						 "unix @x",           "unix relative", "unix ",
						 "inet a.test:443",   "netlink 0",     "inet a.test:443 as b.test" };

	memset(ret, 0, sizeof *ret);
	ret->kind = (uint8_t)(1 + prop_below(p, EFFECT_OPAQUE));
	ret->count = 1;
	ret->source = EFFECT_REQUESTED;
	if (ret->kind == EFFECT_OPAQUE) {
		(void)snprintf(ret->object, sizeof ret->object, "openat");
	} else if (ret->kind == EFFECT_CONNECT && prop_below(p, 2) == 0) {
		(void)snprintf(ret->object, sizeof ret->object, "%s", addresses[prop_below(p, COUNT_OF(addresses))]);
	} else if (ret->kind == EFFECT_CONNECT) {
		char path[EFFECT_OBJECT_MAX];

		any_path(p, path);
		(void)snprintf(ret->object, sizeof ret->object, "unix %.4000s", path);
	} else {
		any_path(p, ret->object);
	}
}

struct world {
	struct cell_spec spec;
	struct grant_set grants;
	struct staging staging;
	char store[256];
};

static void any_world(struct prop *p, struct world *w)
{
	static const enum grant_verb verbs[] = { VERB_READ, VERB_WRITE, VERB_RUN, VERB_WORK };
	static const uint32_t bases[] = { CELL_BASE_SYSTEM, CELL_BASE_SYSTEM, CELL_BASE_MINIMAL, CELL_BASE_HOST };
	char path[EFFECT_OBJECT_MAX];
	bool full = false;
	uint16_t stage;

	memset(w, 0, sizeof *w);
	grant_set_init(&w->grants);
	spec_init(&w->spec);
	w->spec.base = bases[prop_below(p, COUNT_OF(bases))];
	(void)snprintf(path, sizeof path, "%s/home", top);
	w->spec.home = spec_add_text(&w->spec, path, &full);
	assert_int_equal(base_add(&w->spec, NULL), 0);
	assert_int_equal(grant_add(&w->grants, VERB_CONNECT, "a.test:443", 0, NULL, NULL), 0);
	if (prop_below(p, 2)) {
		(void)snprintf(path, sizeof path, "unix:%s/srv/run", top);
		assert_int_equal(grant_add(&w->grants, VERB_CONNECT, path, 0, NULL, NULL), 0);
	}
	for (uint32_t n = prop_below(p, 5); n > 0; n--) {
		const enum grant_verb verb = verbs[prop_below(p, COUNT_OF(verbs))];
		uint32_t id;

		any_path(p, path);
		if (grant_add(&w->grants, verb, path, 0, &id, NULL) == 0)
			(void)spec_add_path(&w->spec, path, verb_rights(verb), 0, id, NULL);
	}
	if (prop_below(p, 2)) { /* something is held in place in a tree that may be written */
		uint32_t id;

		(void)snprintf(path, sizeof path, "%s/home/work", top);
		assert_int_equal(grant_add(&w->grants, VERB_WORK, path, 0, &id, NULL), 0);
		(void)spec_add_path(&w->spec, path, verb_rights(VERB_WORK), 0, id, NULL);
		(void)snprintf(path, sizeof path, "%s/home/work/%s", top, prop_below(p, 2) ? "a" : "sub");
		(void)spec_add_path(&w->spec, path, RIGHT_READ, CELL_PATH_PIN, GRANT_NONE, NULL);
	}
	(void)snprintf(w->store, sizeof w->store, "%s/srv/store", top);
	if (prop_below(p, 2))
		(void)spec_add_path(&w->spec, w->store, 0, CELL_PATH_HIDE, GRANT_NONE, NULL);
	if (prop_below(p, 2)) {
		(void)snprintf(path, sizeof path, "%s/home/work", top);
		assert_int_equal(spec_add_stage(&w->spec, path, &stage, NULL), 0);
		(void)snprintf(path, sizeof path, "%s/upper", top);
		w->spec.stages[stage - 1].part = spec_add_text(&w->spec, path, &full);
	}
	w->staging.n_masks = prop_below(p, 2);
	spec_sort(&w->spec);
}

static bool noted(void *arg, enum fact f)
{
	return (*(const uint32_t *)arg & FACT_BIT(f)) != 0;
}

static void check(struct prop *p, const struct world *w, struct classifier *c, struct effect *f)
{
	struct decide_ask ask = { .grants = &w->grants,
				  .home = spec_text(&w->spec, w->spec.home),
				  .shows_host = w->spec.base == CELL_BASE_HOST,
				  .kind = f->kind,
				  .object = f->object };
	struct decision d;
	uint32_t facts;

	classify_effect(c, f);
	facts = c->facts;
	ask.socket = c->socket[0] != 0 ? c->socket : NULL;
	d = decide(&ask, noted, &facts);
	if (d.verdict != f->verdict || d.base != f->base || d.grant != f->grant)
		prop_fail(p, "%s %s: %s, and by its facts (%#x) %s", effect_word(f->kind), f->object,
			  effect_verdict_name(f->verdict), facts, effect_verdict_name(d.verdict));
	if (d.verdict == 0 || (d.facts | FACT_BIT(FACT_BEYOND)) != (facts | FACT_BIT(FACT_BEYOND)))
		prop_fail(p, "%s %s: other facts are used", effect_word(f->kind), f->object);
}

static void facts_give_the_same_verdict(void **state)
{
	static const uint32_t told[] = { 0, FACT_BIT(FACT_OTHER_NAME), FACT_BIT(FACT_BAD_HELLO),
					 FACT_BIT(FACT_HIDDEN_NAME) };
	unsigned seen[EFFECT_DENIED_WITHDRAWN + 1] = { 0 };
	auto_free struct world *w = malloc(sizeof *w);

	(void)state;
	assert_non_null(w);
	for (uint64_t round = 0; round < prop_rounds(3000); round++) {
		struct prop p = prop_round(round);
		struct classifier c;

		any_world(&p, w);
		classify_init(&c, &w->spec, &w->grants);
		c.staging = &w->staging;
		c.store = w->store;
		for (uint32_t n = prop_below(&p, 12); n > 0; n--) {
			struct effect f;

			any_effect(&p, &f);
			c.told = prop_below(&p, 2) ? FACT_BIT(FACT_OTHER_NAME + prop_below(&p, 3)) : 0;
			c.withdrawn = prop_below(&p, 2) != 0;
			c.told = told[prop_below(&p, COUNT_OF(told))];
			check(&p, w, &c, &f);
			seen[f.verdict]++;
		}
		classify_finish(&c);
	}
	for (unsigned v = EFFECT_ALLOWED; v <= EFFECT_DENIED_WITHDRAWN; v++)
		if (seen[v] == 0)
			fail_msg("nothing was %s, so nothing of that was tried", effect_verdict_name((uint8_t)v));
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(facts_give_the_same_verdict) };

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
