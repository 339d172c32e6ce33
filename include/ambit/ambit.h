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
 *              which closes its descriptors and leaves event and session alone, and does nothing else with them.
 *              It keeps, as with any pipe, the ends of those it has copies of open.
 * Threads      A quarter of a megabyte of stack is enough. Calls are not to be cancelled (pthread_cancel) half-way.
 * Process      The current directory, umask and limits are read, never set. Of the environment are read: HOME,
 *              USER, XDG_STATE_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR (where the person keeps what is Ambit's),
 *              AMBIT_LEDGER, AMBIT_KEEP, AMBIT_KEEP_SPACE; with grants that need them SSH_AUTH_SOCK and
 *              SSL_CERT_FILE; and what `env` grants pass on (ambit_event_options.environment). As with any getenv,
 *              no other thread may change the environment meanwhile. The role that gets the values of secrets has
 *              the whole environment, which the person's own commands for them may need, as has a daemon that is
 *              started.
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
	 * with DIRECT. In a cell it hands the sub-agent over to the session of who asks, where it goes on when that
	 * has ended: its streams are the session's, the event is over when it has begun, and its id is that of the new one */
	AMBIT_CHANGES_BESIDE = 32,
};

/* What a start reads; all of it is copied. */
/* Of code argv[0] is the language, "python", "node" or "shell", and argv[1] the source, of 1 MiB at most; there is no
 * argv[2]. The language's interpreter is looked up as a program is. */
enum ambit_code_event {
	AMBIT_COMMAND = 0, /* a program and its arguments */
	AMBIT_CODE = 1,
	AMBIT_CODE_SHOWN = 2, /* the value of its last expression is printed, as an interactive interpreter does */
};

struct ambit_event_options {
	size_t size;
	char *const *argv;     /* ends with NULL; argv[0] is looked up in the cell's PATH unless it has a slash */
	const char *workspace; /* what `.` means in grants and where the program starts; NULL: the current directory */
	const char *base;      /* "system" (NULL), "minimal" */
	const char *
		observe; /* "full" (NULL), "effects", "off"; "ebpf", "auto": as "full", by programs in the kernel (ambit-run(1)) */
	const char *without; /* properties given up, "memory,disk"; NULL: none */
	int stream[3];       /* enum ambit_stream for 0, 1, 2 */
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
	int code; /* enum ambit_code_event: what argv is */
	/* With code: a file, from 1 on, to which its result is written (doc/CODE.md), 16 MiB at most, which has to be
	 * read as what it is, a hostile program's word; 0: nobody takes it */
	int result_fd;
	/* Labels of what it is given (its arguments, its input), "private,untrusted", 8 at most: as if it had read what
	 * has them. NULL, "": none */
	const char *labels;
};

/* Starts; the policy and the options may be freed afterwards. What is said here is decided before anything runs:
 * -USAGE, -MALFORMED: an option; -NOT_FOUND, -DENIED and the codes of ambit_policy_grant: what a grant names; -NO_PROGRAM,
 * -NOT_RUNNABLE: the program; -UNAVAILABLE: this is in a cell that was not granted `delegate`; -FROZEN: so is
 * its session, or everything; -HOST, -CONFLICT, -GONE: there is no ledger to
 * record it in; -UNTRUSTED: others may change the helpers than may change the library. Whether the host can make
 * the cell is told at the end of the event (ambit_event_failure). May wait: for the ledger, which is started if
 * it is not there, 15 seconds at most for each answer; for the repair of a commit that was interrupted; with
 * base "minimal" for a cell that tells the program's libraries, half a minute at most; with grants of requests
 * and secrets for their roles.
 *
 * In a cell that was granted `delegate` it is a sub-agent of that cell, and nothing is waited for (`man ambit-run`,
 * SUB-AGENTS). What the policy grants is asked for; one with no grants inherits. Of the options argv, workspace,
 * environment and the streams count, of the policy its grants, limits and agent; -USAGE, -UNAVAILABLE: something else
 * is set, which is as for the cell; -LIMIT: as many ask as may. Whether it is had is told at its end, too. A descriptor
 * that is passed is the sub-agent's, of whatever kind, and nothing is copied. Its id is known at its end, labels and
 * ledger never, and its record is where the cell's is: ambit_event_record has `event`, `outcome` and `output` of it.
 * It takes no signals (-UNAVAILABLE) but ambit_event_kill, and there is no terminal between. It ends with the handle, in
 * a moment that freeing does not wait for, and with this process. */
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

