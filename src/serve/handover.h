/* handover - the daemon becomes the program that is installed now, and nobody notices.
 *
 * Owns:   what a daemon knows, as bytes: its place with the locks, the processes of sessions, its clients with what they are owed, and by descriptor everything that
 *         they stand for. The process stays the same one, with its number, locks and children; so a service manager has nothing to be told.
 * Holds:  what cannot be taken over is not begun: the new program is asked first whether it reads this (HANDOVER_REVISION), and where it cannot be started
 *         the old one goes on. The bytes lie in a sealed memory file that this process alone has.
 * Called: main.c. */
#ifndef SERVE_HANDOVER_H
#define SERVE_HANDOVER_H

#include "serve/clients.h"
#include "serve/place.h"

#define HANDOVER_REVISION 1u

struct handover {
	struct place *place;
	struct roles *roles;
	struct clients *clients;
	uint64_t idle_max_ms;
};

/* Does not come back if it succeeds: the new program is called with --handed FD. */
int handover_give(struct handover *h, struct err *e);
/* place is initialised; the others are as roles_init and clients_init left them, but for the directory of sessions, which is the place's. */
int handover_take(struct handover *h, int fd, struct err *e);

#endif
