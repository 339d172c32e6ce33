/* request - what the library asks the supervisor to run.
 *
 * Owns:   struct event_request and its encoding: grants, limits and words that are already resolved to absolute paths.
 * Holds:  a decoded request is checked again, for meaning too: the other side may be another program than ours.
 * Called: lib (request_encode), supervisor (request_decode). */
#ifndef SUPERVISOR_REQUEST_H
#define SUPERVISOR_REQUEST_H

#include "base/sha256.h"
#include "cell/spec.h"
#include "core/canary.h"
#include "core/flow.h"
#include "core/grant.h"
#include "core/id.h"
#include "core/kind.h"
#include "core/limits.h"
#include "policy/policy.h"
#include "supervisor/pty.h"

#define REQUEST_BYTES_MAX (2u << 20)
#define REQUEST_LINKS_MAX 256
#define REQUEST_HIDES_MAX 256
#define REQUEST_ASKED_MAX 64

/* The two words of EVENT_START. Which descriptors travel with the request behind it, in this order: 0, 1, 2 by their bits, then these. */
#define EVENT_HAS_PROGRAM 8u
#define EVENT_HAS_LEDGER 16u
#define EVENT_HAS_NETWORK 32u /* two: the roles ambit-net and ambit-dial */
#define EVENT_HAS_CODE 64u    /* two: what becomes CODE_FD and RESULT_FD */
#define EVENT_HAS_TEMPLATE                                                                                             \
	128u /* two: of which its interpreter may be a copy (warden/template.h): its connection, and a process of its cell */
/* And who asks. */
#define EVENT_COMMAND_LINE 1u /* Ambit's own, which may be moved to a leaf cgroup */
#define EVENT_STAYS 2u        /* the cell goes on when the library is gone */
#define EVENT_WAITS 8u /* no program yet: the cell is made, and one comes with EVENT_GO, in the same form, or none */
#define EVENT_TEMPLATE                                                                                                 \
	16u /* with that: what is started in it is never given code, but copied for others; its process travels with EVENT_READY */
#define EVENT_REACHED 4u /* its owner can reach it while it runs: an event of theirs, and no role of ours */

struct event_request {
	uint32_t base;    /* enum cell_base */
	uint32_t observe; /* enum cell_observe */
	uint32_t source;  /* enum cell_source, with FULL alone; ANY is the library's */
	uint32_t flags;   /* CELL_TTY_*, CELL_BY_FD; CELL_JIT follows from the grants */
	uint32_t without; /* bit set of enum property */
	uint32_t staged;  /* 1: what is written is staged, 0: written in place */
	uint32_t beside;  /* 1: staged, and nobody's commit waits for it */
	uint32_t
		own; /* 1: what may be written is Ambit's own (the ledger), in which nothing is hidden, held or claimed */
	uint32_t kind;            /* enum event_kind */
	uint32_t kernel;          /* 1: of code, it takes steps */
	uint32_t umask;           /* with which the program starts: the caller's */
	char event[32];           /* its id, for names on the host */
	char parent[ID_TEXT_MAX]; /* the event of which it is a sub-agent; "": of none */
	char user[64];
	char home[GRANT_OBJECT_MAX];
	char workspace[GRANT_OBJECT_MAX];
	char workdir
		[GRANT_OBJECT_MAX]; /* where a sub-agent's program starts, which is what its caller says; "": in the workspace, which is a person's */
	char store[GRANT_OBJECT_MAX]; /* where changes are staged; empty: there is no place */
	char secrets[GRANT_OBJECT_MAX],
		secrets_key[GRANT_OBJECT_MAX]; /* the store of secrets, and where its key is: likewise */
	char approvers[GRANT_OBJECT_MAX];      /* the keys of the person as an approver: likewise */
	char authority[GRANT_OBJECT_MAX];      /* where the person's authority is kept: likewise */
	char ledger[GRANT_OBJECT_MAX];         /* where it is recorded: no cell sees it; empty: nowhere */
	char command[256];                     /* what runs, for lists; cut */
	struct pty_settings terminal;          /* of the private terminal, if it has one */
	struct limits limits;
	struct grant_set grants;
	/* for the ledger */
	char session[ID_TEXT_MAX];
	uint64_t n;                              /* in the session */
	char grant_ids[GRANTS_MAX][ID_TEXT_MAX]; /* of each grant */
	char agent[POLICY_AGENT_MAX];            /* who asks, as a policy calls it; "": nobody does */
	char stream[ID_TEXT_MAX]; /* to whose labels it adds, and by whose it is bound: a badge of the authority */
	struct flow_set given;    /* labels that came with what it was given; for the library alone */
	uint32_t
		kept; /* 1: the stream is a session that is kept: what bounds a grant counts for all of it, sub-agents among it */
	uint64_t labels;      /* of the stream when it begins, by the authority's bits */
	uint64_t labels_most; /* which it may have at its end: what is staged has these until that is known */
	struct qualifiers budgets[BUDGET_COUNT]; /* of the session and of the agent, each with all else of it */
	uint32_t n_policies;
	struct {
		char name[POLICY_SOURCE_MAX]; /* of the file, as it was given, or of the preset */
		uint8_t sha256[SHA256_BYTES];
		uint32_t size;
	} policies[POLICY_SOURCES_MAX];
	uint32_t n_links; /* names under which a granted path was asked for, where it is a link on the host */
	struct {
		char name[GRANT_OBJECT_MAX], real[GRANT_OBJECT_MAX];
	} links[REQUEST_LINKS_MAX];
	uint32_t n_hides; /* paths that are not to be seen even beneath a grant (`ambit learn`) */
	char hides[REQUEST_HIDES_MAX][GRANT_OBJECT_MAX];
	uint32_t n_asked; /* paths of which a person is asked, beside the objects of grants that say so */
	char asked[REQUEST_ASKED_MAX][GRANT_OBJECT_MAX];
	uint32_t canary;   /* enum policy_canary: what becomes of it if it touches one of these */
	uint32_t n_decoys; /* the person's canaries; a cell that waits has none until it is used */
	uint64_t decoy_sizes[CANARIES_MAX];
	char decoys[CANARIES_MAX][CANARY_PATH_MAX];
};

/* Grants, each with its id where there are ids (NULL: none). Taking them checks each again. */
void request_put_grants(struct buf *out, const struct grant_set *set, const char (*ids)[ID_TEXT_MAX]);
int request_take_grants(struct rbuf *in, struct grant_set *ret, char (*ids)[ID_TEXT_MAX], struct err *e);

const char *request_workdir(const struct event_request *q);
/* Of a sub-agent that was not handed over: it works in its caller's trees, as they are. */
static inline bool request_shares_trees(const struct event_request *q)
{
	return q->parent[0] != 0 && q->own != 0;
}

void request_encode(const struct event_request *q, struct buf *out);
/* What a cell is made from: all but who runs what and when. */
void request_encode_cell(const struct event_request *q, struct buf *out);
/* Whether one cell serves both: they differ in who runs what and when, and in nothing that a cell is made from. */
bool request_same_cell(const struct event_request *a, const struct event_request *b);
/* Leaves the cursor at the program (program_decode). */
int request_decode(struct rbuf *in, struct event_request *ret, struct err *e);

#endif
