#include "http/gql_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/terms.h"
#include "http/gql_lex.h"

struct parser {
	struct gql_document *d;
	struct gql_lexer lexer;
	struct gql_token token; /* the next */
	unsigned depth;
};

static bool fail_at(struct gql_document *d, const char *at, const char *why)
{
	size_t line = 1, column = 1;

	for (const char *c = d->text; c < at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	(void)snprintf(d->why, sizeof(d->why), "the document %s (line %zu, column %zu)", why, line, column);
	return false;
}

static bool fail(struct parser *p, const char *why)
{
	if (p->token.kind == GQL_BAD)
		return fail_at(p->d, p->lexer.text + p->lexer.at, p->lexer.why);
	if (p->token.kind == GQL_END)
		why = "ends too early";
	return fail_at(p->d, p->token.text, why);
}

static void next(struct parser *p)
{
	gql_next(&p->lexer, &p->token);
}

static bool skip(struct parser *p, int kind)
{
	if (p->token.kind != kind)
		return false;
	next(p);
	return true;
}

static bool expect(struct parser *p, int kind, const char *why)
{
	return skip(p, kind) || fail(p, why);
}

static bool name(struct parser *p)
{
	return expect(p, GQL_NAME, "has no name where one has to be");
}

static bool enter(struct parser *p)
{
	if (p->depth == GQL_DEPTH_MAX)
		return fail_at(p->d, p->token.text, "is nested too deeply");
	p->depth++;
	return true;
}

/* Doubled, so that growing costs what the text is long. NULL: memory is gone. */
static void *one_more(void *array, size_t n, size_t *room, size_t size)
{
	const size_t more = *room == 0 ? 16 : 2 * *room;
	void *grown;

	if (n < *room)
		return array;
	grown = reallocarray(array, more, size);
	if (grown != NULL)
		*room = more;
	return grown;
}

static bool mark(struct parser *p, const struct gql_token *t, bool is_spread, bool is_root)
{
	struct gql_document *d = p->d;
	struct gql_mark *marks = one_more(d->marks, d->n_marks, &d->room_marks, sizeof(*marks));

	if (marks == NULL)
		return fail_at(d, t->text, "needs more memory than there is");
	d->marks = marks;
	marks[d->n_marks++] = (struct gql_mark){
		.name = t->text, .n = (uint32_t)t->n, .is_spread = is_spread, .is_root = is_root
	}; /* a token is no longer than the text, which gql_document_read bounds */
	return true;
}

static bool value(struct parser *p, bool constant);

static bool list(struct parser *p, bool constant)
{
	while (!skip(p, ']'))
		if (!value(p, constant))
			return false;
	return true;
}

static bool pair(struct parser *p, bool constant)
{
	return name(p) && expect(p, ':', "has no colon where one has to be") && value(p, constant);
}

static bool object(struct parser *p, bool constant)
{
	while (!skip(p, '}'))
		if (!pair(p, constant))
			return false;
	return true;
}

static bool nested_value(struct parser *p, bool constant)
{
	const bool is_list = p->token.kind == '[';

	if (!enter(p))
		return false;
	next(p);
	if (!(is_list ? list(p, constant) : object(p, constant)))
		return false;
	p->depth--;
	return true;
}

static bool value(struct parser *p, bool constant)
{
	if (p->token.kind == '[' || p->token.kind == '{')
		return nested_value(p, constant);
	if (p->token.kind == '$' && !constant) {
		next(p);
		return name(p);
	}
	if (skip(p, GQL_NAME) || skip(p, GQL_NUMBER) || skip(p, GQL_STRING))
		return true;
	return fail(p, "has no value where one has to be");
}

static bool arguments(struct parser *p, bool constant)
{
	if (!skip(p, '('))
		return true;
	do {
		if (!pair(p, constant))
			return false;
	} while (!skip(p, ')'));
	return true;
}

static bool directives(struct parser *p, bool constant)
{
	while (skip(p, '@'))
		if (!name(p) || !arguments(p, constant))
			return false;
	return true;
}

static bool type(struct parser *p)
{
	if (p->token.kind == '[') {
		if (!enter(p))
			return false;
		next(p);
		if (!type(p) || !expect(p, ']', "has a type that does not end"))
			return false;
		p->depth--;
	} else if (!name(p)) {
		return false;
	}
	(void)skip(p, '!'); /* it need not be there */
	return true;
}

static bool variable(struct parser *p)
{
	if (!expect(p, '$', "has no variable where one has to be") || !name(p) ||
	    !expect(p, ':', "has a variable without a type") || !type(p))
		return false;
	if (skip(p, '=') && !value(p, true))
		return false;
	return directives(p, true);
}

static bool variables(struct parser *p)
{
	if (!skip(p, '('))
		return true;
	do {
		if (!variable(p))
			return false;
	} while (!skip(p, ')'));
	return true;
}

static bool selections(struct parser *p, bool is_root);

static bool field(struct parser *p, bool is_root)
{
	struct gql_token t = p->token;

	if (!name(p))
		return false;
	if (skip(p, ':')) {
		t = p->token;
		if (!name(p))
			return false;
	}
	if (is_root && !mark(p, &t, false, true))
		return false;
	if (!arguments(p, false) || !directives(p, false))
		return false;
	return p->token.kind != '{' || selections(p, false);
}

/* What is within has the root of what it is in. */
static bool spread(struct parser *p, bool is_root)
{
	const struct gql_token t = p->token;

	if (t.kind == GQL_NAME && !gql_is(&t, "on")) {
		next(p);
		return mark(p, &t, true, is_root) && directives(p, false);
	}
	if (skip(p, GQL_NAME) && !name(p))
		return false;
	return directives(p, false) && selections(p, is_root);
}

static bool selections(struct parser *p, bool is_root)
{
	if (p->token.kind == '{' && !enter(p))
		return false;
	if (!expect(p, '{', "has no selection where one has to be"))
		return false;
	do {
		if (!(skip(p, GQL_DOTS) ? spread(p, is_root) : field(p, is_root)))
			return false;
	} while (!skip(p, '}'));
	p->depth--;
	return true;
}

static bool fragment(struct parser *p, struct gql_definition *def)
{
	def->name = p->token.text;
	def->n = (uint32_t)p->token.n;
	if (gql_is(&p->token, "on"))
		return fail(p, "has a fragment without a name");
	if (!name(p))
		return false;
	if (!gql_is(&p->token, "on"))
		return fail(p, "has a fragment that does not say on what");
	next(p);
	return name(p) && directives(p, false) && selections(p, true);
}

static bool operation(struct parser *p, struct gql_definition *def)
{
	def->name = p->token.text;
	if (p->token.kind == GQL_NAME) {
		def->n = (uint32_t)p->token.n;
		next(p);
	}
	return variables(p) && directives(p, false) && selections(p, true);
}

static bool begin(struct parser *p, struct gql_definition *def)
{
	static const char *const words[] = { "query", "mutation", "subscription", "fragment" };
	static const char *const of_types[] = { "schema", "scalar", "type",      "interface", "union",
						"enum",   "input",  "directive", "extend" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (gql_is(&p->token, words[i])) {
			def->type = (uint8_t)i;
			next(p);
			return true;
		}
	for (size_t i = 0; i < sizeof(of_types) / sizeof(*of_types); i++)
		if (gql_is(&p->token, of_types[i]))
			return fail(p, "defines or extends types, which no request does");
	if (p->token.kind == '{')
		return true;
	return fail(p, "has no operation or fragment where one has to be");
}

static bool definition(struct parser *p)
{
	struct gql_document *d = p->d;
	struct gql_definition def = { .type = TERMS_QUERY, .name = p->token.text, .first_mark = (uint32_t)d->n_marks };
	struct gql_definition *all = one_more(d->definitions, d->n_definitions, &d->room_definitions, sizeof(def));

	if (all == NULL)
		return fail_at(d, p->token.text, "needs more memory than there is");
	d->definitions = all;
	if (!begin(p, &def) || !(def.type == GQL_FRAGMENT ? fragment(p, &def) : operation(p, &def)))
		return false;
	def.end_mark = (uint32_t)d->n_marks;
	d->n_operations += def.type != GQL_FRAGMENT;
	all[d->n_definitions++] = def;
	return true;
}

/* Operations and fragments have names of their own. */
static int compare(const void *left, const void *right)
{
	const struct gql_definition *a = left, *b = right;

	if ((a->type == GQL_FRAGMENT) != (b->type == GQL_FRAGMENT))
		return a->type == GQL_FRAGMENT ? 1 : -1;
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(a->name, b->name, a->n);
}

static bool check_names(struct gql_document *d)
{
	qsort(d->definitions, d->n_definitions, sizeof(*d->definitions), compare);
	for (size_t i = 0; i < d->n_definitions; i++) {
		const struct gql_definition *def = &d->definitions[i];

		if (def->n == 0 && d->n_operations > 1)
			return fail_at(d, def->name, "has an operation without a name beside others");
		if (i > 0 && compare(def - 1, def) == 0)
			return fail_at(d, def->name, "has a name twice");
	}
	if (d->n_operations == 0)
		return fail_at(d, d->text, "has no operation");
	return true;
}

static bool find_targets(struct gql_document *d)
{
	for (size_t i = 0; i < d->n_marks; i++) {
		struct gql_mark *m = &d->marks[i];
		const struct gql_definition key = { .name = m->name, .n = m->n, .type = GQL_FRAGMENT };
		struct gql_definition *found;

		if (!m->is_spread)
			continue;
		found = bsearch(&key, d->definitions, d->n_definitions, sizeof(key), compare);
		if (found == NULL)
			return fail_at(d, m->name, "spreads a fragment that it does not have");
		found->n_spread++;
		m->target = (uint32_t)(found - d->definitions);
	}
	return true;
}

/* Takes away what nobody spreads any more, again and again: what stays is a circle. */
static bool check_circles(struct gql_document *d)
{
	auto_free uint32_t *free_ones = calloc(d->n_definitions, sizeof(*free_ones));
	size_t n = 0;

	if (free_ones == NULL)
		return fail_at(d, d->text, "needs more memory than there is");
	for (uint32_t i = 0; i < d->n_definitions; i++)
		if (d->definitions[i].n_spread == 0)
			free_ones[n++] = i;
	for (size_t i = 0; i < n; i++) {
		const struct gql_definition *def = &d->definitions[free_ones[i]];

		for (uint32_t m = def->first_mark; m < def->end_mark; m++)
			if (d->marks[m].is_spread && --d->definitions[d->marks[m].target].n_spread == 0)
				free_ones[n++] = d->marks[m].target;
	}
	return n == d->n_definitions || fail_at(d, d->text, "has a fragment that spreads itself");
}

bool gql_document_read(struct gql_document *ret, const char *text, size_t n)
{
	struct parser p = { .d = ret, .lexer = { .text = text, .n = n } };
	size_t at = 0;

	*ret = (struct gql_document){ .text = text, .n = n };
	if (n > UINT32_MAX / 2)
		return fail_at(ret, text, "is too long");
	if (!text_is_utf8(text, n, &at))
		return fail_at(ret, text + at, "is not UTF-8");
	next(&p);
	do {
		if (!definition(&p))
			return false;
	} while (p.token.kind != GQL_END);
	return check_names(ret) && find_targets(ret) && check_circles(ret);
}

void gql_document_finish(struct gql_document *d)
{
	free(d->definitions);
	free(d->marks);
	*d = (struct gql_document){ .text = NULL };
}

struct visit {
	uint32_t *waiting; /* definitions whose marks are still to be looked at */
	size_t n;
	uint8_t type;
	gql_root *root;
	void *arg;
};

static void see(struct gql_document *d, struct visit *v, uint32_t which)
{
	if ((d->definitions[which].seen & 1U << v->type) != 0)
		return;
	d->definitions[which].seen |= (uint8_t)(1U << v->type);
	v->waiting[v->n++] = which;
}

static bool visit(struct gql_document *d, struct visit *v)
{
	while (v->n > 0) {
		const struct gql_definition *def = &d->definitions[v->waiting[--v->n]];

		for (uint32_t i = def->first_mark; i < def->end_mark; i++) {
			const struct gql_mark *m = &d->marks[i];

			if (m->is_spread && m->is_root)
				see(d, v, m->target);
			else if (!m->is_spread && !v->root(v->arg, v->type, m->name, m->n))
				return false;
		}
	}
	return true;
}

bool gql_document_roots(struct gql_document *d, gql_root *root, void *arg)
{
	auto_free uint32_t *waiting = calloc(d->n_definitions, sizeof(*waiting));
	struct visit v = { .waiting = waiting, .root = root, .arg = arg };

	if (waiting == NULL)
		return fail_at(d, d->text, "needs more memory than there is");
	for (v.type = TERMS_QUERY; v.type <= TERMS_SUBSCRIPTION; v.type++) {
		for (uint32_t i = 0; i < d->n_definitions; i++)
			if (d->definitions[i].type == v.type)
				see(d, &v, i);
		if (!visit(d, &v))
			return false;
	}
	return true;
}
