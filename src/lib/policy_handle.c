#include "lib/policy_handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "lib/event.h"
#include "lib/helper.h"
#include "lib/public.h"

int ambit_policy_new(struct ambit_policy **ret, struct ambit_error *e)
{
	struct err err;

	*ret = calloc(1, sizeof **ret);
	return *ret == NULL ? public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory for a policy"), &err) : 0;
}

void ambit_policy_free(struct ambit_policy *p)
{
	free(p);
}

int ambit_policy_grant(struct ambit_policy *p, const char *verb, const char *text, struct ambit_error *e)
{
	struct err err;

	return public_error(e, policy_add_flag(&p->policy, verb, text, &err), &err);
}

int ambit_policy_limit(struct ambit_policy *p, const char *text, struct ambit_error *e)
{
	struct err err;

	return public_error(e, policy_add_limit(&p->policy, text, &err), &err);
}

/* Whatever parses a file has no authority: an empty root, no network, half a minute, little memory. */
static struct event_request *parser_request(void)
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
	grant_set_init(&q->grants);
#ifdef AMBIT_SANITIZED
	q->base = CELL_BASE_SYSTEM; /* a sanitized helper is not static */
	q->limits.value[LIMIT_MEMORY] = 0;
#endif
	return q;
}

static int run_parser(int file_fd, struct ambit_event **ret, struct err *e)
{
	char *const argv[] = { (char[]){ "ambit-policy" }, NULL }, *const envp[] = { NULL };
	auto_fd int exe = -1;
	struct event_plan plan = { .path = "/ambit-policy", .argv = argv, .envp = envp,
				   .stream = { AMBIT_STREAM_PASS, AMBIT_STREAM_CAPTURE, AMBIT_STREAM_NULL },
				   .stream_fd = { file_fd, -1, -1 } };
	int r = helper_open("ambit-policy", &exe, e);

	if (r < 0)
		return r;
	plan.program_fd = exe;
	plan.request = parser_request();
	if (plan.request == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read a policy");
	r = event_start(&plan, ret, e);
	return r < 0 ? r : ambit_event_wait(*ret, NULL);
}

static int said(const struct event_result *result, struct policy *ret, struct policy_mistake *m)
{
	if (result->cause == CAUSE_REFUSED) {
		m->err = result->error;
		return -(int)result->error.code;
	}
	if (result->cause != CAUSE_EXITED || result->exit_status != 0)
		return err_set(&m->err, AMBIT_LIMIT, "is it really a policy?", "the reader of policies did not survive this file");
	return policy_answer_decode(result->out.data, result->out.len, ret, m);
}

int policy_read_file(int file_fd, struct policy *ret, struct policy_mistake *ret_mistake)
{
	struct ambit_event *ev = NULL;
	int r;

	memset(ret_mistake, 0, sizeof *ret_mistake);
	r = run_parser(file_fd, &ev, &ret_mistake->err);
	if (r == 0)
		r = said(event_result(ev), ret, ret_mistake);
	ambit_event_free(ev);
	return r;
}

static int load_fd(struct ambit_policy *p, int fd, const char *name, struct err *e)
{
	auto_free struct policy *read = calloc(1, sizeof *read);
	struct policy_mistake m;
	int r;

	if (read == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read a policy");
	r = policy_read_file(fd, read, &m);
	if (r < 0) {
		*e = m.err;
		return m.line != 0 ? err_context(e, r, "%s:%u:%u", name, m.line, m.column) : err_context(e, r, "%s", name);
	}
	return policy_merge(&p->policy, read, name, e);
}

int ambit_policy_load(struct ambit_policy *p, const char *path, struct ambit_error *e)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct err err;

	if (fd < 0)
		return public_error(e, err_sys(&err, AMBIT_USAGE, errno, "name a policy file that can be read", "policy %s", path), &err);
	return public_error(e, load_fd(p, fd, path, &err), &err);
}

static void list_presets(char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; preset_name(i) != NULL && n < size; i++)
		n += (size_t)snprintf(ret + n, size - n, "%s%s", i == 0 ? "there are: " : ", ", preset_name(i));
}

/* A preset is read as any file is: there is one reader. */
int ambit_policy_preset(struct ambit_policy *p, const char *name, struct ambit_error *e)
{
	const char *text = preset_text(name);
	auto_fd int fd = -1;
	char names[256];
	struct err err;

	if (text == NULL) {
		list_presets(names, sizeof names);
		return public_error(e, err_set(&err, AMBIT_UNKNOWN, names, "no preset '%s'", name), &err);
	}
	fd = memfd_create("ambit-preset", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return public_error(e, err_sys(&err, AMBIT_SYSTEM, errno, NULL, "a memory file for the preset"), &err);
	return public_error(e, load_fd(p, fd, name, &err), &err);
}
