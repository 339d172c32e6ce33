/* ambit freeze, thaw, kill: everything stands still until a person says so, goes on, or ends. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/place.h"
#include "lib/halt.h"
#include "lib/public.h"

#define JSON_MAX (8u << 20)

static const char freeze_help[] =
	"ambit freeze SESSION | EVENT | --all\n"
	"\n"
	"Stops every process of it where it is, now. When the command returns, nothing of it runs: no program, no connection, no commit, and\n"
	"none begins, also after a restart of the machine, until `ambit thaw`.\n"
	"\n"
	"  SESSION and EVENT are ids or beginnings of them; `last` is the latest event that runs. Sub-agents go with the event that asked for them.\n"
	"\n"
	"  --all          everything of yours\n"
	"  --reason TEXT  why, for whoever is refused meanwhile, and for the ledger; 200 bytes at most\n"
	"  --json         as JSON\n"
	"  --help         this text\n";
static const char thaw_help[] =
	"ambit thaw SESSION | EVENT | --all\n"
	"\n"
	"Lets go on what `ambit freeze` stopped, as if nothing had been.\n"
	"\n"
	"  SESSION and EVENT are ids or beginnings of them; `last` is the latest event that runs.\n"
	"\n"
	"  --all   everything of yours, also sessions and events that were frozen by themselves\n"
	"  --json  as JSON\n"
	"  --help  this text\n";
static const char kill_help[] =
	"ambit kill SESSION | EVENT | --all\n"
	"\n"
	"Freezes it, so that nothing gets away, and ends it. When the command returns, no process of it is left, and what waited in the queue of\n"
	"the session never begins. What was changed is kept for review, as of any event that fails.\n"
	"\n"
	"  SESSION and EVENT are ids or beginnings of them; `last` is the latest event that runs.\n"
	"\n"
	"  --all          everything of yours\n"
	"  --keep-frozen  it stays frozen: nothing begins until `ambit thaw`\n"
	"  --reason TEXT  why, for the ledger; 200 bytes at most\n"
	"  --json         as JSON\n"
	"  --help         this text\n";

static const struct action {
	const char *name, *help_command, *help;
	const char *done; /* of what it was done to */
	enum halt_deed deed;
	bool has_reason, has_keep;
} actions[] = {
	{ "freeze", "ambit freeze --help", freeze_help, "frozen", HALT_FREEZE, true, false },
	{ "thaw", "ambit thaw --help", thaw_help, "thawed", HALT_THAW, false, false },
	{ "kill", "ambit kill --help", kill_help, "killed", HALT_KILL, true, true },
};

struct words {
	const char *what, *reason;
	bool all, keep, json;
};

/* ---- what is told ---- */

static const char *result_word(const struct held_event *ev)
{
	if (ev->why.code != AMBIT_OK)
		return "failed";
	switch (ev->held.result) {
	case REACH_HELD: return "frozen";
	case REACH_LATE: return "late";
	case REACH_LET_GO: return "thawed";
	case REACH_NOT_HELD: return "running";
	case REACH_ENDED: break;
	}
	return "ended";
}

static void put_event(struct json *j, const struct held_event *ev)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "event"), ev->run.event);
	json_put_word(json_put_key(j, "session"), ev->told.session);
	json_put_word(json_put_key(j, "result"), result_word(ev));
	json_put_count(json_put_key(j, "threads"), ev->held.threads);
	json_put_count(json_put_key(j, "running"), ev->held.running);
	json_put_object_end(j);
}

static void say_event(const struct held_event *ev)
{
	char command[300];

	(void)printf("%s  %s", ev->run.event, result_word(ev));
	if (ev->why.code == AMBIT_OK && ev->held.result == REACH_HELD)
		(void)printf(", %u thread%s", ev->held.threads, text_plural(ev->held.threads));
	(void)printf("  %s\n", text_escape(command, sizeof command, ev->told.command, strlen(ev->told.command)));
}

