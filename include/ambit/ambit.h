/* libambit - run a program with exactly the authority you name, and know what it did.
 *
 * Owns:   opaque handles; each has one function that frees it and accepts NULL.
 * Holds:  the library only spawns helpers, makes no thread, installs no handler, calls back from nowhere, and has
 *         no variables: what it knows hangs on a handle. One handle is used by one thread at a time; different
 *         handles by different threads at will.
 * Used:   by products, and by the command line itself. `man libambit` has an example; examples/ has more.
 *
 * Errors   Functions return 0 (or a count) or a negative enum ambit_code; with `e` not NULL, and its size set, they
 *          say what and what to do. *e is left alone where nothing failed, as is what a `ret` points to where
 *          something did. Which codes to expect stands at each function; any of them may also fail with -MEMORY,
 *          -SYSTEM (a call of the kernel, with its errno) and -LIMIT (what is given is longer than can be taken).
 * Texts    Ended by NUL, and copied before the function returns, unless something else is said. What a function
 *          gives is owned by the handle.
 * Structs  Start with `size`: set it to sizeof, clear the rest, or use an initialiser. Fields that are added later
 *          come behind the others, and zero means what was before them, so that a host goes on to run with a newer
 *          library; with an older one, which would not know them, -USAGE says so.
 *
 * In a host with threads, a loop of events, children and signals of its own
 *
 * Signals      No disposition is changed, and no mask but for moments, of the calling thread. A reader that is gone
 *              raises no SIGPIPE.
 * Children     Helpers are held by pidfds, and are children of init: neither waitpid(-1) nor SIGCHLD tells of them.
 *              Where the host is init itself, or adopts orphans (PR_SET_CHILD_SUBREAPER), they become its own: then
 *              they may turn up in both, and what nobody has waited for by the time that the handle is freed is
 *              waited for there.
 * Descriptors  All are close-on-exec from the start; those of the host do not go to helpers or cells, but for what
 *              stream_fd names. Freeing a handle closes all of its own.
 * fork         A child that goes on without exec has copies of handles that are not its own: it may free them,
 *              which closes its descriptors and leaves the event alone, and does nothing else with them. It keeps,
 *              as with any pipe, the ends of those it has copies of open.
 * Threads      A quarter of a megabyte of stack is enough. Calls are not to be cancelled (pthread_cancel) half-way.
 * Process      The current directory, umask and limits are read, never set. Of the environment are read: HOME,
 *              USER, XDG_STATE_HOME, XDG_CONFIG_HOME (where the person keeps what is Ambit's), AMBIT_LEDGER,
 *              AMBIT_KEEP, AMBIT_KEEP_SPACE; with grants that need them SSH_AUTH_SOCK and SSL_CERT_FILE; and what
 *              `env` grants pass on (ambit_event_options.environment). As with any getenv, no other thread may
 *              change the environment meanwhile. The role that gets the values of secrets has the whole
 *              environment, which the person's own commands for them may need.
 * Blocking     A call that may wait says so. The others do what is there to do and return.
 *
 * Helpers are those that were installed with the library: the shared one looks for them beside itself, then where
 * it was made for, the static one there alone; never beside the host's executable, and no variable of the
 * environment leads anywhere else. */
#ifndef AMBIT_H
#define AMBIT_H

#include <stddef.h>
#include <stdint.h>

#include "ambit/codes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number of libambit.so, too. */
#define AMBIT_ABI 1
/* The ABI of the library at run time; another number than AMBIT_ABI: do not go on. Of use where no loader has
 * compared them (dlopen, a static library). */
int ambit_abi(void);
/* "0.1.0", for people. Lives for ever. */
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

/* Grants and limits. A new one allows nothing but the base: the system's programs, an empty home, no network.
 * Any number of events can be started with one, at the same time if nobody changes it meanwhile. What fails
 * leaves it as it was. */
struct ambit_policy;

/* The caller owns *ret. */
int ambit_policy_new(struct ambit_policy **ret, struct ambit_error *e);

/* Events that were started with it go on. */
void ambit_policy_free(struct ambit_policy *p);

/* One grant: verb "read", text "/srv/data" or ". key=value ...", as on the command line (`man ambit-run`); NULL
 * or "" for a verb without an object. What it names is looked up when an event starts. -UNKNOWN, -UNAVAILABLE:
 * the verb or a qualifier; -MALFORMED: the text; -CONFLICT: a qualifier twice. */
int ambit_policy_grant(struct ambit_policy *p, const char *verb, const char *text, struct ambit_error *e);

/* "wall=30s,memory=2G" (`man ambit.yaml`). Of a limit that is given more than once the smaller holds. -UNKNOWN:
 * the limit; -MALFORMED: its value. */
