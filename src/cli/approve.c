/* ambit approve: an approver's keys. A password is typed at the role ambit-approver, or read by it, and never comes here. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/questions.h"
#include "lib/approve.h"
#include "lib/public.h"

#define HELP "ambit approve --help"
#define JSON_MAX (64u << 10)
#define DEFAULT_NAME "default"
#define FD_MOST 65535

static const char help_text[] =
	"ambit approve [QUESTION]\n"
	"ambit approve QUESTION --show | --grant once|session | --deny [--stop] [--digest SHA256] [--key NAME] [--password-fd N]\n"
	"ambit approve QUESTION --line\n"
	"ambit approve QUESTION --export | --sign FILE | --take FILE\n"
	"ambit approve --answers\n"
	"ambit approve QUESTION --take-back\n"
	"ambit approve --enroll [--name NAME] [--agent KEY] [--password-fd N]\n"
	"ambit approve --keys\n"
	"ambit approve --forget KEY\n"
	"\n"
	"  Without words    what waits for your answer\n"
	"  QUESTION         shows it whole, asks you, and signs your answer; an id, the beginning of one, or `last`. After a yes it goes on\n"
	"  --show           only shows it, and its digest\n"
	"  --grant once     yes, to just this; for scripts, with --digest\n"
	"  --grant session  yes, and to the same again as often as it is asked for a day\n"
	"  --deny           no\n"
	"  --stop           with --deny: no to whatever else this grant would ask, for 30 days\n"
	"  --digest SHA256  of what you saw, as --show says it: an answer is to that and to nothing else\n"
	"  --until TIME     how long the answer holds: 2026-12-01T00:00:00Z\n"
	"  --line           print the line of a policy by which it would not be asked any more, to be written there by your own hand\n"
	"  --export         print it, to be answered on another machine\n"
	"  --sign FILE      there: show it, ask, and print the signed answer\n"
	"  --take FILE      here: take that answer\n"
	"  --answers        list what you said that holds still\n"
	"  --take-back      forget what you said to it: a yes that was not used counts no more, after a no it is asked again\n"
	"  --key NAME       which of your keys signs it; without it: the only one\n"
	"\n"
	"  --enroll         make a key, by which your answers to requests for an approval are signed\n"
	"  --keys           which keys there are\n"
	"  --forget KEY     take one away, by its name or fingerprint; what it signed counts no more\n"
	"  --name NAME      enroll: what it is called: letters, digits, and . _ - within; without it: default\n"
	"  --agent KEY      enroll: no new key, but one of Ed25519 that your ssh agent has, by its comment or fingerprint\n"
	"  --password-fd N  read the password from this descriptor to its end, else it is asked for at the terminal, twice\n"
	"  --json           as JSON\n"
	"  --help           this text\n";

enum action { NO_ACTION, ENROLL, KEYS, FORGET };

struct words {
	enum action action;
	const char *name, *agent, *which; /* NULL: not named */
	int password_fd;                  /* -1: none */
	bool stop, json, help;
	struct questions asked;
};

/* ---- what is said ---- */

static const char *kind_of(const struct approve_key *k)
{
	return k->kind == APPROVE_BY_PASSWORD ? "password" : k->kind == APPROVE_BY_AGENT ? "agent" : "damaged";
}

static void put_key(struct json *j, const struct approve_key *k)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "name"), k->name);
	json_put_word(json_put_key(j, "kind"), kind_of(k));
	if (k->kind != 0) {
		json_put_ms(json_put_key(j, "made"), k->made_ms);
		json_put_word(json_put_key(j, "fingerprint"), k->fingerprint);
	} else
		json_put_name(json_put_key(j, "why"), k->why);
	json_put_object_end(j);
}

static int finish_json(struct buf *out)
{
	buf_put_u8(out, '\n');
	if (!out->failed)
		return cli_write(out->data, out->len);
	(void)fputs("ambit: no memory for the JSON\n", stderr);
	return EXIT_REFUSED;
}

