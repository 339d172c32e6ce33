#include "core/grant.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/endpoint.h"
#include "core/listen.h"
#include "core/tool.h"
#include "core/where.h"

#define SHOWN_MAX 200 /* of an object in a message */

struct verb_row {
	const char *word;
	enum grant_object_kind object;
	bool available;
};

static const struct verb_row verb_rows[VERB_COUNT] = {
#define VERB(name, w, o, in_build) [VERB_##name] = { .word = (w), .object = OBJECT_##o, .available = (in_build) != 0 },
#include "core/verbs.def"
#undef VERB
};

const char *verb_word(enum grant_verb v)
{
	return v < VERB_COUNT ? verb_rows[v].word : "?";
}

enum grant_object_kind verb_object(enum grant_verb v)
{
	return v < VERB_COUNT ? verb_rows[v].object : OBJECT_NONE;
}

bool verb_available(enum grant_verb v)
{
	return v < VERB_COUNT && verb_rows[v].available;
}

bool verb_find(const char *word, size_t len, enum grant_verb *ret)
{
	for (enum grant_verb v = 0; v < VERB_COUNT; v++) {
		if (strlen(verb_rows[v].word) != len || memcmp(verb_rows[v].word, word, len) != 0)
			continue;
		*ret = v;
		return true;
	}
	return false;
}

uint32_t verb_rights(enum grant_verb v)
{
	if (v == VERB_WORK)
		return RIGHT_READ | RIGHT_WRITE | RIGHT_RUN;
	if (v == VERB_WRITE)
		return RIGHT_READ | RIGHT_WRITE;
	if (v == VERB_RUN)
		return RIGHT_READ | RIGHT_RUN;
	return v == VERB_READ ? RIGHT_READ : 0;
}

void grant_set_init(struct grant_set *set)
{
	set->count = 0;
	set->pool_used = 0;
}

const char *grant_object(const struct grant_set *set, uint32_t id)
{
	return id < set->count ? set->pool + set->grants[id].object : "";
}

const char *grant_terms(const struct grant_set *set, uint32_t id)
{
	return id < set->count ? set->pool + set->grants[id].terms : "";
}

const char *grant_flow(const struct grant_set *set, uint32_t id)
{
	return id < set->count ? set->pool + set->grants[id].flow : "";
}

bool grant_add_labels(const struct grant_set *set, const char *path, struct flow *f)
{
	bool fits = true;

	for (uint32_t i = 0; i < set->count; i++) {
		const char *object = grant_object(set, i);
		struct flow of;

		if (set->grants[i].rights != 0 && (path_is_beneath(path, object) || path_is_beneath(object, path)) &&
		    flow_take(grant_flow(set, i), &of) == 0)
			fits = flow_add_labels(f, &of.label) && fits;
	}
	return fits;
}

void grant_put_conditions(const struct grant_set *set, uint32_t id, struct buf *out)
{
	const char *terms = grant_terms(set, id), *flow = grant_flow(set, id);
	char text[QUALIFIERS_TEXT_MAX];

	if (id >= set->count)
		return;
	qualifiers_format(&set->grants[id].qualifiers, text);
	buf_printf(out, "%s%s%s%s%s%s", text[0] != 0 ? " " : "", text, terms[0] != 0 ? " " : "", terms,
		   flow[0] != 0 ? " " : "", flow);
}

bool grant_has_conditions(const struct grant_set *set, uint32_t id)
{
	return id < set->count && (!qualifiers_are_none(&set->grants[id].qualifiers) || grant_terms(set, id)[0] != 0 ||
				   grant_flow(set, id)[0] != 0);
}

/* ---- objects ---- */

bool agent_is_name(const char *s)
{
	const size_t n = strlen(s);

	if (n == 0 || n >= AGENT_NAME_MAX || strchr("._-", s[0]) != NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
		      strchr("._-", s[i]) != NULL))
			return false;
	return true;
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t env_name_len(const char *object)
{
	return strcspn(object, "=");
}

size_t grant_told(const struct grant_set *set, uint32_t id)
{
	const char *object = grant_object(set, id);

	return id < set->count && set->grants[id].verb == VERB_ENV ? env_name_len(object) : strlen(object);
}

