/* ambit grant list, revoke, restore: what events may do that run now, what the person's authority has for those to come, and taking it back. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/grant_standing.h"
#include "core/endpoint.h"
#include "lib/public.h"
#include "lib/running.h"

#define HELP "ambit grant --help"
#define SHOWN_MAX 300       /* of somebody's words in a line */
#define JSON_MAX (8u << 20) /* 256 grants with objects of 4 KiB, each byte six */

static const char help_text[] =
	"ambit grant list [EVENT]\n"
	"ambit grant list --standing\n"
	"ambit grant revoke EVENT GRANT | EVENT --all\n"
	"ambit grant revoke|restore GRANT\n"
	"\n"
	"  list           your events that run now, the latest first\n"
	"  list EVENT     what this one was granted: numbers, whether withdrawn, connections that are open\n"
	"  revoke EVENT   withdraws a grant from an event while it runs: its connections are closed at once, later ones refused\n"
	"  revoke GRANT   revokes one that your authority keeps for all events of a stream, by its id: what is open by it is closed\n"
	"                 when this returns, its questions go, and what begins with it again is refused until it is restored\n"
	"  restore GRANT  takes that back\n"
	"\n"
	"  EVENT is an id or the beginning of one; `last` is the latest that runs. GRANT is its number in the list, or its object as\n"
	"  it was written: api.example.com:443. Of one that your authority keeps it is its id, g_..., or the beginning of it.\n"
	"\n"
	"  --standing  grants that your authority keeps: with labels, budgets of sessions, and what asks\n"
	"  --all       every grant that can be withdrawn; says which cannot\n"
	"  --json      as JSON\n"
	"  --help      this text\n"
	"\n"
	"Of an event only `connect` and `delegate` can be withdrawn, and with them what sub-agents have of them: what a cell was shown of files it has until it ends.\n";

struct words {
	const char *event, *grant; /* NULL: not named */
	bool all, standing, json, help;
};

struct grants { /* those of one event */
	uint32_t n;
	struct reach_grant list[GRANTS_MAX];
};

/* ---- what is shown ---- */

static int finish_json(struct buf *out)
{
	buf_put_u8(out, '\n');
	if (!out->failed)
		return cli_write(out->data, out->len);
	(void)fputs("ambit: no memory for the JSON\n", stderr);
	return EXIT_REFUSED;
}

static void put_event(struct json *j, const char *event, const struct reach_event *told)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "event"), event);
	json_put_ms(json_put_key(j, "started"), told->begun_ms);
	json_put_count(json_put_key(j, "grants"), told->grants);
	json_put_count(json_put_key(j, "withdrawn"), told->withdrawn);
	json_put_bool(json_put_key(j, "frozen"), told->freeze != REACH_RUNS);
	json_put_name(json_put_key(j, "command"), told->command);
	json_put_object_end(j);
}

static void say_event(const char *event, const struct reach_event *told)
{
	char command[SHOWN_MAX];

	(void)printf("%s  %u grant%s", event, told->grants, text_plural(told->grants));
	if (told->withdrawn > 0)
		(void)printf(", %u withdrawn", told->withdrawn);
	if (told->freeze != REACH_RUNS)
		(void)printf(", frozen");
	(void)printf("  %s\n", text_escape(command, sizeof command, told->command, strlen(told->command)));
}

static const char *shown(const struct reach_grant *g, char room[SHOWN_MAX])
{
	char object[SHOWN_MAX - 16];

	(void)snprintf(room, SHOWN_MAX, "%s%s%s", verb_word(g->verb), g->object[0] != 0 ? " " : "",
		       text_escape(object, sizeof object, g->object, strlen(g->object)));
	return room;
}

static void say_grant(const struct reach_grant *g)
{
	char what[SHOWN_MAX];

	(void)printf("%3u  %s", g->index + 1, shown(g, what));
	if (g->withdrawn)
		(void)printf("  withdrawn");
	else if (g->live > 0)
		(void)printf("  %u connection%s", g->live, text_plural(g->live));
	(void)printf("\n");
}

static void put_grant(struct json *j, const struct reach_grant *g)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "number"), g->index + 1);
	json_put_word(json_put_key(j, "grant"), g->id);
	json_put_word(json_put_key(j, "verb"), verb_word(g->verb));
	json_put_name(json_put_key(j, "object"), g->object);
	json_put_bool(json_put_key(j, "withdrawn"), g->withdrawn);
	json_put_count(json_put_key(j, "connections"), g->live);
	json_put_object_end(j);
}

/* ---- list ---- */

/* One that ended meanwhile is none. */
static void tell_event(const char *event, bool json, struct json *j)
{
	struct running r;
	struct reach_event told;

	if (running_find(event, &r, NULL) < 0)
		return;
	if (running_event(&r, &told, NULL) == 0) {
		if (json)
			put_event(j, event, &told);
		else
			say_event(event, &told);
	}
	running_finish(&r);
}