/* After the end: the labels that its stream has, "private,untrusted", which belong to all that it wrote: who gives that
 * to another event gives them, too. "": none; NULL: nobody knows which. Before, it means nothing. */
const char *ambit_event_labels(const struct ambit_event *ev);

/* What is filled is what `size` has room for. */
struct ambit_usual {
	size_t size;
	int unusual; /* 0 or 1, as the next three: it is flagged at 1 in 100, or something of it is there for the first time */
	int held;        /* its changes wait for a person; also where it could not be held against what is usual */
	int young;       /* its profile knows too few events to promise anything */
	int ended;       /* its session was ended, since this is the second event of it that is held */
	unsigned events; /* that the profile knows */
	unsigned throttled_ms; /* how far apart the next events of its session, or its agent, begin; 0: as they come */
	double p;              /* of usual events, the part that is as unusual; 1: nothing is promised */
	unsigned n_reasons;
	/* where it is unusual, the strongest first; of whatever program ran, without control characters. Valid until the handle is freed */
	const char *reasons[3];
	const char *nearest,
		*differs; /* the usual event that it is most like, and in what it differs; NULL: none is known */
};

/* After the end: how it compares with what is usual. 0; -NOT_FOUND: it was not compared (`profile` is off), or could not be,
 * which *e says: then `held` alone is filled. -USAGE: it still runs. */
int ambit_event_usual(const struct ambit_event *ev, struct ambit_usual *ret, struct ambit_error *e);

/* The directory of the ledger in which the event is recorded; NULL: it is not recorded. */
const char *ambit_event_ledger(const struct ambit_event *ev);

/* The key by which the ledger is verified, one line of text; *ret_is_new is 1 if it was made for this event:
 * then it is time to write it down elsewhere; 2: likewise, and the key before it named it (`ambit ledger
 * rotate`). NULL: the event is not recorded. */
const char *ambit_event_ledger_key(struct ambit_event *ev, int *ret_is_new);

/* Kills what still runs, and waits until nothing is left of it: a moment, since the kernel ends the cell. What
 * it had changed is kept, as with kill. */
void ambit_event_free(struct ambit_event *ev);

/* ---- sessions, which a daemon keeps ---- */

/* What runs in a session outlives who asked for it (`man ambit-session`): a host that was killed connects again,
 * opens the session by its id, and follows its events from the byte that it had come to. The daemon is the person's
 * own; whoever listens in its place is believed only if the kernel says that it is of the process's own user.
 *
 * Asking   A call that asks the daemon, or a session's process, sends, and waits for the answer: as long as wait_ms
 *          says, and no longer, whatever comes meanwhile. -GONE: the other side ended, or does not answer;
 *          -PROTOCOL: it said what it may not. Then the handle is of no use any more, but to be freed, and for what
 *          is read of events that it follows: each later call gives the same error, as does a step. (-GONE may
 *          also be the answer, of an event that does not run: it stands at the function, and breaks nothing.)
 *          What was taken is kept: connect and open again, and say a request that had no answer once more with
 *          the same key.
 * Memory   A handle holds a connection, at most one page of a list (64), and one record; what events write lies in
 *          files, and is read from there. */

/* A connection to the daemon. */
struct ambit_daemon;

struct ambit_daemon_options {
	size_t size;
	/* 1: it is started if it is not there. It gets the whole environment of the process, is no child of it,
	 * and lives on; where the host is init or adopts orphans it is the host's to wait for, some day */
	int start;
	/* for each answer, on this connection and on those to sessions that it opens; 0: 30 seconds */
	unsigned wait_ms;
};

/* Connects, within the time for one answer. The caller owns *ret. -NOT_FOUND: no daemon is there; -PROTOCOL: it
 * is of another version, too; -CONFLICT: it keeps the sessions of another XDG_STATE_HOME; -DENIED: it is another
 * user's; -LIMIT: it has as many clients as it may; -HOST: there is no place for its socket; with start also
 * -UNTRUSTED, as ambit_event_start. */
int ambit_daemon_connect(const struct ambit_daemon_options *o, struct ambit_daemon **ret, struct ambit_error *e);

enum ambit_session_state {
	AMBIT_SESSION_IDLE = 1,
	AMBIT_SESSION_BUSY = 2,   /* events run */
	AMBIT_SESSION_ENDED = 3,  /* it takes no more */
	AMBIT_SESSION_BROKEN = 4, /* what is kept of it cannot be read */
};

