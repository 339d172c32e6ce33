#include "ledger/key.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "ledger/layout.h"

#define PREFIX "PRIVATE+KEY+"
#define TYPED_SEED (1 + crypto_sign_SEEDBYTES)
#define LINE_MAX_BYTES (sizeof PREFIX + VKEY_TEXT_MAX + 1)
#define NAME_RANDOM 8

_Static_assert(NOTE_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "a secret is seed and public key");

static int bad(struct err *e, const char *why)
{
	return err_why(
		e,
		err_set(e, AMBIT_MALFORMED,
			"restore the file from a backup; without it the ledger cannot go on, but still be verified",
			"the ledger's key is not one"),
		"%s", why);
}

/* Gives the key of that name and seed. */
static int fill(struct span name, const uint8_t seed[crypto_sign_SEEDBYTES], struct log_key *ret, struct err *e)
{
	uint8_t public[VKEY_PUBLIC_BYTES];

	(void)crypto_sign_seed_keypair(public, ret->secret, seed);
	return vkey_init(&ret->public, VKEY_ED25519, name, public, e);
}

int key_parse(struct span line, struct log_key *ret, struct err *e)
{
	uint8_t seed[TYPED_SEED];
	struct span name, id;
	char expected[9];
	int r;

	if (!span_skip(&line, PREFIX))
		return bad(e, "it does not begin with " PREFIX);
	if (!span_until(&line, '+', &name) || !span_until(&line, '+', &id))
		return bad(e, "it has no name, or no id");
	if (!span_base64(line, seed, sizeof seed) || seed[0] != VKEY_ED25519)
		return bad(e, "it has no Ed25519 seed in base64");
	r = fill(name, seed + 1, ret, e);
	sodium_memzero(seed, sizeof seed);
	if (r < 0)
		return bad(e, "its name cannot be that of a key");
	(void)snprintf(expected, sizeof expected, "%08x", ret->public.id);
	return span_equal(id, span_of(expected)) ? 0 : bad(e, "its id is that of another key");
}

int key_read(struct disk *dir, const char *name, struct log_key *ret, bool *ret_missing, struct err *e)
{
	uint8_t room[LINE_MAX_BYTES];
	struct buf line;
	unsigned mode;
	int r;

	buf_init_in(&line, room, sizeof room);
	r = disk_mode(dir, name, &mode);
	*ret_missing = r == -ENOENT;
	if (*ret_missing)
		return 0;
	if (r == 0 && (mode & 077) != 0)
		return err_set(e, AMBIT_DENIED,
			       "chmod 600 it, if nobody else has read it; what they sign with it would be believed",
			       "the ledger's key can be read or changed by others (mode %03o)", mode);
	r = r < 0 ? r : disk_read(dir, name, &line);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read the ledger's key");
	if (line.len == 0 || line.data[line.len - 1] != '\n')
		r = bad(e, "it does not end with a newline");
	else
		r = key_parse(span_bytes(line.data, line.len - 1), ret, e);
	sodium_memzero(room, sizeof room);
	return r;
}

int key_make(struct log_key *ret, struct err *e)
{
	uint8_t random[NAME_RANDOM], seed[crypto_sign_SEEDBYTES];
	char name[sizeof "ambit/" + 2 * NAME_RANDOM];
	int r;

	randombytes_buf(random, sizeof random);
	randombytes_buf(seed, sizeof seed);
	memcpy(name, "ambit/", sizeof "ambit/");
	(void)sodium_bin2hex(name + strlen(name), 2 * NAME_RANDOM + 1, random, sizeof random);
	r = fill(span_of(name), seed, ret, e);
	sodium_memzero(seed, sizeof seed);
	return r;
}

int key_write(struct disk *dir, const char *name, const struct log_key *key, struct err *e)
{
	uint8_t seed[TYPED_SEED] = { VKEY_ED25519 }, room[LINE_MAX_BYTES];
	struct buf line;
	int r = 0;

	memcpy(seed + 1, key->secret, crypto_sign_SEEDBYTES); /* the first half of a secret */
	buf_init_in(&line, room, sizeof room);
	buf_printf(&line, PREFIX "%s+%08x+", key->public.name, key->public.id);
	base64_put(&line, seed, sizeof seed);
	buf_put_u8(&line, '\n');
	if (line.failed)
		r = err_set(e, AMBIT_INTERNAL, NULL, "the ledger's key does not fit");
	else if ((r = disk_replace(dir, name, line.data, line.len)) < 0)
		r = err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
			    "make room, or see who may write there", "cannot write the ledger's key");
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(room, sizeof room);
	return r;
}
