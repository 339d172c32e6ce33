#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/nearest.h"
#include "policy/yaml.h"
#include "rpc/make_values.h"

#define OWN_NAME "session.new" /* of the policy that came in the request, for messages and the ledger */

static int at_param(struct mistake *m, const char *param, size_t i, int r)
{
	if (r < 0)
		(void)snprintf(m->place, sizeof m->place, "/params/%s/%zu", param, i); /* fits */
	return r;
}

static int no_memory(struct mistake *m)
{
	return err_set(&m->err, AMBIT_MEMORY, NULL, "no memory for a policy");
}

static void note_text(struct policy *p, struct policy_text *texts, const void *text, size_t n)
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, text, n);
	sha256_end(&sum, texts[p->n_sources].sha256);
	texts[p->n_sources].size = (uint32_t)n; /* it was a policy: at most POLICY_FILE_MAX */
}

static int add_text(struct policy *p, struct policy_text *texts, const char *name, const char *text, size_t n,
		    struct mistake *m)
{
	auto_free struct policy *read = calloc(1, sizeof *read);
	struct policy_mistake wrong = { .line = 0 };
	int r;

	if (read == NULL)
		return no_memory(m);
	r = policy_parse_yaml(text, n, read, &wrong);
	if (r < 0) {
		m->err = wrong.err;
		if (wrong.line != 0)
			(void)snprintf(m->place, sizeof m->place, "%.64s:%u:%u", name, wrong.line, wrong.column);
		return r;
	}
	r = policy_merge(p, read, name, &m->err);
	if (r == 0)
		note_text(p, texts, text, n);
	return r;
}

/* JSON is YAML, as far as a policy goes: an object is read as its text would be. */
static int add_own(struct policy *p, struct policy_text *texts, const json_t *policy, struct mistake *m)
{
	auto_free char *text = NULL;

	if (json_is_string(policy))
		return add_text(p, texts, OWN_NAME, json_string_value(policy), json_string_length(policy), m);
	text = policy != NULL ? json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (policy != NULL && text == NULL)
		return no_memory(m);
	return text == NULL ? 0 : add_text(p, texts, OWN_NAME, text, strlen(text), m);
}

static int no_preset(const char *name, struct err *e)
{
	const char *names[32];
	char hint[NEAREST_HINT_MAX];
	size_t n = 0;

	for (; n < sizeof names / sizeof names[0] && preset_name(n) != NULL; n++)
		names[n] = preset_name(n);
	return err_set(e, AMBIT_UNKNOWN,
		       nearest_hint(hint, "", word_nearest(name, names, n), "ambit run --help names them"),
		       "no preset '%.64s'", name);
}

static int add_presets(struct policy *p, struct policy_text *texts, const json_t *presets, struct mistake *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(presets); i++) {
		const char *name = json_string_value(json_array_get(presets, i)), *text = preset_text(name);

		r = text == NULL ? no_preset(name, &m->err) : add_text(p, texts, name, text, strlen(text), m);
		r = at_param(m, "presets", i, r);
	}
	return r;
}

/* "connect api.example.com:443 uses=50". */
static int add_grant(struct policy *p, const char *text, struct err *e)
{
	const char *blank = strchr(text, ' ');
	char verb[32];

	(void)snprintf(verb, sizeof verb, "%.*s", blank != NULL ? (int)(blank - text < 31 ? blank - text : 31) : 31,
		       text);
	if (strcmp(verb, "tool") == 0)
		return err_set(e, AMBIT_MALFORMED, "leave it out: no event of a session calls a tool of a server",
			       "a grant `tool` is for `ambit guard`");
	return policy_add_flag(p, verb, blank != NULL ? blank + 1 : "", e);
}

static int add_grants(struct policy *p, const json_t *grants, struct mistake *m)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(grants); i++)
		r = at_param(m, "grants", i, add_grant(p, json_string_value(json_array_get(grants, i)), &m->err));
	return r;
}

int make_policy(const json_t *params, struct policy *p, struct policy_text texts[POLICY_SOURCES_MAX], struct mistake *m)
{
	const char *agent = json_string_value(json_object_get(params, "agent"));
	char limits[512];
	int r = add_own(p, texts, json_object_get(params, "policy"), m);

	r = r < 0 ? r : add_presets(p, texts, json_object_get(params, "presets"), m);
	r = r < 0 ? r : add_grants(p, json_object_get(params, "grants"), m);
	r = r < 0 ? r : make_limits(json_object_get(params, "limits"), limits, sizeof limits, m);
	if (r == 0 && limits[0] != 0)
		r = policy_add_limit(p, limits, &m->err);
	if (r == 0 && agent != NULL)
		r = policy_set_agent(p, agent, &m->err);
	return r;
}
