/* policy - grants and limits as a person wrote them, before paths mean anything.
 *
 * Owns:   struct policy: what policy files and flags said, with where it stood, fixed-size (1 MB: not for a stack).
 * Holds:  words are checked (known verb, known qualifier, well-formed object), meaning that needs the host (does the
 *         path exist, what is `.`) is not: policy_resolve does that, once, with the caller's authority. The order of
 *         lines never matters.
 * Called: the policy role fills it from YAML in a cell of its own and sends it as one answer (policy_answer_encode);
 *         the library fills it from flags, decodes, merges and resolves. Zeroed memory is an empty policy. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sha256.h"
#include "core/conditions.h"
#include "core/grant.h"
#include "core/kind.h"
#include "core/limits.h"
#include "core/match.h"

#define POLICY_LINES_MAX GRANTS_MAX
#define POLICY_FILE_MAX (256u << 10)    /* a policy that a person can review is far smaller */
#define POLICY_ENCODED_MAX (512u << 10) /* escapes in YAML can make a text half as long again */
#define POLICY_AGENT_MAX AGENT_NAME_MAX
#define POLICY_SOURCES_MAX 8  /* files and presets of one event, and the flags */
#define POLICY_SOURCE_MAX 128 /* with its NUL; longer names are cut in messages */

#define POLICY_GUARD 2u       /* of a line: it says what a guarded server's own process may do */
#define POLICY_SERVER_SHIFT 8 /* of the flags of a line of `guard`: the number of its server, from 1 on; 0: of each */
#define POLICY_SERVERS_MAX 16
#define POLICY_SERVER_NAME_MAX 33 /* with its NUL */
#define POLICY_COMMAND_MAX 2048
#define POLICY_WORDS_MAX 64

/* One of several servers behind one gate. */
struct policy_server {
	char name
		[POLICY_SERVER_NAME_MAX]; /* small letters, digits and single dashes between them, the first a letter: it can begin a URI */
	uint32_t n_words, n_bytes;
	char words[POLICY_COMMAND_MAX]; /* of its command, each ended by a NUL */
};

struct policy_line {
	uint32_t verb;                 /* enum grant_verb */
	uint32_t source;               /* index in policy.sources */
	uint32_t line, column;         /* 1-based; 0 if it came from a flag */
	char object[GRANT_OBJECT_MAX]; /* as written, without the final `?` */
	uint32_t flags;                /* GRANT_OPTIONAL, POLICY_GUARD */
	uint32_t
		terms; /* of connect as terms_format writes them, of tool as where_format does: offset in policy.texts; 0: none */
	uint32_t flow; /* likewise, as flow_format writes it */
	struct qualifiers qualifiers;
};

/* Whose connections a budget counts together: of all of a session, or of all sessions and events of the agent. */
#define POLICY_BUDGETS(X)                                                                                              \
	X(SESSION, "session")                                                                                          \
	X(AGENT, "agent")

enum policy_budget {
#define POLICY_BUDGET_ENUM(name, word) BUDGET_##name,
	POLICY_BUDGETS(POLICY_BUDGET_ENUM)
#undef POLICY_BUDGET_ENUM
		BUDGET_COUNT
};

#define BUDGET_QUALIFIERS (QUALIFIER_BIT(USES) | QUALIFIER_BIT(BYTES) | QUALIFIER_BIT(RATE)) /* it has no others */

/* Whose grants are meant where a policy is used: an event's; or those of a guarded server's own process, which are the lines of `guard` and what came
 * from flags. What says `tool` is in neither: it is for who stands before such a server (policy_resolve_tools). */
enum policy_use { POLICY_FOR_EVENTS, POLICY_FOR_SERVER };

/* What the answers of guarded servers may not have, and how long they may be. */
#define POLICY_SECRETS_MAX 8
#define POLICY_SECRET_STATES 128 /* of an expression: each is tried on all of an answer */
#define POLICY_TOKENS "tokens"   /* in place of one: the forms of tokens that providers give out (http/credential.h) */
struct policy_answers {
	uint64_t bytes; /* 0: any number */
	uint32_t n_secrets;
	char secrets[POLICY_SECRETS_MAX][MATCH_TEXT_MAX + 1]; /* expressions (core/match.h) */
};