/* A name as shells take it, with or without "=value". */
static bool is_env(const char *object)
{
	const size_t n = env_name_len(object);

	if (n == 0 || !is_name_start(object[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_name_start(object[i]) && !(object[i] >= '0' && object[i] <= '9'))
			return false;
	return true;
}

static bool is_program(const char *object)
{
	if (object[0] == '/')
		return path_is_normal(object);
	return object[0] != 0 && strchr(object, '/') == NULL && strcmp(object, ".") != 0 && strcmp(object, "..") != 0;
}

static int bad_object(struct err *e, enum grant_verb verb, const char *object, const char *hint)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, object, strnlen(object, GRANT_OBJECT_MAX));
	return err_set(e, AMBIT_MALFORMED, hint, "%s: '%s' is not what this verb takes", verb_word(verb), shown);
}

static int check_object(enum grant_verb verb, const char *object, struct err *e)
{
	if (strnlen(object, GRANT_OBJECT_MAX) == GRANT_OBJECT_MAX)
		return bad_object(e, verb, object, "shorten it to less than 4096 bytes");
	switch (verb_object(verb)) {
	case OBJECT_PATH:
		return path_is_normal(object) ? 0 : bad_object(e, verb, object, "give an absolute, normalised path");
	case OBJECT_PROGRAM:
		return is_program(object)
			       ? 0
			       : bad_object(e, verb, object, "give an absolute path or the name of a program");
	case OBJECT_NAME:
		if (verb == VERB_DELEGATE && strcmp(object, DELEGATE_ANY) != 0 && !agent_is_name(object))
			return bad_object(
				e, verb, object,
				"give the name that the sub-agent gets (letters, digits, `.`, `_`, `-`), or *");
		if (verb == VERB_DECLASSIFY && !flow_is_name(object))
			return bad_object(e, verb, object,
					  "give the name of a label: small letters, digits, `.`, `_` and `-`");
		if (verb == VERB_TOOL && !tool_is_object(object))
			return bad_object(
				e, verb, object,
				"write SERVER/TOOL, SERVER/ and a method such as resources/read, SERVER/* or *");
		if (verb == VERB_ENV && !is_env(object))
			return bad_object(e, verb, object, "write NAME or NAME=value; a name is letters, digits and _");
		return object[0] != 0 ? 0 : bad_object(e, verb, object, "give a name");
	case OBJECT_ADDRESS: /* endpoints and ports are taken, not only looked at: take_object */
		return verb == VERB_CONNECT || verb == VERB_LISTEN || object[0] != 0
			       ? 0
			       : bad_object(e, verb, object, "give an address");
	case OBJECT_NONE: return object[0] == 0 ? 0 : bad_object(e, verb, object, "this verb takes nothing after it");
	}
	return -AMBIT_INTERNAL;
}

_Static_assert(ENDPOINT_TEXT_MAX >= LISTEN_TEXT_MAX, "the room is for either");

/* The object as it is kept: *object, or in room the one way of writing it. */
static int take_object(enum grant_verb verb, const char **object, char room[ENDPOINT_TEXT_MAX], struct err *e)
{
	struct endpoint p;
	struct listen_ports ports;
	int rc = check_object(verb, *object, e);

	if (rc < 0 || (verb != VERB_CONNECT && verb != VERB_LISTEN))
		return rc;
	rc = verb == VERB_CONNECT ? endpoint_take(*object, &p, e) : listen_take(*object, &ports, e);
	if (rc < 0)
		return err_context(e, rc, "%s", verb_word(verb));
	if (verb == VERB_CONNECT)
		endpoint_put(&p, room);
	else
		listen_put(&ports, room);
	*object = room;
	return 0;
}

bool grant_object_is(enum grant_verb verb, const char *object)
{
	const char *normal = object;
	char room[ENDPOINT_TEXT_MAX];

	return verb < VERB_COUNT && take_object(verb, &normal, room, NULL) == 0 && strcmp(normal, object) == 0;
}

static int check_verb(enum grant_verb verb, struct err *e)
{
	if (verb >= VERB_COUNT)
		return err_set(e, AMBIT_MALFORMED, NULL, "no verb has the number %u", (unsigned int)verb);
	if (!verb_available(verb))
		return err_set(e, AMBIT_UNAVAILABLE, "leave the grant out", "'%s' is not available in this build",
			       verb_word(verb));
	return 0;
}

