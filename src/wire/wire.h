/* wire - messages between Ambit's own processes.
 *
 * Owns:   the table of messages (messages.def) and their passage over Unix SOCK_SEQPACKET sockets.
 * Holds:  a message reaches its handler only if it is in the table, comes from the side that may send it, in a state in
 *         which it is allowed, with an allowed size and number of descriptors. Anything else is refused, and whoever gets
 *         a refusal ends the connection.
 * Called: library, supervisor, warden, stage, ledger. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"

#define WIRE_BODY_MAX 65000
#define WIRE_HEAD 4 /* u16 number, u16 zero */

/* How often the supervisor tells a warden that it is alive, and after how long a silence the warden ends the cell: a
 * supervisor that somebody stopped bounds nothing any more. */
#define WIRE_PING_MS 1000
#define WIRE_PATIENCE_MS 10000

enum wire_side {
	WIRE_LIBRARY,
	WIRE_SUPERVISOR,
	WIRE_WARDEN,
	WIRE_STAGE,
	WIRE_APPENDER,
	WIRE_LEDGER,
	WIRE_RELAY,
	WIRE_DIALER,
	WIRE_OWNER,
	WIRE_SIGNER,
	WIRE_SSH,
	WIRE_HTTP,
	WIRE_SECRET,
	WIRE_CLIENT,
	WIRE_DAEMON,
	WIRE_SESSION,
	WIRE_TEMPLATE,
	WIRE_POOL,
	WIRE_KEEPER,
	WIRE_APPROVER,
	WIRE_FREEZER,
	WIRE_MCP,
	WIRE_GUARD,
	WIRE_MANY,
	WIRE_WEB,
	WIRE_WATCHER
};
enum wire_state { WIRE_NEW = 1, WIRE_BUILDING = 2, WIRE_RUNNING = 4 };

enum wire_number {
#define MSG(name, number, from, size, fds, states) WIRE_##name = number,
#include "wire/messages.def"
#undef MSG
};

struct wire_message {
	enum wire_number number;
	struct rbuf body;     /* points into the room given to wire_receive */
	int fds[FD_PASS_MAX]; /* owned by the caller; -1 once taken */
	size_t n_fds;
};

/* Closes the descriptors that were not taken. */
void wire_message_finish(struct wire_message *m);
#define auto_message __attribute__((cleanup(wire_message_finish))) struct wire_message

/* body may be NULL for "nothing". 0 or -errno. */
int wire_send(int sock, enum wire_number number, const struct buf *body, const int *fds, size_t n_fds);
/* The same without descriptors, by writev(2): for who has no sendmsg(2). SIGPIPE is the caller's to ignore. */
int wire_write(int sock, enum wire_number number, const struct buf *body);
/* Gives each of the two, by a message without a body, one end of a connection between them. 0 or -errno. */
int wire_introduce(int one, enum wire_number to_one, int other, enum wire_number to_other);

/* 1: a message; 0: the other side is gone; -EAGAIN: nothing there (non-blocking sockets); -EPROTO: not allowed here. */
int wire_receive(int sock, enum wire_side from, enum wire_state state, void *room, size_t room_size,
		 struct wire_message *ret);

/* An error as part of a body. Taking one gives its negative code, of one that is not well-formed -PROTOCOL. */
void wire_put_error(struct buf *out, const struct err *e);
int wire_take_error(struct rbuf *in, struct err *ret);
/* An error as the whole of a message. 0 or -errno. */
int wire_tell_error(int sock, enum wire_number number, const struct err *e);
/* Of a role that cannot do its work: tells so to all who wait to be let in; who comes later starts another process, for which it may be over. listen_fd does not block. */
void wire_refuse_all(int listen_fd, enum wire_number number, const struct err *why);

/* Until something came, or the other side went. */
void wire_await(int sock);

const char *wire_name(enum wire_number number);

#endif