#define POLICY_WARM_MAX 512
#define POLICY_MODULES_MAX 16

/* What becomes of an event that is not like what is usual (doc/PROFILES.md), by strictness. */
enum policy_profile {
	PROFILE_UNSAID, /* as off */
	PROFILE_OFF,
	PROFILE_LOG,      /* it is told, and recorded */
	PROFILE_THROTTLE, /* and where it was much, the next ones of its stream begin later (lib/throttle.h) */
	PROFILE_ASK,      /* and its changes are held until a person has looked at them */
	PROFILE_HOLD,     /* and its session is frozen */
	PROFILE_KILL,     /* and ended, when it is the second one of it that is held */
	PROFILE_LAST = PROFILE_KILL,
};
/* What becomes of an event that touches a canary, by strictness. */
enum policy_canary {
	POLICY_CANARY_UNSAID, /* as kill */
	POLICY_CANARY_TELL,   /* it is told, and recorded */
	POLICY_CANARY_KILL,   /* and the event ends at once */
	POLICY_CANARY_FREEZE, /* and its session is frozen */
	POLICY_CANARY_LAST = POLICY_CANARY_FREEZE,
};
const char *policy_canary_word(uint8_t canary);   /* likewise */
const char *policy_profile_word(uint8_t profile); /* NULL: unsaid, or there is none */

struct policy {
	uint8_t use;                  /* enum policy_use: whoever fills it says so; a file has no word for it */
	char agent[POLICY_AGENT_MAX]; /* "" if nobody names one */
	/* by kind: "python=/opt/py/bin/python3 numpy", the interpreter of its code and what is loaded before that comes; "": as usual, and none is made before somebody asks */
	char warm[KIND_COUNT][POLICY_WARM_MAX];
	uint32_t n_sources; /* named ones: sources 1 .. n_sources; source 0 is the flags and has no name */
	char sources[POLICY_SOURCES_MAX][POLICY_SOURCE_MAX];
	uint32_t n_lines;
	struct policy_line lines[POLICY_LINES_MAX];
	uint32_t texts_used;
	char texts[GRANT_POOL_MAX]; /* a NUL, then terms and flows of lines, each followed by a NUL */
	uint32_t limits_given;      /* bit set of enum limit */
	struct limits limits;
	struct qualifiers budgets[BUDGET_COUNT]; /* none: unbounded */
	struct policy_answers answers;
	uint8_t profile; /* enum policy_profile */
	uint8_t canary;  /* enum policy_canary */
	uint8_t server;  /* FOR_SERVER: of which of these; 0: of one that is not among them */
	uint32_t n_servers;
	struct policy_server servers[POLICY_SERVERS_MAX];
};

/* ---- filling it ---- */

/* One grant as on the command line: verb and "object [key=value ...]", for example read "~/.gitconfig". A list of
 * objects stands in brackets, "[~/.gitconfig, /srv/data?]"; an object that a blank or a bracket would cut stands in
 * single or double quotes, a quote inside it doubled; so does a value that has blanks. A verb without an object takes "" or NULL. Qualifiers of a list are those of
 * each object in it, which shares its budget with no other.
 * -UNKNOWN, -UNAVAILABLE: the verb or a qualifier. -CONFLICT: a qualifier stands there twice. -MALFORMED. -LIMIT. On failure nothing was added. */