static void say_key(const struct approve_key *k)
{
	char at[TIMESTAMP_LEN + 1] = "", why[2 * APPROVE_WHY_MAX];

	if (k->kind == 0) {
		(void)printf("%s  damaged: %s\n", k->name, text_show(why, sizeof why, k->why, strlen(k->why)));
		return;
	}
	(void)timestamp_write(k->made_ms, at); /* or nothing, of one that was made when no calendar is */
	(void)printf("%s  %s  %s  %s\n", k->name, kind_of(k), at, k->fingerprint);
}

static int say_done(const struct words *w, const char *what, const struct approve_key *k)
{
	auto_buf out = { .max = 0 };
	struct json j;

	if (!w->json) {
		(void)printf("%s: ", what);
		say_key(k);
		return 0;
	}
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	put_key(json_put_key(&j, "key"), k);
	json_put_object_end(&j);
	return finish_json(&out);
}

/* ---- what is done ---- */

static int enroll(const struct words *w, struct err *e)
{
	struct approve_key key;
	const int r = approve_enroll(w->name != NULL ? w->name : DEFAULT_NAME, w->agent, w->password_fd, &key, e);

	return r < 0 ? r : say_done(w, "enrolled", &key);
}

static int forget(const struct words *w, struct err *e)
{
	struct approve_key key;
	const int r = approve_forget(w->which, &key, e);

	return r < 0 ? r : say_done(w, "forgotten", &key);
}

static int say_row(void *arg, const struct approve_key *k)
{
	*(bool *)arg = true;
	say_key(k);
	return 0;
}

static int add_row(void *arg, const struct approve_key *k)
{
	put_key(arg, k);
	return 0;
}

static int keys_json(struct err *e)
{
	auto_buf out = { .max = 0 };
	struct json j;
	int r;

	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "keys"));
	r = approve_keys(add_row, &j, e);
	json_put_array_end(&j);
	json_put_object_end(&j);
	return r < 0 ? r : finish_json(&out);
}

static int keys(const struct words *w, struct err *e)
{
	bool any = false;
	int r;

	if (w->json)
		return keys_json(e);
	r = approve_keys(say_row, &any, e);
	if (r == 0 && !any)
		(void)printf("you have no keys\n");
	return r;
}

/* ---- words ---- */

static int take_action(struct words *w, enum action action, struct ambit_error *e)
{
	if (w->action != NO_ACTION && w->action != action)
		return cli_misused(e, HELP, "one of --enroll, --keys and --forget");
	w->action = action;
	return 0;
}

static int take_fd(struct words *w, const char *text, struct ambit_error *e)
{
	uint32_t fd;

	if (!parse_u32(text, 0, FD_MOST, &fd) || fcntl((int)fd, F_GETFD) < 0)
		return cli_misused(e, HELP, "--password-fd: '%s' is no descriptor that is open", text);
	w->password_fd = (int)fd;
	return 0;
}

static int take_grant(struct words *w, const char *value, struct ambit_error *e)
{
	if (w->asked.answer != QUESTION_UNSAID)
		return cli_misused(e, HELP, "one of --grant and --deny, once");
	if (strcmp(value, "once") == 0)
		w->asked.answer = QUESTION_ONCE;
	else if (strcmp(value, "session") == 0)
		w->asked.answer = QUESTION_SESSION;
	else
		return cli_misused(e, HELP, "--grant: '%s' is neither once nor session", value);
	return 0;
}

/* To the second, as a person writes it. */
static int take_until(struct words *w, const char *value, struct ambit_error *e)
{
	char text[TIMESTAMP_LEN + 1];
	const size_t n = strlen(value);

	if (n == TIMESTAMP_LEN - 4 && value[n - 1] == 'Z') {
		(void)snprintf(text, sizeof text, "%.*s.000Z", (int)n - 1, value);
		if (timestamp_read(text, TIMESTAMP_LEN, &w->asked.until_ms))
			return 0;
	}
	return cli_misused(e, HELP, "--until: '%s' is no moment such as 2026-12-01T00:00:00Z", value);
}

