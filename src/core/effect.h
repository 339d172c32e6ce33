/* effect - what an event did or asked to do, as data.
 *
 * Owns:   the kinds of effects and their wire form.
 * Holds:  an effect says where it comes from: `proved` by the wall or a broker, or only `requested`, as the eye saw it.
 * Called: warden (makes requested effects), supervisor (classifies), lib (the record); pure. */
#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/meter.h"

#define EFFECT_OBJECT_MAX 4096
#define EFFECTS_MAX 4096 /* of one event; more are counted as dropped */

/* EFFECT(name, number, word in the record, the right that it needs: RIGHT_* of core/grant.h, or 0) */
/* clang-format off */
#define EFFECTS(X)                                                                                                     \
	X(READ,    1, "read",    1) /* opened for reading */                                                           \
	X(WRITE,   2, "write",   2) /* opened for writing, created or truncated */                                     \
	X(EXEC,    3, "exec",    4)                                                                                    \
	X(DELETE,  4, "delete",  2)                                                                                    \
	X(RENAME,  5, "rename",  2) /* the object is the new name; the old one is an effect of kind DELETE */          \
	X(MKDIR,   6, "mkdir",   2)                                                                                    \
	X(LINK,    7, "link",    2)                                                                                    \
	X(MODE,    8, "mode",    2) /* chmod, chown, utimes, xattr */                                                  \
	X(CONNECT, 9, "connect", 0) /* the object is "inet 192.0.2.1:443", "inet host.example:443", the same and " as other.example", "unix /run/x", "unix @abstract" */ \
	X(OPAQUE, 10, "opaque",  0) /* arguments that could not be read; the object is the system call's name */ \
	X(REQUEST, 11, "request", 0) /* the object is "inet host.example:443 GET /repos/x 200": of one that was sent the pattern of its rule, and 0 if it got no answer; of one that was refused its path, and the refusal's status */
/* clang-format on */

enum effect_kind {
#define EFFECT_ENUM(name, number, word, right) EFFECT_##name = number,
	EFFECTS(EFFECT_ENUM)
#undef EFFECT_ENUM
};

enum effect_verdict {
	EFFECT_ALLOWED = 1,
	EFFECT_DENIED,
	EFFECT_ABSENT,         /* there was nothing of that name */
	EFFECT_DENIED_NEW,     /* denied, and there was nothing of that name: a grant must be of its directory */
	EFFECT_DENIED_WRITTEN, /* an execution that is denied, since the cell itself wrote what is there */
	EFFECT_DENIED_HIDDEN,  /* of a name that is likely a secret, and not there for the cell */
	EFFECT_DENIED_STORE,   /* of what lies in the store of stages, which is there for no cell */
	EFFECT_DENIED_HELD,    /* of a name that is itself held in place, in a directory that is granted */
	/* A connection that a grant allows, and that was ended for what a client of TLS said first: */
	EFFECT_DENIED_OTHER_NAME,  /* it asked for another host */
	EFFECT_DENIED_BAD_HELLO,   /* not all servers would read it alike */
	EFFECT_DENIED_HIDDEN_NAME, /* it hid for which host it asked */
	EFFECT_DENIED_WITHDRAWN,   /* a connection, after its grant was withdrawn */
	EFFECT_DENIED_REQUEST,     /* a request that its grant does not mean, or that could not be sent */
};

/* Denied, whatever was there. */
static inline bool effect_is_denied(uint8_t verdict)
{
	return verdict == EFFECT_DENIED || (verdict >= EFFECT_DENIED_NEW && verdict <= EFFECT_DENIED_REQUEST);
}

enum effect_source { EFFECT_REQUESTED = 1, EFFECT_PROVED };

/* Whether it was allowed by the base of the cell, and not by a grant. */
enum effect_base {
	EFFECT_BASE_NOT,
	EFFECT_BASE,
	EFFECT_BASE_GONE, /* so it was, beside what is granted: a person would look for it there, and it went with the cell */
};

struct effect {
	uint8_t kind;       /* enum effect_kind */
	uint8_t verdict;    /* enum effect_verdict; 0 from the warden, which does not know */
	uint8_t source;     /* enum effect_source */
	uint8_t base;       /* enum effect_base */
	uint8_t beyond;     /* 1: denied, and what a grant would have to allow the person may not do either */
	uint32_t grant;     /* index of the grant that allowed it, GRANT_NONE if none */
	uint32_t count;     /* how often */
	struct meter meter; /* of a connection that is proved (effect_has_meter) */
	char object
		[EFFECT_OBJECT_MAX]; /* a path as the workload meant it (absolute), or an address; may not be UTF-8 */
};

/* What the dialer tells: how it went, and not only that it was asked for. */
static inline bool effect_has_meter(const struct effect *f)
{
	return f->kind == EFFECT_CONNECT && f->source == EFFECT_PROVED;
}

const char *effect_word(uint8_t kind); /* NULL if there is no such kind */
uint32_t effect_right(uint8_t kind);
/* As records and people have it: allowed, denied, absent; 0 is "unjudged". */
const char *effect_verdict_word(uint8_t verdict);
/* As the ledger has it, each by a name of its own, which begins with that word. */
const char *effect_verdict_name(uint8_t verdict);
void effect_encode(struct buf *out, const struct effect *f);
/* Fails the cursor on anything out of range. */
void effect_decode(struct rbuf *in, struct effect *ret);

#endif
