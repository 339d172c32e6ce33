#include "lib/parser.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "lib/event.h"
#include "lib/helper.h"

static int request_of(const struct parser_ask *ask, struct event_request **ret, struct err *e)
{
	struct event_request *q = calloc(1, sizeof *q);
	int r = 0;

	if (q == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start %s", ask->role);
	q->base = CELL_BASE_NONE;
	q->observe = CELL_OBSERVE_OFF;
	q->flags = CELL_BY_FD;
	strcpy(q->user, "parser"); /* fits */
	strcpy(q->home, "/");
	strcpy(q->workspace, "/");
	limits_default_code(&q->limits);
	q->limits.value[LIMIT_TASKS] = 1;
	q->limits.value[LIMIT_OUTPUT] = 0; /* bounded by the buffer that takes it */
	q->limits.value[LIMIT_MEMORY] = ask->memory_bytes;
	if (ask->wall_ms != 0)
		q->limits.value[LIMIT_WALL] = ask->wall_ms;
	grant_set_init(&q->grants);
	for (size_t i = 0; r >= 0 && i < PARSER_PLACES && ask->places[i].path != NULL; i++) {
		uint32_t grant;

		r = grant_add(&q->grants, ask->places[i].writes ? VERB_WRITE : VERB_READ, ask->places[i].path, 0,
			      &grant, e);
	}
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static, and its shadow memory has no measure */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	if (r < 0)
		free(q);
	else
		*ret = q;
	return r;
}

/* A cell would refuse it as standard input, in words that are not about this file. */
static int check_input(int fd, struct err *e)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)
		       ? err_set(e, AMBIT_USAGE, "name a file in it", "this is a directory, not a file")
		       : 0;
}

static int start(const struct parser_ask *ask, enum ambit_stream complaints, struct ambit_event **ret, struct err *e)
{
	char *const argv[] = { (char *)(uintptr_t)ask->role, (char *)(uintptr_t)ask->mode, NULL }; /* only copied */
	char *const envp[] = { NULL };
	auto_fd int exe = -1;
	struct event_plan plan = { .path = "/parser",
				   .argv = argv,
				   .envp = envp,
				   .stream = { ask->input_ours ? STREAM_OURS : AMBIT_STREAM_PASS, AMBIT_STREAM_CAPTURE,
					       complaints },
				   .stream_fd = { ask->input_fd, -1, -1 } };
	int r = helper_open(ask->role, &exe, e);

	if (r < 0)
		return r;
	plan.program_fd = exe;
	r = request_of(ask, &plan.request, e);
	return r < 0 ? r : event_start(&plan, ret, e);
}

/* A limit or a signal of its own may come of what it read; that somebody ended it, or its cell, does not. */
static int did_not_survive(const char *role, const struct event_result *result, struct err *e)
{
	static const char suspect[] = "is the file what it should be?", ended[] = "something ended it: try again";

	if (result->cause == CAUSE_LIMIT)
		return err_set(e, AMBIT_LIMIT, suspect, "%s did not survive this input: it met the limit %s", role,
			       limit_word(result->limit));
	if (result->cause == CAUSE_EXITED)
		return err_set(e, AMBIT_LIMIT, suspect, "%s did not survive this input: signal %d ended it", role,
			       result->signal);
	return err_set(e, AMBIT_LIMIT, ended, "%s was %s before it had answered", role, cause_word(result->cause));
}

static int take_end(const struct parser_ask *ask, const struct event_result *result, int *ret_status, struct err *e)
{
	if (result->cause == CAUSE_REFUSED) {
		if (e != NULL)
			*e = result->error;
		return err_context(e, -(int)result->error.code, "%s", ask->role);
	}
	if (result->cause != CAUSE_EXITED || result->signal != 0)
		return did_not_survive(ask->role, result, e);
	*ret_status = result->exit_status;
	return 0;
}

static int take(const struct parser_ask *ask, const struct event_result *result, struct buf *ret_output,
		int *ret_status, struct err *e)
{
	const int r = take_end(ask, result, ret_status, e);

	if (r < 0)
		return r;
	buf_put(ret_output, result->out.data, result->out.len);
	return ret_output->failed
		       ? err_set(e, AMBIT_LIMIT, "is the file what it should be?", "%s gave too much output", ask->role)
		       : 0;
}

int parser_run(const struct parser_ask *ask, struct buf *ret_output, int *ret_status, struct err *e)
{
	struct ambit_event *ev = NULL;
	int r = check_input(ask->input_fd, e);

	r = r < 0 ? r : start(ask, AMBIT_STREAM_NULL, &ev, e);
	r = r < 0 ? r : ambit_event_wait(ev, NULL);
	r = r < 0 ? r : take(ask, event_result(ev), ret_output, ret_status, e);
	ambit_event_free(ev);
	return r;
}

/* What has come so far is handed over, and its room is free for more. */
static int hand_over(const struct parser_sink *sink, unsigned stream, struct buf *kept)
{
	const int r = kept->len > 0 ? sink->take(sink->arg, stream, kept->data, kept->len) : 0;

	buf_reset(kept);
	return r;
}

static int stream(struct ambit_event *ev, const struct parser_sink *sink)
{
	for (;;) {
		struct pollfd p = { .fd = ambit_event_fd(ev), .events = POLLIN };
		const bool ended = ambit_event_step(ev, NULL) != 0;
		int r = hand_over(sink, 1, ended ? &ev->result.out : &ev->streams.relay[1].kept);

		r = r < 0 ? r : hand_over(sink, 2, ended ? &ev->result.err : &ev->streams.relay[2].kept);
		if (r < 0 || ended)
			return r;
		(void)poll(&p, 1, -1); /* interrupted: the event looks again */
	}
}

int parser_stream(const struct parser_ask *ask, const struct parser_sink *sink, int *ret_status, struct err *e)
{
	struct ambit_event *ev = NULL;
	int r = check_input(ask->input_fd, e);

	r = r < 0 ? r : start(ask, AMBIT_STREAM_CAPTURE, &ev, e);
	r = r < 0 ? r : stream(ev, sink);
	r = r < 0 ? r : take_end(ask, event_result(ev), ret_status, e);
	ambit_event_free(ev);
	return r;
}
