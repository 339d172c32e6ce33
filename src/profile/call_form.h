/* call_form - what is usual of the calls of one server, and its form as text, which a person can read, compare and sign.
 *
 * Owns:   struct call_profile: the counters (profile/novelty.h) and their key, who called, and the texts of what was learned last.
 * Holds:  as profile/form.h: a text that is taken has its form to the byte, so the same profile gives the same bytes; what is not is refused with its line. Its counters are hashes under the key that stands in it.
 * Called: ambit-usual, ambit-profile; pure, but for memory; reads bytes that anybody may have written. */
#ifndef PROFILE_CALL_FORM_H
#define PROFILE_CALL_FORM_H

#include "base/buf.h"
#include "profile/novelty.h"

#define CALL_FORM_BYTES_MAX (8u << 20) /* all that it may have, with the longest numbers, is less */
#define CALL_FORM_HEAD "ambit-calls 1"
#define CALL_SERVER_MAX 65 /* with its NUL, as all here */
#define CALL_AGENT_MAX 64
#define CALL_AGENTS_MAX 64
#define CALL_KNOWN_MAX 512

/* One thing that was learned, for a person; nothing is compared with it. Texts are plain (base/text.h), without tabs. */
struct call_known {
	uint64_t item; /* the hash of what is compared */
	uint32_t when;
	uint8_t kind; /* enum item_kind */
	char tool[CALL_TOOL_MAX], place[CALL_PLACE_MAX], value[CALL_VALUE_MAX];
};

struct call_profile {
	char server[CALL_SERVER_MAX];
	uint8_t key[CALL_KEY_SIZE];
	struct novelty *novelty;                      /* owned */
	size_t n_agents, n_known, next;               /* next: once all are in use, the one that makes room */
	char agents[CALL_AGENTS_MAX][CALL_AGENT_MAX]; /* "": nobody named one */
	struct call_known known[CALL_KNOWN_MAX];
};

int call_profile_init(struct call_profile *p, const char *server, const uint8_t key[CALL_KEY_SIZE], struct err *e);
void call_profile_finish(struct call_profile *p);
/* Of an agent at this server, and of the server. */
struct scopes call_profile_scopes(const struct call_profile *p, const char *agent);
/* Once more; more of them than there is room for are not named. */
void call_profile_note_agent(struct call_profile *p, const char *agent);
void call_profile_note(struct call_profile *p, const char *tool, const struct item *item, uint32_t when);

const char *item_kind_word(unsigned kind); /* NULL: there is none of that number */

/* out fails where there is no room for it, or memory is gone. */
void call_form_write(const struct call_profile *p, struct buf *out);
/* -MALFORMED, with the line; -LIMIT, -MEMORY. On failure ret holds nothing. */
int call_form_read(const char *text, size_t n, struct call_profile *ret, struct err *e);
/* What stands in its first CALL_FORM_HEAD_MAX bytes, for a list. */
#define CALL_FORM_HEAD_MAX 256
bool call_form_head(const char *text, size_t n, char ret_server[CALL_SERVER_MAX], uint32_t *ret_runs);
/* In words. */
void call_form_show(const struct call_profile *p, struct buf *out);
void call_form_json(const struct call_profile *p, struct buf *out); /* and as JSON, on a line */
/* Whether it says that it is one. */
bool call_form_is(const char *text, size_t n);

#endif
