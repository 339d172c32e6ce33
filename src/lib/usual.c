#include "lib/usual.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/seeds.h"
#include "lib/service.h"
#include "lib/state.h"
#include "lib/throttle.h"
#include "supervisor/frozen.h"
#include "usual/layout.h"

#define DEEDS_BYTES_MAX (4u << 20)

struct usual_keeper {
	int sock; /* owned */
	uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
};

static int hear_hello(int sock, void *told, struct err *e);

static const struct service service = {
	.name = "profiles",
	.role = "ambit-usual",
	.socket = USUAL_SOCKET,
	.starting = USUAL_STARTING,
	.brings = seeds_gather,
	.takes_descriptors = true, /* what an event did */
	.memory_bytes = UINT64_C(1024) << 20,
	.side = WIRE_KEEPER,
	.failed = WIRE_USUAL_FAILED,
	.hear = hear_hello,
	.hint_another = "set XDG_STATE_HOME to a directory of your own",
	.hint_private = "chmod 700 it, or set XDG_STATE_HOME to a directory of your own",
	.hint_elsewhere = "set XDG_STATE_HOME to a directory of your own",
	.hint_overlay = "set XDG_STATE_HOME to a directory on ext4, xfs, btrfs or tmpfs (in a container, a volume)",
};

static int hear_hello(int sock, void *told, struct err *e)
{
	uint8_t room[WIRE_HEAD + 2048];
	auto_message m = { .n_fds = 0 };

	(void)told;
	return service_receive(&service, sock, WIRE_NEW, room, sizeof room, &m, e);
}

int usual_open(const char *place, struct usual_keeper **ret, struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];
	auto_fd int dir_fd = -1;
	auto_free struct usual_keeper *k = calloc(1, sizeof *k);
	int r;

	if (k == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profiles");
	k->sock = -1;
	if (place == NULL ? state_path(USUAL_DIRECTORY, dir, sizeof dir) < 0
			  : (size_t)snprintf(dir, sizeof dir, "%s/" USUAL_DIRECTORY, place) >= sizeof dir)
		return err_set(e, AMBIT_HOST, "set XDG_STATE_HOME", "there is no place for profiles");
	r = service_open(&service, dir, &dir_fd, path, sizeof path, e);
	r = r < 0 ? r : service_join(&service, dir_fd, path, &k->sock, NULL, e);
	if (r < 0) {
		fd_close(&k->sock);
		return r;
	}
	*ret = steal_ptr(&k);
	return 0;
}

bool usual_place(const char *store, char *ret, size_t size)
{
	const char *last = strrchr(store, '/');

	return store[0] == '/' &&
	       (size_t)snprintf(ret, size, "%.*s/" USUAL_DIRECTORY, (int)(last - store), store) < size;
}

void usual_close(struct usual_keeper *k)
{
	if (k != NULL)
		fd_close(&k->sock);
	free(k);
}

static int not_allowed(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, NULL, "the profiles' keeper said what it may not");
}

static int hear(struct usual_keeper *k, struct wire_message *m, struct err *e)
{
	const int n = service_receive(&service, k->sock, WIRE_RUNNING, k->room, sizeof k->room, m, e);

	if (n == 0)
		return service_silent(&service, e);
	if (n < 0)
		return n;
	return m->number == WIRE_USUAL_REFUSED ? wire_take_error(&m->body, e) : 0;
}

/* One message, and the answer of that number. */
static int ask(struct usual_keeper *k, enum wire_number number, const struct buf *body, int fd, enum wire_number wanted,
	       struct wire_message *m, struct err *e)
{
	int r = wire_send(k->sock, number, body, &fd, fd >= 0 ? 1 : 0);

	if (r < 0)
		return err_sys(e, AMBIT_GONE, -r, NULL, "the profiles' keeper does not listen");
	r = hear(k, m, e);
	return r < 0 ? r : m->number == wanted ? 0 : not_allowed(e);
}

/* In a file of memory, from its beginning. */
int usual_score_past(struct usual_keeper *k, const struct usual_ask *q, const struct buf *deeds,
		     struct usual_found *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = 64 };
	auto_fd int fd = memfd_create("ambit-deeds", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = 0;

	if (fd < 0 || deeds->failed || fd_write_all(fd, deeds->data, deeds->len) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what the event did");
	usual_ask_put(&body, q);
	r = ask(k, WIRE_USUAL_SCORE, &body, fd, WIRE_USUAL_FOUND, &m, e);
	return r < 0 ? r : usual_found_take(&m.body, ret) ? 0 : not_allowed(e);
}

int usual_score_event(struct usual_keeper *k, const struct usual_ask *q, const struct deeds *d, struct usual_found *ret,
		      struct err *e)
{
	auto_buf bytes = { .max = DEEDS_BYTES_MAX };

	deeds_encode(d, &bytes);
	return usual_score_past(k, q, &bytes, ret, e);
}

int usual_settle_event(struct usual_keeper *k, const struct usual_settle *s, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = 64 };

	usual_settle_put(&body, s);
	return ask(k, WIRE_USUAL_SETTLE, &body, -1, WIRE_USUAL_DONE, &m, e);
}

