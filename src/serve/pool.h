/* pool - the process that keeps cells for events outside of sessions.
 *
 * Owns:   struct pool: the connection to the role ambit-pool, while there is one.
 * Holds:  it is started when somebody comes, and listens itself from then on; the daemon hears nothing of what is asked there. One that goes at once is not started again at once.
 * Called: serve. */
#ifndef SERVE_POOL_H
#define SERVE_POOL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct pool {
	int sock, pidfd;   /* owned, -1 */
	uint64_t again_ms; /* before which none is started */
};

void pool_init(struct pool *p);
/* Ends it, and what waits there; what it gave away goes on. */
void pool_finish(struct pool *p);
bool pool_is_there(const struct pool *p);

/* For the one that comes first, or for its end. listen_fd: -1: there is none. */
struct pollfd pool_wants(const struct pool *p, int listen_fd);
int pool_patience(const struct pool *p, int timeout); /* for poll(2), as line_patience */
void pool_step(struct pool *p, int listen_fd, char **environment);

#endif
