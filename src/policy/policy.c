#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/endpoint.h"
#include "core/listen.h"
#include "core/tool.h"
#include "policy/words.h"

#define ENCODING_VERSION 12
#define ENCODING_OF_FOUR_PROFILES 11 /* and before that: off, log, ask, hold */
#define ENCODING_WITHOUT_CANARY 10   /* and before that */
#define ENCODING_WITHOUT_PROFILE 9   /* likewise */
#define ENCODING_WITHOUT_SERVERS 8   /* of sessions that were made by an earlier build */
#define ENCODING_WITHOUT_ANSWERS 7   /* and before that */
#define ENCODING_WITHOUT_USE 6       /* likewise */
#define ENCODING_WITHOUT_BUDGETS 5   /* and before that */
#define ENCODING_WITHOUT_FLOW 4      /* likewise */
#define ENCODING_WITHOUT_WARM 3      /* likewise */
#define SHOWN_MAX 200                /* of an object in a message */

/* ---- objects as written ---- */

/* Whether one of the parts between slashes is "..". */
static bool climbs(const char *path)
{
	while (*path != 0) {
		const size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

static bool is_path(const char *s)
{
	return s[0] == '/' || strcmp(s, ".") == 0 || strcmp(s, "~") == 0 || strncmp(s, "./", 2) == 0 ||
	       strncmp(s, "~/", 2) == 0;
}

/* What to write in place of a path that is none. */
static const char *path_hint(const char *s)
{
	if (s[0] == 0)
		return "name a path: . or ./x beneath the workspace, ~ or ~/x beneath your home, or /x";
	if (climbs(s))
		return "name the directory itself; `..` leaves the place that the grant names";
	if (s[0] == '~')
		return "only your own home has a short name: ~ or ~/x";
	if (s[0] == '$')
		return "nothing is expanded here; write the path itself, with ~ for your home";
	return "write ./x for a path beneath the workspace, ~/x beneath your home, or /x";
}

static int bad_object(struct err *e, enum grant_verb verb, const char *object, const char *hint)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, object, strlen(object));
	return err_set(e, AMBIT_MALFORMED, hint, "%s: '%s' is not %s", verb_word(verb), shown,
		       verb_object(verb) == OBJECT_NAME      ? "a name, or a name and a value"
		       : verb_object(verb) == OBJECT_PROGRAM ? "a path or a known program"
							     : "a path");
}

/* A name of the table; programs without traits are executable anyway, or need the path where they lie. */
static int check_program(enum grant_verb verb, const char *object, struct err *e)
{
	char shown[SHOWN_MAX];

	if (policy_program_traits(object) != NULL)
		return 0;
	text_escape(shown, sizeof shown, object, strlen(object));
	return err_set(
		e, AMBIT_UNKNOWN,
		"programs of the base may run anyway (but for --base minimal); name any other by its path, as /opt/x",
		"%s: '%s' is not a program that needs anything by its name", verb_word(verb), shown);
}

int policy_check_place(enum grant_verb verb, const char *asked, const char *path, struct err *e)
{
	const bool own = path_is_beneath(path, "/proc") || path_is_beneath(path, "/dev");
	char shown[SHOWN_MAX];

	if (path[1] != 0 && !own)
		return 0;
	text_escape(shown, sizeof shown, asked, strlen(asked));
	if (own)
		return err_why(e,
			       err_set(e, AMBIT_DENIED, "leave the grant out", "%s: '%s' is never granted",
				       verb_word(verb), shown),
			       "a cell has its own /proc and /dev");
	return err_why(e,
		       err_set(e, AMBIT_DENIED, "name the directories in it that are needed",
			       "%s: '%s' is never granted whole", verb_word(verb), shown),
		       "every key and every secret of this machine lies beneath it");
}

/* `.`, `~` and links that lead there are found when the policy is resolved. */
static int check_place(enum grant_verb verb, const char *object, struct err *e)
{
	char path[GRANT_OBJECT_MAX];

	if (object[0] != '/' || !path_normalise("/", object, path, sizeof path))
		return 0;
	return policy_check_place(verb, path, path, e);
}

static int check_path(enum grant_verb verb, const char *object, struct err *e)
{
	if (!is_path(object) || climbs(object))
		return bad_object(e, verb, object, path_hint(object));
	return check_place(verb, object, e);
}

