/* The whole of ambit-many between a client, two gates and the command line, who all say whatever they like. The input is a list of u8 who, u16 length, bytes: 'c' what the client says, '0' and '1' what the gates do, 'g' and 'd' the
 * command line's words FRESH_GIVEN (of the number that the first byte is) and FRESH_DONE, 'x' the end of the gate that the first byte is, 't' time that goes by. The first byte of all says which way it is (odd: a server for each call).
 * Whatever comes, it ends, and what it tells the command line is what that takes. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "many/many.h"

#define TURNS 4

struct world {
	struct many *m; /* NULL: it is over */
	int client, servers[2], given, owner;
};

static void promise(bool is)
{
	if (!is)
		abort();
}

static void pair_up(int type, int fds[2])
{
	promise(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
}

/* What it says nobody keeps. */
static void drain(int fd)
{
	uint8_t room[65536];

	while (fd >= 0 && read(fd, room, sizeof room) > 0)
		;
}

static void hear_owner(struct world *w)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	struct many_like like;
	struct many_call call;

	for (;;) {
		auto_message m = { .n_fds = 0 };
		const int r = w->owner < 0 ? 0 : wire_receive(w->owner, WIRE_MANY, WIRE_RUNNING, room, sizeof room, &m);

		if (r <= 0)
			return;
		if (m.number == WIRE_MANY_ALIKE)
			promise(many_like_take(&m.body, &like));
		else
			promise(many_call_take(&m.body, &call));
	}
}

static void turn(struct world *w)
{
	for (unsigned i = 0; i < TURNS && w->m != NULL; i++) {
		if (!many_turn(w->m, 0)) {
			many_free(w->m);
			w->m = NULL;
		}
		drain(w->client);
		drain(w->servers[0]);
		drain(w->servers[1]);
		drain(w->given);
		hear_owner(w);
	}
}

static void begin(struct world *w, bool fresh)
{
	const struct many_begin b = { .begin_ms = 1, .list_ms = 1, .fresh = fresh };
	const struct many_like like = { .server = 1, .other = 0, .tool = "read_fi1e", .other_tool = "read_file" };
	int client[2], owner[2], server[2];

	pair_up(SOCK_SEQPACKET, owner);
	pair_up(SOCK_STREAM, client);
	*w = (struct world){ .client = client[0], .owner = owner[0], .given = -1, .servers = { -1, -1 } };
	w->m = many_new(owner[1]);
	promise(w->m != NULL && many_liked(w->m, &like));
	for (unsigned i = 0; i < (fresh ? 1 : 2); i++) {
		pair_up(SOCK_STREAM, server);
		w->servers[i] = server[0];
		promise(many_add(w->m, i == 0 ? "fs" : "mail", server[1], fcntl(server[1], F_DUPFD_CLOEXEC, 3)));
	}
	many_begin(w->m, &b, client[1], fcntl(client[1], F_DUPFD_CLOEXEC, 3));
}

static void give(struct world *w, const uint8_t *bytes, size_t n)
{
	const struct many_call call = { .number = n > 0 ? bytes[0] : 1 };
	uint8_t room[16];
	struct buf body;
	int server[2];

	fd_close(&w->given);
	pair_up(SOCK_STREAM, server);
	w->given = server[0];
	buf_init_in(&body, room, sizeof room);
	many_call_put(&body, &call);
	(void)wire_send(w->owner, WIRE_FRESH_GIVEN, &body, (int[]){ server[1], server[1] }, 2);
	fd_close(&server[1]);
	if (n > 1)
		(void)send(w->given, bytes + 1, n - 1, MSG_NOSIGNAL);
}

static void done(const struct world *w, const uint8_t *bytes, size_t n)
{
	struct many_done d = { .number = n > 0 ? bytes[0] : 1 };
	uint8_t room[4096];
	struct buf body;

	if (n > 1 && bytes[1] == 'n')
		(void)err_set(&d.why, AMBIT_GONE, NULL, "no");
	buf_init_in(&body, room, sizeof room);
	many_done_put(&body, &d);
	(void)wire_send(w->owner, WIRE_FRESH_DONE, &body, NULL, 0);
}

static void act(struct world *w, uint8_t who, const uint8_t *bytes, size_t n)
{
	const int at = who == '0' ? w->servers[0] : who == '1' ? w->servers[1] : w->client;

	if (who == 'g')
		give(w, bytes, n);
	else if (who == 'd')
		done(w, bytes, n);
	else if (who == 'x')
		fd_close(&w->servers[n > 0 && bytes[0] == '1']);
	else if (who == 't')
		(void)usleep(1000);
	else if (at >= 0 && n > 0)
		(void)send(at, bytes, n, MSG_NOSIGNAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	(void)signal(SIGPIPE, SIG_IGN);
	if (size == 0)
		return 0;
	begin(&w, (data[0] & 1) != 0);
	for (size_t at = 1, n; w.m != NULL && at + 3 <= size; at += 3 + n) {
		n = (size_t)data[at + 1] | (size_t)data[at + 2] << 8;
		n = n < size - at - 3 ? n : size - at - 3;
		act(&w, data[at], data + at + 3, n);
		turn(&w);
	}
	fd_close(&w.client);
	fd_close(&w.servers[0]);
	fd_close(&w.servers[1]);
	fd_close(&w.given);
	turn(&w);
	fd_close(&w.owner);
	turn(&w);
	promise(w.m == NULL);
	return 0;
}
