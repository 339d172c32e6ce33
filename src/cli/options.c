#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/cli.h"
#include "cli/code.h"
#include "cli/trusted.h"
#include "lib/policy_handle.h"
#include "lib/public.h"

enum flag {
	GRANT = 256,
	TOOL,
	POLICY,
	PRESET,
	LIMIT,
	BUDGET,
	WORKSPACE,
	BASE,
	OBSERVE,
	RECORD,
	OUTPUT,
	JSON,
	WITHOUT,
	QUIET,
	STRICT,
	STAGE,
	DISCARD,
	DIRECT,
	ON_CONFLICT,
	WAIT,
	LEDGER,
	NO_LEDGER,
	NO_PTY,
	LABEL,
	SESSION,
	KEY,
	BACKGROUND,
	KERNEL,
	END,
	LANGUAGE,
	RESULT,
	WARM,
	EVENTS,
	TOTAL_WALL,
	TOTAL_CPU,
	KEEP,
	KEEP_SPACE,
	AGENT,
	PROFILE,
	CANARY,
	TOOLS,
	NAME,
	PINS,
	ALL,
	APPROVE,
	LEARN,
	PER_CALL,
	URL,
	SECRET,
	SOCKET,
	HTTP,
	ORIGIN,
	TOKEN_FILE,
	ISSUER,
	AUDIENCE,
	JWKS,
	SCOPE,
	HELP
};

/* Verbs of grants are flags of the same name; one that this build lacks is refused by the library, with the reason. */
static const struct option flags[] = {
	{ "read", required_argument, NULL, GRANT },
	{ "write", required_argument, NULL, GRANT },
	{ "work", required_argument, NULL, GRANT },
	{ "run", required_argument, NULL, GRANT },
	{ "env", required_argument, NULL, GRANT },
	{ "jit", no_argument, NULL, GRANT },
	{ "connect", required_argument, NULL, GRANT },
	{ "listen", required_argument, NULL, GRANT },
	{ "query", required_argument, NULL, GRANT },
	{ "tool", required_argument, NULL, TOOL },
	{ "delegate", required_argument, NULL, GRANT },
	{ "declassify", required_argument, NULL, GRANT },
	{ "policy", required_argument, NULL, POLICY },
	{ "preset", required_argument, NULL, PRESET },
	{ "limit", required_argument, NULL, LIMIT },
	{ "budget", required_argument, NULL, BUDGET },
	{ "workspace", required_argument, NULL, WORKSPACE },
	{ "base", required_argument, NULL, BASE },
	{ "observe", required_argument, NULL, OBSERVE },
	{ "record", required_argument, NULL, RECORD },
	{ "output", required_argument, NULL, OUTPUT },
	{ "json", no_argument, NULL, JSON },
	{ "without", required_argument, NULL, WITHOUT },
	{ "quiet", no_argument, NULL, QUIET },
	{ "strict", no_argument, NULL, STRICT },
	{ "stage", no_argument, NULL, STAGE },
	{ "discard", no_argument, NULL, DISCARD },
	{ "direct", no_argument, NULL, DIRECT },
	{ "on-conflict", required_argument, NULL, ON_CONFLICT },
	{ "wait", required_argument, NULL, WAIT },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "no-ledger", no_argument, NULL, NO_LEDGER },
	{ "no-pty", no_argument, NULL, NO_PTY },
	{ "label", required_argument, NULL, LABEL },
	{ "session", required_argument, NULL, SESSION },
	{ "key", required_argument, NULL, KEY },
	{ "background", no_argument, NULL, BACKGROUND },
	{ "kernel", required_argument, NULL, KERNEL },
	{ "end", no_argument, NULL, END },
	{ "python", no_argument, NULL, LANGUAGE },
	{ "node", no_argument, NULL, LANGUAGE },
	{ "shell", no_argument, NULL, LANGUAGE },
	{ "result", required_argument, NULL, RESULT },
	{ "warm", required_argument, NULL, WARM },
	{ "events", required_argument, NULL, EVENTS },
	{ "total-wall", required_argument, NULL, TOTAL_WALL },
	{ "total-cpu", required_argument, NULL, TOTAL_CPU },
	{ "keep", required_argument, NULL, KEEP },
	{ "keep-space", required_argument, NULL, KEEP_SPACE },
	{ "agent", required_argument, NULL, AGENT },
	{ "profile", required_argument, NULL, PROFILE },
	{ "canary", required_argument, NULL, CANARY },
	{ "tools", required_argument, NULL, TOOLS },
	{ "name", required_argument, NULL, NAME },
	{ "pins", required_argument, NULL, PINS },
	{ "all", no_argument, NULL, ALL },
	{ "approve", no_argument, NULL, APPROVE },
	{ "learn", required_argument, NULL, LEARN },
	{ "per-call", no_argument, NULL, PER_CALL },
	{ "url", required_argument, NULL, URL },
	{ "secret", required_argument, NULL, SECRET },
	{ "socket", required_argument, NULL, SOCKET },
	{ "http", required_argument, NULL, HTTP },
	{ "origin", required_argument, NULL, ORIGIN },
	{ "token-file", required_argument, NULL, TOKEN_FILE },
	{ "issuer", required_argument, NULL, ISSUER },
	{ "audience", required_argument, NULL, AUDIENCE },
	{ "jwks", required_argument, NULL, JWKS },
	{ "scope", required_argument, NULL, SCOPE },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static const char *const help_commands[] = {
	[COMMAND_RUN] = "ambit run --help",         [COMMAND_LEARN] = "ambit learn --help",
	[COMMAND_SESSION] = "ambit session --help", [COMMAND_MCP] = "ambit mcp --help",
	[COMMAND_GUARD] = "ambit guard --help",
};

