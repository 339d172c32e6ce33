#include "explain/learn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cell/spec.h"
#include "core/endpoint.h"

#define LINE_MAX_BYTES (8u * GRANT_OBJECT_MAX) /* a path in quotes, each byte escaped, and more */
#define SHOWN_MAX 300                          /* of a name in a comment */
#define DECISIONS_MAX 100                      /* lines of comments of one kind; more are counted */

/* Head room of the limits that are suggested, and the least of each: a second run is never quite like the first. */
#define ROOM 4
#define WALL_LEAST_MS 10000
#define MEMORY_LEAST (UINT64_C(64) << 20)
#define DISK_LEAST (UINT64_C(64) << 20)
#define TASKS_LEAST 16

/* ---- one grant ---- */

/* `.`, `./x`, `~`, `~/x` or `/x`. False if it does not fit, which a path that was read always does. */
static bool as_written(const struct event_result *r, const char *path, char *ret, size_t size)
{
	const char *at = NULL, *root = NULL;
	int n;

	if (r->home != NULL && path_is_beneath(path, r->home)) {
		root = r->home;
		at = "~";
	}
	if (r->workdir != NULL && path_is_beneath(path, r->workdir)) {
		root = r->workdir;
		at = ".";
	}
	if (at == NULL || root[1] == 0)
		return text_copy(ret, size, path);
	n = snprintf(ret, size, "%s%s", at, path + strlen(root));
	return n >= 0 && (size_t)n < size;
}

/* Means itself in a line of YAML, behind a first byte that does. */
static bool is_plain(const char *s)
{
	if (s[0] != '/' && strcmp(s, ".") != 0 && strncmp(s, "./", 2) != 0 && strncmp(s, "~/", 2) != 0)
		return false;
	for (s++; *s != 0; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
		    strchr("/._+-=@", *s) == NULL)
			return false;
	return true;
}

/* "read: ~/x": true unless YAML has no way to say it. What lies in a home may be missing in another. */
static bool grant_line(const struct event_result *r, enum grant_verb verb, const char *path, char *ret, size_t size)
{
	char object[GRANT_OBJECT_MAX + 2], flag[8];
	const bool optional = r->home != NULL && path_is_beneath(path, r->home) &&
			      (r->workdir == NULL || !path_is_beneath(path, r->workdir));
	size_t n;

	if (!as_written(r, path, object, sizeof object))
		return false;
	if (is_plain(object)) {
		(void)snprintf(ret, size, "%s: %s%s%s", verb_word(verb), optional ? "\"" : "", object,
			       optional ? "?\"" : "");
		return true;
	}
	grant_suggest(&(struct grant_request){ .verb = verb, .object = object }, ret, size, flag, sizeof flag);
	n = strlen(ret);
	if (n > 0 && n + 1 < size && optional && object[strlen(object) - 1] != '?') /* else it has its mark already */
		(void)snprintf(ret + n - 1, size - (n - 1),
			       "?\""); /* the object stands in quotes, since it is not plain */
	return n > 0;
}

/* False, and a comment in its place: YAML cannot say it. */
static bool put_grant(const struct event_result *r, enum grant_verb verb, const char *path, struct buf *out)
{
	char line[LINE_MAX_BYTES], shown[SHOWN_MAX];
	const bool sayable = grant_line(r, verb, path, line, sizeof line);

	if (sayable)
		buf_printf(out, "  - %s\n", line);
	else
		buf_printf(out, "  # YAML cannot say this name; as a flag it can be given: %s %s\n", verb_word(verb),
			   text_escape(shown, sizeof shown, path, strlen(path)));
	return sayable;
}

/* ---- labels ---- */

/* In quotes: `y` or `1` would be no text to other readers of YAML. */
static void put_set(const struct flow_set *s, struct buf *out)
{
	for (uint32_t i = 0; i < s->n; i++)
		buf_printf(out, "%s\"%s\"", i == 0 ? "[" : ", ", s->names[i]);
	buf_printf(out, "]");
}