static int check_ports(enum grant_verb verb, const char *object, struct err *e)
{
	struct listen_ports ports;
	const int rc = listen_take(object, &ports, e);

	return rc < 0 ? err_context(e, rc, "%s", verb_word(verb)) : 0;
}

static int check_object(enum grant_verb verb, const char *object, struct err *e)
{
	struct endpoint endpoint;

	switch (verb_object(verb)) {
	case OBJECT_PATH: return check_path(verb, object, e);
	case OBJECT_PROGRAM:
		if (object[0] == 0 || is_path(object) || strchr(object, '/') != NULL || climbs(object) ||
		    object[0] == '$')
			return check_path(verb, object, e);
		return check_program(verb, object, e);
	case OBJECT_ADDRESS:
		return verb == VERB_LISTEN ? check_ports(verb, object, e) : endpoint_take(object, &endpoint, e);
	case OBJECT_NAME:
	case OBJECT_NONE: break;
	}
	return 0; /* grant_add knows names and nothing else about them */
}

static int check_tool(const char *object, struct err *e)
{
	char shown[SHOWN_MAX];

	if (tool_is_object(object))
		return 0;
	text_escape(shown, sizeof shown, object, strlen(object));
	return err_set(e, AMBIT_MALFORMED,
		       "write SERVER/TOOL, SERVER/resources/read or another method, SERVER/* for all of a server, or *",
		       "tool: '%s' is no tool of a server", shown);
}

/* What the set would say to a name. */
static int check_name(enum grant_verb verb, const char *object, struct err *e)
{
	const size_t n = strcspn(object, "=");

	if (verb == VERB_DECLASSIFY)
		return flow_check_name(verb_word(verb), object, e);
	if (verb == VERB_TOOL)
		return check_tool(object, e);
	if (verb != VERB_ENV)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char c = object[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return bad_object(e, verb, object, "write NAME or NAME=value; a name is letters, digits and _");
	}
	return n > 0 ? 0 : bad_object(e, verb, object, "write NAME or NAME=value; a name is letters, digits and _");
}

static int check_verb(enum grant_verb verb, struct err *e)
{
	if (verb >= VERB_COUNT || !verb_available(verb))
		return err_set(e, AMBIT_UNAVAILABLE, "leave the grant out; what it would allow stays closed",
			       "the verb '%s' is not available in this build", verb_word(verb));
	return 0;
}

static int check_line(const struct policy_line *l, struct err *e)
{
	const enum grant_verb verb = (enum grant_verb)l->verb;
	int rc = check_verb(verb, e);

	if (rc == 0)
		rc = check_object(verb, l->object, e);
	if (rc == 0)
		rc = check_name(verb, l->object, e);
	if (rc == 0 && verb_object(verb) == OBJECT_NONE && l->object[0] != 0)
		rc = bad_object(e, verb, l->object, "this verb takes nothing after it");
	return rc;
}

/* ---- filling ---- */

/* A final `?` marks a path that may be missing; a value of a variable keeps its own. */
static bool takes_mark(enum grant_verb verb)
{
	return verb_object(verb) == OBJECT_PATH || verb_object(verb) == OBJECT_PROGRAM;
}

int policy_add(struct policy *p, enum grant_verb verb, const char *object, uint32_t line, uint32_t column,
	       struct err *e)
{
	size_t n = strnlen(object, GRANT_OBJECT_MAX + 1);
	struct policy_line *l;
	uint32_t flags = 0;
	int rc;

	if (n > 0 && object[n - 1] == '?' && takes_mark(verb)) {
		flags = GRANT_OPTIONAL;
		n--;
	}
	if (n >= GRANT_OBJECT_MAX)
		return err_set(e, AMBIT_LIMIT, "a path has at most 4095 bytes", "%s: the object is too long",
			       verb_word(verb));
	if (p->n_lines >= POLICY_LINES_MAX)
		return err_set(e, AMBIT_LIMIT, "name a directory in place of its files", "more than %d grants",
			       POLICY_LINES_MAX);
	l = &p->lines[p->n_lines];
	*l = (struct policy_line){ .verb = verb, .line = line, .column = column, .flags = flags };
	memcpy(l->object, object, n);
	rc = check_line(l, e);
	if (rc == 0)
		p->n_lines++;
	return rc;
}