static int add_without(struct run_options *o, const char *word, struct ambit_error *e)
{
	const size_t at = strlen(o->without);
	const int n = snprintf(o->without + at, sizeof o->without - at, "%s%s", at > 0 ? "," : "", word);

	if (n >= 0 && (size_t)n < sizeof o->without - at) {
		o->event.without = o->without;
		return 0;
	}
	e->code = AMBIT_USAGE;
	(void)snprintf(e->message, sizeof e->message, "--without is too long");
	return -AMBIT_USAGE;
}

static int set_wait(struct run_options *o, const char *word, struct ambit_error *e)
{
	uint64_t ms;

	if (!parse_duration(word, &ms) || ms > UINT32_MAX)
		return cli_misused(e, help_commands[COMMAND_RUN], "--wait takes a time (10s, 5m), and not '%s'", word);
	o->event.wait_ms = ms == 0 ? 1 : (unsigned)ms; /* in range: just checked */
	return 0;
}

static int set_duration(uint64_t *ret, const char *flag, const char *word, struct ambit_error *e)
{
	return parse_duration(word, ret) && *ret > 0
		       ? 0
		       : cli_misused(e, help_commands[COMMAND_SESSION], "--%s takes a time (10s, 5m, 7d), and not '%s'",
				     flag, word);
}

static int set_bytes(uint64_t *ret, const char *flag, const char *word, struct ambit_error *e)
{
	return parse_bytes(word, ret) && *ret > 0
		       ? 0
		       : cli_misused(e, help_commands[COMMAND_SESSION], "--%s takes a size (64M, 2G), and not '%s'",
				     flag, word);
}

static int set_events(struct run_options *o, const char *word, struct ambit_error *e)
{
	return parse_u64(word, 1, UINT32_MAX, &o->events_max)
		       ? 0
		       : cli_misused(e, help_commands[COMMAND_SESSION], "--events takes a number, and not '%s'", word);
}

/* In a session of somebody else's making, too, where they narrow that. */
static int set_limit(struct run_options *o, const char *word, struct ambit_error *e)
{
	const size_t at = strlen(o->limits);
	const int r = ambit_policy_limit(o->policy, word, e);
	int n;

	if (r < 0)
		return r;
	n = snprintf(o->limits + at, sizeof o->limits - at, "%s%s", at > 0 ? "," : "", word);
	return n >= 0 && (size_t)n < sizeof o->limits - at
		       ? 0
		       : cli_misused(e, help_commands[COMMAND_RUN], "more limits than there are: --limit %s", word);
}

static int set_budget(struct run_options *o, const char *text, struct ambit_error *e)
{
	struct err err;
	const int r = policy_add_budget(&o->policy->policy, text, &err);

	return r < 0 ? public_error(e, r, &err) : 0;
}

static int set_warm(struct run_options *o, const char *text, struct ambit_error *e)
{
	struct err err;
	const int r = policy_add_warm(&o->policy->policy, text, &err);

	return r < 0 ? public_error(e, r, &err) : 0;
}

static int set_agent(struct run_options *o, const char *name, struct ambit_error *e)
{
	struct err err;
	const int r = policy_set_agent(&o->policy->policy, name, &err);

	return r < 0 ? public_error(e, r, &err) : 0;
}