static int list_events(const struct words *w, struct err *e)
{
	struct running_list l;
	auto_buf out = { .max = 0 };
	struct json j;
	const int r = running_list(&l, e);

	if (r < 0)
		return r;
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "events"));
	for (size_t i = 0; i < l.n; i++)
		tell_event(l.events[i].event, w->json, &j);
	json_put_array_end(&j);
	json_put_object_end(&j);
	if (l.n == 0 && !w->json)
		(void)printf("no event of yours runs\n");
	running_list_finish(&l);
	return w->json ? finish_json(&out) : 0;
}

static int get_grants(struct running *r, struct grants *ret, struct err *e)
{
	int got = 1;

	for (ret->n = 0; ret->n < GRANTS_MAX && got == 1; ret->n += got == 1)
		got = running_grant(r, ret->n, &ret->list[ret->n], e);
	return got < 0 ? got : 0;
}

static int list_grants(const struct words *w, struct err *e)
{
	static struct grants all;
	struct running run;
	auto_buf out = { .max = 0 };
	struct json j;
	int r = running_find(w->event, &run, e);

	if (r < 0)
		return r;
	r = get_grants(&run, &all, e);
	running_finish(&run);
	if (r < 0)
		return r;
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "event"), run.event);
	json_put_array(json_put_key(&j, "grants"));
	for (uint32_t i = 0; i < all.n; i++)
		if (w->json)
			put_grant(&j, &all.list[i]);
		else
			say_grant(&all.list[i]);
	json_put_array_end(&j);
	json_put_object_end(&j);
	return w->json ? finish_json(&out) : 0;
}

static int list(const struct words *w, struct err *e)
{
	if (w->standing)
		return grant_standing_list(w->json, e);
	return w->event == NULL ? list_events(w, e) : list_grants(w, e);
}

/* ---- revoke ---- */

/* By its number, its id, or its object, an endpoint in any spelling. */
static int find_grant(const struct grants *all, const char *word, const struct reach_grant **ret, struct err *e)
{
	char text[ENDPOINT_TEXT_MAX];
	const char *object = word;
	struct endpoint p;
	uint32_t number = 0;

	if (!parse_u32(word, 1, GRANTS_MAX, &number) && endpoint_take(word, &p, NULL) == 0) {
		endpoint_put(&p, text);
		object = text;
	}
	for (uint32_t i = 0; i < all->n; i++) {
		const struct reach_grant *g = &all->list[i];

		if (number == i + 1 || (number == 0 && (strcmp(g->object, object) == 0 || strcmp(g->id, word) == 0))) {
			*ret = g;
			return 0;
		}
	}
	return err_set(e, AMBIT_NOT_FOUND, "`ambit grant list EVENT` shows them with their numbers",
		       "the event has no grant '%s'", word);
}

static int not_withdrawable(const struct reach_grant *g, struct err *e)
{
	char what[SHOWN_MAX];

	return err_why(
		e,
		err_set(e, AMBIT_UNAVAILABLE, "end the event: what it wrote is kept, and `ambit diff` shows it",
			"cannot withdraw %s", shown(g, what)),
		"what a cell was given of that kind it has until it ends: only connect and delegate can be withdrawn");
}

static void say_done(const struct reach_grant *g, const struct reach_done *d)
{
	char what[SHOWN_MAX];

	(void)shown(g, what);
	if (d->result == REACH_LASTING)
		(void)printf("not withdrawn: %s\n  why: what a cell was given of that kind it has until it ends\n",
			     what);
	else if (d->result == REACH_ALREADY)
		(void)printf("withdrawn before: %s\n", what);
	else
		(void)printf("withdrawn: %s, %u connection%s closed\n", what, d->connections,
			     text_plural(d->connections));
}

static const char *result_word(enum reach_result r)
{
	switch (r) {
	case REACH_WITHDRAWN: return "withdrawn";
	case REACH_ALREADY: return "already";
	case REACH_LASTING: return "lasting";
	case REACH_NO_GRANT: break; /* which it was just before */
	}
	return "none";
}

static void put_done(struct json *j, const struct reach_grant *g, const struct reach_done *d)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "number"), g->index + 1);
	json_put_word(json_put_key(j, "grant"), g->id);
	json_put_word(json_put_key(j, "result"), result_word(d->result));
	json_put_count(json_put_key(j, "connections"), d->connections);
	json_put_object_end(j);
}

static int revoke_one(struct running *run, const struct reach_grant *g, bool json, struct json *j, struct err *e)
{
	struct reach_done done;
	const int r = running_revoke(run, g->index, &done, e);

	if (r < 0)
		return r;
	if (json)
		put_done(j, g, &done);
	else
		say_done(g, &done);
	return 0;
}