static bool is_socket(const char *object)
{
	struct endpoint p;

	return endpoint_take(object, &p, NULL) == 0 && p.kind == ENDPOINT_UNIX;
}

const char *policy_terms(const struct policy *p, const struct policy_line *l)
{
	return p->texts + l->terms;
}

const char *policy_flow(const struct policy *p, const struct policy_line *l)
{
	return p->texts + l->flow;
}

bool policy_means(const struct policy *p, const struct policy_line *l)
{
	const bool is_guard = (l->flags & POLICY_GUARD) != 0;

	const uint32_t of = l->flags >> POLICY_SERVER_SHIFT;

	if (l->verb == VERB_TOOL)
		return false;
	if (p->use != POLICY_FOR_SERVER)
		return !is_guard;
	return is_guard ? of == 0 || of == p->server : l->source == 0;
}

int policy_put_guard(struct policy *p, uint32_t first, uint32_t server, uint32_t *ret_line, struct err *e)
{
	for (uint32_t i = first; i < p->n_lines; i++) {
		*ret_line = i;
		if (p->lines[i].verb == VERB_TOOL)
			return err_set(e, AMBIT_MALFORMED, "put it into the list under grants:",
				       "tool: guard is of the server's own process, and this is of who calls it");
		p->lines[i].flags |= POLICY_GUARD | server << POLICY_SERVER_SHIFT;
	}
	return 0;
}

/* Gives where it lies. */
static int add_text(struct policy *p, const char *text, uint32_t *ret, struct err *e)
{
	const uint32_t at = p->texts_used > 0 ? p->texts_used : 1;
	const size_t n = strlen(text); /* below TERMS_TEXT_MAX */

	*ret = 0;
	if (n == 0)
		return 0;
	if (n + 1 > sizeof p->texts - at)
		return err_set(e, AMBIT_LIMIT, "write fewer, with wildcards",
			       "the terms of all grants exceed %zu bytes", sizeof p->texts);
	memcpy(p->texts + at, text, n + 1);
	p->texts_used = at + (uint32_t)n + 1;
	*ret = at;
	return 0;
}

/* The key that comes with it signs whatever the program shows to the host: nobody could be shown that. */
static int check_asked(const struct policy_line *l, const struct qualifiers *q, struct err *e)
{
	struct endpoint p;

	if (q->ask == 0 || l->verb != VERB_CONNECT || endpoint_take(l->object, &p, NULL) < 0 || p.kind != ENDPOINT_SSH)
		return 0;
	return err_set(e, AMBIT_MALFORMED, "leave the ask out; your agent may ask (ssh-add -c)",
		       "connect: a key for ssh is not asked for");
}

static int check_conditions(const struct policy *p, const struct policy_line *l, struct err *e)
{
	return grant_check_conditions((enum grant_verb)l->verb, l->object, &l->qualifiers, policy_terms(p, l),
				      policy_flow(p, l), e);
}

static int check_counted(const struct policy_line *l, const struct qualifiers *q, struct err *e)
{
	char shown[SHOWN_MAX];

	if (!qualifiers_has(q, QUALIFIER_BYTES) || !is_socket(l->object))
		return 0;
	text_escape(shown, sizeof shown, l->object, strlen(l->object));
	return err_set(e, AMBIT_MALFORMED, "bound it by uses or rate",
		       "%s: %s: nobody counts the bytes of a Unix socket", verb_word((enum grant_verb)l->verb), shown);
}

int policy_qualify(struct policy *p, uint32_t first, const struct conditions *b, uint32_t *ret_line, struct err *e)
{
	char terms[TERMS_TEXT_MAX], flow[FLOW_TEXT_MAX];
	uint32_t terms_at = 0, flow_at = 0;
	int rc = terms_check(&b->terms, e);

	if (rc == 0)
		rc = conditions_terms(b, terms, e);
	flow_format(&b->flow, flow);
	if (rc == 0)
		rc = flow_check(&b->flow, e);
	if (rc == 0)
		rc = add_text(p, terms, &terms_at, e);
	if (rc == 0)
		rc = add_text(p, flow, &flow_at, e);
	if (ret_line != NULL)
		*ret_line = first; /* what is wrong with all of them */

	for (uint32_t i = first; i < p->n_lines && rc == 0; i++) {
		struct policy_line *l = &p->lines[i];

		l->qualifiers = b->qualifiers;
		l->terms = terms_at;
		l->flow = flow_at;
		rc = check_counted(l, &b->qualifiers, e);
		rc = rc < 0 ? rc : check_asked(l, &b->qualifiers, e);
		rc = rc < 0 ? rc : check_conditions(p, l, e);
		if (rc < 0 && ret_line != NULL)
			*ret_line = i;
	}
	return rc;
}