static void put_flow(const struct flow *f, struct buf *out)
{
	if (f->label.n > 0) {
		buf_printf(out, "    label: ");
		put_set(&f->label, out);
		buf_printf(out, "\n");
	}
	if (f->none)
		buf_printf(out, "    unless: none\n");
	for (uint32_t i = 0; i < f->n_unless; i++) {
		buf_printf(out, "%s", i == 0 ? "    unless: [" : ", ");
		put_set(&f->unless[i], out);
	}
	buf_printf(out, "%s%s", f->n_unless > 0 ? "]\n" : "", f->ask ? "    ask: labelled\n" : "");
}

/* What is learned of a path is as labelled as what was granted there. */
static void put_labels_of(const struct event_result *r, const char *path, struct buf *out)
{
	struct flow f = { .ask = false };

	if (!grant_add_labels(r->grants, path, &f))
		buf_printf(out,
			   "    # It was granted with more labels than these, and one grant has no room for all.\n");
	put_flow(&f, out);
}

/* ---- a host, and what is said of it ---- */

static void put_qualifiers(const struct qualifiers *q, struct buf *out)
{
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++) {
		const char *quote = i == QUALIFIER_UNTIL ? "\"" : ""; /* other readers of YAML know times */
		char value[QUALIFIER_VALUE_MAX];

		qualifier_format(q, i, value, sizeof value);
		if (value[0] != 0)
			buf_printf(out, "    %s: %s%s%s\n", qualifier_word(i), quote, value, quote);
	}
}

/* Neither a method nor a pattern has a comma, a quote or a backslash. */
static void put_rules(const struct terms *t, struct buf *out)
{
	char text[TERMS_TEXT_MAX];
	char *rest = text, *rule;
	const char *lead = "    http: [";

	term_format(t, TERM_HTTP, text);
	while (text[0] != 0 && (rule = strsep(&rest, ",")) != NULL) {
		buf_printf(out, "%s\"%s\"", lead, rule + strspn(rule, " "));
		lead = ", ";
	}
	buf_printf(out, "%s", text[0] != 0 ? "]\n" : "");
}

static const char *put_fields(const struct terms *t, unsigned type, const char *lead, struct buf *out)
{
	const char *first = "";

	for (uint32_t i = 0; i < t->n_operations; i++) {
		if (t->operations[i].type != type)
			continue;
		if (first[0] == 0)
			buf_printf(out, "%s%s: [", lead, terms_operation_word(type));
		buf_printf(out, "%s\"%s\"", first, t->operations[i].field);
		first = ", ";
	}
	buf_printf(out, "%s", first[0] != 0 ? "]" : "");
	return first[0] != 0 ? ", " : lead;
}

static void put_operations(const struct terms *t, struct buf *out)
{
	const char *lead = "    graphql: {";

	if (!terms_has(t, TERM_GRAPHQL))
		return;
	for (unsigned type = TERMS_QUERY; type <= TERMS_SUBSCRIPTION; type++)
		lead = put_fields(t, type, lead, out);
	for (uint32_t i = 0; i < t->n_listed; i++)
		buf_printf(out, "%s%s\"%s\"", i == 0 ? lead : ", ", i == 0 ? "persisted: [" : "", t->listed[i]);
	buf_printf(out, "%s}\n", t->n_listed > 0 ? "]" : "");
}

static void put_host(const struct event_result *r, const struct learned_host *h, struct buf *out)
{
	static const enum term rest[] = { TERM_SECRET, TERM_CREDENTIALS };
	char text[TERMS_TEXT_MAX];

	(void)put_grant(r, VERB_CONNECT, h->object, out);
	put_qualifiers(&h->qualifiers, out);
	put_flow(&h->flow, out);
	buf_printf(out, "%s%s",
		   h->as_granted ? "    # Not all that was sent could be told: here stands what was granted.\n" : "",
		   h->unnamed ? "    # A method that no rule can name was used, and is not granted.\n" : "");
	put_rules(&h->terms, out);
	put_operations(&h->terms, out);
	for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
		term_format(&h->terms, rest[i], text);
		if (text[0] != 0)
			buf_printf(out, "    %s: '%s'\n", term_word(rest[i]), text); /* none has this quote */
	}
}

