/* ambit session new, list, end: sessions that the daemon keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/options.h"
#include "lib/freeze.h"
#include "lib/public.h"
#include "lib/session_describe.h"

#define SESSION_HELP "ambit session --help"
#define SHOWN_MAX 300
#define ROW_JSON_MAX 32768

static const char session_help[] =
	"ambit session new [GRANTS]\n"
	"ambit session list\n"
	"ambit session end SESSION\n"
	"\n"
	"  new    makes a session and prints its id; what is given holds for all of its events, as for `ambit run`\n"
	"  list   the sessions there are\n"
	"  end    ends what runs in it, and takes no more events; what became of the others is kept for its time\n"
	"\n"
	"  SESSION is an id or the beginning of one; `last` is the latest.\n"
	"\n"
	"  --read PATH         new: read beneath it; other verbs of grants likewise\n"
	"  --write PATH        new: read and write beneath it\n"
	"  --work PATH         new: read, write and execute beneath it\n"
	"  --policy FILE       new: grants and limits of a file\n"
	"  --preset NAME       new: grants and limits that come with Ambit\n"
	"  --limit NAME=VALUE  new: bounds what each event may use\n"
	"  --budget WORDS      new: bounds all its connections ('session uses=9 bytes=9M rate=9/s'), or all of the agent\n"
	"  --warm LINE         new: interpreters of code that wait from its beginning (see man ambit.yaml)\n"
	"  --workspace DIR     new: what `.` means, and where commands start\n"
	"  --base BASE         new: what is there without a grant\n"
	"  --observe LEVEL     new: what the eye reports\n"
	"  --canary WAY        new: what becomes of what touches a canary: tell, kill, freeze\n"
	"  --profile WAY       new: what becomes of what is not like what is usual\n"
	"  --without PROPERTY  new: go on without it\n"
	"  --stage             new: what events changed is kept for review\n"
	"  --discard           new: what a failed one changed is thrown away\n"
	"  --direct            new: they write in place\n"
	"  --strict            new: a denial makes an event fail\n"
	"  --events N          new: it takes so many events at most\n"
	"  --total-wall TIME   new: all of its events together run so long\n"
	"  --total-cpu TIME    new: likewise of processor time\n"
	"  --keep TIME         new: how long output and record of an event are kept (default: 7d)\n"
	"  --keep-space SIZE   new: how much of them, the oldest go first (default: 256M)\n"
	"  --key KEY           new: the same key again gives the session that it gave before\n"
	"  --json              as JSON\n"
	"  --help              this text\n"
	"\n"
	"  ambit run --session last -- pytest -q\n";

/* ---- new ---- */

/* It, or everything. */
static bool is_frozen(const struct session_row *r)
{
	char place[GRANT_OBJECT_MAX];

	return freeze_place(place, NULL) == 0 && frozen_refuse(place, r->session, "", NULL) < 0;
}

static void put_session(struct json *j, const struct session_row *r)
{
	static const char *const states[] = { NULL, "idle", "busy", "ended", "broken" };

	json_put_object(j);
	json_put_word(json_put_key(j, "session"), r->session);
	json_put_word(json_put_key(j, "state"), states[r->state]);
	json_put_ms(json_put_key(j, "made"), r->made_ms);
	json_put_name(json_put_key(j, "agent"), r->agent[0] != 0 ? r->agent : NULL);
	json_put_name(json_put_key(j, "workspace"), r->workspace);
	json_put_count(json_put_key(j, "events"), r->events);
	json_put_count(json_put_key(j, "running"), r->running);
	json_put_bool(json_put_key(j, "frozen"), is_frozen(r));
	json_put_object_end(j);
}

