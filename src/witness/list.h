/* list - which witnesses are asked, as the file `witnesses` of a ledger has it, and how each is named.
 *
 * Owns:   the form of an address and of that file: one line for each witness, its address, a space, its verifier key; at most WITNESSES_MAX,
 *         no two of one address, no other white space, no empty line, and nothing behind the last newline.
 * Holds:  what was taken is written again byte for byte.
 * Called: cli, witness; pure. */
#ifndef WITNESS_LIST_H
#define WITNESS_LIST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "ledger/vkey.h"

#define WITNESSES_MAX 16
#define WITNESS_URL_MAX 512
#define WITNESS_LIST_MAX (WITNESSES_MAX * (WITNESS_URL_MAX + VKEY_TEXT_MAX + 2u))
#define WITNESS_FILE_LEN 44 /* base64 of the type and the public key */

struct witness_url {
	bool tls;
	char host[256]; /* a name or an address, without brackets */
	char port[6];
	char path[WITNESS_URL_MAX]; /* empty, or begins with a slash and ends without one */
};

/* http:// or https://, a host, perhaps a port and a path; no user, no query. A slash at the end is passed over. -USAGE. */
int witness_url_parse(const char *text, struct witness_url *ret, struct err *e);

/* The name of the file with what the witness of this key cosigned: the key itself, of which the alphabet is that for file names. False:
 * that is no key of a witness. Only the form is looked at. */
bool witness_file(const char *key, char ret[WITNESS_FILE_LEN + 1]);
/* The key that is in such a name; false: it is none. */
bool witness_file_take(const char *name, uint8_t ret[1 + VKEY_PUBLIC_BYTES]);

struct witness {
	char url[WITNESS_URL_MAX], key[VKEY_TEXT_MAX + 1];
};

struct witness_list {
	size_t n;
	struct witness w[WITNESSES_MAX];
};

/* -MALFORMED names the line. */
int witness_list_parse(struct span bytes, struct witness_list *ret, struct err *e);
void witness_list_put(const struct witness_list *l, struct buf *out);
/* Puts it in, or another key for its address. -LIMIT. */
int witness_list_add(struct witness_list *l, const struct witness *w, struct err *e);
/* False: it was not there. */
bool witness_list_remove(struct witness_list *l, const char *url);
/* NULL: it is not there. */
const struct witness *witness_list_find(const struct witness_list *l, const char *url);

#endif
