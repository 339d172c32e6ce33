/* result - everything there is to say about one event, ready for the record.
 *
 * Owns:   struct event_result: its effects and captured output are on the heap, everything else is inside.
 * Holds:  filled as messages of the supervisor arrive; complete once `ended` is set.
 * Called: lib (fills it), record.c (writes it as JSON), cli (the summary for a person). */
#ifndef LIB_RESULT_H
#define LIB_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "cell/property.h"
#include "core/effect.h"
#include "core/grant.h"
#include "core/id.h"
#include "core/labels.h"
#include "core/limits.h"
#include "core/outcome.h"
#include "lib/frames.h"
#include "lib/stage_answer.h"
#include "net/link.h"
#include "usual/link.h"

#define RESULT_LABELS_MAX 64
#define RESULT_LABEL_MAX 64           /* of a name, with its NUL */
#define RESULT_STEPS_MAX 1000         /* that a record tells one by one */
#define RESULT_SOURCES_MAX (1u << 20) /* bytes of their sources, together */

/* A step of a kernel. */
struct result_step {
	uint64_t step, bytes;
	uint8_t sha256[32]; /* of its source */
	char *source;       /* owned; NULL: there is no room for it */
	uint64_t begun_ns, ended_ns;
	uint32_t how; /* 1 and enum step_how; 0: the kernel ended with it */
};

struct result_kernel {
	bool is;
	uint64_t steps;           /* that were begun */
	struct result_step *told; /* owned */
	size_t n;                 /* the first so many */
	size_t source_bytes;
};

/* A label that closed a connection, and what had brought it to the stream. */
struct result_closing {
	char label[RESULT_LABEL_MAX];
	char by[16];             /* the verb of a grant, `path`, `stream` or `given`; "": nobody knows any more */
	char *object;            /* owned; of that grant, the path, or the stream's id; NULL: there is none */
	char event[ID_TEXT_MAX]; /* in which; "": in none, or it would have come by this one */
};

/* What it asked of the kernel, in order (profile/trace.h): the form, and what is told of it. */
struct result_trace {
	uint32_t threads;
	uint64_t calls, dropped;
	struct buf form; /* owned; empty: nothing was observed */
};

/* How it compares with what is usual (doc/PROFILES.md). */
struct result_usual {
	uint8_t profile;     /* enum policy_profile: what the policy makes of it; off: it was not scored */
	bool judged;         /* it was asked for, or nobody wanted it */
	bool holds;          /* its changes wait for a person */
	struct err error;    /* code AMBIT_OK, or why it could not be scored */
	bool froze;          /* its session was to be frozen, */
	bool kills;          /* and ended, since this is the second event of it that is held, */
	struct err unfrozen; /* code AMBIT_OK, or why it could not be */
	uint32_t pause_ms;   /* that its stream's next events begin apart, since it did much; 0: as they come */
	struct usual_found found;
};

/* It was held against what is usual, and is not like that: flagged, or a person is asked. */
static inline bool usual_is_unusual(const struct result_usual *u)
{
	return u->judged && u->profile > 1 /* PROFILE_OFF */ && u->error.code == AMBIT_OK &&
	       (u->found.asks || u->found.f.flagged[PROMISED_LOG]);
}

struct event_result {
	char event[ID_TEXT_MAX], session[ID_TEXT_MAX];
	char parent[ID_TEXT_MAX]; /* whose sub-agent it is; "": nobody's */
	bool denied_beside; /* of a sub-agent, for who asked for it: something was denied, and its effects are not known here */
	uint64_t n;         /* in the session, from 1 on */
	char (*grant_ids)[ID_TEXT_MAX]; /* owned, one for each grant of the set */
	uint64_t *withdrawn_ns; /* owned, likewise: when it was withdrawn, since 1970; 0: it was not. NULL: none was */
	const struct grant_set *grants; /* borrowed */
	struct limits limits;
	char agent[64];
	uint32_t kind;       /* enum event_kind */
	char *const *argv;   /* borrowed: what was asked */
	const char *workdir; /* borrowed; the workspace, where the program starts */
	const char *home;    /* borrowed; what `~` means, NULL if there is none */
	uint32_t base;       /* enum cell_base */
	uint32_t observe;    /* enum cell_observe */
	uint32_t source;     /* enum cell_source: by whom */
	mechanism_set achieved;
	uint32_t without; /* properties given up by name */

	struct labels labels;           /* of its stream when it was over */
	uint64_t label_bits;            /* the same, by the authority's bits */
	char stream[ID_TEXT_MAX];       /* "": it was not judged */
	struct result_closing *closing; /* owned */
	size_t n_closing;

	char asked[ID_TEXT_MAX]; /* a connection was asked for: the question that waits; "": none does */
	struct effect *effects;  /* owned */
	size_t n_effects;
	uint64_t effects_dropped;
	uint64_t base_effects; /* seen and allowed by the base: counted, not listed */
	struct result_trace trace;
	struct result_usual usual;

	uint32_t n_ports; /* of the host, which lead to servers of the command */
	struct {
		uint32_t grant;
		uint16_t port;
	} ports[LINK_LISTENS_MAX];

	uint32_t revoked;     /* of its stream's standing grants, for what it did */
	struct err unrevoked; /* code AMBIT_OK, or why that could not be done */
	char **canaries;      /* owned, n_canaries: the paths of decoys that it touched */
	size_t n_canaries;
	bool ended;
	enum event_cause cause;
	enum limit limit; /* with CAUSE_LIMIT */
	int exit_status;  /* -1 if a signal ended it or it never started */
	int signal;       /* 0 if none */
	struct err
		error; /* with CAUSE_REFUSED and CAUSE_CANARY; with CAUSE_EXITED why it failed all the same: it is strict */
	bool strict; /* a denial makes it fail */
	struct event_usage usage;
	uint64_t frozen_ms;            /* that it stood still; in no usage */
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME, nanoseconds since 1970 */

	enum event_workspace workspace;
	struct stage_answer stage; /* what it changed, and what became of that */
	struct err stage_error;    /* why that could not be done */
	struct err unrecorded; /* why the ledger does not have the record; code AMBIT_OK: it has, or was not asked to */

	struct result_kernel kernel;
	bool captured; /* the outputs below are the command's */
	struct buf out, err;
	uint64_t out_total, err_total; /* bytes that there were, also those beyond the cut */
};

/* Something was denied, or stopped by the budget of its grant. */
bool result_has_denial(const struct event_result *r);
/* Whether something was denied, or may have been: what had no room in the record was not judged. */
bool result_was_denied(const struct event_result *r);
/* Whether the event succeeded and its changes are not committed, though nobody asked for that. */
/* The question that waits for a person since this event: of its changes, or of a connection; "": none does. */
const char *result_question(const struct event_result *r);
bool result_asked_to_connect(const struct event_result *r);
bool result_is_held(const struct event_result *r);

/* "private (read /a, in e_..), untrusted (..)": the labels that closed a connection, fit for a terminal. */
void result_put_closing(const struct result_closing *closing, size_t n, struct buf *out);

/* Frees what it owns; the rest is zero afterwards. */
void result_finish(struct event_result *r);

#endif
