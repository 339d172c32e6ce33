#include "lib/parser.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "lib/event.h"
#include "lib/helper.h"

static struct event_request *request_of(const struct parser_ask *ask)
{
	struct event_request *q = calloc(1, sizeof *q);

	if (q == NULL)
		return NULL;
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
	grant_set_init(&q->grants);
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static, and its shadow memory has no measure */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	return q;
}

/* A cell would refuse it as standard input, in words that are not about this file. */
static int check_input(int fd, struct err *e)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)
		       ? err_set(e, AMBIT_USAGE, "name a file in it", "this is a directory, not a file")
		       : 0;
}

static int start(const struct parser_ask *ask, struct ambit_event **ret, struct err *e)
{
	char *const argv[] = { (char *)(uintptr_t)ask->role, (char *)(uintptr_t)ask->mode, NULL }; /* only copied */
	char *const envp[] = { NULL };
	auto_fd int exe = -1;
	struct event_plan plan = { .path = "/parser",
				   .argv = argv,
				   .envp = envp,
				   .stream = { AMBIT_STREAM_PASS, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_NULL },
				   .stream_fd = { ask->input_fd, -1, -1 },
				   .ledger_fd = -1 };
	int r = helper_open(ask->role, &exe, e);

	if (r < 0)
		return r;
	plan.program_fd = exe;
	plan.request = request_of(ask);
	if (plan.request == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to start %s", ask->role);
	return event_start(&plan, ret, e);
}

static int take(const struct parser_ask *ask, const struct event_result *result, struct buf *ret_output,
		int *ret_status, struct err *e)
{
	if (result->cause == CAUSE_REFUSED) {
		if (e != NULL)
			*e = result->error;
		return err_context(e, -(int)result->error.code, "%s", ask->role);
	}
	if (result->cause != CAUSE_EXITED || result->signal != 0)
		return err_set(e, AMBIT_LIMIT, "is the file what it should be?", "%s did not survive this input",
			       ask->role);
	*ret_status = result->exit_status;
	buf_put(ret_output, result->out.data, result->out.len);
	return ret_output->failed
		       ? err_set(e, AMBIT_LIMIT, "is the file what it should be?", "%s gave too much output", ask->role)
		       : 0;
}

int parser_run(const struct parser_ask *ask, struct buf *ret_output, int *ret_status, struct err *e)
{
	struct ambit_event *ev = NULL;
	int r = check_input(ask->input_fd, e);

	r = r < 0 ? r : start(ask, &ev, e);
	r = r < 0 ? r : ambit_event_wait(ev, NULL);
	r = r < 0 ? r : take(ask, event_result(ev), ret_output, ret_status, e);
	ambit_event_free(ev);
	return r;
}
