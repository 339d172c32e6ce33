/* ambit freeze, thaw, kill: everything stands still until a person says so, goes on, or ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/place.h"
#include "lib/freeze.h"
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

/* before: it was frozen when this was said. */
static int tell(const struct words *w, const char *done, const char *what, bool before, int cancelled,
		const struct held_events *h)
{
	const bool freezes = strcmp(done, "frozen") == 0, thaws = strcmp(done, "thawed") == 0;
	const char *remark = freezes && before ? ", as before" : thaws && !before ? ", which was not frozen" : "";
	auto_buf out = { .max = 0 };
	struct json j;

	if (!w->json) {
		(void)printf("%s: %s%s\n", done, what, remark);
		for (size_t i = 0; i < h->n; i++)
			say_event(&h->list[i]);
		return cli_flush();
	}
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, done), what);
	json_put_bool(json_put_key(&j, "before"), before);
	if (cancelled >= 0)
		json_put_count(json_put_key(&j, "cancelled"), (uint64_t)cancelled);
	json_put_array(json_put_key(&j, "events"));
	for (size_t i = 0; i < h->n; i++)
		put_event(&j, &h->list[i]);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

/* Of the first that did not do what was asked. */
static int failed(const struct held_events *h, struct err *e)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct held_event *ev = &h->list[i];

		if (ev->why.code != AMBIT_OK) {
			*e = ev->why;
			return -(int)e->code;
		}
		if (ev->held.result == REACH_LATE)
			return err_why(e,
				       err_set(e, AMBIT_LIMIT, "`ambit kill` ends it; it is tried on",
					       "not everything of %s stands still", ev->run.event),
				       "%u of its threads wait in the kernel, which does not let them go",
				       ev->held.running);
	}
	return 0;
}

/* ---- freeze ---- */

static struct frozen word_of(const struct words *w, const char *what)
{
	struct frozen f = { .since_ms = clock_unix_ms(), .by = getuid() };

	(void)text_copy(f.what, sizeof f.what, what); /* fits, as does the reason */
	(void)text_copy(f.reason, sizeof f.reason, w->reason);
	return f;
}

/* The word, then who runs; also where the word cannot be written: what runs is stopped all the same, and that it may begin again is told. An event
 * that ended meanwhile takes its word with it. */
static int freeze_now(const struct words *w, const char *place, const char *what, struct held_events *h, bool *ret_new,
		      struct err *e)
{
	const struct frozen f = word_of(w, what);
	const int written = frozen_write(place, &f, e);
	struct err later;
	struct err *why = written < 0 ? &later : e; /* the first is told */
	int r = freeze_gather(what, h, why);

	*ret_new = written == 1;
	if (r == 0) {
		freeze_events(h, w->reason);
		if (what[0] == 'e' && (h->n == 0 || h->list[h->n - 1].held.result == REACH_ENDED))
			(void)frozen_remove(place, what, NULL);
		r = failed(h, why);
	}
	return written < 0 ? written : r;
}

static int freeze(const struct words *w, const char *place, const char *what, struct err *e)
{
	struct held_events h = { .list = NULL };
	bool is_new = false;
	int r = freeze_now(w, place, what, &h, &is_new, e), status = 0;

	r = r < 0 ? r : freeze_commits(e);
	if (r == 0 && what[0] == 'e' && h.n == 0)
		r = err_set(e, AMBIT_NOT_FOUND, NULL, "event %s ended meanwhile", what);
	if (r == 0)
		status = tell(w, "frozen", what, !is_new, -1, &h);
	freeze_part(&h);
	return r < 0 ? r : status;
}

/* ---- thaw ---- */

struct removal {
	const char *place;
	int r;
	unsigned n;
	struct err *e;
};

static void remove_one(void *user, const struct frozen *f)
{
	struct removal *rm = user;
	const int r = rm->r < 0 ? 0 : frozen_remove(rm->place, f->what, rm->e);

	rm->r = r < 0 ? r : rm->r;
	rm->n += r == 1;
}

static int remove_words(const char *place, const char *what, struct err *e)
{
	struct removal rm = { .place = place, .e = e };
	int r;

	if (strcmp(what, FROZEN_ALL) != 0)
		return frozen_remove(place, what, e);
	r = frozen_list(place, remove_one, &rm, e);
	return r < 0 ? r : rm.r < 0 ? rm.r : (int)rm.n;
}

/* Of those that are meant, the ones that nothing else holds. */
static int keep_free(const char *place, struct held_events *h, struct err *e)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct held_event *ev = &h->list[i];
		const int frozen = frozen_refuse(place, ev->told.session, ev->run.event, h->n == 1 ? e : NULL);

		if (frozen == 0)
			h->list[kept++] = *ev;
		else
			running_finish(&ev->run);
		r = frozen;
	}
	r = h->n == 1 ? r : 0; /* of several, each stays as what else was said of it wants */
	h->n = kept;
	return r;
}

static int thaw(const struct words *w, const char *place, const char *what, struct err *e)
{
	struct held_events h = { .list = NULL };
	int removed = remove_words(place, what, e), r, status = 0;

	r = removed < 0 ? removed : freeze_gather(what, &h, e);
	r = r < 0 ? r : keep_free(place, &h, e);
	if (r == 0) {
		thaw_events(&h);
		r = failed(&h, e);
	}
	if (r == 0)
		status = tell(w, "thawed", what, removed > 0, -1, &h);
	freeze_part(&h);
	return r < 0 ? r : status;
}

/* ---- kill ---- */

static int end(const struct words *w, const char *place, const char *what, struct err *e)
{
	struct held_events h = { .list = NULL };
	bool is_new = false;
	int r = freeze_now(w, place, what, &h, &is_new, e), cancelled = 0, status = 0;
	struct err unused;

	if (r == 0 || h.n > 0) { /* what does not stand still ends all the same */
		kill_events(&h);
		r = failed(&h, e);
	}
	if (what[0] != 'e')
		cancelled = freeze_cancel(what, r < 0 ? &unused : e);
	r = r < 0 ? r : cancelled < 0 ? cancelled : 0;
	if (is_new && !w->keep && frozen_remove(place, what, r < 0 ? &unused : e) < 0)
		r = r < 0 ? r : -AMBIT_SYSTEM;
	if (r == 0)
		status = tell(w, "killed", what, !is_new, cancelled, &h);
	freeze_part(&h);
	return r < 0 ? r : status;
}

/* ---- words ---- */

static const struct action {
	const char *name, *help_command, *help;
	int (*call)(const struct words *w, const char *place, const char *what, struct err *e);
	bool has_reason, has_keep;
} actions[] = {
	{ "freeze", "ambit freeze --help", freeze_help, freeze, true, false },
	{ "thaw", "ambit thaw --help", thaw_help, thaw, false, false },
	{ "kill", "ambit kill --help", kill_help, end, true, true },
};

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
	char place[GRANT_OBJECT_MAX], what[ID_TEXT_MAX] = FROZEN_ALL;
	int r = freeze_place(place, e);

	if (r == 0 && !w->all)
		r = freeze_find(w->what, what, e);
	return r < 0 ? r : a->call(w, place, what, e);
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