/* A program by name has no path and so no rights on one: it is found in the base, not in the tree. */
static uint32_t rights_of(enum grant_verb verb, const char *object)
{
	return object[0] == '/' ? verb_rights(verb) : 0;
}

/* What stands behind the object of a grant, as text. */
struct texts {
	const char *terms, *flow;
};

/* ---- adding ---- */

static bool is_same_behind(const struct grant_set *set, uint32_t id, const struct qualifiers *q, const struct texts *t)
{
	return qualifiers_are_same(&set->grants[id].qualifiers, q) && strcmp(grant_terms(set, id), t->terms) == 0 &&
	       strcmp(grant_flow(set, id), t->flow) == 0;
}

/* Of a tool there may be several: each is of other arguments, or allows what the other does not. */
static bool is_another_of_tool(const struct grant_set *set, uint32_t id, const struct grant *g, const struct texts *t)
{
	struct qualifiers q = g->qualifiers;

	q.ask = set->grants[id].qualifiers.ask;
	return g->verb == VERB_TOOL && !is_same_behind(set, id, &q, t);
}

static bool same_grant(const struct grant_set *set, uint32_t id, const struct grant *g, const char *object,
		       const struct texts *t)
{
	return set->grants[id].verb == g->verb && set->grants[id].parent == g->parent &&
	       strcmp(grant_object(set, id), object) == 0 && !is_another_of_tool(set, id, g, t);
}

/* Two values for one name would make the order of lines matter. */
static bool contradicts(const struct grant_set *set, uint32_t id, enum grant_verb verb, const char *object)
{
	const char *there = grant_object(set, id);
	const size_t n = env_name_len(object);

	return verb == VERB_ENV && set->grants[id].verb == VERB_ENV && env_name_len(there) == n &&
	       memcmp(there, object, n) == 0 && strcmp(there, object) != 0;
}

/* Room was looked for. Gives where it lies. */
static uint32_t pool_put(struct grant_set *set, const char *text, size_t len)
{
	const uint32_t at = set->pool_used;

	memcpy(set->pool + at, text, len + 1);
	set->pool_used += (uint32_t)len + 1; /* below GRANT_POOL_MAX */
	return at;
}

/* The NUL behind the object is the text of what there is none of. */
static uint32_t pool_put_behind(struct grant_set *set, const char *text, const struct grant *g)
{
	return text[0] != 0 ? pool_put(set, text, strlen(text)) : g->object + g->object_len;
}

static int append(struct grant_set *set, struct grant g, const char *object, const struct texts *t, uint32_t *ret_id,
		  struct err *e)
{
	const size_t len = strlen(object), terms_len = strlen(t->terms),
		     flow_len = strlen(t->flow); /* all checked to be short */

	if (set->count >= GRANTS_MAX)
		return err_set(e, AMBIT_LIMIT, "name a directory in place of its files", "more than %d grants",
			       GRANTS_MAX);
	if (len + 1 + (terms_len > 0 ? terms_len + 1 : 0) + (flow_len > 0 ? flow_len + 1 : 0) >
	    GRANT_POOL_MAX - set->pool_used)
		return err_set(e, AMBIT_LIMIT, "use shorter paths, or fewer",
			       "the objects and terms of all grants exceed %u bytes", GRANT_POOL_MAX);
	g.object = pool_put(set, object, len);
	g.object_len = (uint32_t)len; /* below GRANT_OBJECT_MAX: check_object */
	g.terms = pool_put_behind(set, t->terms, &g);
	g.flow = pool_put_behind(set, t->flow, &g);
	set->grants[set->count] = g;
	*ret_id = set->count++;
	return 0;
}

/* Grant i is the same: one of the two is enough. */
static int join(struct grant_set *set, uint32_t i, const struct grant *g, const struct texts *t, uint32_t *ret_id,
		struct err *e)
{
	const char *hint = g->verb == VERB_CONNECT
				   ? "put all into one: rules stand behind commas, as in http='GET /a, POST /b'"
				   : "keep one of the two; the order of grants never decides";
	char shown[SHOWN_MAX];

	struct qualifiers q = g->qualifiers;

