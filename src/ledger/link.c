#include "ledger/link.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"

#define ROOT_TEXT (BASE64_LEN(HASH_BYTES))

static void put_key(struct json *j, const char *name, const struct vkey *key)
{
	uint8_t room[VKEY_TEXT_MAX];
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	vkey_put(&text, key);
	json_put_bytes(json_put_key(j, name), text.data, text.len);
}

static void put_previous(struct json *j, const struct link *link)
{
	uint8_t room[ROOT_TEXT + 1];
	struct buf root;

	buf_init_in(&root, room, sizeof room);
	base64_put(&root, &link->root, sizeof link->root);
	json_put_object(json_put_key(j, "previous"));
	put_key(j, "key", &link->key);
	json_put_bytes(json_put_key(j, "root"), root.data, root.len);
	json_put_count(json_put_key(j, "size"), link->size);
	json_put_object_end(j);
}

void link_put(struct buf *out, const struct link *link)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	if (link->kind == LINK_NEXT)
		put_key(&j, "next", &link->key);
	else
		put_previous(&j, link);
	json_put_object_end(&j);
}

/* ---- reading ---- */

static size_t keys_of(struct canonical_value v)
{
	struct canonical_value key, value;
	size_t at = 0, n = 0;

	while (canonical_member(v, &at, &key, &value))
		n++;
	return n;
}

static bool take_key(struct canonical_value v, const char *name, struct vkey *ret)
{
	struct canonical_value text;
	char room[VKEY_TEXT_MAX + 1];

	return canonical_find(v, name, &text) && canonical_string(text, room, sizeof room) &&
	       vkey_parse(span_of(room), ret, NULL) == 0;
}

static bool take_previous(struct canonical_value v, struct link *ret)
{
	struct canonical_value root, size;
	char room[ROOT_TEXT + 1];

	return keys_of(v) == 3 && take_key(v, "key", &ret->key) && canonical_find(v, "root", &root) &&
	       canonical_string(root, room, sizeof room) &&
	       span_base64(span_of(room), ret->root.bytes, sizeof ret->root.bytes) &&
	       canonical_find(v, "size", &size) && canonical_count(size, &ret->size);
}

int link_of(const struct entry *entry, struct link *ret)
{
	struct link link = { .kind = LINK_NEXT };
	struct canonical_value previous;
	bool good;

	if (entry->type != ENTRY_KEY)
		return 0;
	if (canonical_find(entry->body, "previous", &previous)) {
		link.kind = LINK_PREVIOUS;
		good = take_previous(previous, &link);
	} else {
		good = take_key(entry->body, "next", &link.key);
	}
	if (!good || keys_of(entry->body) != 1)
		return -AMBIT_MALFORMED;
	*ret = link;
	return 1;
}

bool link_is_key(const struct vkey *a, const struct vkey *b)
{
	return a->type == b->type && a->id == b->id && memcmp(a->public, b->public, sizeof a->public) == 0 &&
	       strcmp(a->name, b->name) == 0;
}
