/* canary - decoys: files that look like secrets, and that nobody has a reason to touch.
 *
 * Owns:   the list of them, as data and as text.
 * Holds:  a list has at most CANARIES_MAX, each path once; it has one form as text, and what is written otherwise is
 *         refused with its line.
 * Called: lib (the list of the person), the command line; pure.
 *
 *   ambit canaries 1
 *   KIND DEVICE INODE SIZE MILLISECONDS SHA256 PATH          a line each; of the file as it was made, and when */
#ifndef CORE_CANARY_H
#define CORE_CANARY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"

#define CANARIES_DIRECTORY "canaries" /* beneath the place of lib/state.h */
#define CANARIES_MAX 64               /* bits of what was touched */
#define CANARY_PATH_MAX 1000          /* with its NUL: all of them fit into one message */
#define CANARY_SIZE_MAX 16384         /* bytes of one: more is no file of a few secrets */
#define CANARIES_TEXT_MAX (CANARIES_MAX * (CANARY_PATH_MAX + 256))

enum canary_kind { CANARY_AWS, CANARY_SSH, CANARY_ENV, CANARY_TOKEN, CANARY_FILE, CANARY_KINDS };

struct canary {
	uint32_t kind; /* enum canary_kind */
	uint64_t device, inode, size;
	uint64_t made_ms; /* since 1970 */
	uint8_t sha256[SHA256_BYTES];
	char path[CANARY_PATH_MAX]; /* absolute, normal, without control characters */
};

struct canaries {
	uint32_t n;
	struct canary list[CANARIES_MAX];
};

const char *canary_word(uint32_t kind); /* NULL: there is none */
/* CANARY_KINDS: no such word. */
enum canary_kind canary_kind_of(const char *word);
/* Whether a canary may lie there. */
bool canary_is_path(const char *path);
/* Its index; CANARIES_MAX: it is none of them. */
uint32_t canaries_find(const struct canaries *c, const char *path);

/* What of the text of a canary is secret: its words of letters and digits, as long as only secrets are, one by one
 * from *at on; gives how long the next is, at *at - that; 0: no more. */
#define CANARY_WORD_MIN 16
#define CANARY_WORD_MAX 128
#define CANARY_WORDS_MAX 4 /* of one: the first */
size_t canary_word_next(const char *text, size_t n, size_t *at);

void canaries_write(const struct canaries *c, struct buf *out);
/* -MALFORMED, -LIMIT: with the line. On failure *ret is of no use. */
int canaries_read(const char *text, size_t n, struct canaries *ret, struct err *e);

#endif