static int set_way(struct run_options *o, int (*set)(struct policy *p, const char *word, struct err *e),
		   const char *word, struct ambit_error *e)
{
	struct err err;
	const int r = set(&o->policy->policy, word, &err);

	return r < 0 ? public_error(e, r, &err) : 0;
}

/* With those that stand before it. */
static int add_label(struct run_options *o, const char *names, struct ambit_error *e)
{
	struct labels all;
	struct err err;
	int r = labels_take_given(names, &all, &err);

	if (r == 0 && o->labels.text[0] != 0) {
		char both[2 * sizeof all.text];

		(void)snprintf(both, sizeof both, "%s,%s", o->labels.text, all.text); /* fits */
		r = labels_take_given(both, &all, &err);
	}
	if (r < 0)
		return public_error(e, r, &err);
	if (all.text[0] == 0)
		return cli_misused(e, help_commands[COMMAND_RUN], "--label takes names, as private,untrusted");
	o->labels = all;
	o->event.labels = o->labels.text;
	return 0;
}

static int set_language(struct run_options *o, const char *word, struct ambit_error *e)
{
	if (o->kind != KIND_RUN && o->kind != kind_of_word(word))
		return cli_misused(e, help_commands[COMMAND_RUN], "code in two languages: --%s and --%s",
				   kind_word(o->kind), word);
	o->kind = kind_of_word(word);
	return 0;
}

static int add_origin(struct run_options *o, const char *origin, struct ambit_error *e)
{
	if (o->web.n_origins == WEB_ORIGINS_MAX)
		return cli_misused(e, help_commands[COMMAND_MCP], "--origin is taken %d times", WEB_ORIGINS_MAX);
	o->web.origins[o->web.n_origins++] = origin;
	return 0;
}

static int take(struct run_options *o, const struct option *flag, const char *value, struct ambit_error *e)
{
	switch ((enum flag)flag->val) {
	case TOOL:
	case GRANT: return ambit_policy_grant(o->policy, flag->name, value != NULL ? value : "", e);
	case POLICY: return trusted_load(o->policy, value, e);
	case PRESET: return ambit_policy_preset(o->policy, value, e);
	case LIMIT: return set_limit(o, value, e);
	case BUDGET: return set_budget(o, value, e);
	case WITHOUT: return add_without(o, value, e);
	case WORKSPACE: o->event.workspace = value; break;
	case BASE: o->event.base = value; break;
	case OBSERVE: o->event.observe = value; break;
	case RECORD: o->record = value; break;
	case OUTPUT: o->output = value; break;
	case JSON: o->json = true; break;
	case QUIET: o->quiet = true; break;
	case STRICT:
		o->strict = true;
		o->event.changes |= AMBIT_CHANGES_STRICT;
		break;
	case STAGE: o->event.changes |= AMBIT_CHANGES_STAGE; break;
	case DISCARD: o->event.changes |= AMBIT_CHANGES_DISCARD; break;
	case DIRECT: o->event.changes |= AMBIT_CHANGES_DIRECT; break;
	case ON_CONFLICT: o->event.on_conflict = value; break;
	case WAIT: return set_wait(o, value, e);
	case LEDGER: o->event.ledger = value; break;
	case NO_LEDGER: o->event.unrecorded = 1; break;
	case NO_PTY: o->no_pty = true; break;
	case LABEL: return add_label(o, value, e);
	case SESSION: o->session = value; break;
	case KEY: o->key = value; break;
	case BACKGROUND: o->background = true; break;
	case KERNEL: o->kernel = value; break;
	case END: o->end = true; break;
	case LANGUAGE: return set_language(o, flag->name, e);
	case RESULT: o->result = value; break;
	case WARM: return set_warm(o, value, e);
	case EVENTS: return set_events(o, value, e);
	case TOTAL_WALL: return set_duration(&o->wall_ms_max, flag->name, value, e);
	case TOTAL_CPU: return set_duration(&o->cpu_ms_max, flag->name, value, e);
	case KEEP: return set_duration(&o->keep_ms, flag->name, value, e);
	case KEEP_SPACE: return set_bytes(&o->keep_bytes, flag->name, value, e);
	case AGENT: return set_agent(o, value, e);
	case PROFILE: return set_way(o, policy_set_profile, value, e);
	case CANARY: return set_way(o, policy_set_canary, value, e);
	case TOOLS: o->tools = value; break;
	case NAME: o->name = value; break;
	case PINS: o->pins = value; break;
	case ALL: o->all = true; break;
	case APPROVE: o->approve = true; break;
	case LEARN: o->learn = value; break;
	case PER_CALL: o->per_call = true; break;
	case URL: o->url = value; break;
	case SECRET: o->secret = value; break;
	case SOCKET: o->socket = value; break;
	case HTTP: o->web.where = value; break;
	case ORIGIN: return add_origin(o, value, e);
	case TOKEN_FILE: o->web.token_file = value; break;
	case ISSUER: o->web.issuer = value; break;
	case AUDIENCE: o->web.audience = value; break;
	case JWKS: o->web.keys = value; break;
	case SCOPE: o->web.scope = value; break;
	case HELP: o->help = true; break;
	}
	return 0;
}