static const char *const profile_words[PROFILE_LAST + 1] = { NULL, "off", "log", "throttle", "ask", "hold", "kill" };
static const char *const canary_words[POLICY_CANARY_LAST + 1] = { NULL, "tell", "kill", "freeze" };

const char *policy_profile_word(uint8_t profile)
{
	return profile <= PROFILE_LAST ? profile_words[profile] : NULL;
}

const char *policy_canary_word(uint8_t canary)
{
	return canary <= POLICY_CANARY_LAST ? canary_words[canary] : NULL;
}

/* The strictest counts. False: it is none of them. */
static bool take_stricter(uint8_t *way, const char *const *words, uint8_t last, const char *word)
{
	for (uint8_t i = 1; i <= last; i++)
		if (strcmp(words[i], word) == 0) {
			*way = i > *way ? i : *way;
			return true;
		}
	return false;
}

int policy_set_profile(struct policy *p, const char *word, struct err *e)
{
	char shown[SHOWN_MAX];

	if (take_stricter(&p->profile, profile_words, PROFILE_LAST, word))
		return 0;
	text_escape(shown, sizeof shown, word, strlen(word));
	return err_set(e, AMBIT_UNKNOWN, "off, log, throttle, ask, hold or kill",
		       "what is unusual cannot be answered by '%s'", shown);
}

int policy_set_canary(struct policy *p, const char *word, struct err *e)
{
	char shown[SHOWN_MAX];

	if (take_stricter(&p->canary, canary_words, POLICY_CANARY_LAST, word))
		return 0;
	text_escape(shown, sizeof shown, word, strlen(word));
	return err_set(e, AMBIT_UNKNOWN, "tell, kill or freeze", "a touched canary cannot be answered by '%s'", shown);
}

int policy_set_agent(struct policy *p, const char *agent, struct err *e)
{
	char shown[SHOWN_MAX];

	if (!agent_is_name(agent)) {
		text_escape(shown, sizeof shown, agent, strlen(agent));
		return err_set(e, AMBIT_MALFORMED,
			       "letters, digits, `.`, `_` and `-`, at most 63, the first a letter or a digit",
			       "'%s' is not the name of an agent", shown);
	}
	if (p->agent[0] != 0 && strcmp(p->agent, agent) != 0)
		return err_set(e, AMBIT_CONFLICT, "an event has one agent; name one of them",
			       "agent '%s', but it is '%s' already", agent, p->agent);
	(void)text_copy(p->agent, sizeof p->agent, agent); /* fits: agent_is_name */
	return 0;
}

/* A module, or a package of Node's: what can stand in an argument and is no flag. */
static bool is_module(const char *s, size_t n)
{
	if (n == 0 || n > 63 || strchr("-./", s[0]) != NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
		      strchr("._-/@", s[i]) != NULL))
			return false;
	return true;
}

/* Its kind; KIND_COUNT: it is none. */
static enum event_kind warm_kind(const char *text)
{
	const size_t n = strcspn(text, " =");
	char word[16];
	enum event_kind kind;

	(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : 0), text);
	kind = kind_of_word(word);
	return kind == KIND_RUN ? KIND_COUNT : kind;
}

static bool is_interpreter(const char *s, size_t n)
{
	return n > 0 && n < 256 && s[0] != '-' && s[0] != '.' && (s[0] == '/' || memchr(s, '/', n) == NULL) &&
	       memchr(s, '\n', n) == NULL;
}

/* word: what of the line is wrong, n bytes of it. */
static int no_warm(const char *word, size_t n, const char *why, struct err *e)
{
	char shown[SHOWN_MAX];

	text_escape(shown, sizeof shown, word, n);
	return err_set(e, AMBIT_MALFORMED,
		       "write `python`, `python numpy pandas`, `node=/opt/node/bin/node` or `shell`", "'%s' %s", shown,
		       why);
}