static int tell(const struct words *w, const struct action *a, const char *what, const struct halted *h)
{
	const char *remark = a->deed == HALT_FREEZE && h->before  ? ", as before"
			     : a->deed == HALT_THAW && !h->before ? ", which was not frozen"
								  : "";
	auto_buf out = { .max = 0 };
	struct json j;

	if (!w->json) {
		(void)printf("%s: %s%s\n", a->done, what, remark);
		for (size_t i = 0; i < h->held.n; i++)
			say_event(&h->held.list[i]);
		return cli_flush();
	}
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, a->done), what);
	json_put_bool(json_put_key(&j, "before"), h->before);
	if (a->deed == HALT_KILL)
		json_put_count(json_put_key(&j, "cancelled"), h->cancelled);
	json_put_array(json_put_key(&j, "events"));
	for (size_t i = 0; i < h->held.n; i++)
		put_event(&j, &h->held.list[i]);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

/* ---- words ---- */

static int no_option(const struct action *a, const char *word, struct ambit_error *e)
{
	const char *names[8];
	size_t n = 0;

	names[n++] = "all";
	names[n++] = "json";
	names[n++] = "help";
	if (a->has_reason)
		names[n++] = "reason";
	if (a->has_keep)
		names[n++] = "keep-frozen";
	return cli_misused_option(e, a->help_command, word, names, n);
}

static int take_word(const struct action *a, char ***at, struct words *w, struct ambit_error *e)
{
	const char *word = **at;

	if (strcmp(word, "--all") == 0) {
		w->all = true;
	} else if (a->has_keep && strcmp(word, "--keep-frozen") == 0) {
		w->keep = true;
	} else if (a->has_reason && strcmp(word, "--reason") == 0) {
		w->reason = (*at)[1];
		if (w->reason == NULL || strlen(w->reason) >= FROZEN_REASON_MAX)
			return cli_misused(e, a->help_command, "--reason takes a text of at most %d bytes",
					   FROZEN_REASON_MAX - 1);
		(*at)++;
	} else if (word[0] == '-') {
		return no_option(a, word, e);
	} else if (w->what != NULL) {
		return cli_misused(e, a->help_command, "%s takes one session or event, and not '%s' too", a->name,
				   word);
	} else {
		w->what = word;
	}
	return 0;
}

/* w->json is right in any case, for who tells of the mistake. */
static int read_words(const struct action *a, char **argv, struct words *w, struct ambit_error *e)
{
	int r = 0;

	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(a, &argv, w, e);
	if (r < 0)
		return r;
	if (w->all == (w->what != NULL))
		return cli_misused(e, a->help_command, "%s what? a session, an event, or --all", a->name);
	return 0;
}

/* An id of an event that is over is thawed, too: its word may have been left. */
static int act(const struct action *a, const struct words *w, struct err *e)
{
	char what[ID_TEXT_MAX] = FROZEN_ALL;
	const struct halt h = { .deed = a->deed, .what = what, .reason = w->reason, .keep = w->keep };
	struct halted done = { .before = false };
	int r = w->all ? 0 : freeze_find(w->what, what, e), status = 0;

	r = r < 0 ? r : halt_do(&h, &done, e);
	if (r == 0)
		status = tell(w, a, what, &done);
	halted_finish(&done);
	return r < 0 ? r : status;
}

int cli_freeze(int argc, char **argv)
{
	const struct action *a = actions;
	struct words w = { .reason = "" };
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int r;

	while (strcmp(a->name, argv[0]) != 0) /* the table of commands has these alone */
		a++;
	for (int i = 1; i < argc; i++)
		if (cli_is_help(argv[i])) {
			(void)fputs(a->help, stdout);
			return 0;
		}
	if (read_words(a, argv + 1, &w, &told) < 0)
		return cli_refuse(w.json, &told);
	r = act(a, &w, &e);
	return r < 0 ? found_refuse(w.json, &e) : r;
}
