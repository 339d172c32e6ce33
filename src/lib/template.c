#include "lib/template.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cell/base.h"
#include "lib/helper.h"
#include "wire/wire.h"

#define LOADED "ambit-template.so"

static int open_loaded(void)
{
	auto_fd int fd = -1;
	char path[64];

	if (helper_open(LOADED, &fd, NULL) < 0)
		return -1;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd); /* fits */
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct template *template_new(void)
{
	struct template *t = calloc(1, sizeof *t);
	int pair[2] = { -1, -1 };

	if (t == NULL)
		return NULL;
	t->held = 1;
	buf_init(&t->cell, REQUEST_BYTES_MAX);
	t->loaded = open_loaded();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
		(void)fd_set_nonblock(pair[0], true); /* one that does not serve must hold no warden up */
	t->sock = pair[0];
	t->theirs = pair[1];
	if (t->loaded < 0 || t->sock < 0) {
		template_release(t);
		return NULL;
	}
	return t;
}

struct template *template_hold(struct template *t)
{
	if (t != NULL)
		t->held++;
	return t;
}

void template_release(struct template *t)
{
	if (t == NULL || --t->held > 0)
		return;
	fd_close(&t->sock);
	fd_close(&t->theirs);
	fd_close(&t->loaded);
	event_free_by(t->ev, clock_ms() + READY_LEAVE_MS);
	buf_finish(&t->cell);
	free(t);
}

static bool is_of_base(const struct event_request *q, const char *program)
{
	char real[PATH_MAX];

	return q->base == CELL_BASE_SYSTEM && realpath(program, real) != NULL &&
	       base_shows(CELL_BASE_SYSTEM, real, RIGHT_RUN | RIGHT_READ) &&
	       base_shows(CELL_BASE_SYSTEM, program, RIGHT_RUN | RIGHT_READ);
}

/* Where the events start: in the workspace, if they see anything of it (supervisor/plan.h). */
static bool start_in_workspace(const struct event_request *q)
{
	for (uint32_t i = 0; i < q->grants.count; i++) {
		const char *object = grant_object(&q->grants, i);

		if (q->grants.grants[i].rights != 0 &&
		    (path_is_beneath(q->workspace, object) || path_is_beneath(object, q->workspace)))
			return true;
	}
	return false;
}

int template_take_request(struct template *t, struct event_request *q, const char *program, struct err *e)
{
	bool jit = false;
	uint32_t id;
	int r = 0;

	if (!start_in_workspace(q))
		return err_set(e, AMBIT_UNAVAILABLE, NULL,
			       "an interpreter is copied only for events in their workspace");
	if (!is_of_base(q, program))
		return err_set(e, AMBIT_UNAVAILABLE, NULL, "an interpreter is copied only if it is the system's");
	request_encode_cell(q, &t->cell);
	if (t->cell.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for an interpreter that is copied");
	for (uint32_t i = 0; i < q->grants.count; i++)
		jit = jit || q->grants.grants[i].verb == VERB_JIT;
	grant_set_init(&q->grants);
	if (jit)
		r = grant_add(&q->grants, VERB_JIT, "", 0, &id, e);
	q->limits = (struct limits){ .value = { 0 } };
	return r < 0 ? r : 0;
}

int template_step(struct template *t)
{
	if (t->ev == NULL || ambit_event_step(t->ev, NULL) != 0)
		return -1;
	fd_close(&t->theirs); /* it has them */
	fd_close(&t->loaded);
	return event_cell(t->ev) >= 0 ? 1 : 0;
}

static bool has_loaded(struct template *t)
{
	auto_message m = { .n_fds = 0 };
	uint8_t room[WIRE_HEAD];

	if (!t->has_loaded)
		t->has_loaded = wire_receive(t->sock, WIRE_TEMPLATE, WIRE_RUNNING, room, sizeof room, &m) > 0;
	return t->has_loaded;
}

bool template_serves(struct template *t, const struct event_request *q, const struct buf *program)
{
	auto_buf cell = { .max = REQUEST_BYTES_MAX };

	if (t->ev == NULL || event_cell(t->ev) < 0 || event_is_gone(t->ev) || !has_loaded(t) ||
	    !buf_is_same(&t->ev->program, program))
		return false;
	request_encode_cell(q, &cell);
	return buf_is_same(&cell, &t->cell);
}