int ambit_policy_limit(struct ambit_policy *p, const char *text, struct ambit_error *e);

/* Adds what a policy file says; no file is searched for. Waits, half a minute at most, for a parser in a cell of
 * its own; -HOST: this host can make none. -USAGE: the file cannot be read. What is wrong in it is told with
 * line and column (-MALFORMED, -UNKNOWN, -UNAVAILABLE, -CONFLICT). */
int ambit_policy_load(struct ambit_policy *p, const char *path, struct ambit_error *e);

/* The same for a text of n bytes that the caller has; name is for messages and records. */
int ambit_policy_load_text(struct ambit_policy *p, const char *name, const void *text, size_t n, struct ambit_error *e);

/* The same for a built-in policy: "python", "node", ... -UNKNOWN: none is called so; the hint lists them. */
int ambit_policy_preset(struct ambit_policy *p, const char *name, struct ambit_error *e);

/* ---- one event ---- */

/* One command in one cell, which is gone with its handle. */
struct ambit_event;

enum ambit_stream {
	/* the descriptor in stream_fd, if it is of a harmless kind, else through a pipe: the handle copies, in
	 * ambit_event_step. The host keeps it open until the end, and does not lose it: it is borrowed. */
	AMBIT_STREAM_PASS = 0,
	AMBIT_STREAM_NULL = 1,    /* /dev/null */
	AMBIT_STREAM_CAPTURE = 2, /* kept for ambit_event_output and the record; for output only */
};

/* What becomes of what the command writes. */
enum ambit_changes {
	AMBIT_CHANGES_STAGE = 1,   /* kept for review, also if it succeeds */
	AMBIT_CHANGES_DISCARD = 2, /* thrown away if it fails */
	AMBIT_CHANGES_DIRECT = 4,  /* written in place: nothing is staged */
	AMBIT_CHANGES_STRICT = 8,  /* a denial makes it fail */
	/* what was written is not read once more for its digests: the record lists changes without them. For who
	 * will not ask for the record */
	AMBIT_CHANGES_UNHASHED = 16,
	/* others' commits to its trees do not wait for it: of what they change meanwhile it may see some, and
	 * what it changed, too, is a conflict at its end. For what runs for long beside others (a server). Not
	 * with DIRECT */
	AMBIT_CHANGES_BESIDE = 32,
};

/* What a start reads; all of it is copied. */
struct ambit_event_options {
	size_t size;
	char *const *argv;     /* ends with NULL; argv[0] is looked up in the cell's PATH unless it has a slash */
	const char *workspace; /* what `.` means in grants and where the program starts; NULL: the current directory */
	const char *base;      /* "system" (NULL), "minimal" */
	const char *observe;   /* "full" (NULL), "effects", "off" */
	const char *without;   /* properties given up, "memory,disk"; NULL: none */
	int stream[3];         /* enum ambit_stream for 0, 1, 2 */
	/* with PASS: the descriptor; -1: /dev/null. Nothing is assumed: a cleared struct passes descriptor 0
	 * three times, { 0, 1, 2 } the process's own */
	int stream_fd[3];
	/* 1: descriptors that are terminals become a private one inside, which starts with their settings and
	 * size */
	int terminal;
	unsigned changes; /* AMBIT_CHANGES_*, or 0: committed if the command succeeds, else kept */
	const char
		*on_conflict; /* "fail" (NULL), "theirs", "ours": for a file that changed in the real tree meanwhile */
	unsigned wait_ms;     /* for other events that work on a tree, before the commit; 0: ten seconds */
	/* The directory of the ledger in which the event is recorded; made where it is missing, with a new key.
	 * What cannot be recorded is refused. NULL: what the variable AMBIT_LEDGER names, unless it is empty;
	 * else the person's own, which is $XDG_STATE_HOME/ambit/ledger or ~/.local/state/ambit/ledger */
	const char *ledger;
	int unrecorded; /* 1: in none. So it is with AMBIT_LEDGER=none, if no ledger is named */
	/* What `env NAME` grants pass on, and TERM for a terminal: "NAME=value" texts, up to NULL. NULL: the
	 * process's own. Nothing else of it reaches the cell, whose PATH is the system's */
	char *const *environment;
};

/* Starts; the policy and the options may be freed afterwards. What is said here is decided before anything runs:
 * -USAGE: an option; -NOT_FOUND, -DENIED and the codes of ambit_policy_grant: what a grant names; -NO_PROGRAM,
 * -NOT_RUNNABLE: the program; -UNAVAILABLE: this is in a cell; -HOST, -CONFLICT, -GONE: there is no ledger to
 * record it in; -UNTRUSTED: others may change the helpers than may change the library. Whether the host can make
 * the cell is told at the end of the event (ambit_event_failure). May wait: for the ledger, which is started if
 * it is not there, 15 seconds at most for each answer; for the repair of a commit that was interrupted; with
 * base "minimal" for a cell that tells the program's libraries, half a minute at most; with grants of requests
 * and secrets for their roles. */
