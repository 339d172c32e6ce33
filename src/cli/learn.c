#include "cli/cli.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "cli/learning.h"
#include "cli/options.h"
#include "cli/reader.h"
#include "cli/session.h"
#include "lib/event.h"
#include "lib/public.h"
#include "lib/summary.h"

static const char help_text[] =
	"ambit learn [OPTIONS] -- COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs COMMAND while watching what it opens and executes, and writes the narrowest policy that would have sufficed.\n"
	"While it learns, COMMAND sees what you can read, but for the places of your home and of the system that hold keys and\n"
	"passwords; it writes beneath the workspace only and reaches only what --connect names. Of a --connect with http='* /**'\n"
	"the policy has the requests that were sent. Of a server of the Model Context Protocol: ambit guard --learn FILE.\n"
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

static int write_policy(struct ambit_event *ev, const struct policy_file *policy, struct ambit_error *e)
{
	auto_buf text = { .max = READER_TEXT_MAX };
	struct err err;
	int r = learning_read(ev, "learn", &text, e);

	if (r < 0)
		return r;
	r = policy_file_write(policy, &text, &err);
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
	else if (write_policy(ev, policy, &e) < 0)
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

	if (public_error(&e, hides_find(&hides, &err), &err) < 0 ||
	    public_error(&e, policy_file_open(&policy, &err), &err) < 0)
		status = cli_error(&e);
	else
		done = learned(o, hides.list, &policy, &status);
	policy_file_close(&policy, done);
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