	q.ask |= set->grants[i].qualifiers.ask; /* it wins over the grant that would not ask */
	set->grants[i].qualifiers.ask = q.ask;
	if (!is_same_behind(set, i, &q, t)) {
		text_escape(shown, sizeof shown, grant_object(set, i), set->grants[i].object_len);
		return err_set(e, AMBIT_CONFLICT, hint, "%s: '%s' is given with different qualifiers",
			       verb_word((enum grant_verb)g->verb), shown);
	}
	set->grants[i].flags &= g->flags; /* whoever asked for it without `?` decides, in any order */
	*ret_id = i;
	return 0;
}

/* g has all but the object's place, and its flags and rights. */
static int add(struct grant_set *set, struct grant g, const char *object, const struct texts *t, uint32_t flags,
	       uint32_t *ret_id, struct err *e)
{
	const enum grant_verb verb = (enum grant_verb)g.verb;

	g.flags = (uint16_t)(flags & GRANT_OPTIONAL);
	g.rights = rights_of(verb, object);
	for (uint32_t i = 0; i < set->count; i++) {
		if (same_grant(set, i, &g, object, t))
			return join(set, i, &g, t, ret_id, e);
		if (contradicts(set, i, verb, object))
			return err_set(e, AMBIT_CONFLICT, "keep one of the two; the order of grants never decides",
				       "env: '%.*s' is given two different values", (int)env_name_len(object), object);
	}
	return append(set, g, object, t, ret_id, e);
}

/* One host at a time: of a range nobody knows by which name a program means it. */
static bool can_have_terms(const struct endpoint *p)
{
	switch ((enum endpoint_kind)p->kind) {
	case ENDPOINT_NAME:
	case ENDPOINT_PATTERN:
	case ENDPOINT_ANY: return true;
	case ENDPOINT_RANGE: return !endpoint_is_wide(p);
	case ENDPOINT_UNIX:
	case ENDPOINT_SSH: break;
	}
	return false;
}

int grant_check_terms(const char *object, const char *terms, struct err *e)
{
	struct endpoint p;
	char shown[SHOWN_MAX];
	int rc = terms[0] != 0 ? endpoint_take(object, &p, e) : 0;

	if (rc < 0 || terms[0] == 0 || can_have_terms(&p))
		return rc;
	text_escape(shown, sizeof shown, object, strlen(object));
	return err_set(e, AMBIT_MALFORMED, "name a host, *.NAME, * or one address, with its port",
		       "connect: '%s' takes no http, graphql, secret or credentials", shown);
}

/* What is staged waits for the answer, and so does the event where it would have it from its start on. */
static bool can_ask(enum grant_verb verb, const struct qualifiers *q)
{
	return verb != VERB_JIT && qualifiers_are_only(q, QUALIFIER_BIT(ASK));
}

/* Sources carry labels, and sinks are closed by them. */
static bool takes_label(enum grant_verb verb, bool of_path)
{
	return of_path || verb == VERB_ENV || verb == VERB_CONNECT || verb == VERB_TOOL;
}

static int check_labels(enum grant_verb verb, bool of_path, const struct flow *f, struct err *e)
{
	if (f->label.n > 0 && verb == VERB_RUN && !of_path)
		return err_set(e, AMBIT_MALFORMED, "name the program by its path",
			       "run: a program that is named without a path takes no label");
	if (f->label.n > 0 && !takes_label(verb, of_path))
		return err_set(e, AMBIT_MALFORMED,
			       "leave it out, or put it beside what is read, executed or connected to",
			       "%s: this verb takes no label", verb_word(verb));
	if ((flow_has_unless(f) || f->ask) && verb != VERB_CONNECT && verb != VERB_TOOL)
		return err_set(e, AMBIT_MALFORMED, "leave it out, or put it beside the connect or tool that is meant",
			       "%s: this verb takes no unless, and no ask: labelled", verb_word(verb));
	return 0;
}

static int check_flow(enum grant_verb verb, const char *object, const struct qualifiers *q, const char *text,
		      struct err *e)
{
	const bool of_path = verb_rights(verb) != 0 && object[0] != 0 && strchr("/.~", object[0]) != NULL;
	struct flow f;

