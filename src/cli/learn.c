#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/options.h"
#include "cli/reader.h"
#include "cli/session.h"
#include "core/grant.h"
#include "lib/event.h"
#include "lib/public.h"

static const char help_text[] =
	"ambit learn [OPTIONS] -- COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND while watching what it opens and executes, and writes the narrowest policy that would have sufficed.\n"
	"While it learns, COMMAND sees what you can read, but for places that hold keys and passwords; it writes beneath the\n"
	"workspace only and reaches no network.\n"
	"\n"
	"Options:\n"
	"  --output FILE    write the policy there; an existing file is not overwritten (default: standard output)\n"
	"  --workspace DIR  what . means, and where COMMAND starts (default: the current directory)\n"
	"  --help           this text\n"
	"\n"
	"Exit status: as of ambit run. The policy is written also when the command fails: it says how far it came.\n";

/* Places whose very reading is a decision; patterns are for the reader of the record. */
static const char *const sensitive[] = {
#define SENSITIVE(pattern, reason) pattern,
#include "explain/sensitive.def"
#undef SENSITIVE
};

#define HIDES_MAX (sizeof sensitive / sizeof sensitive[0] + 1)

struct hides {
	char paths[HIDES_MAX][GRANT_OBJECT_MAX];
	char *list[HIDES_MAX]; /* ends with NULL */
};

static void list_hides(struct hides *h)
{
	const char *home = getenv("HOME");
	size_t n = 0;

	for (size_t i = 0; i < sizeof sensitive / sizeof sensitive[0]; i++) {
		const char *pattern = sensitive[i];
		const bool in_home = pattern[0] == '~' && pattern[1] == '/';

		if (strpbrk(pattern, "*?[") != NULL || (!in_home && pattern[0] != '/') || (in_home && home == NULL))
			continue;
		if (path_normalise(in_home ? home : "/", in_home ? pattern + 2 : pattern, h->paths[n], sizeof h->paths[n])) {
			h->list[n] = h->paths[n];
			n++;
		}
	}
	h->list[n] = NULL;
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
		return public_error(e, err_sys(&err, AMBIT_SYSTEM, errno, NULL, "a memory file for the record"), &err);
	return 0;
}

static int write_policy(const char *output, const struct buf *text, struct err *e)
{
	auto_fd int fd = output == NULL ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
					  open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
	const int r = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);

	if (r < 0)
		return err_sys(e, AMBIT_USAGE, -r, "name a new file with --output", "policy %s", output != NULL ? output : "on standard output");
	return 0;
}

static int learn_from(struct ambit_event *ev, const char *output, struct ambit_error *e)
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
	r = r < 0 ? r : write_policy(output, &text, &err);
	return public_error(e, r, &err);
}

static int refused(struct ambit_event *ev)
{
	struct ambit_error e = { .size = sizeof e };

	(void)public_error(&e, -1, &event_result(ev)->error);
	return cli_error(&e);
}

static int learn(struct run_options *o)
{
	static struct hides hides; /* half a megabyte: not for a stack */
	struct ambit_error e = { .size = sizeof e };
	struct ambit_event *ev = NULL;
	int status;

	list_hides(&hides);
	if (ambit_policy_grant(o->policy, "work", ".", &e) < 0 || session_run(o->policy, &o->event, hides.list, &ev, &e) < 0)
		status = cli_error(&e);
	else if (event_result(ev)->cause == CAUSE_REFUSED)
		status = refused(ev);
	else if (learn_from(ev, o->output, &e) < 0)
		status = cli_error(&e);
	else
		status = ambit_event_exit_status(ev);
	ambit_event_free(ev);
	return status;
}

int cli_learn(int argc, char **argv)
{
	struct run_options o;
	int status = options_read(&o, argc, argv, "ambit learn --help");

	if (status == 0 && o.help)
		(void)fputs(help_text, stdout);
	else if (status == 0)
		status = learn(&o);
	options_finish(&o);
	return status;
}
