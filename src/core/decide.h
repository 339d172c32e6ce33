/* decide - what becomes of an effect: the one function that says so.
 *
 * Owns:   the rules, and the list of facts that they ask for.
 * Holds:  the verdict depends on the grants, on the effect and on facts, and on nothing else: no system call, no clock, no memory. Who has
 *         the facts written down comes to the same verdict, later and elsewhere. A fact is asked for only where a rule needs it, since to know
 *         one may cost a look at the host.
 * Called: supervisor/classify.c, which finds the facts out; audit, which finds them in the ledger; pure. */
#ifndef CORE_DECIDE_H
#define CORE_DECIDE_H

#include "core/effect.h"
#include "core/grant.h"

/* FACT(name, word in the ledger): words are never given another meaning, and new facts never change what old ones lead to. All are of
 * the object of the effect, as it was resolved. */
/* clang-format off */
#define FACTS(X)                                                                                                     \
	X(USR,       "usr")       /* read by a name in /usr, which the base shows: it is not looked at any further */     \
	X(HIDDEN,    "hidden")    /* nothing is to be seen there, whatever is granted */                                \
	X(STORE,     "store")     /* since it is where stages are kept */                                               \
	X(UNSEEN,    "unseen")    /* its name is that of a secret, and the cell made nothing of that name */            \
	X(PROTECTED, "protected") /* it, or what lies nearest above it, is shown without the right to write */          \
	X(HELD,      "held")      /* and that is it itself */                                                           \
	X(PRIVATE,   "private")   /* the cell has something of its own there, as long as nothing of it is granted */    \
	X(BASE,      "base")      /* the base of the cell allows it */                                                  \
	X(SYSTEM,    "system")    /* by what it shows of the host, and not by something of the cell's own */            \
	X(MADE,      "made")      /* the cell made it before, or what it lies in */                                     \
	X(WRITTEN,   "written")   /* the cell wrote what is in it */                                                    \
	X(EXISTS,    "exists")    /* the cell has this name */                                                          \
	X(THERE,     "there")     /* something is there */                                                              \
	X(ABOVE,     "above")     /* its directory is there */                                                          \
	X(STAGED,    "staged")    /* a socket without a path, where the program may be in a staged tree */              \
	X(OTHER_NAME, "other-name")  /* a TLS client asked there for another host: the relay's word, here and below */   \
	X(BAD_HELLO, "bad-hello")    /* what it said first is not read alike by all servers */                         \
	X(HIDDEN_NAME, "hidden-name") /* it hid for which host it asks */                                               \
	X(BEYOND,    "beyond")    /* the person may not do it either: no rule asks for it, but the reason does */      \
	X(WITHDRAWN, "withdrawn") /* it was asked for when the grant of it was withdrawn */                           \
	X(REFUSED,   "refused")   /* a request that was not sent: the word of who judges requests */
/* clang-format on */

enum fact {
#define FACT_ENUM(name, word) FACT_##name,
	FACTS(FACT_ENUM)
#undef FACT_ENUM
		FACT_COUNT
};
#define FACT_BIT(f) (1u << (f))

const char *fact_word(enum fact f);
bool fact_of(const char *word, enum fact *ret);

struct decide_ask {
	const struct grant_set *grants;
	const char *home;   /* of the cell */
	bool shows_host;    /* its base has grants that nobody wrote (`ambit learn`) */
	uint8_t kind;       /* enum effect_kind */
	const char *object; /* a path as resolved, or an address; of "unix /x" the path is in `socket` */
	const char *socket; /* as resolved; NULL: it is none */
};

struct decision {
	uint8_t verdict; /* enum effect_verdict */
	uint8_t base;    /* enum effect_base */
	uint32_t grant;  /* the one that allows it, or GRANT_NONE */
	uint32_t used;   /* bit set of the facts that were asked for */
	uint32_t facts;  /* those of them that hold */
};

/* Whether a fact holds. It gives the same answer as often as it is asked. */
typedef bool decide_fact_fn(void *arg, enum fact f);

struct decision decide(const struct decide_ask *ask, decide_fact_fn *fact, void *arg);

/* Whether a grant is of the path, or of something above it. */
bool decide_is_granted_place(const struct grant_set *set, const char *path);

#endif
