/* Any bytes, after a letter that says which, as what supervisor and ambit-http tell each other: what is taken is in bounds, and written again is the same. */
#include <string.h>

#include "fuzz.h"
#include "http/link.h"

static void check(const struct buf *out, const uint8_t *data, size_t size)
{
	promise(!out->failed && out->len == size && memcmp(out->data, data, size) == 0);
}

static void used(const uint8_t *data, size_t size)
{
	static struct http_used u;
	static uint8_t room[HTTP_USED_BYTES_MAX];
	struct rbuf in;
	struct buf out;

	rbuf_init(&in, data, size);
	if (!http_take_used(&in, &u))
		return;
	promise(u.n <= HTTP_ROWS_MAX);
	for (uint32_t i = 0; i < u.n; i++)
		promise(u.rows[i].method[0] != 0 && strchr(u.rows[i].path, ' ') == NULL && u.rows[i].count > 0);
	buf_init_in(&out, room, sizeof room);
	http_put_used(&out, &u);
	check(&out, data, size);
}

static void orders(const uint8_t *data, size_t size)
{
	static struct http_orders o;
	static uint8_t room[8192];
	struct rbuf in;
	struct buf out;

	rbuf_init(&in, data, size);
	if (!http_take_orders(&in, &o))
		return;
	promise(o.to.index < LINK_ENDPOINTS_MAX && strnlen(o.terms, sizeof o.terms) < sizeof o.terms);
	promise(qualifiers_are_only(&o.budget, QUALIFIER_BIT(USES) | QUALIFIER_BIT(RATE)));
	buf_init_in(&out, room, sizeof room);
	http_put_orders(&out, &o);
	check(&out, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'o')
		orders(data + 1, size - 1);
	else
		used(data + 1, size - 1);
	return 0;
}