/* True: it was one of those about a question; *r says whether it is well said. */
static bool take_answer(struct words *w, char ***at, int *r, struct ambit_error *e)
{
	const char *value;

	if (strcmp(**at, "--show") == 0) {
		w->asked.shows = true;
	} else if (strcmp(**at, "--stop") == 0) {
		w->stop = true;
	} else if (strcmp(**at, "--deny") == 0) {
		if (w->asked.answer != QUESTION_UNSAID)
			*r = cli_misused(e, HELP, "one of --grant and --deny, once");
		w->asked.answer = QUESTION_NO;
	} else if ((value = cli_argument(at, HELP, "--grant", r, e)) != NULL) {
		*r = *r < 0 ? *r : take_grant(w, value, e);
	} else if (strcmp(**at, "--answers") == 0) {
		w->asked.answers = true;
	} else if (strcmp(**at, "--take-back") == 0) {
		w->asked.takes_back = true;
	} else if (strcmp(**at, "--line") == 0) {
		w->asked.line = true;
	} else if (strcmp(**at, "--export") == 0) {
		w->asked.exports = true;
	} else if ((value = cli_argument(at, HELP, "--sign", r, e)) != NULL) {
		w->asked.sign = value;
	} else if ((value = cli_argument(at, HELP, "--take", r, e)) != NULL) {
		w->asked.take = value;
	} else if ((value = cli_argument(at, HELP, "--digest", r, e)) != NULL) {
		w->asked.digest = value;
	} else if ((value = cli_argument(at, HELP, "--key", r, e)) != NULL) {
		w->asked.key = value;
	} else if ((value = cli_argument(at, HELP, "--until", r, e)) != NULL) {
		*r = *r < 0 ? *r : take_until(w, value, e);
	} else {
		return false;
	}
	return true;
}

static bool says_more(const struct words *w)
{
	return w->asked.shows || w->asked.line || w->asked.exports || w->asked.sign != NULL || w->asked.take != NULL ||
	       w->stop || w->asked.answer != QUESTION_UNSAID || w->asked.digest != NULL || w->asked.key != NULL ||
	       w->asked.until_ms != 0;
}

static int judge_answer(struct words *w, struct ambit_error *e)
{
	const bool away = w->asked.sign != NULL || w->asked.take != NULL;

	if (w->name != NULL || w->agent != NULL)
		return cli_misused(e, HELP,
				   "--name and --agent go with --enroll; --key says which key signs an answer");
	if (away && (w->asked.which != NULL || w->asked.exports || (w->asked.sign != NULL && w->asked.take != NULL)))
		return cli_misused(e, HELP, "--sign and --take have the question in their file, and go one by one");
	if (w->asked.take != NULL && (w->asked.shows || w->asked.answer != QUESTION_UNSAID || w->password_fd >= 0))
		return cli_misused(e, HELP, "--take: what is in the file is the answer");
	if (w->asked.line &&
	    (w->asked.shows || w->asked.exports || w->asked.takes_back || away || w->asked.answer != QUESTION_UNSAID))
		return cli_misused(e, HELP, "--line answers nothing");
	if (w->asked.exports && (w->asked.shows || w->asked.answer != QUESTION_UNSAID))
		return cli_misused(e, HELP, "--export answers nothing");
	if (w->asked.answers && (w->asked.which != NULL || says_more(w)))
		return cli_misused(e, HELP, "--answers goes by itself");
	if (w->asked.takes_back && (w->asked.shows || w->asked.answer != QUESTION_UNSAID))
		return cli_misused(e, HELP, "--take-back goes by itself");
	if (w->asked.which == NULL && !away && (w->asked.takes_back || says_more(w) || w->password_fd >= 0))
		return cli_misused(e, HELP, "which question? `ambit approve` lists what waits");
	if (w->stop && w->asked.answer != QUESTION_NO)
		return cli_misused(e, HELP, "--stop goes with --deny");
	if (w->asked.shows && (w->asked.answer != QUESTION_UNSAID || w->asked.key != NULL || w->asked.until_ms != 0))
		return cli_misused(e, HELP, "--show answers nothing");
	if (w->stop)
		w->asked.answer = QUESTION_NEVER;
	return 0;
}

