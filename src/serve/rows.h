/* rows - which sessions there are, from their directory.
 *
 * Owns:   `key-...` in it: a link for each idempotency key, which names the session that was made with it.
 * Called: serve. */
#ifndef SERVE_ROWS_H
#define SERVE_ROWS_H

#include <time.h>

#include "session/link.h"

/* What is in it, in order, as of the last look: it is read again when it has changed. Zero at first. */
struct rows {
	char (*ids)[ID_TEXT_MAX]; /* owned */
	size_t n, room;
	struct timespec changed;
	bool is_settled; /* it had not changed for so long that another change shows */
};

void rows_finish(struct rows *r);
/* The first `most` ids behind `after`, in their order. Gives how many. */
unsigned rows_after(struct rows *r, int sessions_fd, const char *after, char (*ret)[ID_TEXT_MAX], unsigned most);
/* What cannot be read is SESSION_BROKEN. */
void rows_read(int sessions_fd, const char *id, struct session_row *ret);
uint64_t rows_now_ms(void);

/* The session for which that key (link_key) was noted, whether it is there or not. */
bool rows_keyed(int sessions_fd, uint64_t key, char ret[ID_TEXT_MAX]);
/* It is that one's from now on. -SYSTEM. */
int rows_key(int sessions_fd, uint64_t key, const char *session, struct err *e);

#endif
