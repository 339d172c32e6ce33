#include "http/tally.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/http_shape.h"
#include "core/http_told.h"

#define KINDS_MAX (HTTP_ROWS_MAX - TERMS_RULES_MAX) /* rows that may be taken before the rules have the rest */

static bool is_same(const struct http_row *a, const struct http_row *b)
{
	return a->status == b->status && a->refused == b->refused && strcmp(a->method, b->method) == 0 &&
	       strcmp(a->path, b->path) == 0 && strcmp(a->name.text, b->name.text) == 0 &&
	       a->address.family == b->address.family &&
	       (a->address.family == 0 || address_is_same(&a->address, &b->address));
}

static bool is_named(const struct http_row *r)
{
	return r->name.text[0] != 0 || r->address.family != 0;
}

/* A program can be refused for any number of paths, and ask any number of hosts: they leave room for what was sent, and for all hosts together. */
static bool has_room(const struct http_used *u, const struct http_row *wanted)
{
	uint32_t refused = 0, named = 0;

	for (uint32_t i = 0; i < u->n; i++) {
		refused += u->rows[i].refused;
		named += is_named(&u->rows[i]);
	}
	return u->n < HTTP_ROWS_MAX && (wanted->refused == 0 || refused < HTTP_ROWS_MAX / 2) &&
	       (!is_named(wanted) || named < HTTP_ROWS_MAX / 4 * 3);
}

static struct http_row *find(struct http_used *u, const struct http_row *wanted)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (is_same(&u->rows[i], wanted))
			return &u->rows[i];
	return NULL;
}

static struct http_row *row_of(struct http_used *u, const struct http_row *wanted)
{
	struct http_row *row = find(u, wanted);

	if (row != NULL)
		return row;
	if (!has_room(u, wanted))
		return NULL;
	u->rows[u->n] = *wanted;
	return &u->rows[u->n++];
}

/* What a host did, or may have done, takes the place of what it did not do: under a rule for any method, those are endless. */
static struct http_row *replace(struct http_used *u, const struct http_row *wanted)
{
	for (uint32_t i = 0; i < u->n && wanted->refused == 0 && wanted->status < 400; i++) {
		struct http_row *r = &u->rows[i];

		if (r->refused != 0 || r->status < 400)
			continue;
		u->more += r->count < UINT32_MAX - u->more ? r->count : UINT32_MAX - u->more;
		*r = *wanted;
		return r;
	}
	return NULL;
}

static void put_path(const struct terms *t, const struct http_asked *asked, char ret[HTTP_ROW_PATH_MAX])
{
	if (asked->rule >= 0 && http_pattern_put(t->rules[asked->rule].pattern, ret, HTTP_ROW_PATH_MAX))
		return;
	if (!text_copy(ret, HTTP_ROW_PATH_MAX, asked->rule == -2 ? asked->path : "/**") || ret[0] == 0)
		(void)text_copy(ret, HTTP_ROW_PATH_MAX, "-");
}

static void count_up(struct http_row *row)
{
	row->count += row->count < UINT32_MAX;
}

/* ---- for who learns ---- */

static bool put_shape(const struct http_asked *asked, char ret[HTTP_ROW_PATH_MAX])
{
	char path[HTTP_PATTERN_MAX], shape[HTTP_PATTERN_MAX];

	if (strlen(asked->path) + 1 == sizeof asked->path) /* it may be cut off */
		return false;
	return http_path_take(asked->path, strlen(asked->path), path, sizeof path) == NULL && http_shape(path, shape) &&
	       http_pattern_put(shape, ret, HTTP_ROW_PATH_MAX);
}

static bool add_field(const struct terms_operation *of, char path[HTTP_ROW_PATH_MAX])
{
	const size_t n = strlen(path);
	const int more = snprintf(path + n, HTTP_ROW_PATH_MAX - n, "%c%s:%s", HTTP_TOLD_FIELD,
				  terms_operation_word(of->type), of->field);

	return n + (size_t)more + 1 < HTTP_ROW_PATH_MAX; /* else it looks as one that was cut off */
}

static bool add_kind(struct http_used *u, const struct http_asked *asked, const struct terms_operation *field,
		     struct http_row row)
{
	struct http_row *at;

	if ((row.refused == 0 && !put_shape(asked, row.path)) || (field != NULL && !add_field(field, row.path)))
		return false;
	at = find(u, &row) != NULL || u->n < KINDS_MAX ? row_of(u, &row) : NULL;
	if (at != NULL)
		count_up(at);
	return at != NULL;
}

/* One row for each field; false: not all of it can be told so. */
static bool add_kinds(struct http_used *u, const struct http_asked *asked, const struct http_row *row)
{
	bool all = true;

	if (asked->n_fields == 0)
		return add_kind(u, asked, NULL, *row);
	for (uint32_t i = 0; i < asked->n_fields && all; i++)
		all = add_kind(u, asked, &asked->fields[i], *row);
	return all;
}

/* ---- all of it ---- */

static void add(struct http_used *u, struct http_row wanted)
{
	struct http_row *row = row_of(u, &wanted);

	if (row == NULL && is_named(&wanted)) {
		wanted.name.text[0] = 0;
		wanted.address.family = 0;
		row = row_of(u, &wanted);
	}
	row = row != NULL ? row : replace(u, &wanted);
	if (row == NULL)
		u->more += u->more < UINT32_MAX;
	else
		count_up(row);
}

void tally_add(struct http_used *u, const struct terms *t, const struct http_host *host, bool one_host, bool learns,
	       const struct http_asked *asked, unsigned status)
{
	struct http_row wanted = { .status = (uint16_t)status, .refused = asked->rule == -2 };

	if (!one_host) {
		wanted.name = host->name;
		wanted.address = host->name.text[0] == 0 ? host->address : (struct address){ .family = 0 };
	}
	(void)text_copy(wanted.method, sizeof wanted.method,
			asked->method[0] != 0 ? asked->method : "-"); /* of one size */
	put_path(t, asked, wanted.path);
	if (!learns || !add_kinds(u, asked, &wanted))
		add(u, wanted);
}
