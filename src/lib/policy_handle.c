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
#include "base/nearest.h"
#include "lib/parser.h"
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

int policy_read_file(int file_fd, struct policy *ret, struct policy_mistake *ret_mistake)
{
	const struct parser_ask ask = { .role = "ambit-policy", .input_fd = file_fd, .memory_bytes = 64u << 20 };
	auto_buf answer = { .max = 0 };
	int status, r;

	memset(ret_mistake, 0, sizeof *ret_mistake);
	buf_init(&answer, POLICY_ANSWER_MAX);
	r = parser_run(&ask, &answer, &status, &ret_mistake->err);
	if (r == 0 && status != 0)
		r = err_set(&ret_mistake->err, AMBIT_LIMIT, "is it really a policy?",
			    "the reader of policies failed on this file");
	return r < 0 ? r : policy_answer_decode(answer.data, answer.len, ret, ret_mistake);
}

static void note_text(struct ambit_policy *p, const void *text, size_t n)
{
	struct policy_text *t = &p->texts[p->policy.n_sources];
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, text, n);
	sha256_end(&sum, t->sha256);
	t->size = (uint32_t)n; /* it was a policy: at most POLICY_FILE_MAX */
}

/* A file of its own, which nobody changes between what is read and what is noted of it. */
static int load_text(struct ambit_policy *p, const char *name, const void *text, size_t n, struct err *e)
{
	auto_free struct policy *read = calloc(1, sizeof *read);
	auto_fd int fd = memfd_create("ambit-policy", MFD_CLOEXEC);
	struct policy_mistake m;
	int r;

	if (read == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read a policy");
	if (fd < 0 || fd_write_all(fd, text, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a memory file for the policy");
	r = policy_read_file(fd, read, &m);
	if (r < 0) {
		*e = m.err;
		if (e->why[0] == 0)
			(void)err_why(e, r, "a policy is taken as it is written or not at all: nothing is granted");
		return m.line != 0 ? err_context(e, r, "%s:%u:%u", name, m.line, m.column)
				   : err_context(e, r, "%s", name);
	}
	r = policy_merge(&p->policy, read, name, e);
	if (r == 0)
		note_text(p, text, n);
	return r;
}

int ambit_policy_load(struct ambit_policy *p, const char *path, struct ambit_error *e)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	auto_free uint8_t *bytes = malloc(POLICY_FILE_MAX + 1); /* one more shows that there is more */
	const ssize_t n = fd < 0 || bytes == NULL ? -1 : fd_read_all(fd, bytes, POLICY_FILE_MAX + 1);
	struct err err;

	if (bytes == NULL)
		return public_error(e, err_set(&err, AMBIT_MEMORY, NULL, "no memory to read a policy"), &err);
	if (n < 0)
		return public_error(e,
				    err_sys(&err, AMBIT_USAGE, fd < 0 ? errno : (int)-n,
					    "name a policy file that can be read", "cannot open the policy %s", path),
				    &err);
	return public_error(e, load_text(p, path, bytes, (size_t)n, &err), &err);
}

int ambit_policy_load_text(struct ambit_policy *p, const char *name, const void *text, size_t n, struct ambit_error *e)
{
	struct err err;

	return public_error(e, load_text(p, name, text, n, &err), &err);
}

#define PRESETS_MAX 32 /* a hint names no more */

static int no_preset(const char *name, struct err *e)
{
	const char *names[PRESETS_MAX];
	char all[256], hint[NEAREST_HINT_MAX];
	size_t count = 0, n = 0;

	for (; count < PRESETS_MAX && preset_name(count) != NULL && n < sizeof all; count++) {
		names[count] = preset_name(count);
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", count == 0 ? "there are: " : ", ", names[count]);
	}
	return err_set(e, AMBIT_UNKNOWN, nearest_hint(hint, "", word_nearest(name, names, count), all),
		       "no preset '%s'", name);
}

int ambit_policy_preset(struct ambit_policy *p, const char *name, struct ambit_error *e)
{
	const char *text = preset_text(name);
	struct err err;

	if (text != NULL)
		return ambit_policy_load_text(p, name, text, strlen(text), e);
	return public_error(e, no_preset(name, &err), &err);
}
