#include "cli/learning.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/reader.h"
#include "core/grant.h"
#include "lib/event.h"
#include "lib/public.h"

/* Places whose very reading is a decision. A pattern without a slash may match anywhere: those are for the reader of the
 * record. */
static const char *const sensitive[] = {
#define SENSITIVE(pattern, reason) pattern,
#include "explain/sensitive.def"
#undef SENSITIVE
};

void hides_finish(struct hides *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->list[i]);
	h->n = 0;
}

static int hides_add(struct hides *h, const char *path, struct err *e)
{
	char normal[GRANT_OBJECT_MAX];

	if (h->n == REQUEST_HIDES_MAX || !path_normalise("/", path, normal, sizeof normal))
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d sensitive places", REQUEST_HIDES_MAX);
	h->list[h->n] = strdup(normal);
	if (h->list[h->n] == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the sensitive places");
	h->n++;
	return 0;
}

/* The home's own name is no pattern, whatever is in it. */
static bool full_pattern(const char *pattern, const char *home, char *ret, size_t size)
{
	size_t n = 0;

	if (pattern[0] == '~') {
		for (; *home != 0 && n + 2 < size; home++) {
			if (strchr("*?[]\\", *home) != NULL)
				ret[n++] = '\\';
			ret[n++] = *home;
		}
		if (*home != 0)
			return false;
		pattern++;
	}
	return text_copy(ret + n, size - n, pattern);
}

static int hides_match(struct hides *h, const char *pattern, struct err *e)
{
	glob_t found;
	const int failed = glob(pattern, GLOB_NOSORT, NULL, &found);
	int r = 0;

	if (failed == GLOB_NOMATCH)
		return 0;
	if (failed != 0)
		return err_set(e, AMBIT_SYSTEM, NULL, "cannot look for %s", pattern);
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++)
		r = hides_add(h, found.gl_pathv[i], e);
	globfree(&found);
	return r;
}

int hides_find(struct hides *h, struct err *e)
{
	const char *home = getenv("HOME");
	char full[2 * GRANT_OBJECT_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof sensitive / sizeof sensitive[0] && r == 0; i++) {
		const bool in_home = strncmp(sensitive[i], "~/", 2) == 0;

		if ((!in_home && sensitive[i][0] != '/') || (in_home && home == NULL))
			continue;
		if (full_pattern(sensitive[i], home, full, sizeof full))
			r = hides_match(h, full, e);
		else
			r = err_set(e, AMBIT_LIMIT, NULL, "the home directory's path is too long");
	}
	return r;
}

static int record_file(struct ambit_event *ev, int *ret_fd, struct ambit_error *e)
{
	struct err err;
	const char *json;
	size_t n;
	int r = ambit_event_record(ev, &json, &n, e);

	if (r < 0)
		return r;
	*ret_fd = memfd_create("ambit-record", MFD_CLOEXEC);
	if (*ret_fd < 0 || fd_write_all(*ret_fd, json, n) < 0 || lseek(*ret_fd, 0, SEEK_SET) < 0)
		return public_error(
			e, err_sys(&err, AMBIT_SYSTEM, errno, NULL, "cannot make a memory file for the record"), &err);
	return 0;
}

static int policy_error(const struct policy_file *f, int sys_errno, struct err *e)
{
	return err_sys(e, AMBIT_USAGE, sys_errno,
		       sys_errno == ENOSPC ? NULL : "name a new file, in a directory that is there",
		       "cannot write the policy %s", f->path != NULL ? f->path : "on standard output");
}

int policy_file_open(struct policy_file *f, struct err *e)
{
	const int r = f->path != NULL ? fd_create(f->path, O_EXCL, 0644, &f->fd) : 0;

	if (f->path == NULL)
		f->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return r < 0 || f->fd < 0 ? policy_error(f, r < 0 ? -r : errno, e) : 0;
}

void policy_file_close(struct policy_file *f, bool written)
{
	struct stat st;

	if (!written && f->path != NULL && f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fd_is_named(f->fd, f->path))
		(void)unlink(f->path);
	fd_close(&f->fd);
}

int policy_file_write(const struct policy_file *f, const struct buf *text, struct err *e)
{
	int r;

	if (f->path != NULL && !fd_is_named(f->fd, f->path))
		return err_why(e, policy_error(f, ENOENT, e), "the command took it away");
	r = text->failed ? -ENOMEM : fd_write_all(f->fd, text->data, text->len);
	return r < 0 ? policy_error(f, -r, e) : 0;
}

int learning_read(struct ambit_event *ev, const char *mode, struct buf *ret_text, struct ambit_error *e)
{
	auto_fd int record = -1;
	struct err err;
	int r = record_file(ev, &record, e);

	if (r < 0)
		return r;
	r = reader_run(record, mode, ret_text, &err);
	return public_error(e, r, &err);
}
