/* ambit events, ambit ps: what ran in a session, and what runs in all of them. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/found.h"

#define EVENTS_HELP "ambit events --help"
#define PS_HELP "ambit ps --help"
#define SHOWN_MAX 300
#define ROW_JSON_MAX 32768
#define WATCH_MS 1000

static const char events_help[] = "ambit events [SESSION]\n"
				  "\n"
				  "What ran in a session (the latest, if none is named), and runs.\n"
				  "\n"
				  "  --from N    events from that number on (default: 1)\n"
				  "  --follow    and those to come, until it is interrupted\n"
				  "  --json      a line of JSON for each\n"
				  "  --help      this text\n";

static const char ps_help[] = "ambit ps\n"
			      "\n"
			      "What runs or waits in all of your sessions.\n"
			      "\n"
			      "  --watch   again each second, until it is interrupted\n"
			      "  --json    a line of JSON for each\n"
			      "  --help    this text\n"
			      "\n"
			      "Events that no session keeps are in `ambit grant list`.\n";

/* ---- events ---- */

struct events_words {
	const char *session;
	uint64_t from;
	bool follow, json;
};

static const char *state_of(const struct event_row *r)
{
	switch ((enum event_state)r->state) {
	case EVENT_TAKEN: return "waits";
	case EVENT_RUNS: return "runs";
	case EVENT_INTERRUPTED: return "interrupted";
	case EVENT_OVER:
	case EVENT_STATE_COUNT: break;
	}
	return "over";
}

/* Its program, until somebody has it continue: it does run, and nothing comes of it. */
static bool is_stopped(const struct event_row *r)
{
	return r->state == EVENT_RUNS && (r->flags & EVENT_STOPPED) != 0;
}

static bool is_frozen(const struct event_row *r)
{
	return r->state == EVENT_RUNS && (r->flags & EVENT_FROZEN) != 0;
}

static void say_event(const struct event_row *r)
{
	char command[SHOWN_MAX], when[TIMESTAMP_LEN + 1] = "";
	const char *workspace = r->state == EVENT_OVER ? workspace_word(r->outcome.workspace) : NULL;

	(void)timestamp_write(r->taken_ms, when);
	(void)printf("%4llu  %s  %.19sZ  ", (unsigned long long)r->n, r->event, when);
	if (r->state == EVENT_OVER)
		(void)printf("%s %u%s%s", cause_word(r->outcome.cause), r->exit_status, workspace != NULL ? " " : "",
			     workspace != NULL ? workspace : "");
	else
		(void)printf("%s", is_frozen(r) ? "frozen" : is_stopped(r) ? "stopped" : state_of(r));
	(void)printf("%s%s  %s\n", (r->flags & EVENT_BACKGROUND) != 0 ? " beside" : "", r->denied != 0 ? " denied" : "",
		     text_escape(command, sizeof command, r->command, strlen(r->command)));
}

static void put_time(struct json *j, const char *key, uint64_t ms)
{
	if (ms == 0)
		json_put_null(json_put_key(j, key));
	else
		json_put_ms(json_put_key(j, key), ms);
}

static int tell_event_json(const struct event_row *r, const char *session)
{
	auto_buf out = { .max = ROW_JSON_MAX };
	const bool over = r->state == EVENT_OVER;
	struct json j;

	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "session"), session);
	json_put_count(json_put_key(&j, "n"), r->n);
	json_put_word(json_put_key(&j, "event"), r->event);
	json_put_word(json_put_key(&j, "state"), state_of(r));
	json_put_name(json_put_key(&j, "command"), r->command);
	json_put_bool(json_put_key(&j, "background"), (r->flags & EVENT_BACKGROUND) != 0);
	json_put_bool(json_put_key(&j, "kernel"), (r->flags & EVENT_KERNEL) != 0);
	json_put_bool(json_put_key(&j, "stopped"), is_stopped(r));
	json_put_bool(json_put_key(&j, "frozen"), is_frozen(r));
	put_time(&j, "taken", r->taken_ms);
	put_time(&j, "begun", r->begun_ms);
	put_time(&j, "ended", r->ended_ms);
	json_put_count(json_put_key(&j, "stdout"), r->out_bytes);
	json_put_count(json_put_key(&j, "stderr"), r->err_bytes);
	if (over)
		json_put_count(json_put_key(&j, "exit"), r->exit_status);
	json_put_word(json_put_key(&j, "cause"), over ? cause_word(r->outcome.cause) : NULL);
	json_put_word(json_put_key(&j, "workspace"), over ? workspace_word(r->outcome.workspace) : NULL);
	json_put_bool(json_put_key(&j, "denied"), r->denied != 0);
	json_put_bool(json_put_key(&j, "unusual"), (r->flags & EVENT_UNUSUAL) != 0);
	json_put_bool(json_put_key(&j, "held"), (r->flags & EVENT_HELD) != 0);
	(void)json_put_key(&j, "labels");
	if (r->state >= EVENT_OVER)
		labels_put_json(&j, &r->labels);
	else
		json_put_null(&j);
	json_put_bool(json_put_key(&j, "kept"), (r->flags & EVENT_PRUNED) == 0);
	json_put_word(json_put_key(&j, "code"), r->code != 0 ? err_code_name((int)r->code) : NULL);
	json_put_name(json_put_key(&j, "message"), r->message[0] != 0 ? r->message : NULL);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

static void tell_event(const struct event_row *row, const char *session, bool json)
{
	if (json)
		(void)tell_event_json(row, session); /* who does not listen any more is found out by cli_flush */
	else
		say_event(row);
}