/* What is filled is what `size` has room for, as with struct ambit_error. */
struct ambit_session_info {
	size_t size;
	char session[32]; /* its id: "s_" and 26 characters */
	int state;        /* enum ambit_session_state */
	unsigned running; /* events that run */
	uint64_t events;  /* how many it took: the number of the last; numbers begin with 1 */
	uint64_t made_ms; /* since 1970 */
	char agent[64];
	char workspace[4096];
};

/* The first session behind that id, in the order of their ids, which is that of their beginning; "" is before the
 * first. 1: *ret is it; 0: there is none. Asks for a page at a time: who goes from one to the next asks seldom,
 * and is told how they were at that time. -USAGE: `after` is no id. */
int ambit_daemon_next_session(struct ambit_daemon *d, const char *after, struct ambit_session_info *ret,
			      struct ambit_error *e);

/* Leaves. Sessions that it opened stay open. */
void ambit_daemon_free(struct ambit_daemon *d);

/* A connection to one session. */
struct ambit_session;

/* What a session is; all of it is copied. Words and paths mean what they do in ambit_event_options, and hold for
 * all of its events. */
struct ambit_session_options {
	size_t size;
	const char *workspace; /* NULL: the current directory */
	const char *base, *observe, *without;
	unsigned changes; /* AMBIT_CHANGES_*, but for BESIDE, which is what `background` of an event is */
	/* Over all of its events: how many it takes, how long they run, and how long processors work for them; 0:
	 * not bounded */
	uint64_t events_max, wall_ms_max, cpu_ms_max;
	/* How long, and how much of, outputs and records are kept, the oldest go first; 0: 7 days, 256 MiB */
	uint64_t keep_ms, keep_bytes;
	char *const *environment; /* what `env NAME` grants pass on; NULL: the process's own */
	/* At most 128 bytes of UTF-8: the same key with the same of everything else gives the session that it
	 * gave before, and else is a -CONFLICT. NULL: none */
	const char *key;
};

/* Makes a session with what the policy grants, and opens it. Asks. The caller owns *ret; policy, options and
 * connection may be freed afterwards. What grants name is looked up now, and again when an event begins. -NOT_FOUND,
 * -DENIED: as of ambit_event_start; -USAGE: an option; -LIMIT: more than a session can have, or as many are in use as
 * may be. */
int ambit_session_new(struct ambit_daemon *d, const struct ambit_policy *p, const struct ambit_session_options *o,
		      struct ambit_session **ret, struct ambit_error *e);

/* Opens the one with that id, also if it has ended: what became of its events is still to be read. Asks.
 * -NOT_FOUND; -USAGE: this is no id. */
int ambit_session_open(struct ambit_daemon *d, const char *session, struct ambit_session **ret, struct ambit_error *e);

/* "s_" and 26 characters. */
const char *ambit_session_id(const struct ambit_session *s);

/* How it was when it was opened. */
int ambit_session_look(const struct ambit_session *s, struct ambit_session_info *ret, struct ambit_error *e);

/* One event of a session; all of it is copied. */
struct ambit_run_options {
	size_t size;
	char *const *argv;
	/* Over the session's, and for the same grants: "NAME=value" texts, up to NULL; NULL: nothing */
	char *const *environment;
	const char *limits; /* "wall=30s,memory=2G", beside the session's: the smaller holds; NULL: none */
	/* At most 128 bytes of UTF-8: the same key with the same of everything else gives the number of the
	 * first, and begins nothing; with something else it is a -CONFLICT. NULL: none */
	const char *key;
	/* 1: beside the others, until it ends or the session does; else those that are not run one after the other */
	int background;
	int input; /* 1: it reads what is written to it (ambit_follow_write), until that is ended; else nothing */
	/* 1: a private one, from which it reads, with `rows` and `columns` (0: 24, 80); all output is stream 1 */
	int terminal;
	unsigned rows, columns;
	unsigned changes;        /* AMBIT_CHANGES_STAGE, DISCARD, STRICT, UNHASHED, beside the session's */
	const char *on_conflict; /* "fail" (NULL), "theirs", "ours" */
	int code;                /* enum ambit_code_event: what argv is; with code there is no terminal */
	const char *labels;      /* of what it is given, as in ambit_event_options */
};

struct ambit_run {
	size_t size;
	uint64_t n;     /* its number in the session, by which it is named from here on */
	char event[32]; /* its id: "e_" and 26 characters */
	int replayed;   /* 1: of the key that was there; nothing was begun */
};