static int check_warm(const char *text, enum event_kind kind, struct err *e)
{
	const char *at = text + strcspn(text, " =");
	unsigned modules = 0;

	if (kind == KIND_COUNT)
		return no_warm(text, strcspn(text, " ="),
			       "is nothing that can be kept warm: python, node and shell can", e);
	if (strlen(text) >= POLICY_WARM_MAX)
		return no_warm(text, strlen(text), "is too long to be kept warm", e);
	if (*at == '=') {
		const size_t n = strcspn(at + 1, " ");

		if (!is_interpreter(at + 1, n))
			return no_warm(at + 1, n, "is no interpreter: name a program of PATH, or its whole path", e);
		at += 1 + n;
	}
	for (size_t n; *at == ' '; at += 1 + n) {
		n = strcspn(at + 1, " ");
		if (kind == KIND_SHELL)
			return no_warm(at + 1, n, "cannot be kept warm: a shell has no modules", e);
		if (!is_module(at + 1, n))
			return no_warm(at + 1, n, "is no name of a module", e);
		if (++modules > POLICY_MODULES_MAX)
			return no_warm(at + 1, n, "is one module more than the 16 that can be kept warm", e);
	}
	return 0;
}
_Static_assert(POLICY_MODULES_MAX == 16, "it is told so");

int policy_add_warm(struct policy *p, const char *text, struct err *e)
{
	const enum event_kind kind = warm_kind(text);
	const int r = check_warm(text, kind, e);

	if (r < 0)
		return r;
	if (p->warm[kind][0] != 0 && strcmp(p->warm[kind], text) != 0)
		return err_set(e, AMBIT_CONFLICT, "name all modules in one line", "'warm' has two lines for %s",
			       kind_word(kind));
	(void)text_copy(p->warm[kind], sizeof p->warm[kind], text); /* fits: checked */
	return 0;
}

/* ---- answers ---- */

static bool has_secret(const struct policy_answers *a, const char *text)
{
	for (uint32_t i = 0; i < a->n_secrets; i++)
		if (strcmp(a->secrets[i], text) == 0)
			return true;
	return false;
}

static int check_secret(const char *text, struct err *e)
{
	struct match m;
	int r;

	if (strcmp(text, POLICY_TOKENS) == 0)
		return 0;
	r = match_compile(text, strlen(text), &m, e);
	if (r < 0)
		return r;
	if (m.n_states > POLICY_SECRET_STATES)
		return err_set(e, AMBIT_LIMIT, "leave out repetitions, or name more than one",
			       "an expression of a secret takes %u steps for each character, more than %d", m.n_states,
			       POLICY_SECRET_STATES);
	if (match_is(&m, "", 0))
		return err_set(e, AMBIT_MALFORMED, "say what stands there: [A-Z]{8}",
			       "an expression that is found in every answer");
	return 0;
}

int policy_add_secret(struct policy *p, const char *text, struct err *e)
{
	const int r = check_secret(text, e);

	if (r < 0 || has_secret(&p->answers, text))
		return r;
	if (p->answers.n_secrets == POLICY_SECRETS_MAX)
		return err_set(e, AMBIT_LIMIT, "put some of them together: (x|y)",
			       "more than %d expressions of secrets", POLICY_SECRETS_MAX);
	(void)text_copy(p->answers.secrets[p->answers.n_secrets++], MATCH_TEXT_MAX + 1,
			text); /* match_compile: it fits */
	return 0;
}

static void narrow_answers(struct policy *p, uint64_t bytes)
{
	if (bytes != 0 && (p->answers.bytes == 0 || bytes < p->answers.bytes))
		p->answers.bytes = bytes;
}

int policy_limit_answers(struct policy *p, const char *text, struct err *e)
{
	struct qualifiers q = { .uses = 0 };
	const int r = qualifiers_set(&q, QUALIFIER_BYTES, text, e);

	if (r == 0)
		narrow_answers(p, q.bytes);
	return r;
}

static int merge_answers(struct policy *into, const struct policy_answers *from, struct err *e)
{
	int r = 0;

	narrow_answers(into, from->bytes);
	for (uint32_t i = 0; i < from->n_secrets && r == 0; i++)
		r = policy_add_secret(into, from->secrets[i], e);
	return r;
}