void usual_said(const char *store, const char *event, bool released)
{
	struct usual_settle s = { .released = released };
	char path[PATH_MAX], dir[PATH_MAX], frozen[GRANT_OBJECT_MAX];
	struct usual_keeper *k = NULL;
	struct err e;

	if (!text_copy(s.event, sizeof s.event, event) || !usual_place(store, dir, sizeof dir) ||
	    (size_t)snprintf(path, sizeof path, "%s/" USUAL_HELD "%s", dir, event) >= sizeof path ||
	    access(path, F_OK) < 0)
		return;
	*strrchr(dir, '/') = 0; /* usual_place has one */
	if (usual_open(dir, &k, &e) == 0 && k != NULL)
		(void)usual_settle_event(k, &s, &e); /* `ambit profile release` says it again */
	if (released && frozen_place(store, frozen))
		(void)throttle_lift(frozen, NULL, event, &e); /* likewise, and an hour ends it */
	usual_close(k);
}

int usual_begin_calls(struct usual_keeper *k, const struct usual_calls *who, struct usual_begun *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = 256 };
	int r;

	usual_calls_put(&body, who);
	r = ask(k, WIRE_USUAL_CALLS, &body, -1, WIRE_USUAL_BEGUN, &m, e);
	return r < 0 ? r : usual_begun_take(&m.body, ret) ? 0 : not_allowed(e);
}

int usual_score_call(struct usual_keeper *k, const struct usual_call *q, struct usual_verdict *ret, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = USUAL_ITEMS_MAX + 8 };
	int r;

	usual_call_put(&body, q);
	r = ask(k, WIRE_USUAL_CALL, &body, -1, WIRE_USUAL_VERDICT, &m, e);
	return r < 0 ? r : usual_verdict_take(&m.body, ret) ? 0 : not_allowed(e);
}

int usual_said_call(struct usual_keeper *k, const struct usual_called *q, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = 64 };

	usual_called_put(&body, q);
	return ask(k, WIRE_USUAL_CALLED, &body, -1, WIRE_USUAL_DONE, &m, e);
}

int usual_list(struct usual_keeper *k, int (*each)(void *of, const struct usual_row *row), void *of, struct err *e)
{
	char after[NAME_MAX + 1] = "";
	uint32_t n;

	do {
		auto_message m = { .n_fds = 0 };
		auto_buf body = { .max = sizeof after };
		struct usual_row row;
		int r;

		buf_put_text(&body, after, sizeof after);
		r = ask(k, WIRE_USUAL_LIST, &body, -1, WIRE_USUAL_PAGE, &m, e);
		if (r < 0)
			return r;
		rbuf_text(&m.body, after, sizeof after);
		n = rbuf_u32(&m.body);
		for (uint32_t i = 0; i < n; i++) {
			if (!usual_row_take(&m.body, &row))
				return not_allowed(e);
			r = each(of, &row);
			if (r < 0)
				return r;
		}
		if (!rbuf_done(&m.body))
			return not_allowed(e);
	} while (n > 0);
	return 0;
}

static void put_key(struct buf *body, const char *key, bool shadow)
{
	buf_put_u8(body, shadow);
	buf_put_text(body, key, PROFILE_NAME_MAX);
}

int usual_get(struct usual_keeper *k, const char *key, bool shadow, struct buf *out, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = PROFILE_NAME_MAX + 1 };
	size_t part;
	int r;

	put_key(&body, key, shadow);
	r = ask(k, WIRE_USUAL_GET, &body, -1, WIRE_USUAL_TEXT, &m, e);
	while (r == 0) {
		part = rbuf_left(&m.body);
		buf_put(out, rbuf_bytes(&m.body, part), part);
		if (out->failed)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
		if (part < 60000)
			return 0;
		r = hear(k, &m, e);
		if (r == 0 && m.number != WIRE_USUAL_TEXT)
			r = not_allowed(e);
	}
	return r;
}

int usual_put(struct usual_keeper *k, int fd, char ret_key[PROFILE_NAME_MAX], struct err *e)
{
	auto_message m = { .n_fds = 0 };
	const int r = ask(k, WIRE_USUAL_PUT, NULL, fd, WIRE_USUAL_KEY, &m, e);

	if (r < 0)
		return r;
	rbuf_text(&m.body, ret_key, PROFILE_NAME_MAX);
	return rbuf_done(&m.body) ? 0 : not_allowed(e);
}

static int of_key(struct usual_keeper *k, enum wire_number number, const char *key, struct err *e)
{
	auto_message m = { .n_fds = 0 };
	auto_buf body = { .max = PROFILE_NAME_MAX + 1 };

	put_key(&body, key, false);
	return ask(k, number, &body, -1, WIRE_USUAL_DONE, &m, e);
}

int usual_reset(struct usual_keeper *k, const char *key, struct err *e)
{
	return of_key(k, WIRE_USUAL_RESET, key, e);
}

int usual_promote(struct usual_keeper *k, const char *key, struct err *e)
{
	return of_key(k, WIRE_USUAL_PROMOTE, key, e);
}