/* A session is made, and no command is named. */
static bool makes_session(enum command command)
{
	return command == COMMAND_SESSION || command == COMMAND_MCP;
}

/* Of the commands that read these flags, each has some of its own. */
static bool is_taken(enum command command, int flag)
{
	switch (flag) {
	case OUTPUT: return command == COMMAND_LEARN;
	case EVENTS:
	case TOTAL_WALL:
	case TOTAL_CPU:
	case KEEP:
	case KEEP_SPACE: return makes_session(command);
	case TOOLS: return command == COMMAND_MCP;
	case SOCKET:
	case HTTP:
	case ORIGIN:
	case TOKEN_FILE:
	case ISSUER:
	case AUDIENCE:
	case JWKS:
	case SCOPE: return command == COMMAND_MCP || command == COMMAND_GUARD;
	case TOOL:
	case NAME:
	case URL:
	case SECRET:
	case PINS:
	case LEARN:
	case PER_CALL:
	case ALL:
	case APPROVE: return command == COMMAND_GUARD;
	case AGENT: return command == COMMAND_RUN || command == COMMAND_MCP || command == COMMAND_GUARD;
	case JSON: return command == COMMAND_RUN || command == COMMAND_SESSION;
	case WARM:
	case BUDGET: return command != COMMAND_LEARN && command != COMMAND_GUARD;
	case BASE:
	case OBSERVE:
	case PROFILE:
	case CANARY:
	case WITHOUT:
	case STAGE:
	case DISCARD: return command != COMMAND_LEARN;
	case STRICT:
	case DIRECT:
	case KEY: return command != COMMAND_LEARN && command != COMMAND_GUARD;
	case RECORD:
	case QUIET:
	case ON_CONFLICT:
	case LABEL:
	case SESSION:
	case BACKGROUND:
	case KERNEL:
	case END:
	case LANGUAGE:
	case RESULT:
	case WAIT: return command == COMMAND_RUN;
	case NO_PTY:
	case LEDGER:
	case NO_LEDGER: return command == COMMAND_RUN || command == COMMAND_LEARN;
	default: return true;
	}
}

static int no_option(enum command command, const char *word, struct ambit_error *e)
{
	const char *names[sizeof flags / sizeof flags[0]];
	size_t n = 0;

	if (strcmp(word, "--tool") == 0 || strncmp(word, "--tool=", strlen("--tool=")) == 0)
		return cli_misused(e, help_commands[command], "--tool is for `ambit guard`, and is not taken here");

	for (const struct option *f = flags; f->name != NULL; f++)
		if (is_taken(command, f->val))
			names[n++] = f->name;
	return cli_misused_option(e, help_commands[command], word, names, n);
}

/* What getopt takes an abbreviation for is not what was written: what gives authority is written out. */
static const struct option *find_flag(enum command command, const char *word)
{
	const size_t n = strcspn(word, "=");

	for (const struct option *f = flags; f->name != NULL; f++)
		if (n == strlen(f->name) + 2 && strncmp(word, "--", 2) == 0 && strncmp(word + 2, f->name, n - 2) == 0 &&
		    is_taken(command, f->val))
			return f;
	return NULL;
}

/* c: what getopt says of word. */
static int read_flag(struct run_options *o, enum command command, int c, const char *word, struct ambit_error *e)
{
	const struct option *flag = find_flag(command, word);

	if (c == 'h') {
		o->help = true;
		return 0;
	}
	if (flag == NULL)
		return no_option(command, word, e);
	if (c == ':')
		return cli_misused(e, help_commands[command], "%s needs a value", word);
	if (c == '?')
		return cli_misused(e, help_commands[command], "--%s takes no value", flag->name);
	return take(o, flag, optarg, e);
}

