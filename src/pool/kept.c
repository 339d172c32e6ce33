#include "pool/kept.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "core/kind.h"
#include "lib/ground.h"
#include "lib/network.h"
#include "wire/wire.h"

#define FILES_LEAST 64 /* with fewer we could not make one */

void kept_init(struct kept *k)
{
	*k = (struct kept){ .ev = NULL };
	buf_init(&k->ask, WIRE_BODY_MAX);
}

void kept_finish(struct kept *k)
{
	event_free_by(k->ev, clock_ms() + READY_LEAVE_MS);
	buf_finish(&k->ask);
	kept_init(k);
}

bool kept_is_same_ground(const struct pool_ask *a)
{
	auto_buf own = { .max = GROUND_MAX };

	return ground_put(&own, a->files) && own.len == a->ground_bytes && memcmp(own.data, a->ground, own.len) == 0;
}

/* ---- making one ---- */

struct making {
	struct event_request *request; /* owned, until the event has it */
	struct cell_program program;   /* of code; owned */
	int nowhere;                   /* owned: where an interpreter's pipes lead until it is known whose they are */
};

static void making_finish(struct making *m)
{
	free(m->request);
	program_finish(&m->program);
	fd_close(&m->nowhere);
}

/* What no cell waits for is not asked for by any command line of ours. */
static bool may_wait(const struct event_request *q, uint32_t flags)
{
	return q->staged != 0 && q->own == 0 && q->beside == 0 && (q->flags & CELL_TTY_ANY) == 0 &&
	       !network_roles_are_needed(&q->grants) && ((flags & POOL_CODE) != 0) == (q->kind != KIND_RUN);
}

/* Gives how many bytes of it the request is. */
static int read_ask(const struct pool_ask *a, struct making *m, size_t *ret_request)
{
	struct rbuf in;
	struct err e;
	int r;

	m->request = calloc(1, sizeof *m->request);
	if (m->request == NULL)
		return -AMBIT_MEMORY;
	rbuf_init(&in, a->request, a->request_bytes);
	r = request_decode(&in, m->request, &e);
	*ret_request = in.at;
	if (r == 0 && (a->flags & POOL_CODE) != 0)
		r = program_decode(&in, &m->program, &e);
	if (r < 0)
		return r;
	return rbuf_done(&in) && may_wait(m->request, a->flags) ? 0 : -AMBIT_PROTOCOL;
}

static uint64_t unix_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int start(const struct pool_ask *a, struct making *m, struct ambit_event **ret)
{
	char nothing[] = "";
	char *const none[] = { NULL }, *const any[] = { nothing, NULL };
	char *const asked[] = { (char *)(uintptr_t)kind_word((enum event_kind)m->request->kind), nothing,
				NULL }; /* only copied */
	const bool code = (a->flags & POOL_CODE) != 0;
	struct event_names names = { .n = 1 };
	struct event_plan plan = { .names = &names,
				   .path = code ? m->program.path : "/",
				   .argv = code ? m->program.argv : any,
				   .envp = code ? m->program.envp : none,
				   .asked = code ? asked : NULL,
				   .result_fd = (a->flags & POOL_RESULT) != 0 ? m->nowhere : -1,
				   .program_fd = -1,
				   .stream = { AMBIT_STREAM_NULL, AMBIT_STREAM_NULL, AMBIT_STREAM_NULL },
				   .stream_fd = { -1, m->nowhere, m->nowhere },
				   .ledger_fd = -1,
				   .ledger_dir_fd = -1,
				   .reached = true,
				   .waits = true };
	struct err e;
	int r = event_new_id('e', unix_ms(), names.event);

	if (code)
		plan.stream[1] = plan.stream[2] = AMBIT_STREAM_PASS;
	memcpy(names.session, m->request->session, sizeof names.session);
	m->request->command[0] = 0; /* it is no event, and in no list */
	plan.request = steal_ptr(&m->request);
	if (r == 0)
		return event_start(&plan, ret, &e);
	free(plan.request);
	return r;
}

