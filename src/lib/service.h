/* service - reaching a role that serves whoever comes, and that is started when nobody is there.
 *
 * Owns:   struct service, which says what a role of this kind is; its directory, the socket in that, and the cell in which its process runs.
 * Holds:  whoever is answered here is of the caller's own user (SO_PEERCRED), and has the role's lock. Two who start it at once
 *         start one. The process outlives who started it and ends when nobody needs it; one that ends
 *         just now is not mistaken for one that is there. Nobody is waited for without end: neither one that was stopped, nor who starts it.
 *         Unless it is to run on the host, its cell has no network, its own directory to write, and beside that at most two to read.
 * Called: lib/ledger.c, lib/authority.c, lib/usual.c, lib/ebpf.c. */
#ifndef LIB_SERVICE_H
#define LIB_SERVICE_H

#include "wire/wire.h"

#define SERVICE_PATIENCE_MS 15000 /* for its first word: it may have a long journal to read */

struct service {
	const char *name;     /* "ledger": as messages have it */
	const char *role;     /* the executable; it gets the directory and the boot's id */
	const char *socket;   /* Unix SOCK_SEQPACKET, in the directory; the role has it as standard input */
	const char *starting; /* flock: held by who starts it */
	const char *reads;    /* what its cell may read beside its directory, where that is there; NULL: nothing */
	const char *
		also; /* likewise, a directory that is there; the role is told of it behind the boot's id; NULL: nothing */
	bool on_host; /* it runs in no cell, gets nothing but the socket, as descriptor 3, and its directory has nothing else */
	int (*brings)(
		int *ret_fd,
		struct err
			*e); /* what is new where it starts, which it has as descriptor 1, to be read; NULL: nothing */
	bool takes_descriptors;  /* else nobody passes it one, whose last end could hold it up */
	uint64_t memory_bytes;   /* for its cell */
	enum wire_side side;     /* who speaks, */
	enum wire_number failed; /* and what it says when it cannot */
	/* The first word, into what the caller of service_join gave. 1; 0: it went, as one does that was about to end; -code. */
	int (*hear)(int sock, void *ret, struct err *e);
	const char *hint_another;   /* the directory is another user's; the others: */
	const char *hint_private;   /* others can look into it */
	const char *hint_elsewhere; /* it cannot be had */
	const char *hint_overlay;   /* it is on an overlay, which a cell cannot have as another owner's */
};

/* The directory, which is made where it is missing, and its path through no link: as grants have theirs. */
int service_open(const struct service *s, const char *dir, int *ret_dir_fd, char *ret_path, size_t size, struct err *e);
/* Calls its process, if there is one: else *ret_fd is -1. */
int service_call(const struct service *s, int dir_fd, int *ret_fd, struct err *e);
/* A connection whose first word was heard; *ret_fd: what was called, or -1. */
int service_join(const struct service *s, int dir_fd, const char *path, int *ret_fd, void *ret, struct err *e);
/* Its next word. 1; 0: it has gone; what it says when it cannot; -PROTOCOL; -GONE: it says nothing. */
int service_receive(const struct service *s, int sock, enum wire_state state, void *room, size_t size,
		    struct wire_message *ret, struct err *e);
int service_silent(const struct service *s, struct err *e);

#endif