int ambit_event_start(const struct ambit_policy *p, const struct ambit_event_options *o, struct ambit_event **ret,
		      struct ambit_error *e);

/* "e_" and 26 characters, by which `ambit diff`, `ambit commit` and the others know it. */
const char *ambit_event_id(const struct ambit_event *ev);

/* Readable when ambit_event_step has something to do: for poll, epoll, or whatever the host's loop takes. It
 * stays the same, is the handle's, and nothing is read from it. After the end it is never readable. */
int ambit_event_fd(const struct ambit_event *ev);

/* Does what there is to do. 1: ended; 0: not yet. How an event ended is its result, not an error of asking: it
 * never fails, and leaves *e alone. Never blocks, but for two things. At the end of an event that is recorded it
 * waits until the record is on disk and in the ledger, fifteen seconds at most for each of them. And a blocking
 * descriptor of the host's that said it had room is given at most a page at a time. */
int ambit_event_step(struct ambit_event *ev, struct ambit_error *e);

/* step until it ended: 0. Waits as long as the event takes (the limit `wall` bounds it). */
int ambit_event_wait(struct ambit_event *ev, struct ambit_error *e);

/* The caller's end of the private terminal, once, after the event has started; -1 if there is none (yet). The
 * caller owns it: what the cell writes comes out of it, what is written to it the cell reads. */
int ambit_event_terminal(struct ambit_event *ev);

/* 1, once each time that the program has been stopped (by Ctrl-Z in its terminal, say); it goes on with SIGCONT. */
int ambit_event_stopped(struct ambit_event *ev);

/* Sends a signal to the program's process group. 1: the program has not started, and gets it when it has. -GONE:
 * it has ended. -LIMIT: it takes no more of them just now. */
int ambit_event_signal(struct ambit_event *ev, int signal_number, struct ambit_error *e);

/* Ends the cell at once, with all that runs in it; that it has ended tells ambit_event_step, which also goes
 * on with it where there is no room to tell it at once. What it changed is kept. -GONE: it has ended. */
int ambit_event_kill(struct ambit_event *ev, struct ambit_error *e);

/* After the end: the command's own status, 128+n for a signal, 124 wall limit, 123 it succeeded and its changes
 * were not committed, 125 refused or failed, 126/127 as shells do. Before, it means nothing. */
int ambit_event_exit_status(const struct ambit_event *ev);

/* After the end: why, if it was not the command's own. 0: the command ended by itself, with whatever status, and
 * its changes are where they should be. -HOST and others: it was refused, and what would help; -LIMIT: it met a
 * limit; -GONE: it was killed; -DENIED: with STRICT, something was; -CONFLICT and others: its changes were not
 * committed; or it is not recorded. -USAGE: it still runs. */
int ambit_event_failure(const struct ambit_event *ev, struct ambit_error *e);

/* What it wrote to stream 1 or 2 with CAPTURE, at any time: at most 64 MB, cut at the end; *ret_total (may be
 * NULL) is how much there was. *ret is valid until the next step, or after the end until the handle is freed; it
 * is not ended by NUL. -USAGE: that stream is not captured. */
int ambit_event_output(const struct ambit_event *ev, int stream, const void **ret, size_t *ret_len, uint64_t *ret_total,
		       struct ambit_error *e);

/* After the end: the record as JSON (doc/RECORD.md), ended by a newline and a NUL, which *ret_len does not
 * count. Valid until the handle is freed. -USAGE: it still runs. */
int ambit_event_record(struct ambit_event *ev, const char **ret_json, size_t *ret_len, struct ambit_error *e);

/* The directory of the ledger in which the event is recorded; NULL: it is not recorded. */
const char *ambit_event_ledger(const struct ambit_event *ev);

/* The key by which the ledger is verified, one line of text; *ret_is_new is 1 if it was made for this event:
 * then it is time to write it down elsewhere; 2: likewise, and the key before it named it (`ambit ledger
 * rotate`). NULL: the event is not recorded. */
const char *ambit_event_ledger_key(struct ambit_event *ev, int *ret_is_new);

/* Kills what still runs, and waits until nothing is left of it: a moment, since the kernel ends the cell. What
 * it had changed is kept, as with kill. */
void ambit_event_free(struct ambit_event *ev);

#ifdef __cplusplus
}
#endif

#endif