int policy_add_flag(struct policy *p, const char *verb, const char *text, struct err *e);
/* "wall=30s" or "wall=30s,memory=2G". A limit that is given more than once: the smaller. On failure nothing changed. */
int policy_add_limit(struct policy *p, const char *text, struct err *e);
/* "session uses=100 bytes=10M" or "agent rate=10/s". As policy_add_flag refuses, and -CONFLICT as policy_narrow_budget. */
int policy_add_budget(struct policy *p, const char *text, struct err *e);
/* Each number is the smaller. -CONFLICT: of two rates of different periods neither is. On failure nothing changed. */
int policy_narrow_budget(struct policy *p, enum policy_budget which, const struct qualifiers *by, struct err *e);
bool policy_has_budgets(const struct policy *p);
/* What no answer may have: an expression, or POLICY_TOKENS. One that is there already is left out. -MALFORMED, -LIMIT. */
int policy_add_secret(struct policy *p, const char *text, struct err *e);
/* A size that is not 0, as limits have them; the smaller counts. -MALFORMED. */
int policy_limit_answers(struct policy *p, const char *text, struct err *e);
/* "off", "log", "ask", "hold"; the strictest counts. -UNKNOWN. */
int policy_set_profile(struct policy *p, const char *word, struct err *e);
/* "tell", "kill", "freeze"; likewise. */
int policy_set_canary(struct policy *p, const char *word, struct err *e);
/* Letters, digits, `.`, `_`, `-`. -CONFLICT: another one is there. */
int policy_set_agent(struct policy *p, const char *agent, struct err *e);
/* A line of `warm`: a language, perhaps `=` and its interpreter (an absolute path, or a name in the cell's PATH), and names of modules. -CONFLICT: there is another one of the language. */
int policy_add_warm(struct policy *p, const char *text, struct err *e);
/* What of a line is the interpreter ("": the usual one), and the modules, each ended by a NUL; gives how many. room is of POLICY_WARM_MAX bytes. */
unsigned policy_warm(const struct policy *p, enum event_kind kind, char *room, const char **ret_program,
		     const char *ret_modules[POLICY_MODULES_MAX]);
/* One object of one grant, as written; line and column 0 if there are none. A line of `guard` gets its flag from who reads that: policy_put_guard. */
int policy_add(struct policy *p, enum grant_verb verb, const char *object, uint32_t line, uint32_t column,
	       struct err *e);

/* The lines from `first` on stand under `guard`, of that server (from 1 on), or of each (0). -MALFORMED: one says `tool`; *ret_line is that one. */
int policy_put_guard(struct policy *p, uint32_t first, uint32_t server, uint32_t *ret_line, struct err *e);

/* servers.c: adds one to those that stand behind one gate. -MALFORMED: no name; -CONFLICT: another one looks like it; -LIMIT. */
int policy_add_server(struct policy *p, const char *name, struct err *e);
/* A word of the command of the last one. -LIMIT. */
int policy_add_word(struct policy *p, const char *word, struct err *e);
/* Its command, ended by NULL, whose words are the policy's. */
void policy_command(const struct policy *p, uint32_t server, char *ret[POLICY_WORDS_MAX + 1]);
void policy_servers_encode(const struct policy *p, struct buf *out);
int policy_servers_decode(struct rbuf *in, struct policy *ret, struct err *e);
/* Adds those of another policy. */
int policy_servers_merge(struct policy *into, const struct policy *from, struct err *e);

/* Gives the lines from `first` on, which are of one grant, its qualifiers, terms and flow. -MALFORMED: one of them cannot have all of these; *ret_line, which
 * may be NULL, is that one. -LIMIT. */
int policy_qualify(struct policy *p, uint32_t first, const struct conditions *b, uint32_t *ret_line, struct err *e);
/* Whether the line is meant where the policy is used. */
bool policy_means(const struct policy *p, const struct policy_line *l);
/* Of a line; "": none. */
const char *policy_terms(const struct policy *p, const struct policy_line *l);
const char *policy_flow(const struct policy *p, const struct policy_line *l);

/* Adds all of `from` (a decoded file) to `into`, which stays for what it is used for; its lines say `source` in messages. -LIMIT, -CONFLICT (agent). */
int policy_merge(struct policy *into, const struct policy *from, const char *source, struct err *e);

/* ---- between processes ---- */

/* Sources do not travel: a decoded policy has none until it is merged. */
void policy_encode(const struct policy *p, struct buf *out);
/* Checks everything again: the other side parsed hostile bytes. */
int policy_decode(struct rbuf *in, struct policy *ret, struct err *e);

/* Where a policy file is wrong, and how. */
struct policy_mistake {
	uint32_t line, column; /* 1-based, in characters; 0: the file as a whole */
	struct err err;
};

/* What the policy role writes: u32 length of the rest, u8 kind, then a policy or a mistake. */
enum policy_answer { POLICY_ANSWER_POLICY = 1, POLICY_ANSWER_MISTAKE };
#define POLICY_ANSWER_MAX (4 + 1 + POLICY_ENCODED_MAX)

