/* libambit - run a program with exactly the authority you name, and know what it did.
 *
 * Owns:   opaque handles; each has one function that frees it and accepts NULL.
 * Holds:  the library only spawns helpers (held by pidfds, children of init: the host's waitpid and SIGCHLD never see
 *         them), makes no thread, installs no handler, calls back from nowhere. One handle is used by one thread at a
 *         time; different handles by different threads at will.
 * Used:   by products, and by the command line itself. Option structs start with `size`: set it to sizeof, clear the rest.
 *
 * Functions return 0 (or a count) or a negative enum ambit_code; with `e` not NULL they say what and what to do. */
#ifndef AMBIT_H
#define AMBIT_H

#include <stddef.h>
#include <stdint.h>

#include "ambit/codes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AMBIT_ABI 1
/* The ABI of the library at run time; another number than AMBIT_ABI: do not go on. */
int ambit_abi(void);
const char *ambit_version(void);

struct ambit_error {
	size_t size;
	int code;          /* enum ambit_code, positive */
	int sys_errno;     /* 0 if no system call was to blame */
	char message[512]; /* what failed */
	char hint[512];    /* what to do; may be empty */
	char why[512];     /* empty where the message says it all */
};

/* ---- what is allowed ---- */

struct ambit_policy;

int ambit_policy_new(struct ambit_policy **ret, struct ambit_error *e);
void ambit_policy_free(struct ambit_policy *p);
/* One grant: verb "read", text "/srv/data" or ". key=value ...", as on the command line. */
int ambit_policy_grant(struct ambit_policy *p, const char *verb, const char *text, struct ambit_error *e);
/* "wall=30s,memory=2G". */
int ambit_policy_limit(struct ambit_policy *p, const char *text, struct ambit_error *e);
/* A policy file, parsed in a cell of its own. The file must be named by the caller; nothing is searched for. */
int ambit_policy_load(struct ambit_policy *p, const char *path, struct ambit_error *e);
/* The same for a text that the caller has; name is for messages. */
int ambit_policy_load_text(struct ambit_policy *p, const char *name, const void *text, size_t n, struct ambit_error *e);
/* A built-in policy: "python", "node", ... */
int ambit_policy_preset(struct ambit_policy *p, const char *name, struct ambit_error *e);

/* ---- one event ---- */

struct ambit_event;

enum ambit_stream {
	AMBIT_STREAM_PASS = 0,    /* the caller's descriptor, if it is of a harmless kind, else through a pipe */
	AMBIT_STREAM_NULL = 1,    /* /dev/null */
	AMBIT_STREAM_CAPTURE = 2, /* kept for the record; for output only */
};

/* What becomes of what the command writes. */
enum ambit_changes {
	AMBIT_CHANGES_STAGE = 1,   /* kept for review, also if it succeeds */
	AMBIT_CHANGES_DISCARD = 2, /* thrown away if it fails */
	AMBIT_CHANGES_DIRECT = 4,  /* written in place: nothing is staged */
	AMBIT_CHANGES_STRICT = 8,  /* a denial makes it fail */
	/* what was written is not read once more for its digests: the record lists changes without them. For who will not
	 * ask for the record */
	AMBIT_CHANGES_UNHASHED = 16,
	/* others' commits to its trees do not wait for it: of what they change meanwhile it may see some, and what it changed, too, is a conflict at
	 * its end. For what runs for long beside others (a server). Not with DIRECT */
	AMBIT_CHANGES_BESIDE = 32,
};

struct ambit_event_options {
	size_t size;
	char *const *argv;     /* ends with NULL; argv[0] is looked up in the cell's PATH unless it has a slash */
	const char *workspace; /* what `.` means in grants and where the program starts; NULL: the current directory */
	const char *base;      /* "system" (NULL), "minimal" */
	const char *observe;   /* "full" (NULL), "effects", "off" */
	const char *without;   /* properties given up, "memory,disk"; NULL: none */
	int stream[3];         /* enum ambit_stream for 0, 1, 2 */
	int stream_fd[3];      /* with PASS: the descriptor (0, 1 and 2 are not assumed); -1: /dev/null */
	/* 1: descriptors that are terminals become a private one inside, which starts with their settings and size */
	int terminal;
	unsigned changes; /* AMBIT_CHANGES_*, or 0: committed if the command succeeds, else kept */
	const char
		*on_conflict; /* "fail" (NULL), "theirs", "ours": for a file that changed in the real tree meanwhile */
	unsigned wait_ms;     /* for other events that work on a tree, before the commit; 0: ten seconds */
	/* The directory of the ledger in which the event is recorded; made where it is missing, with a new key. What cannot be
	 * recorded is refused. NULL: what the variable AMBIT_LEDGER names, unless it is empty; else the person's own, which is
	 * $XDG_STATE_HOME/ambit/ledger or ~/.local/state/ambit/ledger */
	const char *ledger;
	int unrecorded; /* 1: in none. So it is with AMBIT_LEDGER=none, if no ledger is named */
	/* What `env NAME` grants pass on, and TERM for a terminal: "NAME=value" texts, up to NULL. NULL: the process's own */
	char *const *environment;
};

/* Starts; the policy may be freed afterwards. */
int ambit_event_start(const struct ambit_policy *p, const struct ambit_event_options *o, struct ambit_event **ret,
		      struct ambit_error *e);
/* Readable when ambit_event_step has something to do. */
int ambit_event_fd(const struct ambit_event *ev);
/* Does what there is to do. 1: ended; 0: not yet. Never blocks, but for one step: at the end of an event that is recorded it waits until the
 * record is on disk and in the ledger, fifteen seconds at most for each of them. */
int ambit_event_step(struct ambit_event *ev, struct ambit_error *e);
/* step until it ended. */
int ambit_event_wait(struct ambit_event *ev, struct ambit_error *e);
/* The caller's end of the private terminal, once, after the event has started; -1 if there is none (yet). The caller owns
 * it: what the cell writes comes out of it, what is written to it the cell reads. */
int ambit_event_terminal(struct ambit_event *ev);
/* 1, once each time that the program has been stopped (by Ctrl-Z in its terminal, say); it goes on with SIGCONT. */
int ambit_event_stopped(struct ambit_event *ev);
/* Sends a signal to the program's process group; kill ends the cell at once. 1: the program has not started, and gets it
 * when it has. */
int ambit_event_signal(struct ambit_event *ev, int signal_number, struct ambit_error *e);
int ambit_event_kill(struct ambit_event *ev, struct ambit_error *e);
/* After the end: the command's own status, 128+n for a signal, 124 wall limit, 125 refused, 126/127 as shells do. */
int ambit_event_exit_status(const struct ambit_event *ev);
/* The record as JSON (doc/RECORD.md), ended by a newline; owned by the event. */
int ambit_event_record(struct ambit_event *ev, const char **ret_json, size_t *ret_len, struct ambit_error *e);
/* The directory of the ledger in which the event is recorded, owned by the event; NULL: it is not recorded. */
const char *ambit_event_ledger(const struct ambit_event *ev);
/* The key by which the ledger is verified, one line of text owned by the event; *ret_is_new is 1 if it was made for this event: then it is time
 * to write it down elsewhere; 2: likewise, and the key before it named it (`ambit ledger rotate`). NULL: the event is not recorded. */
const char *ambit_event_ledger_key(struct ambit_event *ev, int *ret_is_new);
/* Kills what still runs. */
void ambit_event_free(struct ambit_event *ev);

#ifdef __cplusplus
}
#endif

#endif
