#include "ledger/vkey.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

#define ID_DIGITS 8
#define MATERIAL_BYTES (1 + VKEY_PUBLIC_BYTES) /* the type, then the key */

/* White_Space of the Unicode character database, of which this is all since 6.3. */
static bool is_space(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} spaces[] = { { 0x09, 0x0d },     { 0x20, 0x20 },     { 0x85, 0x85 },     { 0xa0, 0xa0 },
		       { 0x1680, 0x1680 }, { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f },
		       { 0x205f, 0x205f }, { 0x3000, 0x3000 } };

	for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
		if (c >= spaces[i].from && c <= spaces[i].to)
			return true;
	return false;
}

bool vkey_name_is_good(struct span name)
{
	size_t at = 0;

	while (at < name.len) {
		uint32_t c;
		const size_t n = text_decode(name.at + at, name.len - at, &c);

		if (n == 0 || c < 0x20 || c == '+' || is_space(c))
			return false;
		at += n;
	}
	return name.len > 0;
}

static void material(const struct vkey *k, uint8_t ret[MATERIAL_BYTES])
{
	ret[0] = (uint8_t)k->type; /* both fit */
	memcpy(ret + 1, k->public, VKEY_PUBLIC_BYTES);
}

static uint32_t id_of(const struct vkey *k)
{
	uint8_t bytes[MATERIAL_BYTES], hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	material(k, bytes);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)k->name, strlen(k->name));
	crypto_hash_sha256_update(&state, (const uint8_t *)"\n", 1);
	crypto_hash_sha256_update(&state, bytes, sizeof bytes);
	crypto_hash_sha256_final(&state, hash);
	return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

static int refuse(struct err *e, size_t at, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "byte %zu: %s", at, what);
}

int vkey_init(struct vkey *k, enum vkey_type type, struct span name, const uint8_t public[VKEY_PUBLIC_BYTES],
	      struct err *e)
{
	struct vkey made = { .type = type };

	if (name.len > VKEY_NAME_MAX)
		return refuse(e, VKEY_NAME_MAX, "the name of a key has at most 255 bytes");
	if (!vkey_name_is_good(name))
		return refuse(e, 0, "the name of a key is not empty, and has no white space and no plus");
	memcpy(made.name, name.at, name.len); /* terminated: the rest is zero */
	memcpy(made.public, public, sizeof made.public);
	made.id = id_of(&made);
	*k = made;
	return 0;
}

static bool take_id(struct span text, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t id = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.at[i] != 0 ? strchr(digits, text.at[i]) : NULL;

		if (digit == NULL)
			return false;
		id = id << 4 | (uint32_t)(digit - digits);
	}
	*ret = id;
	return text.len == ID_DIGITS;
}

int vkey_parse(struct span text, struct vkey *ret, struct err *e)
{
	struct span rest = text, name, id_text;
	uint8_t bytes[MATERIAL_BYTES];
	size_t id_at, material_at;
	struct vkey k = { .id = 0 };
	uint32_t id;
	int rc;

	if (!span_until(&rest, '+', &name))
		return refuse(e, text.len, "the text of a key is its name, +, its id, +, base64");
	id_at = text.len - rest.len;
	if (!span_until(&rest, '+', &id_text) || !take_id(id_text, &id))
		return refuse(e, id_at, "the id of a key is eight hexadecimal digits, small ones");
	material_at = text.len - rest.len;
	if (!span_base64(rest, bytes, sizeof bytes))
		return refuse(e, material_at, "not base64 of a type and a public key of 32 bytes");
	if (bytes[0] != VKEY_ED25519 && bytes[0] != VKEY_COSIGNATURE)
		return refuse(e, material_at, "a type of key that is not known here: 0x01 and 0x04 are");
	rc = vkey_init(&k, (enum vkey_type)bytes[0], name, bytes + 1, e);
	if (rc == 0 && k.id != id)
		return refuse(e, id_at, "the id is not that of this name and public key");
	if (rc == 0)
		*ret = k;
	return rc;
}

void vkey_put(struct buf *out, const struct vkey *k)
{
	uint8_t bytes[MATERIAL_BYTES];

	material(k, bytes);
	buf_printf(out, "%s+%08" PRIx32 "+", k->name, k->id);
	base64_put(out, bytes, sizeof bytes);
}