void policy_answer_encode(const struct policy *p, struct buf *out);
void policy_answer_encode_mistake(const struct policy_mistake *m, struct buf *out);
/* 0: *ret is the policy. Else *ret_mistake says what is wrong with the file, or, with line 0 and -PROTOCOL, with the
 * answer. All n bytes must be the answer. */
int policy_answer_decode(const void *bytes, size_t n, struct policy *ret, struct policy_mistake *ret_mistake);

/* A policy with what it came from, for who keeps both. Of each named source: what was read, for the ledger. */
struct policy_text {
	uint8_t sha256[SHA256_BYTES];
	uint32_t size;
};
void policy_carry(const struct policy *p, const struct policy_text texts[POLICY_SOURCES_MAX], struct buf *out);
/* Checks everything again. All n bytes must be the policy. -PROTOCOL. */
int policy_carried(const void *bytes, size_t n, struct policy *ret, struct policy_text texts[POLICY_SOURCES_MAX],
		   struct err *e);

/* Whether a path, absolute and normal, is a place that is never granted: `/` as a whole, and /proc and /dev, of which a cell has
 * its own. `asked` is what the message calls it. -DENIED. */
int policy_check_place(enum grant_verb verb, const char *asked, const char *path, struct err *e);

/* ---- what it means on this host ---- */

/* The words that mean something on this host. All absolute. */
struct policy_place {
	const char *workspace; /* what `.` means */
	const char *home;      /* what `~` means; NULL: there is none */
};

/* Names under which objects were asked for but do not lie: through symbolic links. The cell shows a link there. And names of which a person is
 * asked beside the object of a grant that says `ask`: each link that leads to it, and where it would be if it is missing. */
struct policy_name {
	char *asked; /* owned; absolute and normal */
	char *real;  /* owned; where it lies: the object of the grant. NULL: it is only asked for */
};

struct policy_names {
	size_t count;
	struct policy_name items[2 * POLICY_LINES_MAX];
};

void policy_names_finish(struct policy_names *names);

/* Adds p's grants, as far as it means them, to `set`, and puts the limits that p gives in place of those in `limits` (start with defaults).
 * Symbolic links in objects are resolved here, once, by these rules:
 * 1. `./x` lies beneath the workspace, also after links are resolved.
 * 2. A link that lies in the workspace, or beneath a `work` or `write` object of p, also one that is not meant, may have been put there by what ran
 *    before: it may not lead out of that tree.
 * 3. /proc and /dev, and what lies in them, are never granted: a cell has its own. Nor is `/`.
 * -NOT_FOUND: a path that is missing and does not end in `?`. -DENIED: against a rule, or out of the caller's reach.
 * ret_names may be NULL; else it must be zeroed and the caller finishes it, also on failure. */
int policy_resolve(const struct policy *p, const struct policy_place *place, struct grant_set *set,
		   struct limits *limits, struct policy_names *ret_names, struct err *e);

/* Adds what p says of tools: those of a guarded server. */
int policy_resolve_tools(const struct policy *p, struct grant_set *set, struct err *e);

/* Of one line what is the same on each host: adds its grant, unless that is of a path. Whatever p is used for. */
int policy_resolve_anywhere(const struct policy *p, uint32_t line, struct grant_set *set, struct err *e);
/* Says in front of e, which has rc, where that line stands. */
int policy_say_line(const struct policy *p, uint32_t line, int rc, struct err *e);

/* ---- programs that need more than to be executed ---- */

struct program_traits {
	const char *name;
	bool jit; /* writes machine code while it runs, or does not start without memory for it */
	const char *reason;
};

/* The row of src/policy/runtimes.def for a program's base name, with or without a version ("python3.11" is "python3"
 * or "python"); NULL if there is none. */
const struct program_traits *policy_program_traits(const char *program_basename);

/* ---- built-in policies ---- */

/* The text of a preset as it stands in its file; NULL if there is none of that name. */
const char *preset_text(const char *name);
/* Names in alphabetical order; NULL beyond the last. */
const char *preset_name(size_t i);

#endif