unsigned policy_warm(const struct policy *p, enum event_kind kind, char *room, const char **ret_program,
		     const char *ret_modules[POLICY_MODULES_MAX])
{
	unsigned n = 0;
	char *at = room;

	(void)text_copy(room, POLICY_WARM_MAX, p->warm[kind]); /* of the same size */
	at += strcspn(at, " =");
	*ret_program = "";
	if (*at == '=') {
		*ret_program = ++at;
		at += strcspn(at, " ");
	}
	while (*at == ' ' && n < POLICY_MODULES_MAX) {
		*at++ = 0;
		ret_modules[n++] = at;
		at += strcspn(at, " ");
	}
	return n;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a; /* 0 bounds nothing */
}

int policy_narrow_budget(struct policy *p, enum policy_budget which, const struct qualifiers *by, struct err *e)
{
	struct qualifiers *q = &p->budgets[which];
	char one[QUALIFIER_VALUE_MAX], other[QUALIFIER_VALUE_MAX];

	if (q->rate != 0 && by->rate != 0 && q->period_s != by->period_s) {
		qualifier_format(by, QUALIFIER_RATE, one, sizeof one);
		qualifier_format(q, QUALIFIER_RATE, other, sizeof other);
		return err_set(e, AMBIT_CONFLICT, "keep one of the two, or write both for the same period",
			       "budgets: the rate of %s is %s, but it is %s already", budget_word(which), one, other);
	}
	q->uses = (uint32_t)smaller(q->uses, by->uses);
	q->bytes = smaller(q->bytes, by->bytes);
	q->rate = (uint32_t)smaller(q->rate, by->rate);
	q->period_s = q->period_s != 0 ? q->period_s : by->period_s;
	return 0;
}

bool policy_has_budgets(const struct policy *p)
{
	for (size_t i = 0; i < BUDGET_COUNT; i++)
		if (!qualifiers_are_none(&p->budgets[i]))
			return true;
	return false;
}

static void merge_limits(struct policy *into, const struct policy *from)
{
	limits_narrow(&into->limits, &from->limits); /* 0 in either is "none", or not given, and bounds nothing */
	into->limits_given |= from->limits_given;
}

int policy_merge(struct policy *into, const struct policy *from, const char *source, struct err *e)
{
	const uint32_t index = into->n_sources + 1;

	if (index >= POLICY_SOURCES_MAX)
		return err_set(e, AMBIT_LIMIT, "put the grants into one file", "more than %d policies at once",
			       POLICY_SOURCES_MAX - 1);
	if (from->n_lines > POLICY_LINES_MAX - into->n_lines)
		return err_set(e, AMBIT_LIMIT, "name a directory in place of its files", "more than %d grants",
			       POLICY_LINES_MAX);
	if (from->agent[0] != 0) {
		const int rc = policy_set_agent(into, from->agent, e);

		if (rc < 0)
			return rc;
	}
	into->profile = from->profile > into->profile ? from->profile : into->profile;
	into->canary = from->canary > into->canary ? from->canary : into->canary;
	for (unsigned k = KIND_RUN + 1; k < KIND_COUNT; k++) {
		const int rc = from->warm[k][0] != 0 ? policy_add_warm(into, from->warm[k], e) : 0;

		if (rc < 0)
			return rc;
	}
	for (enum policy_budget b = 0; b < BUDGET_COUNT; b++) {
		const int rc = policy_narrow_budget(into, b, &from->budgets[b], e);

		if (rc < 0)
			return rc;
	}
	if (merge_answers(into, &from->answers, e) < 0 || policy_servers_merge(into, from, e) < 0)
		return -(int)e->code;
	text_escape(into->sources[index], sizeof into->sources[index], source, strlen(source));
	into->n_sources = index;
	for (uint32_t i = 0; i < from->n_lines; i++) {
		struct policy_line *l = &into->lines[into->n_lines];
		int rc;

		*l = from->lines[i];
		l->source = index;
		if (l->flags >> POLICY_SERVER_SHIFT != 0)
			l->flags += (into->n_servers - from->n_servers) << POLICY_SERVER_SHIFT;
		rc = add_text(into, policy_terms(from, &from->lines[i]), &l->terms, e);
		rc = rc < 0 ? rc : add_text(into, policy_flow(from, &from->lines[i]), &l->flow, e);
		if (rc < 0)
			return rc;
		into->n_lines++;
	}
	merge_limits(into, from);
	return 0;
}

/* ---- between processes ---- */