	if (text[0] == 0)
		return 0;
	if (flow_take(text, &f) < 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "the labels of a grant are not in their normal form");
	if (f.ask && q->ask != 0)
		return err_set(e, AMBIT_MALFORMED, "keep one of the two", "%s: asks always, and where labels close it",
			       verb_word(verb));
	return check_labels(verb, of_path, &f, e);
}

static int check_tool(const struct qualifiers *q, const char *terms, struct err *e)
{
	struct where w;

	if (!qualifiers_are_only(q, QUALIFIER_BIT(USES) | QUALIFIER_BIT(BYTES) | QUALIFIER_BIT(RATE) |
					    QUALIFIER_BIT(UNTIL) | QUALIFIER_BIT(BETWEEN) | QUALIFIER_BIT(ASK)))
		return err_set(e, AMBIT_MALFORMED, "leave the others out",
			       "tool: takes uses, bytes, rate, until, between and ask, and no other such qualifier");
	return where_take(terms, &w, e);
}

static int check_qualified(enum grant_verb verb, const char *object, const struct qualifiers *q, const char *terms,
			   struct err *e)
{
	if (q->depth != 0 && verb != VERB_DELEGATE)
		return err_set(e, AMBIT_MALFORMED, "leave it out", "%s: this verb takes no depth", verb_word(verb));
	if (verb == VERB_TOOL)
		return check_tool(q, terms, e);
	if (verb == VERB_CONNECT && terms[0] != 0) {
		struct terms taken; /* 20 KB, cleared for the few that have any */
		const int rc = terms_take(terms, &taken, e);

		return rc < 0 ? rc : grant_check_terms(object, terms, e);
	}
	if (terms[0] == 0 && (verb == VERB_CONNECT || qualifiers_are_none(q) || can_ask(verb, q)))
		return 0;
	if (terms[0] == 0 && verb == VERB_DELEGATE &&
	    qualifiers_are_only(q, QUALIFIER_BIT(USES) | QUALIFIER_BIT(DEPTH) | QUALIFIER_BIT(ASK)))
		return 0;
	if (terms[0] == 0 && verb == VERB_DECLASSIFY &&
	    qualifiers_are_only(q, QUALIFIER_BIT(USES) | QUALIFIER_BIT(ASK)))
		return 0;
	if (verb == VERB_DECLASSIFY)
		return err_set(e, AMBIT_MALFORMED, "leave the others out",
			       "declassify: takes uses and ask, and nothing else");
	if (verb == VERB_DELEGATE)
		return err_set(e, AMBIT_MALFORMED, "leave the others out",
			       "delegate: takes uses, depth and ask, and nothing else");
	if (q->ask != 0)
		return err_set(e, AMBIT_MALFORMED, "leave it out", "%s: this verb takes no ask", verb_word(verb));
	return err_set(e, AMBIT_MALFORMED, "leave the qualifiers out", "%s: this verb takes no qualifiers",
		       verb_word(verb));
}

int grant_check_conditions(enum grant_verb verb, const char *object, const struct qualifiers *q, const char *terms,
			   const char *flow, struct err *e)
{
	const int rc = check_qualified(verb, object, q, terms, e);

	return rc < 0 ? rc : check_flow(verb, object, q, flow, e);
}

int grant_add_qualified(struct grant_set *set, enum grant_verb verb, const char *object, uint32_t flags,
			const struct qualifiers *q, const char *terms, const char *flow, uint32_t *ret_id,
			struct err *e)
{
	const struct grant g = { .parent = GRANT_NONE, .verb = (uint16_t)verb, .qualifiers = *q };
	const struct texts t = { terms, flow != NULL ? flow : "" };
	char room[ENDPOINT_TEXT_MAX];
	uint32_t id = 0;
	int rc = check_verb(verb, e);

	if (rc == 0)
		rc = take_object(verb, &object, room, e);
	if (rc == 0)
		rc = grant_check_conditions(verb, object, q, t.terms, t.flow, e);
	if (rc == 0)
		rc = add(set, g, object, &t, flags, &id, e);
	if (rc == 0 && ret_id != NULL)
		*ret_id = id;
	return rc;
}

int grant_add(struct grant_set *set, enum grant_verb verb, const char *object, uint32_t flags, uint32_t *ret_id,
	      struct err *e)
{
	static const struct qualifiers none;

	return grant_add_qualified(set, verb, object, flags, &none, "", "", ret_id, e);
}

