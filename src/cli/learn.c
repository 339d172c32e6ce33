#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/reader.h"
#include "cli/session.h"
#include "core/grant.h"
#include "lib/event.h"
#include "lib/public.h"
#include "lib/summary.h"
#include "supervisor/request.h"

static const char help_text[] =
	"ambit learn [OPTIONS] -- COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND while watching what it opens and executes, and writes the narrowest policy that would have sufficed.\n"
	"While it learns, COMMAND sees what you can read, but for the places of your home and of the system that hold keys and\n"
	"passwords; it writes beneath the workspace only and reaches only what --connect names. Of a --connect with http='* /**'\n"
	"the policy has the requests that were sent.\n"
	"\n"
	"Options:\n"
	"  --output FILE    write the policy there; an existing file is not overwritten (default: standard output)\n"
	"  --workspace DIR  what . means, and where COMMAND starts (default: the current directory)\n"
	"  --no-pty         no private terminal\n"
	"  --env NAME       pass a variable; other grants, too, are as of ambit run\n"
	"  --write PATH     let something outside the workspace be written\n"
	"  --limit N=V      as of ambit run\n"
	"  --ledger DIR     record it in the ledger there, and not in your own\n"
	"  --no-ledger      record it nowhere\n"
	"  --help           this text\n"
	"\n"
	"Exit status: as of ambit run. The policy is written also when the command fails: it says how far it came.\n";

/* Places whose very reading is a decision. A pattern without a slash may match anywhere: those are for the reader of the
 * record. */
static const char *const sensitive[] = {
#define SENSITIVE(pattern, reason) pattern,
#include "explain/sensitive.def"
#undef SENSITIVE
};

struct hides {
	char *list[REQUEST_HIDES_MAX + 1]; /* owned; ends with NULL */
	size_t n;
};

static void hides_finish(struct hides *h)
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

static int list_hides(struct hides *h, struct err *e)
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

/* Where the policy goes, opened before anything runs: a run that cannot be learned from is not begun. */
struct policy_file {
	const char *path; /* NULL: standard output */
	int fd;           /* owned */
};

static int policy_error(const struct policy_file *f, int sys_errno, struct err *e)
{
	return err_sys(e, AMBIT_USAGE, sys_errno, sys_errno == ENOSPC ? NULL : "name a new file with --output",
		       "cannot write the policy %s", f->path != NULL ? f->path : "on standard output");
}

static int open_policy(struct policy_file *f, struct err *e)
{
	const int r = f->path != NULL ? fd_create(f->path, O_EXCL, 0644, &f->fd) : 0;

	if (f->path == NULL)
		f->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return r < 0 || f->fd < 0 ? policy_error(f, r < 0 ? -r : errno, e) : 0;
}

/* written: the whole policy is there; half a policy is none. A device was there before, and stays. */
static void close_policy(struct policy_file *f, bool written)
{
	struct stat st;

	if (!written && f->path != NULL && f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fd_is_named(f->fd, f->path))
		(void)unlink(f->path);
	fd_close(&f->fd);
}

static int learn_from(struct ambit_event *ev, const struct policy_file *policy, struct ambit_error *e)
{
	auto_fd int record = -1;
	struct err err;
	auto_buf text = { .max = 0 };
	int r;

	buf_init(&text, READER_TEXT_MAX);
	r = record_file(ev, &record, e);
	if (r < 0)
		return r;
	r = reader_run(record, "learn", &text, &err);
	if (r == 0 && policy->path != NULL && !fd_is_named(policy->fd, policy->path))
		r = err_why(&err, policy_error(policy, ENOENT, &err), "the command took it away");
	if (r == 0 && (r = fd_write_all(policy->fd, text.data, text.len)) < 0)
		r = policy_error(policy, -r, &err);
	return public_error(e, r, &err);
}

static int refused(struct ambit_event *ev)
{
	struct ambit_error e = { .size = sizeof e };

	(void)public_error(&e, -1, &event_result(ev)->error);
	return cli_error(&e);
}

/* What the run came to; the policy stands in its file if true. */
static bool learned(struct run_options *o, char *const *hide, const struct policy_file *policy, int *ret_status)
{
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	bool done = false;

	if (ambit_policy_grant(o->policy, "work", ".", &e) < 0 || session_run(o->policy, &o->event, hide, &ev, &e) < 0)
		*ret_status = cli_error(&e);
	else if (event_result(ev)->cause == CAUSE_REFUSED)
		*ret_status = refused(ev);
	else if (learn_from(ev, policy, &e) < 0)
		*ret_status = cli_error(&e);
	else {
		done = true;
		*ret_status = ambit_event_exit_status(ev);
		if (event_result(ev)->cause != CAUSE_EXITED)
			summary_write(stderr, event_result(ev), NULL, true);
	}
	if (ev != NULL)
		session_tell_key(ev);
	ambit_event_free(ev);
	return done;
}

static int learn(struct run_options *o)
{
	struct policy_file policy = { .path = o->output, .fd = -1 };
	struct hides hides = { .n = 0 };
	struct ambit_error e = { .size = sizeof e };
	struct err err;
	bool done = false;
	int status;

	if (public_error(&e, list_hides(&hides, &err), &err) < 0 ||
	    public_error(&e, open_policy(&policy, &err), &err) < 0)
		status = cli_error(&e);
	else
		done = learned(o, hides.list, &policy, &status);
	close_policy(&policy, done);
	hides_finish(&hides);
	return status;
}

int cli_learn(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct run_options o;
	int status = 0;

	if (options_read(&o, COMMAND_LEARN, argc, argv, &e) < 0)
		status = cli_error(&e);
	else if (o.help)
		(void)fputs(help_text, stdout);
	else
		status = learn(&o);
	options_finish(&o);
	return status;
}
