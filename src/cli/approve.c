/* ambit approve: an approver's keys. A password is typed at the role ambit-approver, or read by it, and never comes here. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "lib/approve.h"
#include "lib/public.h"

#define HELP "ambit approve --help"
#define JSON_MAX (64u << 10)
#define DEFAULT_NAME "default"
#define FD_MOST 65535

static const char help_text[] =
	"ambit approve --enroll [--name NAME] [--agent KEY] [--password-fd N]\n"
	"ambit approve --keys\n"
	"ambit approve --forget KEY\n"
	"\n"
	"  --enroll         make a key, by which your answers to requests for an approval are signed\n"
	"  --keys           which keys there are\n"
	"  --forget KEY     take one away, by its name or fingerprint; what it signed counts no more\n"
	"  --name NAME      enroll: what it is called: letters, digits, and . _ - within; without it: default\n"
	"  --agent KEY      enroll: no new key, but one of Ed25519 that your ssh agent has, by its comment or fingerprint\n"
	"  --password-fd N  enroll: read the password from this descriptor to its end, else it is asked for at the terminal, twice\n"
	"  --json           as JSON\n"
	"  --help           this text\n";

enum action { NO_ACTION, ENROLL, KEYS, FORGET };

struct words {
	enum action action;
	const char *name, *agent, *which; /* NULL: not named */
	int password_fd;                  /* -1: none */
	bool json, help;
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

/* What stands behind `--option` or in `--option=`. NULL: it is not this option. */
static const char *argument(char ***at, const char *option, int *r, struct ambit_error *e)
{
	const size_t n = strlen(option);
	const char *word = **at;

	if (strncmp(word, option, n) != 0 || (word[n] != 0 && word[n] != '='))
		return NULL;
	if (word[n] == '=')
		return word + n + 1;
	if ((*at)[1] != NULL)
		return *++*at;
	*r = cli_misused(e, HELP, "%s: which?", option);
	return "";
}

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

static int take_word(struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "agent", "enroll", "forget", "help",
					       "json",  "keys",   "name",   "password-fd" };
	const char *value;
	int r = 0;

	if (strcmp(**at, "--enroll") == 0)
		return take_action(w, ENROLL, e);
	if (strcmp(**at, "--keys") == 0)
		return take_action(w, KEYS, e);
	if ((value = argument(at, "--forget", &r, e)) != NULL) {
		w->which = value;
		return r < 0 ? r : take_action(w, FORGET, e);
	}
	if ((value = argument(at, "--name", &r, e)) != NULL) {
		w->name = value;
		return r;
	}
	if ((value = argument(at, "--agent", &r, e)) != NULL) {
		w->agent = value;
		return r;
	}
	if ((value = argument(at, "--password-fd", &r, e)) != NULL)
		return r < 0 ? r : take_fd(w, value, e);
	if ((**at)[0] == '-')
		return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
	return cli_misused(e, HELP, "approve: '%s' is too many; a password is never a word of a command", **at);
}

static int judge_words(const struct words *w, struct ambit_error *e)
{
	if (w->action == NO_ACTION)
		return cli_misused(e, HELP, "approve what? --enroll, --keys or --forget");
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
	r = w.action == ENROLL ? enroll(&w, &e) : w.action == KEYS ? keys(&w, &e) : forget(&w, &e);
	if (r >= 0)
		return r;
	(void)public_error(&told, r, &e);
	return cli_refuse(w.json, &told);
}
