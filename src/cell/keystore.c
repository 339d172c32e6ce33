#include "cell/keystore.h"

#include <stdio.h>
#include <string.h>

#include "base/sha1.h"

#define MAGIC 0xfeedfeed
#define VERSION 2
#define TRUSTED 2   /* an entry that is a certificate */
#define COUNT_AT 8u /* where the number of entries stands */

static void put_text(struct buf *out, const char *text)
{
	const size_t n = strlen(text);

	buf_put_be16(out, (uint16_t)n);
	buf_put(out, text, n);
}

static void put_be64(struct buf *out, uint64_t v)
{
	buf_put_be32(out, (uint32_t)(v >> 32));
	buf_put_be32(out, (uint32_t)v);
}

void keystore_begin(struct keystore *k, struct buf *out)
{
	*k = (struct keystore){ .out = out };
	buf_put_be32(out, MAGIC);
	buf_put_be32(out, VERSION);
	buf_put_be32(out, 0);
}

void keystore_add(struct keystore *k, const void *der, size_t n)
{
	char alias[32];

	(void)snprintf(alias, sizeof alias, "ca-%u", ++k->n);
	buf_put_be32(k->out, TRUSTED);
	put_text(k->out, alias);
	put_be64(k->out, 0); /* since when, in milliseconds: nobody asks */
	put_text(k->out, "X.509");
	buf_put_be32(k->out, (uint32_t)n);
	buf_put(k->out, der, n);
}

/* Over the password in UTF-16, a text that the format has, and all before it. */
static void put_digest(struct buf *out)
{
	static const char password[] = "\0c\0h\0a\0n\0g\0e\0i\0t", salt[] = "Mighty Aphrodite";
	uint8_t digest[SHA1_BYTES];
	struct sha1 s;

	sha1_init(&s);
	sha1_add(&s, password, sizeof password - 1);
	sha1_add(&s, salt, sizeof salt - 1);
	sha1_add(&s, out->data, out->len);
	sha1_end(&s, digest);
	buf_put(out, digest, sizeof digest);
}

bool keystore_end(struct keystore *k)
{
	if (k->out->failed)
		return false;
	for (size_t i = 0; i < 4; i++)
		k->out->data[COUNT_AT + i] = (uint8_t)(k->n >> (24 - 8 * i));
	put_digest(k->out);
	return !k->out->failed;
}
