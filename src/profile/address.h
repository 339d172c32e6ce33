/* address - what in a text could be written to, fetched from, or paid to: mail addresses, URLs, names of hosts, IP addresses, numbers of accounts, telephones
 * and cards, paths of files.
 *
 * Owns:   nothing.
 * Holds:  linear in the text, whatever it is, without an expression that can run away; what is found is told in one form: small letters, no scheme, no `www.`, no
 *         port that goes without saying, no slash or punctuation at the end, numbers without what parts their groups.
 * Called: profile/call.c; pure, allocates nothing.
 *
 * It finds rather too much than too little: what is found counts only where nothing like it was there before. A `\` and the n, r or t behind it part words, since
 * models write their line feeds so. */
#ifndef PROFILE_ADDRESS_H
#define PROFILE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum address_kind { ADDRESS_NONE, ADDRESS_MAIL, ADDRESS_URL, ADDRESS_NUMBER, ADDRESS_PATH };

struct address {
	enum address_kind kind;
	struct span at; /* in the text, with its scheme */
};

struct address_search {
	const char *text; /* borrowed */
	size_t n;
	size_t word, number; /* how far either has been looked at */
	size_t no_path;      /* as far as that is no path */
};

void address_begin(struct address_search *s, const char *text, size_t n);
/* The next one; false: no more. Those that are words come first, then numbers in groups. */
bool address_next(struct address_search *s, struct address *ret);

/* What all of a text is, if it is one address and nothing else. */
enum address_kind address_whole(const char *text, size_t n);

/* In its one form; gives how long it is, of which ret_size at most are written, and no NUL. */
size_t address_write(const struct address *a, char *ret, size_t ret_size);
/* The part of that form that is the host, or the domain of a mail address; the directory of a path. Empty: it has none. */
struct span address_place(enum address_kind kind, struct span form);

#endif