/* ---- what a grant allows ---- */

static bool is_endpoint_within(const char *inner, const char *outer)
{
	struct endpoint a, b;

	return endpoint_take(inner, &a, NULL) == 0 && endpoint_take(outer, &b, NULL) == 0 && endpoint_is_within(&a, &b);
}

/* By path: every right that is asked, beneath the object. By endpoint: within the object. Any sub-agent within `*`, any tool
 * of a server within what means all of it. Anything else: the same verb
 * and the same object; a sub-agent may not give a variable another value, nor turn a value that was named into one of
 * the caller's. */
bool grant_object_covers(enum grant_verb outer_verb, const char *outer, enum grant_verb verb, const char *object)
{
	const uint32_t asked = rights_of(verb, object);

	if (verb == VERB_CONNECT)
		return outer_verb == verb && is_endpoint_within(object, outer);
	if (verb == VERB_DELEGATE && strcmp(outer, DELEGATE_ANY) == 0)
		return outer_verb == verb;
	if (verb == VERB_TOOL)
		return outer_verb == verb && tool_covers(outer, object);
	if (asked == 0)
		return outer_verb == verb && strcmp(outer, object) == 0;
	return (rights_of(outer_verb, outer) & asked) == asked && path_is_beneath(object, outer);
}

static bool covers(const struct grant_set *set, uint32_t id, enum grant_verb verb, const char *object)
{
	return grant_object_covers((enum grant_verb)set->grants[id].verb, grant_object(set, id), verb, object);
}

static int wider(struct err *e, const struct grant_set *set, uint32_t parent, const char *object)
{
	char has[SHOWN_MAX];
	struct buf b;

	buf_init_in(&b, has, sizeof has);
	grant_put_conditions(set, parent, &b);
	if (buf_cstr(&b) == NULL)
		(void)text_copy(has, sizeof has, " its terms");
	return err_set(e, AMBIT_DENIED, "what bounds the parent bounds what is derived from it, by no larger number",
		       "'%s: %s' would be allowed more than its parent (%s)",
		       verb_word((enum grant_verb)set->grants[parent].verb), object,
		       has[0] != 0 ? has + 1 : "no qualifiers");
}

static bool are_arguments_within(const char *inner, const char *outer)
{
	struct where a, b;

	return where_take(inner, &a, NULL) == 0 && where_take(outer, &b, NULL) == 0 && where_is_within(&a, &b);
}

static bool are_requests_within(const char *inner, const char *outer)
{
	struct terms a = { .credentials = TERMS_REFUSE }, b = a;

	return terms_take(inner, &a, NULL) == 0 && terms_take(outer, &b, NULL) == 0 && terms_are_within(&a, &b);
}

/* Both are taken: they were looked at. */
static bool is_bounded_within(const struct grant_set *set, uint32_t parent, const struct qualifiers *q,
			      const struct texts *t)
{
	const char *terms = grant_terms(set, parent);
	struct flow flow, parents;

	if (flow_take(t->flow, &flow) < 0 || flow_take(grant_flow(set, parent), &parents) < 0 ||
	    !flow_is_within(&flow, &parents))
		return false;
	return qualifiers_are_within(q, &set->grants[parent].qualifiers) &&
	       (set->grants[parent].verb == VERB_TOOL ? are_arguments_within(t->terms, terms)
						      : are_requests_within(t->terms, terms));
}

/* The parent's, which the verb of the child takes; one that asks in any case need not ask because of labels. */
static void inherit_flow(const struct grant_set *from, uint32_t parent, const struct qualifiers *q,
			 char ret[FLOW_TEXT_MAX])
{
	struct flow f = { .ask = false };

	(void)flow_take(grant_flow(from, parent), &f); /* the set has none that are not */
	f.ask = f.ask && q->ask == 0;
	flow_format(&f, ret);
}

int grant_derive(const struct grant_set *from, uint32_t parent, struct grant_set *child, enum grant_verb verb,
		 const char *object, const struct qualifiers *q, const char *terms, const char *flow, uint32_t *ret_id,
		 struct err *e)
{
	static const struct qualifiers none;
	struct grant g = { .verb = (uint16_t)verb, .qualifiers = q != NULL ? *q : none };
	char shown[SHOWN_MAX], room[ENDPOINT_TEXT_MAX], inherited[FLOW_TEXT_MAX];
	struct texts t = { terms != NULL ? terms : "", flow != NULL ? flow : "" };
	uint32_t id = GRANT_NONE;
	int rc = check_verb(verb, e);