void policy_encode(const struct policy *p, struct buf *out)
{
	buf_put_u16(out, ENCODING_VERSION);
	buf_put_u8(out, p->use);
	policy_servers_encode(p, out);
	buf_put_str(out, p->agent);
	buf_put_u8(out, p->profile);
	buf_put_u8(out, p->canary);
	for (unsigned k = KIND_RUN + 1; k < KIND_COUNT; k++)
		buf_put_str(out, p->warm[k]);
	buf_put_u32(out, p->limits_given);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if ((p->limits_given >> i & 1u) != 0)
			buf_put_u64(out, p->limits.value[i]);
	for (size_t i = 0; i < BUDGET_COUNT; i++)
		qualifiers_put(out, &p->budgets[i]);
	buf_put_u64(out, p->answers.bytes);
	buf_put_u32(out, p->answers.n_secrets);
	for (uint32_t i = 0; i < p->answers.n_secrets; i++)
		buf_put_str(out, p->answers.secrets[i]);
	buf_put_u32(out, p->n_lines);
	for (uint32_t i = 0; i < p->n_lines; i++) {
		const struct policy_line *l = &p->lines[i];

		buf_put_u32(out, l->verb);
		buf_put_u32(out, l->line);
		buf_put_u32(out, l->column);
		buf_put_u32(out, l->flags);
		qualifiers_put(out, &l->qualifiers);
		buf_put_str(out, policy_terms(p, l));
		buf_put_str(out, policy_flow(p, l));
		buf_put_str(out, l->object);
	}
}

static int decode_limits(struct rbuf *in, struct policy *ret, struct err *e)
{
	ret->limits_given = rbuf_u32(in);
	if (ret->limits_given >> LIMIT_COUNT != 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "limits that do not exist");
	for (enum limit l = 0; l < LIMIT_COUNT; l++) {
		if ((ret->limits_given >> l & 1u) == 0)
			continue;
		ret->limits.value[l] = rbuf_u64(in);
		if (!limit_in_range(l, ret->limits.value[l]))
			return err_set(e, AMBIT_PROTOCOL, NULL, "limit %s out of range", limit_word(l));
	}
	return 0;
}

static int decode_budgets(struct rbuf *in, struct policy *ret, struct err *e)
{
	for (size_t i = 0; i < BUDGET_COUNT; i++) {
		qualifiers_take(in, &ret->budgets[i]);
		if (in->failed || !qualifiers_are_only(&ret->budgets[i], BUDGET_QUALIFIERS))
			return err_set(e, AMBIT_PROTOCOL, NULL, "a budget that cannot be written");
	}
	return 0;
}

static int decode_answers(struct rbuf *in, struct policy *ret, struct err *e)
{
	const uint64_t bytes = rbuf_u64(in);
	const uint32_t n = rbuf_u32(in);
	char text[MATCH_TEXT_MAX + 1];

	narrow_answers(ret, bytes);
	for (uint32_t i = 0; i < n && !in->failed; i++) {
		rbuf_str(in, text, sizeof text);
		if (in->failed || policy_add_secret(ret, text, NULL) < 0 || ret->answers.n_secrets != i + 1)
			return err_set(e, AMBIT_PROTOCOL, NULL, "what answers may not have cannot be written so");
	}
	return 0;
}

static int decode_terms(struct rbuf *in, struct policy *p, struct policy_line *l, struct err *e)
{
	char text[TERMS_TEXT_MAX];
	struct terms taken;
	struct where where;

	rbuf_str(in, text, sizeof text);
	if (in->failed || (l->verb == VERB_TOOL ? where_take(text, &where, NULL) : terms_take(text, &taken, NULL)) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "terms that cannot be written");
	return add_text(p, text, &l->terms, e);
}

static int decode_flow(struct rbuf *in, struct policy *p, struct policy_line *l, struct err *e)
{
	char text[FLOW_TEXT_MAX];
	struct flow taken;

	rbuf_str(in, text, sizeof text);
	if (in->failed || flow_take(text, &taken) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "labels that cannot be written");
	return add_text(p, text, &l->flow, e);
}