/* Has a command run, and says in *ret (may be NULL) by what number. Asks: then it is written down, and nothing
 * but the death of the machine loses it; with a key not even that. Whether it can begin, and how it ends, is told
 * at its end. -USAGE, -MALFORMED: an option; -CONFLICT: the key; -GONE: the session has ended, too; -LIMIT: it
 * takes no more. */
int ambit_session_run(struct ambit_session *s, const struct ambit_run_options *o, struct ambit_run *ret,
		      struct ambit_error *e);

enum ambit_event_state {
	AMBIT_EVENT_TAKEN = 1, /* and not begun */
	AMBIT_EVENT_RUNS = 2,
	AMBIT_EVENT_OVER = 3,
	/* The daemon or its machine died, and with it what ran; it is not begun again. What it had changed is
	 * kept (`ambit stage list`) */
	AMBIT_EVENT_INTERRUPTED = 4,
};

/* What is filled is what `size` has room for. */
struct ambit_event_info {
	size_t size;
	uint64_t n;
	int state;      /* enum ambit_event_state */
	int background; /* 0 or 1, as the next four */
	int terminal;
	int stopped;     /* while it runs: its program was (by Ctrl-Z, say), and nobody had it go on */
	int denied;      /* something was */
	int kept;        /* 0: its output and record are not kept any more */
	int exit_status; /* when it is over: as ambit_event_exit_status gives it; 125: it was interrupted */
	/* when it is over: "exited", "limit", "killed", "lost", "refused", "canary"; else NULL. Lives for ever, as the next */
	const char *cause;
	const char *limit;     /* with the cause "limit": "wall" */
	const char *workspace; /* when it is over: "untouched", "committed", "kept", ... as in the record; NULL: none */
	uint64_t taken_ms, begun_ms, ended_ms; /* since 1970; 0: not yet */
	uint64_t out_bytes, err_bytes;         /* how much it wrote */
	char event[32];
	char command[256]; /* cut */
	/* enum ambit_code, and in words: why it was refused, interrupted or ended by a limit, or its changes were not committed; else 0
	 * and empty */
	int code;
	char message[512], hint[512];
	/* when it is over or was interrupted: as ambit_event_labels gives them, valid until the next call that fills one
	 * from the same handle; else NULL */
	const char *labels;
	int unusual; /* 0 or 1, when it is over: it was not like what is usual (doc/PROFILES.md), */
	int held;    /* and its changes wait for a person for that, or since nobody could tell */
};

/* The first event of that number or a higher one. 1: *ret is it, as it is now; 0: there is none yet. Asks for a
 * page at a time, as ambit_daemon_next_session: who goes from n to n + 1 asks seldom, and who asks for the same
 * number again is told anew. */
int ambit_session_next_event(struct ambit_session *s, uint64_t n, struct ambit_event_info *ret, struct ambit_error *e);

/* The record of an event that is over, as ambit_event_record. Asks. Valid until the next call of this, or until
 * the handle is freed. -NOT_FOUND: it is not over, was interrupted, or is not kept any more. */
int ambit_session_record(struct ambit_session *s, uint64_t n, const char **ret_json, size_t *ret_len,
			 struct ambit_error *e);

/* The same of the result of code that is over (doc/CODE.md), which is a hostile program's word. -NOT_FOUND: it has
 * none, too. */
int ambit_session_result(struct ambit_session *s, uint64_t n, const char **ret_json, size_t *ret_len,
			 struct ambit_error *e);

/* Sends a signal to its process group. Asks. -GONE: it does not run. */
int ambit_session_signal(struct ambit_session *s, uint64_t n, int signal_number, struct ambit_error *e);

/* Ends it at once, or has it not begin. Asks; that it has ended is told to who follows. What it changed is kept.
 * -GONE: it is over. */
int ambit_session_cancel(struct ambit_session *s, uint64_t n, struct ambit_error *e);

/* Gives its terminal that size. Asks. -GONE: it has none now. */
int ambit_session_resize(struct ambit_session *s, uint64_t n, unsigned rows, unsigned columns, struct ambit_error *e);

/* ---- following an event ---- */

/* What one event writes and reads, and its end. It belongs to a session's handle, which is used by the same
 * thread. */
struct ambit_follow;

/* Asks. The caller owns *ret, and frees it before or after the session's. input: 1: ambit_follow_write is to be
 * used. What it has written so far is there to be read; what comes then, and its end, is told to
 * ambit_session_step. -NOT_FOUND: there is no such event; -LIMIT: 64 of the session are followed that are not
 * over, those whose handles were freed included. */