static int revoke_those(struct running *run, const struct words *w, struct err *e)
{
	static struct grants all;
	const struct reach_grant *one = NULL;
	auto_buf out = { .max = 0 };
	struct json j;
	int r = get_grants(run, &all, e);

	r = r < 0 || w->all ? r : find_grant(&all, w->grant, &one, e);
	if (r == 0 && one != NULL && one->verb != VERB_CONNECT && one->verb != VERB_DELEGATE)
		r = not_withdrawable(one, e);
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "event"), run->event);
	json_put_array(json_put_key(&j, "grants"));
	for (uint32_t i = 0; i < all.n && r == 0; i++)
		if (w->all || &all.list[i] == one)
			r = revoke_one(run, &all.list[i], w->json, &j, e);
	json_put_array_end(&j);
	json_put_object_end(&j);
	return r < 0 || !w->json ? r : finish_json(&out);
}

static int revoke(const struct words *w, struct err *e)
{
	struct running run;
	int r;

	if (w->grant == NULL && !w->all)
		return grant_standing_revoke(w->event, false, w->json, e);
	r = running_find(w->event, &run, e);
	if (r < 0)
		return r;
	r = revoke_those(&run, w, e);
	running_finish(&run);
	return r;
}

static int restore(const struct words *w, struct err *e)
{
	return grant_standing_revoke(w->event, true, w->json, e);
}

/* ---- words ---- */

static const struct action {
	const char *name;
	int (*call)(const struct words *w, struct err *e);
	unsigned least, most; /* words that it takes, if there is no --all */
} actions[] = { { "list", list, 0, 1 }, { "revoke", revoke, 2, 2 }, { "restore", restore, 1, 1 } };

#define ACTIONS (sizeof actions / sizeof actions[0])

static int take_word(struct words *w, const char *word, unsigned *n, struct ambit_error *e)
{
	static const char *const options[] = { "all", "help", "json", "standing" };

	if (strcmp(word, "--all") == 0)
		w->all = true;
	else if (strcmp(word, "--standing") == 0)
		w->standing = true;
	else if (word[0] == '-')
		return cli_misused_option(e, HELP, word, options, sizeof options / sizeof options[0]);
	else if ((*n)++ == 0)
		w->event = word;
	else
		w->grant = word;
	return 0;
}

/* By its id a grant is the authority's. */
static bool is_standing(const char *word)
{
	return word != NULL && strncmp(word, "g_", 2) == 0;
}

static int check_words(const struct action *a, const struct words *w, unsigned n, struct ambit_error *e)
{
	const unsigned all = w->all ? 1 : 0;

	if (w->all && a->call != revoke)
		return cli_misused(e, HELP, "grant %s takes no --all", a->name);
	if (w->standing && (a->call != list || n > 0))
		return cli_misused(e, HELP, "--standing is for grant list alone, without an event");
	if (a->call == revoke && n + all == 1 && is_standing(w->event))
		return 0;
	if (n + all < a->least)
		return cli_misused(e, HELP,
				   a->call == restore ? "grant %s: which grant? its id"
				   : n == 0           ? "grant %s: which event? its id, or last; or the id of a grant"
						      : "grant %s: which grant? its number or object, or --all",
				   a->name);
	return n + all > a->most ? cli_misused(e, HELP, "grant %s: too many words", a->name) : 0;
}

/* w->json is right in any case, for who tells of the mistake. */
static int read_words(const struct action *a, char **argv, struct words *w, struct ambit_error *e)
{
	unsigned n = 0;
	int r = 0;

	for (; *argv != NULL; argv++) {
		if (cli_is_help(*argv))
			w->help = true;
		else if (strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(w, *argv, &n, e);
	}
	return r < 0 || w->help ? r : check_words(a, w, n, e);
}

static int act(const struct action *a, char **argv)
{
	struct ambit_error told = { .size = sizeof told };
	struct words w = { .event = NULL };
	struct err e;
	int r;

	if (read_words(a, argv, &w, &told) < 0)
		return cli_refuse(w.json, &told);
	if (w.help) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	r = a->call(&w, &e);
	if (r >= 0)
		return r;
	(void)public_error(&told, r, &e);
	return cli_refuse(w.json, &told);
}

int cli_grant(int argc, char **argv)
{
	const char *names[ACTIONS];

	if (argc < 2)
		return cli_usage(HELP, "grant what? list, revoke or restore");
	if (cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	for (size_t i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, argv[1]) == 0)
			return act(&actions[i], argv + 2);
		names[i] = actions[i].name;
	}
	return cli_no_word(HELP, argv[1], names, ACTIONS, "no command 'grant %s'", argv[1]);
}