/* ---- parts of the file ---- */

static void put_head(const struct event_result *r, struct buf *out)
{
	char shown[SHOWN_MAX];

	buf_printf(out, "# Learned from one run of: %s",
		   r->argv != NULL && r->argv[0] != NULL
			   ? text_escape(shown, sizeof shown, r->argv[0], strlen(r->argv[0]))
			   : "?");
	buf_printf(out, "\n# It grants what that run did, wanted or not. Read it before you use it.\n");
	if (r->observe != CELL_OBSERVE_FULL)
		buf_printf(out, "# Not every open was observed: more may be needed than stands here.\n");
	if (r->effects_dropped > 0)
		buf_printf(out,
			   "# %" PRIu64 " effects had no room in the record: more may be needed than stands here.\n",
			   r->effects_dropped);
	buf_printf(out, "version: 1\n");
}

static bool is_agent(const char *s)
{
	if (s[0] == 0)
		return false;
	for (; *s != 0; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
		    strchr("._-", *s) == NULL)
			return false;
	return true;
}

static void put_list(const struct event_result *r, enum grant_verb verb, const struct path_list *list, struct buf *out)
{
	for (size_t i = 0; i < list->n; i++)
		if (put_grant(r, verb, list->paths[i], out) && verb != VERB_CONNECT)
			put_labels_of(r, list->paths[i], out);
}

/* Names of runtimes and variables need no quotes: they are of our own table, and of letters, digits and `_`. Quoted all
 * the same, since `y` or `on` would be a truth to other readers of YAML. */
static void put_names(const struct path_list *names, struct buf *out)
{
	for (size_t i = 0; i < names->n; i++)
		buf_printf(out, "%s\"%s\"", i == 0 ? "" : ", ", names->paths[i]);
}

static void put_named(const char *verb, const struct path_list *names, struct buf *out)
{
	if (names->n == 0)
		return;
	buf_printf(out, "  - %s: [", verb);
	put_names(names, out);
	buf_printf(out, "]\n");
}

static const char *env_flow(const struct event_result *r, const char *name)
{
	const struct grant_request want = { .verb = VERB_ENV, .object = name };

	return grant_flow(r->grants, grant_check(r->grants, &want).grant); /* "" of none */
}

/* Those with labels, each by itself, behind the others. */
static void put_env(const struct event_result *r, const struct path_list *names, struct buf *out)
{
	const char *first = "  - env: [";

	for (size_t i = 0; i < names->n; i++)
		if (env_flow(r, names->paths[i])[0] == 0) {
			buf_printf(out, "%s\"%s\"", first, names->paths[i]);
			first = ", ";
		}
	buf_printf(out, "%s", first[0] == ',' ? "]\n" : "");
	for (size_t i = 0; i < names->n; i++) {
		struct flow f;

		if (flow_take(env_flow(r, names->paths[i]), &f) < 0 || flow_is_empty(&f))
			continue;
		buf_printf(out, "  - env: \"%s\"\n", names->paths[i]);
		put_flow(&f, out);
	}
}

