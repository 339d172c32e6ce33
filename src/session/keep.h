/* keep - a session that is in use.
 *
 * Owns:   its shelf, what it may do, its events that run or wait, and the connections of those who use it.
 * Holds:  events of the foreground run in the order of their numbers, one at a time; those of the background beside them. Who asks is answered in the order of the
 *         requests, and is asked for no more while an answer to him waits: a client that does not read holds its own connection up, and a few kilobytes.
 * Called: main.c; channel.c does what clients ask. */
#ifndef SESSION_KEEP_H
#define SESSION_KEEP_H

#include "session/channel.h"
#include "session/job.h"
#include "session/mould.h"
#include "session/ready.h"

#define KEEP_JOBS_MAX 256  /* that run or wait */
#define KEEP_BESIDE_MAX 32 /* of the background, that run */
#define KEEP_OVER_MAX 16   /* events that are over, whose supervisors end */
#define KEEP_CHANNELS_MAX 64
#define KEEP_CHANGES 256 /* that are kept for those who follow all */

struct keep {
	struct shelf shelf;
	struct session_row row;
	struct description about; /* its policy lies in `described` */
	struct buf described;
	struct ambit_policy *policy; /* owned */
	bool ends;                   /* nothing is begun any more */
	struct job jobs[KEEP_JOBS_MAX];
	unsigned
		jobs_made; /* so many places were ever in use: what lies beyond was never touched, and takes no memory */
	unsigned
		jobs_end; /* behind the last place in use: what lies beyond is free, and not looked at with each step */
	struct {
		struct ambit_event *ev; /* owned */
		uint64_t until_ms;      /* by clock_ms: then its supervisor is killed */
	} over[KEEP_OVER_MAX]; /* whose ends are written down and told: their supervisors have said their last word, and end */
	unsigned n_over;
	struct ready ready[KIND_COUNT];
	struct mould mould;                /* of Python */
	char frozen[GRANT_OBJECT_MAX];     /* where it is written that it, or everything, is (supervisor/frozen.h) */
	char program[SESSION_COMMAND_MAX]; /* of the last command of the foreground that ran */
	struct channel channels[KEEP_CHANNELS_MAX];
	unsigned channels_made, channels_end;      /* likewise */
	uint64_t changes[KEEP_CHANGES], n_changes; /* numbers of events whose state changed, ever */
	bool waits_frozen;                         /* somebody's turn it is, who may not begin */
	bool stream_lasts; /* it was ended, but not all of its events are settled: these have the labels of its stream */
	uint64_t came;     /* clients, ever */
	uint64_t taken, ended, failed, interrupted, denials; /* events, since this process began */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* description_fd: of a new session (borrowed), -1: it is there. */
int keep_begin(struct keep *k, int sessions_fd, const char *id, int description_fd, struct err *e);
void keep_finish(struct keep *k);
/* Whether it is the session that these bytes describe. -CONFLICT: it is not. */
int keep_check_same(const struct keep *k, int description_fd, struct err *e);

/* Takes sock. why: what to tell instead of being ready, NULL. */
void keep_client(struct keep *k, int sock, const struct err *why);

/* Does what there is to do; then tells those who wait. Between the two the daemon is told: who hears that an event is over, and asks it, hears the same. */
void keep_step(struct keep *k);
void keep_tell(struct keep *k);
#define KEEP_POLL_MAX (KEEP_JOBS_MAX * JOB_FDS + KEEP_OVER_MAX + 2 * KEEP_CHANNELS_MAX + KIND_COUNT + 1)
unsigned keep_wants(struct keep *k, struct pollfd *ret);
int keep_patience(const struct keep *k, int timeout); /* for poll(2), as line_patience */
uint32_t keep_running(const struct keep *k);
bool keep_is_at_rest(const struct keep *k);
/* Ends what runs: it was interrupted. */
void keep_interrupt(struct keep *k);

/* ---- for channel.c ---- */

struct job *keep_job(struct keep *k, uint64_t n); /* NULL: it is over, or was never there */
/* The first that runs or waits; else the number that the next gets. */
uint64_t keep_oldest_job(const struct keep *k);
/* Writes an event down. *ret_replayed: it was there, with this key. */
int keep_take(struct keep *k, const void *bytes, size_t n, struct session_taken *ret, struct err *e);
/* As it is now. false: there is none. */
bool keep_row(const struct keep *k, uint64_t n, struct event_row *ret);
int keep_cancel(struct keep *k, uint64_t n, struct err *e);
/* Cancels all, and takes no more. */
int keep_close(struct keep *k, struct err *e);

#endif
