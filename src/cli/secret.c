/* ambit secret set, list, check, remove: what is attached to requests of an event, and no cell sees. There is no command that shows a value. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/login.h"
#include "cli/secret_check.h"
#include "lib/public.h"
#include "lib/secret.h"

#define HELP "ambit secret --help"
#define JSON_MAX (8u << 20) /* 256 secrets with 16 hosts of 253 bytes */

static const char help_text[] =
	"ambit secret set NAME [--host HOST]... [--command COMMAND | --from FILE]\n"
	"ambit secret login NAME URL [--client ID[:SECRET]] [--scope SCOPE] [--port PORT] [--open]\n"
	"ambit secret list\n"
	"ambit secret check NAME [--issuer ISSUER | --introspect URL [--client ID:SECRET | --bearer SECRET]]\n"
	"                        [--policy FILE | --preset NAME | --connect \"...\"]...\n"
	"ambit secret remove NAME\n"
	"\n"
	"  set      asks for the value twice, or reads it from standard input if that is no terminal\n"
	"  login    has a token given by OAuth, for the server at URL, after you have logged in by a browser\n"
	"  list     what there is: names, hosts, when each was set; never a value\n"
	"  check    asks the issuer what it may do, and warns where that is more than the grants that use it\n"
	"  remove   takes one away\n"
	"\n"
	"  NAME is letters, digits, and . _ - within. A value is one line of text, 8,192 bytes at most.\n"
	"\n"
	"  --host HOST        only for this host: a name, *.NAME or an address; again for more; else as before, or for any\n"
	"  --command COMMAND  not a value: a command that writes it, run each time that it is needed, without a shell\n"
	"  --from FILE        read the value from a file\n"
	"  --issuer ISSUER    check: github, gitlab, npm or slack, with :HOST where it is run elsewhere\n"
	"  --introspect URL   check: at this endpoint of its issuer, by OAuth's token introspection: https://HOST/PATH\n"
	"  --client ID:SECRET check: as this client, whose secret is yours of that name; ID alone for one without\n"
	"  --bearer SECRET    check: or by this token, which may be NAME itself\n"
	"  --policy FILE      check: the grants that use it; --preset NAME and --connect likewise; again for more\n"
	"  --preset NAME      check: as --policy\n"
	"  --connect GRANT    check: as --policy\n"
	"  --client ID:SECRET login: as this client, which was registered there before; ID alone for one without a secret\n"
	"  --scope SCOPE      login: what is asked for (default: what the server says)\n"
	"  --port PORT        login: where the browser comes back to (default: any that is free)\n"
	"  --open             login: opens the browser\n"
	"  --json             as JSON\n"
	"  --help             this text\n"
	"\n"
	"A grant names a secret that is attached to requests: connect: api.example.com:443 with secret: NAME.\n";

struct words {
	const char *name, *from; /* NULL: not named */
	bool json, help;
	struct secret_set set;
};

/* ---- set ---- */

static int open_file(const char *path, int *ret_fd, struct err *e)
{
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, AMBIT_NOT_FOUND, errno, NULL, "cannot open %s", path) : 0;
}

/* Where the value comes from. */
static int open_input(struct words *w, int *ret_fd, struct err *e)
{
	*ret_fd = -1;
	if (w->set.source == SECRET_FROM_COMMAND)
		return 0;
	w->set.source = SECRET_FROM_FILE;
	if (w->from != NULL)
		return open_file(w->from, ret_fd, e);
	if (isatty(STDIN_FILENO) == 1) {
		w->set.source = SECRET_FROM_TERMINAL;
		*ret_fd = secret_terminal();
		return *ret_fd >= 0 ? 0
				    : err_set(e, AMBIT_HOST,
					      "give the value by standard input, or bring this to the foreground",
					      "there is no terminal to ask for the value");
	}
	*ret_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot read standard input") : 0;
}

static const char *kind_of_row(const struct secret_row *row)
{
	return row->kind == SECRET_IS_VALUE     ? "value"
	       : row->kind == SECRET_IS_COMMAND ? "command"
	       : row->kind == SECRET_IS_LOGIN   ? "login"
						: "damaged";
}

static void put_row(struct json *j, const struct secret_row *row)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "name"), row->name);
	json_put_word(json_put_key(j, "kind"), kind_of_row(row));
	json_put_ms(json_put_key(j, "set"), row->set_ms);
	json_put_array(json_put_key(j, "hosts"));
	for (uint32_t i = 0; i < row->hosts.n; i++)
		json_put_word(j, row->hosts.list[i]);
	json_put_array_end(j);
	if (row->kind == SECRET_IS_LOGIN)
		json_put_ms(json_put_key(j, "expires"), row->expires_ms);
	if (row->kind == 0)
		json_put_name(json_put_key(j, "why"), row->why);
	json_put_object_end(j);
}

static void say_hosts(const struct secret_row *row)
{
	for (uint32_t i = 0; i < row->hosts.n; i++)
		(void)printf("%s%s", i == 0 ? "" : ", ", row->hosts.list[i]);
	if (row->hosts.n == 0)
		(void)printf("any host");
}

static int finish_json(struct buf *out)
{
	buf_put_u8(out, '\n');
	if (!out->failed)
		return cli_write(out->data, out->len);
	(void)fputs("ambit: no memory for the JSON\n", stderr);
	return EXIT_REFUSED;
}

static int say_set(const struct words *w, const struct secret_row *row, bool replaced)
{
	auto_buf out = { .max = 0 };
	struct json j;

	if (!w->json) {
		(void)printf("%s: %s, for ", replaced ? "replaced" : "set", row->name);
		say_hosts(row);
		(void)printf("\n");
		return 0;
	}
	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	put_row(json_put_key(&j, "secret"), row);
	json_put_bool(json_put_key(&j, "replaced"), replaced);
	json_put_object_end(&j);
	return finish_json(&out);
}

