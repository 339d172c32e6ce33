/* session - one connection of a program to a host, from the first byte to the last.
 *
 * Owns:   struct session: both streams, and how far it is.
 * Holds:  the host is met before the program is: what both speak (TLS or not, the version of HTTP) is what the host takes of what the program offers, so nothing is
 *         translated. A host that does not prove that it is the one of the grant gets not a byte of a request. Where there is a secret, it is never sent but under TLS.
 * Called: http/serve.c. */
#ifndef HTTP_SESSION_H
#define HTTP_SESSION_H

#include "http/authority.h"
#include "http/one.h"
#include "http/resume.h"
#include "http/roots.h"
#include "http/two.h"

enum session_state {
	SESSION_FREE,
	SESSION_FIRST,  /* the program's first byte is waited for */
	SESSION_HELLO,  /* its hello */
	SESSION_HOST,   /* hands are shaken with the host, */
	SESSION_CLIENT, /* and then with the program, */
	SESSION_BOTH,   /* or with both at once: what the host will choose is known from the last time */
	SESSION_OPEN,
};

/* What all sessions of a role share. */
struct session_role {
	struct judge judge;
	struct mask_set *masks; /* owned; NULL: no secret */
	struct authority *authority;
	SSL_CTX *client_context, *host_context; /* owned */
	struct roots roots;
	struct resume resume;
	struct verdict verdict;
	void (*count)(void *arg, const struct http_host *host, const struct http_asked *asked,
		      unsigned status); /* see http/one.h */
	void *arg;
};

struct session {
	uint8_t state;               /* enum session_state */
	bool offers_two, speaks_two; /* HTTP/2 */
	uint64_t due_ms;             /* when it has to be further than it is; UINT64_MAX: no matter */
	uint64_t wakes_ms;           /* when it has something to do though nothing came; UINT64_MAX: never */
	uint64_t due_for;            /* what of HTTP/2 that is: see two_unfinished */
	struct http_host host;
	struct stream client, server;
	struct one one;
	struct two *two;           /* owned; NULL: it speaks HTTP/1 */
	char broken[ERR_MSG_MAX];  /* why there is no host; "": there is one */
	struct session_role *role; /* borrowed */
};

#define SESSION_SHAKE_MS 30000
#define SESSION_HEAD_MS 60000 /* a head that does not end by then is refused */

/* Both descriptors are taken. */
void session_open(struct session *s, struct session_role *role, const struct http_host *host, int client_fd,
		  int host_fd);
void session_close(struct session *s);
/* Bytes of memory that wait in it: not those of TLS, which are few. */
size_t session_held(const struct session *s);
/* Whether it may still cover by this one. */
bool session_covers_by(const struct session *s, const struct mask_set *masks);
/* What was sent and has no answer is counted now, as that. */
void session_tell(struct session *s);
/* Goes on as far as it can, for one turn. True: it could go on further. When it is over its state is FREE, and it is closed. */
bool session_run(struct session *s, uint64_t now_ms);

/* The contexts of a role; authorities: PEM. False: a library without memory, or no authority in there. */
bool session_prepare(struct session_role *role, const void *authorities, size_t n);

#endif