static int tell_session(bool json, const struct session_row *r)
{
	auto_buf out = { .max = ROW_JSON_MAX };
	struct json j;

	if (!json) {
		(void)printf("%s\n", r->session);
		return cli_flush();
	}
	json_begin(&j, &out);
	put_session(&j, r);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

static int make(const struct run_options *o)
{
	const struct ambit_session_options options = { .workspace = o->event.workspace,
						       .base = o->event.base,
						       .observe = o->event.observe,
						       .without = o->event.without,
						       .changes = o->event.changes,
						       .events_max = o->events_max,
						       .wall_ms_max = o->wall_ms_max,
						       .cpu_ms_max = o->cpu_ms_max,
						       .keep_ms = o->keep_ms,
						       .keep_bytes = o->keep_bytes,
						       .key = o->key };
	static struct daemon_link d;
	static struct daemon_channel c;
	struct description about = { .env = NULL };
	auto_buf policy = { .max = DESCRIPTION_BYTES_MAX };
	struct err e;
	int r = session_describe(o->policy, &options, &policy, &about, &e), status;

	d.sock = c.sock = -1;
	r = r < 0 ? r : daemon_connect(&d, true, &e);
	r = r < 0 ? r : daemon_new(&d, &about, &c, &e);
	status = r < 0 ? found_refuse(o->json, &e) : tell_session(o->json, &c.ready.row);
	daemon_part(&c);
	daemon_leave(&d);
	description_finish(&about);
	return status;
}

static int session_new(int argc, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	struct run_options o;
	int status;

	if (options_read(&o, COMMAND_SESSION, argc, argv, &e) < 0)
		status = cli_refuse(o.json, &e);
	else if (o.help)
		status = fputs(session_help, stdout) < 0;
	else
		status = make(&o);
	options_finish(&o);
	return status;
}

/* ---- list, end ---- */

static void say_session(const struct session_row *r)
{
	char workspace[SHOWN_MAX], made[TIMESTAMP_LEN + 1] = "";
	static const char *const states[] = { NULL, "", "", "  ended", "  cannot be read" };

	(void)timestamp_write(r->made_ms, made);
	(void)printf("%s  %.16sZ  %llu event%s", r->session, made, (unsigned long long)r->events,
		     text_plural(r->events));
	if (r->running > 0)
		(void)printf(", %u run%s", r->running, r->running == 1 ? "s" : "");
	(void)printf("%s%s  %s\n", states[r->state], is_frozen(r) ? "  frozen" : "",
		     text_escape(workspace, sizeof workspace, r->workspace, strlen(r->workspace)));
}

/* A daemon that is not there has none in use, but is started: sessions are its to list. */
static int list_all(bool json, struct json *j, struct err *e)
{
	static struct daemon_link d;
	auto_free struct session_row *rows = calloc(SERVE_PAGE, sizeof *rows);
	char after[ID_TEXT_MAX] = "";
	int n;

	if (rows == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	n = daemon_connect(&d, true, e);
	for (n = n < 0 ? n : SERVE_PAGE; n == SERVE_PAGE;) {
		n = daemon_list(&d, after, rows, e);
		for (int i = 0; i < n; i++) {
			if (json)
				put_session(j, &rows[i]);
			else
				say_session(&rows[i]);
		}
		if (n > 0)
			memcpy(after, rows[n - 1].session, sizeof after);
	}
	daemon_leave(&d);
	return n < 0 ? n : 0;
}

static int session_list(bool json)
{
	auto_buf out = { .max = 64u << 20 };
	struct json j;
	struct err e;
	int r;

	json_begin(&j, &out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "sessions"));
	r = list_all(json, &j, &e);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	if (r < 0)
		return found_refuse(json, &e);
	return json ? cli_write(out.data, out.len) : cli_flush();
}

static int session_end(const char *word, bool json)
{
	static struct daemon_link d;
	static struct daemon_channel c;
	struct err e;
	int r = found_open(&d, &c, word, &e);

	r = r < 0 ? r : daemon_end(&c, &e);
	daemon_part(&c);
	daemon_leave(&d);
	return r < 0 ? found_refuse(json, &e) : 0;
}

int cli_session(int argc, char **argv)
{
	static const char *const verbs[] = { "new", "list", "end" };
	const char *verb = argc > 1 ? argv[1] : "";
	bool json = false;
	int n = 2;

	if (argc < 2 || cli_is_help(verb)) {
		(void)fputs(session_help, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_REFUSED : 0;
	}
	if (strcmp(verb, "new") == 0)
		return session_new(argc - 1, argv + 1);
	for (; n < argc && strncmp(argv[n], "-", 1) == 0; n++) {
		static const char *const names[] = { "json", "help" };

		if (cli_is_help(argv[n])) {
			(void)fputs(session_help, stdout);
			return 0;
		}
		if (strcmp(argv[n], "--json") != 0)
			return cli_no_option(SESSION_HELP, argv[n], names, 2);
		json = true;
	}
	if (strcmp(verb, "list") == 0)
		return n == argc ? session_list(json) : cli_usage(SESSION_HELP, "list takes no '%s'", argv[n]);
	if (strcmp(verb, "end") == 0)
		return n == argc - 1 ? session_end(argv[n], json) : cli_usage(SESSION_HELP, "end takes one session");
	return cli_no_word(SESSION_HELP, verb, verbs, 3, "no command 'session %s'", verb);
}