static int take_word(struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "agent",  "answers", "take-back", "deny",        "digest", "enroll",
					       "export", "forget",  "grant",     "help",        "json",   "key",
					       "keys",   "line",    "name",      "password-fd", "show",   "sign",
					       "stop",   "take",    "until" };
	const char *value;
	int r = 0;

	if (strcmp(**at, "--enroll") == 0)
		return take_action(w, ENROLL, e);
	if (strcmp(**at, "--keys") == 0)
		return take_action(w, KEYS, e);
	if ((value = cli_argument(at, HELP, "--forget", &r, e)) != NULL) {
		w->which = value;
		return r < 0 ? r : take_action(w, FORGET, e);
	}
	if ((value = cli_argument(at, HELP, "--name", &r, e)) != NULL) {
		w->name = value;
		return r;
	}
	if ((value = cli_argument(at, HELP, "--agent", &r, e)) != NULL) {
		w->agent = value;
		return r;
	}
	if ((value = cli_argument(at, HELP, "--password-fd", &r, e)) != NULL)
		return r < 0 ? r : take_fd(w, value, e);
	if (take_answer(w, at, &r, e))
		return r;
	if ((**at)[0] == '-')
		return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
	if (w->asked.which == NULL) {
		w->asked.which = **at;
		return 0;
	}
	return cli_misused(e, HELP, "approve: one word is too many; a password is never a word of a command");
}

static int judge_words(struct words *w, struct ambit_error *e)
{
	if (w->action == NO_ACTION)
		return judge_answer(w, e);
	if (w->action == ENROLL && w->asked.which != NULL) /* which may be a password, and is not said again */
		return cli_misused(e, HELP, "approve: --enroll takes no word; a password is never a word of a command");
	if (w->asked.which != NULL || says_more(w))
		return cli_misused(e, HELP, "a question is answered by itself: without --enroll, --keys and --forget");
	if (w->action != ENROLL && (w->name != NULL || w->agent != NULL || w->password_fd >= 0))
		return cli_misused(e, HELP, "--name, --agent and --password-fd go with --enroll");
	if (w->agent != NULL && w->password_fd >= 0)
		return cli_misused(e, HELP, "--agent and --password-fd: a key of your ssh agent has no password here");
	return 0;
}

/* w->json is right in any case, for who tells of the mistake. */
static int read_words(char **argv, struct words *w, struct ambit_error *e)
{
	int r = 0;

	for (; *argv != NULL; argv++) {
		if (cli_is_help(*argv))
			w->help = true;
		else if (strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(w, &argv, e);
	}
	return r < 0 || w->help ? r : judge_words(w, e);
}

int cli_approve(int argc, char **argv)
{
	struct words w = { .password_fd = -1 };
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int r;

	(void)argc;
	if (read_words(argv + 1, &w, &told) < 0)
		return cli_refuse(w.json, &told);
	if (w.help) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	w.asked.json = w.json;
	w.asked.password_fd = w.password_fd;
	r = w.action == NO_ACTION ? questions_run(&w.asked, &e)
	    : w.action == ENROLL  ? enroll(&w, &e)
	    : w.action == KEYS    ? keys(&w, &e)
				  : forget(&w, &e);
	if (r >= 0)
		return r;
	(void)public_error(&told, r, &e);
	return cli_refuse(w.json, &told);
}