static int decode_line(struct rbuf *in, uint16_t version, struct policy *p, struct policy_line *l, struct err *e)
{
	int rc;

	*l = (struct policy_line){ .verb = rbuf_u32(in) };
	l->line = rbuf_u32(in);
	l->column = rbuf_u32(in);
	l->flags = rbuf_u32(in);
	qualifiers_take(in, &l->qualifiers);
	rc = decode_terms(in, p, l, e);
	if (rc == 0 && version > ENCODING_WITHOUT_FLOW)
		rc = decode_flow(in, p, l, e);
	if (rc < 0)
		return rc;
	rbuf_str(in, l->object, sizeof l->object);
	if (in->failed)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a grant is cut off");
	if ((l->flags & ((1u << POLICY_SERVER_SHIFT) - 1) & ~(GRANT_OPTIONAL | POLICY_GUARD)) != 0 ||
	    l->flags >> POLICY_SERVER_SHIFT > ((l->flags & POLICY_GUARD) != 0 ? p->n_servers : 0) ||
	    ((l->flags & GRANT_OPTIONAL) != 0 && !takes_mark((enum grant_verb)l->verb)) ||
	    ((l->flags & POLICY_GUARD) != 0 && l->verb == VERB_TOOL))
		return err_set(e, AMBIT_PROTOCOL, NULL, "a grant that cannot be written");
	rc = check_line(l, e);
	if (rc == 0 && check_conditions(p, l, NULL) < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a grant that cannot be written");
	return rc;
}

/* What their numbers are now. */
static const uint8_t four_profiles[] = { PROFILE_UNSAID, PROFILE_OFF, PROFILE_LOG, PROFILE_ASK, PROFILE_HOLD };

int policy_decode(struct rbuf *in, struct policy *ret, struct err *e)
{
	uint16_t version;
	uint32_t n;
	int rc;

	memset(ret, 0, sizeof *ret);
	version = rbuf_u16(in);
	if (version < ENCODING_WITHOUT_WARM || version > ENCODING_VERSION)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a policy in another encoding");
	ret->use = version > ENCODING_WITHOUT_USE ? rbuf_u8(in) : POLICY_FOR_EVENTS;
	if (ret->use > POLICY_FOR_SERVER)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a policy for another use");
	if (version > ENCODING_WITHOUT_SERVERS && policy_servers_decode(in, ret, e) < 0)
		return -(int)e->code;
	rbuf_str(in, ret->agent, sizeof ret->agent);
	if (ret->agent[0] != 0 && !agent_is_name(ret->agent))
		return err_set(e, AMBIT_PROTOCOL, NULL, "an agent that cannot be named");
	ret->profile = version > ENCODING_WITHOUT_PROFILE ? rbuf_u8(in) : PROFILE_UNSAID;
	if (version <= ENCODING_OF_FOUR_PROFILES)
		ret->profile = ret->profile < sizeof four_profiles ? four_profiles[ret->profile] : PROFILE_LAST + 1;
	if (ret->profile > PROFILE_LAST)
		return err_set(e, AMBIT_PROTOCOL, NULL, "an answer to what is unusual that is none");
	ret->canary = version > ENCODING_WITHOUT_CANARY ? rbuf_u8(in) : POLICY_CANARY_UNSAID;
	if (ret->canary > POLICY_CANARY_LAST)
		return err_set(e, AMBIT_PROTOCOL, NULL, "an answer to a touched canary that is none");
	for (unsigned k = KIND_RUN + 1; k < KIND_COUNT && version != ENCODING_WITHOUT_WARM; k++) {
		rbuf_str(in, ret->warm[k], sizeof ret->warm[k]);
		if (ret->warm[k][0] != 0 && (warm_kind(ret->warm[k]) != (enum event_kind)k ||
					     check_warm(ret->warm[k], (enum event_kind)k, NULL) < 0))
			return err_set(e, AMBIT_PROTOCOL, NULL, "what is kept warm cannot be written so");
	}
	rc = decode_limits(in, ret, e);
	if (rc == 0 && version > ENCODING_WITHOUT_BUDGETS)
		rc = decode_budgets(in, ret, e);
	if (rc == 0 && version > ENCODING_WITHOUT_ANSWERS)
		rc = decode_answers(in, ret, e);
	n = rbuf_u32(in);
	if (rc == 0 && n > POLICY_LINES_MAX)
		rc = err_set(e, AMBIT_PROTOCOL, NULL, "more grants than there can be");
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = decode_line(in, version, ret, &ret->lines[i], e);
	if (rc == 0 && !rbuf_done(in))
		rc = err_set(e, AMBIT_PROTOCOL, NULL, "a policy of the wrong length");
	if (rc == 0)
		ret->n_lines = n;
	return rc;
}