int ambit_session_follow(struct ambit_session *s, uint64_t n, int input, struct ambit_follow **ret,
			 struct ambit_error *e);

/* Readable when ambit_session_step has something to do for any of the events that the session's handle follows:
 * as ambit_event_fd, one for each session. */
int ambit_session_fd(const struct ambit_session *s);

/* Takes in what there is to know, and never blocks. 1: something is new: more to be read of an event that is
 * followed, its end, or room for its input; 0: nothing. More is told of an event's output only when what is there
 * was read: until ambit_follow_read gives less than there was room for. After an error the descriptor is never
 * readable. */
int ambit_session_step(struct ambit_session *s, struct ambit_error *e);

/* What it wrote to stream 1 or 2, from the byte `offset` on: gives how many bytes, up to n, were put into buffer;
 * 0: there are no more now, and if it is over at all. Never waits, but for a disk. Any byte can be read again as
 * long as the handle is there. */
int ambit_follow_read(struct ambit_follow *f, int stream, uint64_t offset, void *buffer, size_t n,
		      struct ambit_error *e);

/* Of n bytes for it to read: gives how many were taken; 0: there is no room now, and the session's descriptor is
 * readable when there is. Never waits. -GONE: it reads no more, or its input was ended; -USAGE: it is not
 * followed with its input, or takes none. */
int ambit_follow_write(struct ambit_follow *f, const void *bytes, size_t n, struct ambit_error *e);

/* The end of its input, for everybody who writes there. Asks. -GONE: it takes none any more. */
int ambit_follow_end_input(struct ambit_follow *f, struct ambit_error *e);

/* 1: it is over or was interrupted, and all that it wrote can be read. */
int ambit_follow_is_over(const struct ambit_follow *f);

/* Steps until it is over: 1; 0: wait_ms went by (-1: as long as it takes, which the limit `wall` bounds, if the
 * daemon is not stopped). */
int ambit_follow_wait(struct ambit_follow *f, int wait_ms, struct ambit_error *e);

/* How it ended. -USAGE: it is not over. */
int ambit_follow_result(const struct ambit_follow *f, struct ambit_event_info *ret, struct ambit_error *e);

/* Follows it no more; it goes on. */
void ambit_follow_free(struct ambit_follow *f);

/* Ends what runs in it, and takes no more events. Asks. What became of them is kept for its time. */
int ambit_session_end(struct ambit_session *s, struct ambit_error *e);

/* Leaves the session, in which everything goes on. Of events that are still followed what is there can be read. */
void ambit_session_free(struct ambit_session *s);

/* ---- standing still ---- */

/* As `ambit freeze`, `thaw` and `kill`, for events with handles of their own, too, of whatever program of the person's.
 * `which` is a session's or an event's whole id, or NULL for everything of the person's. All three give how many events
 * that run were reached, sub-agents too.
 *
 * Each returns when it is true, and waits for that: for what does not come to a stop five seconds, for a supervisor that
 * does not answer ten, for a commit that began before ten. A helper does it, and does it to the end if the process dies.
 *
 * -USAGE: this is no id; -NOT_FOUND: there is no such session, and no such event runs; -LIMIT: not everything stands
 * still (what does, does; it is tried on), or the reason is too long; -GONE: an event does not answer, or the helper
 * was killed: then it may be half done, and is said again; -UNAVAILABLE: this is in a cell; -HOST: there is no place
 * to write it down; -UNTRUSTED, as ambit_event_start. */

/* Stops what runs of it where it is, and nothing of it begins or is committed (-FROZEN), also after a restart of the
 * machine, until it is thawed. What is frozen stays so. `reason`, of at most 200 bytes, is told whoever is refused
 * meanwhile; NULL: none. */
int ambit_freeze(const char *which, const char *reason, struct ambit_error *e);

/* It goes on. NULL thaws sessions and events, too, that were frozen by themselves. What was not frozen is no mistake.
 * -FROZEN: an event whose session, or everything, is. */
int ambit_thaw(const char *which, struct ambit_error *e);

/* Freezes it and ends it: nothing of it is left, and what waited in a session never begins. What was changed is kept. With
 * keep_frozen 1 it stays frozen; else it is as before. */
int ambit_kill(const char *which, const char *reason, int keep_frozen, struct ambit_error *e);

#ifdef __cplusplus
}
#endif

#endif