	if (rc == 0)
		rc = take_object(verb, &object, room, e);
	if (rc == 0)
		rc = grant_check_conditions(verb, object, &g.qualifiers, t.terms, t.flow, e);
	if (rc < 0)
		return rc;
	if (parent >= from->count)
		return err_set(e, AMBIT_MALFORMED, NULL, "there is no grant %u to derive from", parent);
	if (!covers(from, parent, verb, object)) {
		text_escape(shown, sizeof shown, grant_object(from, parent), from->grants[parent].object_len);
		return err_set(e, AMBIT_DENIED, "a derived grant can only be narrower than its parent",
			       "'%s' is not within the grant '%s: %s'", verb_word(verb),
			       verb_word((enum grant_verb)from->grants[parent].verb), shown);
	}
	if (t.flow[0] == 0) {
		inherit_flow(from, parent, &g.qualifiers, inherited);
		t.flow = inherited;
	}
	if (!is_bounded_within(from, parent, &g.qualifiers, &t))
		return wider(e, from, parent, object);
	g.parent = child == from ? parent : GRANT_NONE;
	rc = add(child, g, object, &t, from->grants[parent].flags, &id, e);
	if (rc == 0 && ret_id != NULL)
		*ret_id = id;
	return rc;
}

static bool allows(const struct grant_set *set, uint32_t id, const struct grant_request *want)
{
	const char *object = grant_object(set, id);
	const size_t n = env_name_len(object);

	if (want->verb == VERB_ENV)
		return set->grants[id].verb == VERB_ENV && strlen(want->object) == n &&
		       memcmp(want->object, object, n) == 0;
	return covers(set, id, want->verb, want->object);
}

static bool lies_in(enum grant_verb a_verb, const char *a, enum grant_verb b_verb, const char *b)
{
	return (b_verb == VERB_CONNECT || b_verb == VERB_DELEGATE || b_verb == VERB_TOOL) &&
	       grant_object_covers(b_verb, b, a_verb, a);
}

/* Rules, in this order: an endpoint, a sub-agent or a tool within another is narrower, however long they are written; the longer object is; of the same object,
 * fewer rights; of as many, to run is less than to write. */
bool grant_object_is_narrower(enum grant_verb a_verb, const char *a, enum grant_verb b_verb, const char *b)
{
	const uint32_t a_rights = rights_of(a_verb, a), b_rights = rights_of(b_verb, b);
	const int a_count = __builtin_popcount(a_rights), b_count = __builtin_popcount(b_rights);
	const bool a_in_b = lies_in(a_verb, a, b_verb, b), b_in_a = lies_in(b_verb, b, a_verb, a);
	const size_t a_len = strlen(a), b_len = strlen(b);

	if (a_in_b != b_in_a)
		return a_in_b;
	if (a_len != b_len)
		return a_len > b_len;
	if (a_count != b_count)
		return a_count < b_count;
	return (a_rights & RIGHT_WRITE) < (b_rights & RIGHT_WRITE);
}

/* Of two that allow the same request; of two that are alike the one added first, which only grants derived alike can be. */
static bool narrower(const struct grant_set *set, uint32_t a, uint32_t b)
{
	return grant_object_is_narrower((enum grant_verb)set->grants[a].verb, grant_object(set, a),
					(enum grant_verb)set->grants[b].verb, grant_object(set, b));
}

struct grant_decision grant_check(const struct grant_set *set, const struct grant_request *want)
{
	struct grant_decision d = { .allowed = false, .grant = GRANT_NONE };

	if (want->verb >= VERB_COUNT || want->object == NULL ||
	    (want->object[0] == '/' && !path_is_normal(want->object)) ||
	    (want->verb == VERB_TOOL && tool_is_star(want->object))) /* nobody uses several */
		return d;
	for (uint32_t i = 0; i < set->count; i++) {
		if (!allows(set, i, want))
			continue;
		if (!d.allowed || narrower(set, i, d.grant))
			d.grant = i;
		d.allowed = true;
	}
	return d;
}
