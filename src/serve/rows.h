/* rows - which sessions there are, from their directory.
 *
 * Owns:   `key-...` in it: a link for each idempotency key, which names the session that was made with it. Each question looks at the directory.
 * Called: serve. */
#ifndef SERVE_ROWS_H
#define SERVE_ROWS_H

#include "session/link.h"

/* The first `most` ids behind `after`, in their order. Gives how many. */
unsigned rows_after(int sessions_fd, const char *after, char (*ret)[ID_TEXT_MAX], unsigned most);
/* What cannot be read is SESSION_BROKEN. */
void rows_read(int sessions_fd, const char *id, struct session_row *ret);
uint64_t rows_now_ms(void);

/* The session for which that key (link_key) was noted, whether it is there or not. */
bool rows_keyed(int sessions_fd, uint64_t key, char ret[ID_TEXT_MAX]);
/* It is that one's from now on. -SYSTEM. */
int rows_key(int sessions_fd, uint64_t key, const char *session, struct err *e);

#endif
