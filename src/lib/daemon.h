/* daemon - the client's side of `ambit serve`.
 *
 * Owns:   connections to the daemon and to sessions, and what is said on them, request by request.
 * Holds:  an answer is waited for as long as wait_ms says, whatever else comes meanwhile; after that, and after what may not be said, the connection is broken: it is
 *         not known what the next message would answer. Whoever listens is believed only if the kernel says that it is of our own user. A daemon that is not there is started, if the caller wants that: nobody's
 *         child, with this process's environment as far as it says where things are kept.
 * Called: the command line, session_handle.c; serve takes the names of the sockets from daemon_place.h. */
#ifndef LIB_DAEMON_H
#define LIB_DAEMON_H

#include "base/err.h"
#include "lib/daemon_place.h"
#include "session/link.h"
#include "wire/wire.h"

#define DAEMON_PATIENCE_MS 30000

struct daemon_link {
	int sock;         /* owned, -1 */
	int wait_ms;      /* for each answer */
	bool broken;      /* of no use any more */
	uint32_t request; /* the last */
	struct serve_hello hello;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* start: it is started if it is not there. -NOT_FOUND: it is not; -PROTOCOL: it is of another Ambit; -CONFLICT: it keeps other sessions than
 * this environment's; -LIMIT: it has as many clients as it may. */
int daemon_connect(struct daemon_link *d, bool start, struct err *e);
/* The same with another patience than DAEMON_PATIENCE_MS, for this, and for each answer from here on. */
int daemon_connect_within(struct daemon_link *d, bool start, int wait_ms, struct err *e);
void daemon_leave(struct daemon_link *d);

/* The next page of sessions behind `after`; gives how many rows (of room for SERVE_PAGE) there are. */
int daemon_list(struct daemon_link *d, const char *after, struct session_row *ret, struct err *e);
/* Has it become the program that is installed now. *ret: how many times it was one. Waits. */
int daemon_reload(struct daemon_link *d, uint64_t *ret, struct err *e);
int daemon_status(struct daemon_link *d, struct serve_status *ret, struct err *e);

/* ---- a channel to a session ---- */

struct daemon_news;

struct daemon_channel {
	int sock;    /* owned, -1 */
	int wait_ms; /* as the link's that it came from */
	bool broken;
	bool lists; /* daemon_events was asked: rows may come at any time */
	uint32_t request;
	/* Gets what is told beside an answer that is waited for: GREW, CHANGED, OVER. NULL: that is passed over. */
	void (*on_news)(void *to, const struct daemon_news *news);
	void *news_to;
	struct session_ready ready;
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

/* on_news and news_to of *ret are the caller's, and set before. */
int daemon_new(struct daemon_link *d, const struct description *about, struct daemon_channel *ret, struct err *e);
int daemon_open(struct daemon_link *d, const char *session, struct daemon_channel *ret, struct err *e);
void daemon_part(struct daemon_channel *c);

int daemon_run(struct daemon_channel *c, const struct run *run, struct session_taken *ret, struct err *e);
/* A step of a kernel: *ret is its number. That it is over is among the news. */
int daemon_step(struct daemon_channel *c, uint64_t n, const char *source, uint32_t flags, uint64_t *ret, struct err *e);
/* ret_fds: output, error, and with input what its input is written to, else -1; owned. */
int daemon_follow(struct daemon_channel *c, uint64_t n, bool input, int ret_fds[3], struct err *e);
/* Owned. */
int daemon_record(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e);
int daemon_result(struct daemon_channel *c, uint64_t n, int *ret_fd, struct err *e);
/* SESSION_SIGNAL, CANCEL, RESIZE, INPUT_END, SEEN: said, and not waited for: what is answered is among the news. 0 or -GONE. */
int daemon_say(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b);
/* The same, and never waits for room: -EAGAIN. */
int daemon_say_now(struct daemon_channel *c, enum wire_number what, uint64_t n);
/* Of the same, and waits for the answer. */
int daemon_tell(struct daemon_channel *c, enum wire_number what, uint64_t n, uint32_t a, uint32_t b, struct err *e);
int daemon_end(struct daemon_channel *c, struct err *e);
/* The session ends when this connection is gone, also by the death of this process. */
int daemon_tie(struct daemon_channel *c, struct err *e);

/* What is told beside answers, or an answer that nobody waited for: one of them. -GONE: the session's process ended. */
struct daemon_news {
	enum wire_number what; /* SESSION_GREW, ROW, CHANGED, OVER; an answer: DONE (of a list, at its end), FAILED */
	struct session_grew grew;
	struct event_row row;
	struct step_row step;    /* of STEPPED */
	struct link_number done; /* of FAILED the request alone, and why: */
	struct err failed;
};
enum daemon_which { DAEMON_ALL, DAEMON_AND_TO_COME, DAEMON_LIVE /* that run or wait */ };
int daemon_events(struct daemon_channel *c, uint64_t from, enum daemon_which which, struct err *e);
/* Events from that number on, as they are now; gives how many (of room for SERVE_PAGE) there are. */
int daemon_page(struct daemon_channel *c, uint64_t from, struct event_row *ret, struct err *e);
/* Waits; 1: there is one, 0: wait_ms went by (-1: for ever). */
int daemon_hear(struct daemon_channel *c, int wait_ms, struct daemon_news *ret, struct err *e);

#endif