/* With as many open files as who asked would have given it. */
static int start_as(const struct pool_ask *a, struct making *m, struct ambit_event **ret)
{
	struct rlimit own, theirs;
	int r;

	if (getrlimit(RLIMIT_NOFILE, &own) < 0 || a->files < FILES_LEAST || a->files > own.rlim_max)
		return -AMBIT_LIMIT;
	theirs = (struct rlimit){ .rlim_cur = a->files, .rlim_max = own.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &theirs) < 0)
		return -AMBIT_SYSTEM;
	r = start(a, m, ret);
	(void)setrlimit(RLIMIT_NOFILE, &own); /* as it was a moment ago */
	return r;
}

void kept_make(struct kept *k, const struct buf *bytes)
{
	__attribute__((cleanup(making_finish))) struct making m = { .nowhere = -1 };
	struct pool_ask a;
	struct rbuf in;
	size_t n;

	kept_finish(k);
	rbuf_init(&in, bytes->data, bytes->len);
	if (!pool_ask_take(&in, &a) || !kept_is_same_ground(&a))
		return;
	buf_put(&k->ask, bytes->data, bytes->len);
	k->made_ms = clock_boot_ms();
	m.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (k->ask.failed || m.nowhere < 0 || read_ask(&a, &m, &n) < 0)
		return;
	k->program_at = bytes->len - a.request_bytes + n;
	if (start_as(&a, &m, &k->ev) < 0) {
		k->ev = NULL;
		k->barren = true;
	}
}

/* ---- whose it is ---- */

/* All that is not the request: who asks, and what starts the interpreter. */
static bool same_bytes(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
	return n == m && memcmp(a, b, n) == 0;
}

/* made: the request that it was made of. */
static bool is_same(const struct kept *k, const struct event_request *made, const struct pool_ask *a)
{
	static struct event_request asked; /* megabytes, and one thread */
	struct pool_ask was;
	struct rbuf in, before;
	struct err e;

	rbuf_init(&before, k->ask.data, k->ask.len);
	if (!pool_ask_take(&before, &was) || was.flags != a->flags ||
	    !same_bytes(was.ground, was.ground_bytes, a->ground, a->ground_bytes))
		return false;
	rbuf_init(&in, a->request, a->request_bytes);
	if (request_decode(&in, &asked, &e) < 0 || asked.kind != made->kind)
		return false;
	memcpy(asked.event, made->event, sizeof asked.event); /* it gets the cell's */
	if (!request_same_cell(made, &asked))
		return false;
	return same_bytes(k->ask.data + k->program_at, k->ask.len - k->program_at, a->request + in.at, rbuf_left(&in));
}

bool kept_fits(const struct kept *k, const struct pool_ask *a)
{
	return k->ev != NULL && is_same(k, k->ev->request, a);
}

bool kept_is_barren(const struct kept *k, const struct pool_ask *a)
{
	static struct event_request made;
	struct pool_ask was;
	struct rbuf in;
	struct err e;

	if (!k->barren || clock_boot_ms() - k->made_ms >= UNWANTED_MS)
		return false;
	rbuf_init(&in, k->ask.data, k->ask.len);
	if (!pool_ask_take(&in, &was))
		return false;
	rbuf_init(&in, was.request, was.request_bytes);
	return request_decode(&in, &made, &e) == 0 && is_same(k, &made, a);
}

bool kept_step(struct kept *k)
{
	const bool stood = k->ev != NULL && event_is_ready(k->ev);

	if (k->ev == NULL || ambit_event_step(k->ev, NULL) == 0)
		return k->ev != NULL;
	if (stood) {
		kept_finish(k); /* it was ended: nobody need know why */
	} else {
		event_free_by(k->ev, clock_ms() + READY_LEAVE_MS);
		k->ev = NULL;
		k->waited_for = false;
		k->barren = true;
	}
	return false;
}
