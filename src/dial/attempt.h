/* attempt - one dial: several addresses, of which the first that answers is taken (RFC 8305, "happy eyeballs"); or a Unix socket.
 *
 * Owns:   struct attempt: the addresses, and the sockets that are being connected.
 * Holds:  families take turns, the one that the resolver put first begins; a next address is tried when the one before has failed, or after
 *         250 ms. After DIAL_PATIENCE_MS all of it has failed. Of a Unix socket the name is looked for in its directory, and followed
 *         nowhere: what is no socket is not connected to.
 * Called: dial.c. */
#ifndef DIAL_ATTEMPT_H
#define DIAL_ATTEMPT_H

#include <poll.h>
#include <stdbool.h>

#include "dial/resolve.h"

#define ATTEMPT_DELAY_MS 250
#define DIAL_PATIENCE_MS 30000
#define ATTEMPT_QUEUE_MS                                                                                               \
	20 /* a socket whose queue is full is asked again: the kernel does not tell when there is room (unix(7), EAGAIN) */

struct attempt {
	int dir_fd;       /* borrowed */
	const char *name; /* borrowed: of a Unix socket in it; NULL: addresses */
	uint16_t port;
	uint32_t n, next; /* addresses, and the first that was not tried */
	struct address address[RESOLVED_MAX];
	int fd[RESOLVED_MAX];     /* owned: being connected; -1 */
	uint32_t pending;         /* of them */
	int sys_errno;            /* of the last that failed */
	uint64_t next_ms, end_ms; /* when the next address is due; when it is given up */
};

void attempt_init(struct attempt *a, uint16_t port);
void attempt_finish(struct attempt *a);
/* What may be tried of what a name resolved to: public addresses. */
void attempt_add_public(struct attempt *a, const struct resolved *found);
void attempt_add(struct attempt *a, const struct address *address);
/* In place of addresses. */
void attempt_add_socket(struct attempt *a, int dir_fd, const char *name);
/* 1: *ret_fd is connected, the caller's; 0: not yet; -1: it failed, sys_errno says why. */
int attempt_step(struct attempt *a, uint64_t now_ms, int *ret_fd);
/* Appends what is waited for; gives how many. */
unsigned attempt_watch(const struct attempt *a, struct pollfd *p);
/* When attempt_step is due in any case. */
uint64_t attempt_due(const struct attempt *a);

#endif
