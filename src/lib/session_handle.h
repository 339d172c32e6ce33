/* session_handle - struct ambit_daemon, ambit_session and ambit_follow of the public header.
 *
 * Owns:   a connection each, an epoll descriptor, and what is known by now of the events that are followed.
 * Holds:  a connection that broke is not asked again: `why` is what each later call says. What is told while an answer is waited for is taken in like the rest, and
 *         makes the descriptor readable, since nothing else would. A fork's copy (another process than `owner`) closes its descriptors and touches nothing that both
 *         have: no shutdown(2), no epoll_ctl(2).
 * Called: session_handle.c, session_follow.c. */
#ifndef LIB_SESSION_HANDLE_H
#define LIB_SESSION_HANDLE_H

#include <sys/types.h>

#include "ambit/ambit.h"
#include "lib/daemon.h"

struct ambit_daemon {
	struct daemon_link link;
	pid_t owner;
	struct err why;           /* AMBIT_OK: it is of use */
	struct session_row *page; /* owned: SERVE_PAGE of them, once it was asked for a list */
	int n_page;
};

struct ambit_session {
	struct daemon_channel channel;
	pid_t owner;
	struct err why;
	int epoll_fd;    /* owned */
	int wake_fd;     /* owned: always readable; in epoll when something is new already */
	bool watched;    /* the connection is in epoll, */
	bool wants_room; /* also for when it has room */
	bool woken;
	bool steps;                   /* what is told is told by step itself */
	struct ambit_follow *follows; /* not owned, linked by `next` */
	struct event_row *page;       /* owned, as above */
	int n_page, at_page;          /* the one that was given last */
	struct buf record;
};

struct ambit_follow {
	struct ambit_session *session; /* NULL: it was freed */
	struct ambit_follow *next;
	pid_t owner;
	uint64_t n;
	int file_fd[2]; /* owned: output, error */
	int input_fd;   /* owned; -1: none, or ended */
	bool with_input;
	bool watched;     /* its input is in epoll: there was no room */
	bool grew;        /* and nobody has said yet that it was seen */
	bool unsaid;      /* it was, but there was no room to say it */
	uint64_t told[2]; /* how long both were then */
	bool over;
	struct event_row row; /* over only */
};

/* What the last call on the connection says, which gave r: breaks the handle if that broke. Gives r, and fills *ret. */
int session_told(struct ambit_session *s, int r, const struct err *e, struct ambit_error *ret);
/* -GONE or -PROTOCOL if it broke before, as then; else 0. */
int session_check(const struct ambit_session *s, struct ambit_error *ret);
/* Makes the session's descriptor readable. */
void session_wake(struct ambit_session *s);
void session_watch_room(struct ambit_session *s, bool on);
/* As the public header has it; -USAGE if ret has no size. */
int session_event_info(const struct event_row *row, struct ambit_event_info *ret, struct ambit_error *e);

/* ---- session_follow.c ---- */

/* What is told of the events that are followed. */
void follow_take(struct ambit_session *s, const struct daemon_news *news);
/* Inputs that have room now, and what could not be said: whether something is new. */
bool follow_step(struct ambit_session *s);

#endif
