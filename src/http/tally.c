#include "http/tally.h"

#include <string.h>

#include "base/text.h"

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

static struct http_row *row_of(struct http_used *u, const struct http_row *wanted)
{
	for (uint32_t i = 0; i < u->n; i++)
		if (is_same(&u->rows[i], wanted))
			return &u->rows[i];
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

void tally_add(struct http_used *u, const struct terms *t, const struct http_host *host, bool one_host,
	       const struct http_asked *asked, unsigned status)
{
	struct http_row wanted = { .status = (uint16_t)status, .refused = asked->rule == -2 }, *row;

	if (!one_host) {
		wanted.name = host->name;
		wanted.address = host->name.text[0] == 0 ? host->address : (struct address){ .family = 0 };
	}
	(void)text_copy(wanted.method, sizeof wanted.method,
			asked->method[0] != 0 ? asked->method : "-"); /* of one size */
	put_path(t, asked, wanted.path);
	row = row_of(u, &wanted);
	if (row == NULL && is_named(&wanted)) {
		wanted.name.text[0] = 0;
		wanted.address.family = 0;
		row = row_of(u, &wanted);
	}
	row = row != NULL ? row : replace(u, &wanted);
	if (row == NULL)
		u->more += u->more < UINT32_MAX;
	else
		row->count += row->count < UINT32_MAX;
}