/* Until the list is told, or for ever. */
static int tell_events(struct daemon_channel *c, const struct events_words *w, struct err *e)
{
	struct daemon_news news;
	int r = daemon_events(c, w->from, w->follow ? DAEMON_AND_TO_COME : DAEMON_ALL, e);

	while (r == 0) {
		r = daemon_hear(c, -1, &news, e);
		if (r < 0 || (news.what == WIRE_SESSION_DONE && !w->follow))
			break;
		if (news.what == WIRE_SESSION_FAILED) {
			*e = news.failed;
			return -(int)e->code;
		}
		if (news.what == WIRE_SESSION_ROW || news.what == WIRE_SESSION_CHANGED)
			tell_event(&news.row, c->ready.row.session, w->json);
		r = w->follow && cli_flush() != 0 ? -AMBIT_GONE : 0;
	}
	return r < 0 ? r : 0;
}

static int read_events_words(struct events_words *w, int argc, char **argv)
{
	static const char *const names[] = { "from", "follow", "json", "help" };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--follow") == 0)
			w->follow = true;
		else if (strcmp(argv[i], "--json") == 0)
			w->json = true;
		else if (strcmp(argv[i], "--from") == 0) {
			if (i + 1 == argc || !parse_u64(argv[++i], 1, UINT64_MAX, &w->from))
				return cli_usage(EVENTS_HELP, "--from takes the number of an event");
		} else if (argv[i][0] == '-')
			return cli_no_option(EVENTS_HELP, argv[i], names, 4);
		else if (w->session != NULL)
			return cli_usage(EVENTS_HELP, "events takes one session, and not '%s' too", argv[i]);
		else
			w->session = argv[i];
	}
	return 0;
}

int cli_events(int argc, char **argv)
{
	static struct daemon_link d;
	static struct daemon_channel c;
	struct events_words w = { .from = 1 };
	struct err e;
	int r;

	for (int i = 1; i < argc; i++)
		if (cli_is_help(argv[i])) {
			(void)fputs(events_help, stdout);
			return 0;
		}
	r = read_events_words(&w, argc, argv);
	if (r != 0)
		return r;
	r = found_open(&d, &c, w.session != NULL ? w.session : "last", &e);
	r = r < 0 ? r : tell_events(&c, &w, &e);
	daemon_part(&c);
	daemon_leave(&d);
	return r < 0 ? found_refuse(w.json, &e) : cli_flush();
}

/* ---- ps ---- */

/* One that ended meanwhile is none. */
static int tell_live(struct daemon_link *d, const char *session, bool json, struct err *e)
{
	static struct daemon_channel c;
	struct daemon_news news = { .what = WIRE_SESSION_ROW };
	int r = daemon_open(d, session, &c, e);

	r = r < 0 ? r : daemon_events(&c, 1, DAEMON_LIVE, e);
	while (r == 0 && news.what != WIRE_SESSION_DONE) {
		r = daemon_hear(&c, -1, &news, e);
		r = r < 0 ? r : 0;
		if (r == 0 && news.what == WIRE_SESSION_ROW) {
			if (!json)
				(void)printf("%s ", session);
			tell_event(&news.row, session, json);
		}
	}
	daemon_part(&c);
	return r == -AMBIT_GONE ? 0 : r;
}

static int tell_page(struct daemon_link *d, const struct session_row *rows, int n, bool json, struct err *e)
{
	int r = 0;

	for (int i = 0; i < n && r == 0; i++)
		if (rows[i].running > 0)
			r = tell_live(d, rows[i].session, json, e);
	return r;
}

static int tell_all_live(struct daemon_link *d, bool json, struct err *e)
{
	auto_free struct session_row *rows = calloc(SERVE_PAGE, sizeof *rows);
	char after[ID_TEXT_MAX] = "";
	int n = SERVE_PAGE;

	if (rows == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	while (n == SERVE_PAGE) {
		n = daemon_list(d, after, rows, e);
		if (n > 0) {
			const int r = tell_page(d, rows, n, json, e);

			memcpy(after, rows[n - 1].session, sizeof after);
			n = r < 0 ? r : n;
		}
	}
	return n < 0 ? n : 0;
}

static int watch(struct daemon_link *d, bool again, bool json, struct err *e)
{
	int r;

	do {
		if (again && !json && isatty(STDOUT_FILENO) == 1)
			(void)fputs("\033[H\033[2J", stdout);
		r = tell_all_live(d, json, e);
		if (r == 0 && cli_flush() != 0)
			return 0;
		if (again && r == 0)
			(void)poll(NULL, 0, WATCH_MS); /* it is a clock that people look at */
	} while (again && r == 0);
	return r;
}

int cli_ps(int argc, char **argv)
{
	static const char *const names[] = { "watch", "json", "help" };
	static struct daemon_link d;
	bool again = false, json = false;
	struct err e;
	int r;

	for (int i = 1; i < argc; i++) {
		if (cli_is_help(argv[i])) {
			(void)fputs(ps_help, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--watch") == 0)
			again = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else
			return argv[i][0] == '-' ? cli_no_option(PS_HELP, argv[i], names, 3)
						 : cli_usage(PS_HELP, "ps takes no '%s'", argv[i]);
	}
	r = daemon_connect(&d, true, &e);
	r = r < 0 ? r : watch(&d, again, json, &e);
	daemon_leave(&d);
	return r < 0 ? found_refuse(json, &e) : cli_flush();
}