static int set(struct words *w, struct err *e)
{
	auto_fd int input = -1;
	static struct secret_row row;
	bool replaced = false;
	int r = secret_name_check(w->name, e);

	if (r < 0)
		return r;
	(void)text_copy(w->set.name, sizeof w->set.name, w->name); /* it is one */
	r = open_input(w, &input, e);
	r = r < 0 ? r : secret_set(&w->set, input, &row, &replaced, e);
	return r < 0 ? r : say_set(w, &row, replaced);
}

/* ---- list, remove ---- */

static int say_row(void *arg, const struct secret_row *row)
{
	char at[TIMESTAMP_LEN + 1] = "", why[2 * SECRET_WHY_MAX];

	*(bool *)arg = true;
	if (row->kind == 0) {
		(void)printf("%s  damaged: %s\n", row->name, text_show(why, sizeof why, row->why, strlen(row->why)));
		return 0;
	}
	(void)timestamp_write(row->set_ms, at); /* or nothing, of one that was set when no calendar is */
	(void)printf("%s  %s  %s  ", row->name, kind_of_row(row), at);
	say_hosts(row);
	(void)printf("\n");
	return 0;
}

static int add_row(void *arg, const struct secret_row *row)
{
	put_row(arg, row);
	return 0;
}

static int list_json(struct err *e)
{
	auto_buf out = { .max = 0 };
	struct json j;
	int r;

	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "secrets"));
	r = secret_list(add_row, &j, e);
	json_put_array_end(&j);
	json_put_object_end(&j);
	return r < 0 ? r : finish_json(&out);
}

static int list(struct words *w, struct err *e)
{
	bool any = false;
	int r;

	if (w->json)
		return list_json(e);
	r = secret_list(say_row, &any, e);
	if (r == 0 && !any)
		(void)printf("you have no secrets\n");
	return r;
}

static int remove_one(struct words *w, struct err *e)
{
	const int r = secret_remove(w->name, e);

	if (r == 0)
		(void)printf("removed: %s\n", w->name);
	return r;
}

/* ---- words ---- */

static const struct action {
	const char *name;
	int (*call)(struct words *w, struct err *e);
	bool names, sets, json;
} actions[] = { { "set", set, true, true, true },
		{ "list", list, false, false, true },
		{ "remove", remove_one, true, false, false } };

#define ACTIONS (sizeof actions / sizeof actions[0])

static int take_host(struct words *w, const char *host, struct ambit_error *e)
{
	struct err why;
	const int r = secret_hosts_add(&w->set.hosts, host, &why);

	return r < 0 ? public_error(e, r, &why) : 0;
}

static int take_command(struct words *w, const char *command, struct ambit_error *e)
{
	if (w->set.source != 0)
		return cli_misused(e, HELP, "secret set takes one --command");
	w->set.source = SECRET_FROM_COMMAND;
	if (command[0] == 0 || !text_copy(w->set.command, sizeof w->set.command, command))
		return cli_misused(e, HELP, "--command: %s", command[0] == 0 ? "which?" : "it is too long");
	return 0;
}

static int take_set_word(struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "command", "from", "help", "host", "json" };
	const char *value;
	int r = 0;

	if ((value = cli_argument(at, HELP, "--host", &r, e)) != NULL)
		return r < 0 ? r : take_host(w, value, e);
	if ((value = cli_argument(at, HELP, "--command", &r, e)) != NULL)
		return r < 0 ? r : take_command(w, value, e);
	if ((value = cli_argument(at, HELP, "--from", &r, e)) != NULL) {
		w->from = value;
		return r;
	}
	return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
}

static int take_word(const struct action *a, struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "help", "json" };

	if ((**at)[0] == '-' && a->sets)
		return take_set_word(w, at, e);
	if ((**at)[0] == '-')
		return cli_misused_option(e, HELP, **at, options, a->json ? 2 : 1);
	if (!a->names || w->name != NULL)
		return cli_misused(
			e, HELP,
			a->sets ? "secret %s: too many words; a value is never one of them: it is asked for, or read from "
				  "standard input"
				: "secret %s: too many words",
			a->name);
	w->name = **at;
	return 0;
}

/* w->json is right in any case, for who tells of the mistake. */
static int read_words(const struct action *a, char **argv, struct words *w, struct ambit_error *e)
{
	int r = 0;

	for (; *argv != NULL; argv++) {
		if (cli_is_help(*argv))
			w->help = true;
		else if (a->json && strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(a, w, &argv, e);
	}
	if (r < 0 || w->help)
		return r;
	if (a->names && w->name == NULL)
		return cli_misused(e, HELP, "secret %s: which? its name", a->name);
	return w->from != NULL && w->set.source != 0 ? cli_misused(e, HELP, "--from and --command: one of them") : 0;
}

static int act(const struct action *a, char **argv)
{
	static struct words w;
	struct ambit_error told = { .size = sizeof told };
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

int cli_secret(int argc, char **argv)
{
	const char *names[ACTIONS + 2] = { "check", "login" };

	if (argc < 2)
		return cli_usage(HELP, "secret what? set, login, list, check or remove");
	if (cli_is_help(argv[1])) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	if (strcmp(argv[1], "check") == 0)
		return secret_check(argv + 2, help_text);
	if (strcmp(argv[1], "login") == 0)
		return secret_login(argv + 2, help_text);
	for (size_t i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, argv[1]) == 0)
			return act(&actions[i], argv + 2);
		names[i + 2] = actions[i].name;
	}
	return cli_no_word(HELP, argv[1], names, ACTIONS + 2, "no command 'secret %s'", argv[1]);
}