/* After the first mistake only --json still means something: how the mistake is told. */
static int read_flags(struct run_options *o, enum command command, int argc, char **argv, struct ambit_error *e)
{
	int r = 0;

	opterr = 0;
	for (;;) {
		const char *word = argv[optind];
		const int c = getopt_long(argc, argv, "+:h", flags, NULL);

		if (c == -1)
			break;
		if (r == 0)
			r = read_flag(o, command, c, word, e);
		else if (c == JSON && find_flag(command, word) != NULL)
			o->json = true;
	}
	return r;
}

/* Its source is a file, or what comes on standard input. */
static int take_code(struct run_options *o, int argc, char **argv, struct ambit_error *e)
{
	char hint[64];
	struct err err;

	(void)snprintf(hint, sizeof hint, "ambit run [OPTIONS] --%s FILE", kind_word(o->kind)); /* it fits */
	if (argc > 1 && argv[1][0] == '-')
		return public_error(e,
				    err_set(&err, AMBIT_USAGE, hint,
					    "'%s' stands behind the file: options stand before it", argv[1]),
				    &err);
	if (argc > 1)
		return cli_misused(e, help_commands[COMMAND_RUN],
				   "--%s takes one file, or code on standard input, and not '%s' beside it",
				   kind_word(o->kind), argv[1]);
	return code_read(o, argc == 1 && strcmp(argv[0], "-") != 0 ? argv[0] : NULL, e);
}

int options_read(struct run_options *o, enum command command, int argc, char **argv, struct ambit_error *e)
{
	const char *help_command = help_commands[command];
	struct err err;
	int r;

	*o = (struct run_options){ .event = { .size = sizeof o->event, .stream_fd = { 0, 1, 2 }, .terminal = 1 } };
	r = ambit_policy_new(&o->policy, e);
	if (r == 0 && command == COMMAND_GUARD)
		o->policy->policy.use = POLICY_FOR_SERVER;
	r = r < 0 ? r : read_flags(o, command, argc, argv, e);
	if (r < 0)
		return r;
	o->event.argv = argv + optind;
	if (!o->help && o->end && (o->kernel == NULL || o->kind == KIND_RUN || optind < argc))
		return cli_misused(e, help_command,
				   "--end ends a kernel, and takes no code: --python --kernel NAME --end");
	if (!o->help && o->kind != KIND_RUN && !o->end)
		return take_code(o, argc - optind, argv + optind, e);
	if (!o->help && o->kind == KIND_RUN && (o->result != NULL || o->kernel != NULL))
		return cli_misused(e, help_command, "--%s is of code: --python, --node or --shell",
				   o->result != NULL ? "result" : "kernel");
	if (!o->help && !makes_session(command) && command != COMMAND_GUARD && !o->end && optind >= argc)
		return cli_misused(e, help_command, "no command: name it after --");
	if (!o->help && makes_session(command) && optind < argc)
		return cli_misused(e, help_command, "%s takes no command, and not '%s'",
				   command == COMMAND_MCP ? "mcp" : "session new", argv[optind]);
	if (!o->help && o->url != NULL && (optind < argc || o->pins != NULL))
		return cli_misused(e, help_command,
				   "--url names the server: there is no command, and no --pins, beside it");
	if (!o->help && o->secret != NULL && o->url == NULL)
		return cli_misused(e, help_command, "--secret is for --url: where is it sent?");
	if (!o->help && o->socket != NULL && o->web.where != NULL)
		return cli_misused(e, help_command, "--socket and --http: clients come by one of the two");
	if (!o->help && web_check(&o->web, &err) < 0)
		return public_error(e, -AMBIT_USAGE, &err);
	if (!o->help && o->key != NULL && o->web.issuer != NULL)
		return cli_misused(
			e, help_command,
			"--key is one session for all, and --issuer lets several principals in: what one ran others would see");
	if ((o->event.changes & AMBIT_CHANGES_DIRECT) != 0 &&
	    ((o->event.changes & (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD)) != 0 || o->event.on_conflict != NULL ||
	     o->event.wait_ms != 0))
		return cli_misused(
			e, help_command,
			"--direct writes in place: there is nothing for --stage, --discard, --on-conflict or --wait");
	if (o->strict && o->event.observe != NULL &&
	    (strcmp(o->event.observe, "effects") == 0 || strcmp(o->event.observe, "off") == 0))
		return cli_misused(e, help_command,
				   "--strict needs --observe full: the other levels do not see every denial");
	return 0;
}

void options_finish(struct run_options *o)
{
	ambit_policy_free(o->policy);
	free(o->code[1]);
}