static size_t count_sayable(const struct event_result *r, enum grant_verb verb, const struct path_list *list)
{
	char line[LINE_MAX_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += grant_line(r, verb, list->paths[i], line, sizeof line);
	return n;
}

static bool has_grants(const struct learned *l, const struct event_result *r)
{
	for (size_t i = 0; i < l->hosts.n; i++)
		if (!learned_host_is_unused(l->hosts.at[i]))
			return true;
	return l->work || l->runtimes.n > 0 || l->env.n > 0 || l->connect.n > 0 ||
	       count_sayable(r, VERB_READ, &l->read) > 0 || count_sayable(r, VERB_WRITE, &l->write) > 0 ||
	       count_sayable(r, VERB_RUN, &l->run) > 0;
}

static void put_grants(const struct learned *l, const struct event_result *r, bool of_server, struct buf *out)
{
	buf_printf(out, "%s:%s\n", of_server ? "guard" : "grants", has_grants(l, r) ? "" : " []");
	if (l->work) {
		buf_printf(out, "  - work: .\n");
		put_labels_of(r, r->workdir, out);
	}
	put_named("run", &l->runtimes, out);
	put_list(r, VERB_READ, &l->read, out);
	put_list(r, VERB_WRITE, &l->write, out);
	put_list(r, VERB_RUN, &l->run, out);
	put_env(r, &l->env, out);
	put_list(r, VERB_CONNECT, &l->connect, out);
	for (size_t i = 0; i < l->hosts.n; i++)
		if (!learned_host_is_unused(l->hosts.at[i]))
			put_host(r, l->hosts.at[i], out);
}

static void put_decision(const struct event_result *r, const struct decision *d, const char *word, struct buf *out)
{
	char line[LINE_MAX_BYTES], shown[SHOWN_MAX];

	if (d->is_part) /* whole: half a rule is another one */
		buf_printf(out, "# %s: %s: %s  -- %s\n", word, verb_word(d->verb),
			   text_escape(line, sizeof line, d->object, strlen(d->object)), d->reason);
	else if (!d->never && grant_line(r, d->verb, d->object, line, sizeof line) && strlen(line) < SHOWN_MAX)
		buf_printf(out, "# %s: %s  -- %s\n", word, line, d->reason);
	else
		buf_printf(out, "# %s: %s %s  -- %s\n", d->never ? "cannot be granted" : word, verb_word(d->verb),
			   text_escape(shown, sizeof shown, d->object, strlen(d->object)), d->reason);
}

static void put_decisions(const struct event_result *r, const struct decisions *d, const char *word, struct buf *out)
{
	const size_t n = d->n < DECISIONS_MAX ? d->n : DECISIONS_MAX;

	for (size_t i = 0; i < n; i++)
		put_decision(r, &d->items[i], word, out);
	if (n < d->n)
		buf_printf(out, "# and %zu more, which `ambit explain` lists\n", d->n - n);
}

/* ---- limits ---- */

static uint64_t with_room(uint64_t used, uint64_t least)
{
	const uint64_t want = used <= UINT64_MAX / (2 * ROOM) ? used * ROOM : used;
	uint64_t round = least;

	while (round < want && round <= UINT64_MAX / 2)
		round *= 2;
	return round;
}

/* A server lives as long as its client: no wall limit would be its own. */
static void put_limits(const struct event_result *r, bool of_server, struct buf *out)
{
	const struct event_usage *u = &r->usage;
	static const enum limit shown[] = { LIMIT_WALL, LIMIT_MEMORY, LIMIT_TASKS, LIMIT_DISK };
	const struct limits l = { .value = { [LIMIT_WALL] = with_room(u->wall_ms, WALL_LEAST_MS),
					     [LIMIT_MEMORY] = with_room(u->memory_peak_bytes, MEMORY_LEAST),
					     [LIMIT_TASKS] = with_room(u->tasks_peak, TASKS_LEAST),
					     [LIMIT_DISK] = with_room(u->written_bytes, DISK_LEAST) } };

	buf_printf(out, "# Limits with room over what was used; take the marks away to set them:\n# limits:\n");
	for (size_t i = of_server ? 1 : 0; i < sizeof shown / sizeof shown[0]; i++) {
		char text[32];

		limits_format(&l, shown[i], text, sizeof text);
		buf_printf(out, "#   %s: %s\n", limit_word(shown[i]), text);
	}
}

void learn_write(const struct learned *l, const struct event_result *r, bool of_server, struct buf *out)
{
	put_head(r, out);
	if (is_agent(r->agent))
		buf_printf(out, "agent: %s\n", r->agent);
	put_grants(l, r, of_server, out);
	put_decisions(r, &l->decide, "decide", out);
	if (l->jit_unexplained)
		buf_printf(out, "# decide: jit: true  -- it was granted, and nothing was seen that needs it\n");
	put_decisions(r, &l->notes, "covered by `work: .`", out);
	put_limits(r, of_server, out);
}
