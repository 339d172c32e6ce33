/* ambit ledger verify, show, replay, report, export, prove, check, witness, backup, prune, rotate: translated for the roles that read logs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/auditor.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "cli/prune.h"
#include "cli/rotate.h"
#include "cli/show.h"
#include "cli/tried.h"
#include "cli/witness.h"
#include "ledger/entry.h"
#include "lib/public.h"

#define HELP "ambit ledger --help"
#define EXIT_FAULT 1 /* the log, or the proof, is not what was signed */

static const char help_text[] =
	"ambit ledger verify [--payloads] [--from FILE] [--key KEY] [--witness KEY]... [--quorum N] [--json]\n"
	"ambit ledger show [--event EVENT] [--session SESSION] [--denied] [--grant GRANT] [--type TYPE]\n"
	"                  [--since WHEN] [--until WHEN] [--limit N] [--ledger DIR]... [--json]\n"
	"ambit ledger replay [--policy FILE] [--event EVENT] [--since WHEN] [--key KEY] [--json]\n"
	"ambit ledger report [--html | --text] [--event EVENT] [--since WHEN] [--until WHEN] [--key KEY] > report.html\n"
	"ambit ledger export --otlp | --ocsf [--event EVENT] [--since WHEN] [--until WHEN] [--key KEY]\n"
	"ambit ledger prove EVENT | NUMBER > event.tlog-proof\n"
	"ambit ledger check FILE --key KEY [--witness KEY]... [--quorum N] [--json]\n"
	"ambit ledger witness [--url URL [--key KEY]] [--list] [--forget] [--json]\n"
	"ambit ledger backup DIR [--no-payloads] [--no-verify] [--key KEY] [--json]\n"
	"ambit ledger prune --payloads --older-than AGE [--dry-run] [--json]\n"
	"ambit ledger rotate [--wait] [--json]\n"
	"\n"
	"  verify  whether the ledger is what was signed, and nothing was altered, dropped or added; and else where\n"
	"  show    its entries, one in a line, the oldest first; of several ledgers in the order of their times;\n"
	"          nothing is verified\n"
	"  replay  make each decision once more, out of what the ledger says that it depended on, and compare;\n"
	"          with --policy: what would become of each event under that policy\n"
	"  report  one page for an auditor: what the ledger is, who was allowed what, did what, and was denied what\n"
	"  export  its events for other programs, one JSON object in a line, each with the number of its entry\n"
	"  prove   write a proof that the entry with this number, or the result of this event, is in the ledger\n"
	"  check   what a proof shows, without the ledger (- is standard input)\n"
	"  witness have others cosign the present state; without --url, all that were asked before\n"
	"  backup  copy what is signed to a directory, while events run; again to the same one: what is new since\n"
	"  prune   remove records beside the ledger; its entries stay, and prove what they proved\n"
	"  rotate  close the log, and go on in another under a new key, which the log that is closed names\n"
	"\n";

/* A literal has 4,095 bytes at most. */
static const char help_options[] =
	"Each event is recorded there when it runs, unless AMBIT_LEDGER or `ambit run --ledger` names another directory.\n"
	"\n"
	"EVENT is an id or the beginning of one; `last` is the one of the latest entry.\n"
	"\n"
	"Options:\n"
	"  --from FILE    verify: that the ledger goes on from this checkpoint, which you saved before\n"
	"  --key KEY      the key that must have signed, as key.pub has it (default: the one beside the ledger)\n"
	"                 witness: the key by which this one cosigns\n"
	"  --witness KEY  verify, check: the witness with this key must have cosigned it; may be given again\n"
	"  --quorum N     verify, check: so many of these witnesses will do (default: all)\n"
	"  --url URL      witness: the address of the one to ask, http:// or https://\n"
	"  --list         witness: say who is asked\n"
	"  --forget       witness: do not ask the one at this address any more\n"
	"  --policy FILE  replay: the policy that is tried on what happened\n"
	"  --html         report: as a page of HTML (default, but on a terminal)\n"
	"  --text         report: as text\n"
	"  --otlp         export: spans of OpenTelemetry, as OTLP in JSON; one for each event\n"
	"  --ocsf         export: events of OCSF; one for each entry\n"
	"  --event EVENT  show, replay, report, export: only this event\n"
	"  --denied       show: only what was denied\n"
	"  --since WHEN   show, replay, report, export: only from then on: 2h, 7d; 2026-01-31; 2026-01-31T09:15:00Z\n"
	"  --until WHEN   show, report, export: only before then\n"
	"  --type TYPE    show: only entries of this type\n"
	"  --session ID   show: only entries of the events of this session (an id, or the beginning of one)\n"
	"  --grant GRANT  show: only entries about this grant (an id, or the beginning of one)\n"
	"  --limit N      show: only the last so many\n"
	"  --no-index     show: read all entries, and look nothing up in the index beside the ledger\n"
	"  --verbose      show: say what became of the index\n"
	"  --payloads     verify: the records beside the ledger, too; prune: these (see ambit explain)\n"
	"  --no-payloads  backup: without the records beside the ledger\n"
	"  --no-verify    backup: do not read the copy once more\n"
	"  --older-than AGE\n"
	"                 prune: those whose entry is older: 180d, 12h, or as --since; nothing goes without it\n"
	"  --dry-run      prune: only say what would go\n"
	"  --wait         rotate: until no event is being recorded any more\n"
	"  --ledger DIR   another ledger than your own; show: more than one, if it is given again\n"
	"  --json         as JSON; show and check: each entry as it is in the ledger\n"
	"  --no-pager     show: no pager, even on a terminal\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0; 1 it is not what was signed, or a decision differs, or under the policy something that an event\n"
	"did would be denied, and it was told; 125 it could not be looked at.\n";

enum flag {
	FROM = 256,
	KEY,
	POLICY,
	EVENT,
	DENIED,
	SINCE,
	UNTIL,
	TYPE,
	GRANT,
	SESSION,
	LIMIT_FLAG,
	NO_INDEX,
	VERBOSE,
	PAYLOADS,
	NO_PAYLOADS,
	NO_VERIFY,
	OLDER_THAN,
	HTML,
	TEXT,
	OTLP,
	OCSF,
	DRY_RUN,
	WITNESS,
	QUORUM,
	URL,
	LIST,
	FORGET,
	WAIT,
	LEDGER,
	JSON,
	NO_PAGER,
	HELP_FLAG
};

static const struct option verify_flags[] = {
	{ "payloads", no_argument, NULL, PAYLOADS },
	{ "from", required_argument, NULL, FROM },
	{ "key", required_argument, NULL, KEY },
	{ "witness", required_argument, NULL, WITNESS },
	{ "quorum", required_argument, NULL, QUORUM },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};
static const struct option show_flags[] = {
	{ "event", required_argument, NULL, EVENT },
	{ "denied", no_argument, NULL, DENIED },
	{ "since", required_argument, NULL, SINCE },
	{ "until", required_argument, NULL, UNTIL },
	{ "type", required_argument, NULL, TYPE },
	{ "grant", required_argument, NULL, GRANT },
	{ "session", required_argument, NULL, SESSION },
	{ "limit", required_argument, NULL, LIMIT_FLAG },
	{ "no-index", no_argument, NULL, NO_INDEX },
	{ "verbose", no_argument, NULL, VERBOSE },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "json", no_argument, NULL, JSON },
	{ "no-pager", no_argument, NULL, NO_PAGER },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};
static const struct option replay_flags[] = {
	{ "policy", required_argument, NULL, POLICY }, { "event", required_argument, NULL, EVENT },
	{ "since", required_argument, NULL, SINCE },   { "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER }, { "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },      { NULL, 0, NULL, 0 },
};
static const struct option report_flags[] = {
	{ "html", no_argument, NULL, HTML },
	{ "text", no_argument, NULL, TEXT },
	{ "event", required_argument, NULL, EVENT },
	{ "since", required_argument, NULL, SINCE },
	{ "until", required_argument, NULL, UNTIL },
	{ "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};
static const struct option export_flags[] = {
	{ "otlp", no_argument, NULL, OTLP },
	{ "ocsf", no_argument, NULL, OCSF },
	{ "event", required_argument, NULL, EVENT },
	{ "since", required_argument, NULL, SINCE },
	{ "until", required_argument, NULL, UNTIL },
	{ "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};
static const struct option prove_flags[] = {
	{ "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};
static const struct option witness_flags[] = {
	{ "url", required_argument, NULL, URL },       { "key", required_argument, NULL, KEY },
	{ "list", no_argument, NULL, LIST },           { "forget", no_argument, NULL, FORGET },
	{ "ledger", required_argument, NULL, LEDGER }, { "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },      { NULL, 0, NULL, 0 },
};
static const struct option check_flags[] = {
	{ "key", required_argument, NULL, KEY },       { "witness", required_argument, NULL, WITNESS },
	{ "quorum", required_argument, NULL, QUORUM }, { "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },      { NULL, 0, NULL, 0 },
};

static const struct option backup_flags[] = {
	{ "no-payloads", no_argument, NULL, NO_PAYLOADS },
	{ "no-verify", no_argument, NULL, NO_VERIFY },
	{ "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};

static const struct option prune_flags[] = {
	{ "payloads", no_argument, NULL, PAYLOADS },   { "older-than", required_argument, NULL, OLDER_THAN },
	{ "dry-run", no_argument, NULL, DRY_RUN },     { "key", required_argument, NULL, KEY },
	{ "ledger", required_argument, NULL, LEDGER }, { "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },      { NULL, 0, NULL, 0 },
};

static const struct option rotate_flags[] = {
	{ "wait", no_argument, NULL, WAIT },
	{ "ledger", required_argument, NULL, LEDGER },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP_FLAG },
	{ NULL, 0, NULL, 0 },
};

static const struct ledger_command {
	const char *name;
	enum audit_op op;
	const struct option *flags;
	const char *word; /* what its one word is; NULL: it has none */
} commands[] = {
	{ "verify", AUDIT_VERIFY, verify_flags, NULL },
	{ "show", AUDIT_SHOW, show_flags, NULL },
	{ "replay", AUDIT_REPLAY, replay_flags, NULL },
	{ "report", AUDIT_REPORT, report_flags, NULL },
	{ "export", AUDIT_EXPORT, export_flags, NULL },
	{ "prove", AUDIT_PROVE, prove_flags, "an event or the number of an entry" },
	{ "check", AUDIT_CHECK, check_flags, "a proof" },
	{ "witness", AUDIT_GROWTH, witness_flags, NULL },
	{ "backup", AUDIT_BACKUP, backup_flags, "the directory of the copy" },
	{ "prune", AUDIT_PAYLOADS, prune_flags, NULL },
	{ "rotate", AUDIT_OP_COUNT, rotate_flags, NULL }, /* nothing is read for it */
};

#define COMMANDS (sizeof commands / sizeof commands[0])

struct ledger_run {
	const struct ledger_command *command;
	struct audit_ask ask;
	const char *from, *ledger, *policy, *copy; /* borrowed; NULL: not given */
	struct place place;
	struct buf given; /* owned */
	struct prune_how prune;
	struct show_how show;
	struct witness_how witness;
	bool json, help, pager;
	bool no_payloads, no_verify;
	bool wait;
	bool otlp, html, text;
	bool payloads, aged; /* --payloads and --older-than were given */
};

/* ---- words ---- */

static int take_event(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	if (!place_is_event(word))
		return cli_misused(e, HELP, "'%s' is no event", word);
	(void)text_copy(run->ask.event, sizeof run->ask.event, word); /* measured */
	return 0;
}

static int take_type(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	static const char *const words[] = {
#define WORD(name, word, event, grant) word,
		ENTRY_TYPES(WORD)
#undef WORD
	};
	char all[512] = "";

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		const size_t n = strlen(all);

		if (strcmp(words[i], word) == 0)
			return text_copy(run->ask.type, sizeof run->ask.type, word) ? 0 : -AMBIT_INTERNAL;
		(void)snprintf(all + n, sizeof all - n, "%s%s", i > 0 ? ", " : "", words[i]); /* they fit */
	}
	return cli_misused(e, HELP, "no entry is of the type '%s', but of %s", word, all);
}

static uint64_t wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A day, where the person is. */
static bool take_day(const char *word, uint64_t *ret_ms)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(word, "%Y-%m-%d", &tm);
	time_t t;

	if (end == NULL || *end != 0 || strlen(word) != 10)
		return false;
	t = mktime(&tm);
	*ret_ms = (uint64_t)t * 1000;
	return t >= 0;
}

/* RFC 3339 in UTC, also without the milliseconds. */
static bool take_moment(const char *word, uint64_t *ret_ms)
{
	char whole[TIMESTAMP_LEN + 1];
	const size_t n = strlen(word);

	if (n == TIMESTAMP_LEN)
		return timestamp_read(word, n, ret_ms);
	if (n != TIMESTAMP_LEN - 4 || word[n - 1] != 'Z')
		return false;
	(void)snprintf(whole, sizeof whole, "%.*s.000Z", (int)(n - 1), word); /* it fits: measured */
	return timestamp_read(whole, TIMESTAMP_LEN, ret_ms);
}

static int take_when(const char *flag, const char *word, uint64_t *ret_ms, struct ambit_error *e)
{
	uint64_t ms;

	if (parse_duration(word, &ms)) {
		const uint64_t now = wall_ms();

		*ret_ms = ms < now ? now - ms : 0;
		return 0;
	}
	return take_day(word, ret_ms) || take_moment(word, ret_ms)
		       ? 0
		       : cli_misused(e, HELP, "--%s takes 2h, 7d, 2026-01-31 or 2026-01-31T09:15:00Z, and not '%s'",
				     flag, word);
}

static int take_age(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	const int r = take_when("older-than", word, &run->prune.before_ms, e);

	run->aged = true;
	return r == 0 && run->prune.before_ms > wall_ms()
		       ? cli_misused(e, HELP, "--older-than: %s is still to come", word)
		       : r;
}

static int take_key(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	return text_copy(run->ask.key, sizeof run->ask.key, word)
		       ? 0
		       : cli_misused(e, HELP, "--key takes the text of a key, as key.pub has it");
}

static int take_ledger(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	if (word[0] == 0)
		return cli_misused(e, HELP, "an empty path for the ledger");
	if (run->ledger != NULL && run->ask.op != AUDIT_SHOW)
		return cli_misused(e, HELP, "%s looks at one ledger, and two are named", run->command->name);
	if (run->show.n_ledgers == SHOW_LEDGERS_MAX)
		return cli_misused(e, HELP, "more than %d ledgers", SHOW_LEDGERS_MAX);
	run->show.ledgers[run->show.n_ledgers++] = run->ledger = word;
	return 0;
}

static int take_grant(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	if (!place_is_id('g', word))
		return cli_misused(e, HELP, "'%s' is no grant: `ambit ledger show --type grant` lists them", word);
	(void)text_copy(run->ask.grant, sizeof run->ask.grant, word); /* measured */
	return 0;
}

static int take_session(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	if (!place_is_id('s', word))
		return cli_misused(e, HELP, "'%s' is no session: the record of an event names its own", word);
	(void)text_copy(run->ask.session, sizeof run->ask.session, word); /* measured */
	return 0;
}

static int take_witness(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	if (run->ask.n_witnesses == AUDIT_WITNESSES_MAX)
		return cli_misused(e, HELP, "more than %d witnesses", AUDIT_WITNESSES_MAX);
	return text_copy(run->ask.witness[run->ask.n_witnesses++], sizeof run->ask.witness[0], word)
		       ? 0
		       : cli_misused(e, HELP, "--witness takes the text of a key: its name, its id and base64");
}

static int take_quorum(struct ledger_run *run, const char *word, struct ambit_error *e)
{
	return parse_u32(word, 1, AUDIT_WITNESSES_MAX, &run->ask.quorum)
		       ? 0
		       : cli_misused(e, HELP, "--quorum takes a number from 1 to %d, and not '%s'", AUDIT_WITNESSES_MAX,
				     word);
}

static int take_flag(struct ledger_run *run, int flag, const char *given, struct ambit_error *e)
{
	const char *value = given != NULL ? given : ""; /* the table says which have one */

	switch ((enum flag)flag) {
	case FROM: run->from = value; break;
	case POLICY: run->policy = value; break;
	case LEDGER: return take_ledger(run, value, e);
	case DENIED: run->ask.flags |= AUDIT_DENIED; break;
	case PAYLOADS: run->payloads = true; break;
	case NO_PAYLOADS: run->no_payloads = true; break;
	case NO_VERIFY: run->no_verify = true; break;
	case WAIT: run->wait = true; break;
	case HTML: run->html = true; break;
	case TEXT: run->text = true; break;
	case OTLP: run->otlp = true; break;
	case OCSF: run->ask.flags |= AUDIT_OCSF; break;
	case DRY_RUN: run->prune.dry_run = true; break;
	case JSON: run->json = true; break;
	case NO_PAGER: run->pager = false; break;
	case HELP_FLAG: run->help = true; break;
	case URL: run->witness.url = value; break;
	case LIST: run->witness.list = true; break;
	case FORGET: run->witness.forget = true; break;
	case WITNESS: return take_witness(run, value, e);
	case QUORUM: return take_quorum(run, value, e);
	case KEY: return take_key(run, value, e);
	case EVENT: return take_event(run, value, e);
	case SINCE: return take_when("since", value, &run->ask.since_ms, e);
	case UNTIL: return take_when("until", value, &run->ask.until_ms, e);
	case GRANT: return take_grant(run, value, e);
	case SESSION: return take_session(run, value, e);
	case LIMIT_FLAG:
		return parse_u64(value, 1, INT64_MAX, &run->ask.limit)
			       ? 0
			       : cli_misused(e, HELP, "--limit takes a number of entries, and not '%s'", value);
	case NO_INDEX: run->show.index = false; break;
	case VERBOSE: run->show.verbose = true; break;
	case OLDER_THAN: return take_age(run, value, e);
	case TYPE: return take_type(run, value, e);
	}
	return 0;
}

static int no_flag(const struct ledger_run *run, const char *word, struct ambit_error *e)
{
	const char *names[16];
	size_t n = 0;

	for (const struct option *f = run->command->flags; f->name != NULL && n < sizeof names / sizeof names[0]; f++)
		names[n++] = f->name;
	return cli_misused_option(e, HELP, word, names, n);
}

/* What getopt takes an abbreviation for is not what was written. */
static bool is_whole(const struct ledger_run *run, const char *word)
{
	const size_t n = strcspn(word, "=");

	for (const struct option *f = run->command->flags; f->name != NULL; f++)
		if (n == strlen(f->name) + 2 && strncmp(word + 2, f->name, n - 2) == 0)
			return true;
	return false;
}

/* The word that getopt looks at next: it passes over those that are no options. NULL: there is none. */
static const char *next_option(char **argv)
{
	for (char **word = argv + optind; *word != NULL && strcmp(*word, "--") != 0; word++)
		if ((*word)[0] == '-' && (*word)[1] != 0)
			return *word;
	return NULL;
}

static int take_word(struct ledger_run *run, char **words, struct ambit_error *e)
{
	const char *word = words[0];

	if (run->command->word == NULL)
		return word == NULL ? 0 : cli_misused(e, HELP, "%s takes no '%s'", run->command->name, word);
	if (word == NULL || words[1] != NULL)
		return cli_misused(e, HELP, "name %s, and nothing else", run->command->word);
	if (run->ask.op == AUDIT_BACKUP) {
		run->copy = word;
		return 0;
	}
	if (run->ask.op == AUDIT_CHECK) {
		run->from = word;
		return run->ask.key[0] != 0
			       ? 0
			       : cli_misused(e, HELP,
					     "whose proof is it? name the key that must have signed it with --key");
	}
	if (parse_u64(word, 0, INT64_MAX, &run->ask.seq)) {
		run->ask.flags |= AUDIT_BY_SEQ;
		return 0;
	}
	return take_event(run, word, e);
}

/* What cannot be had back goes by what was said, and by no default. */
static int check_pruning(const struct ledger_run *run, struct ambit_error *e)
{
	if (!run->payloads)
		return cli_misused(
			e, HELP,
			"what is to be pruned? --payloads are the records beside the ledger; entries never go");
	return run->aged ? 0
			 : cli_misused(e, HELP,
				       "how old is what is to go? say so with --older-than, as in --older-than 180d");
}

/* A person at a terminal reads it there; what goes to a file or another program is the page. */
static int choose_form(struct ledger_run *run, struct ambit_error *e)
{
	if (run->html && run->text)
		return cli_misused(e, HELP, "--html or --text, and not both");
	run->html = run->html || (!run->text && isatty(STDOUT_FILENO) != 1);
	run->ask.flags |= run->html ? AUDIT_HTML : 0;
	return 0;
}

static int check_export(const struct ledger_run *run, struct ambit_error *e)
{
	if (run->otlp == ((run->ask.flags & AUDIT_OCSF) != 0))
		return cli_misused(e, HELP, "export as what? --otlp or --ocsf");
	return 0;
}

/* What says whom, and what of them. */
static int check_witness(const struct ledger_run *run, struct ambit_error *e)
{
	const struct witness_how *how = &run->witness;

	if (how->list && (how->forget || how->url != NULL || run->ask.key[0] != 0))
		return cli_misused(e, HELP, "--list says who is asked, and takes nothing else");
	if (how->url == NULL && (how->forget || run->ask.key[0] != 0))
		return cli_misused(e, HELP, "which witness? name its address with --url");
	return how->forget && run->ask.key[0] != 0 ? cli_misused(e, HELP, "--forget goes by the address alone") : 0;
}

static int check_together(struct ledger_run *run, struct ambit_error *e)
{
	if (run->ask.quorum > run->ask.n_witnesses)
		return cli_misused(e, HELP, "--quorum %u, and %u named with --witness", run->ask.quorum,
				   run->ask.n_witnesses);
	if (run->ask.op == AUDIT_GROWTH)
		return check_witness(run, e);
	if (run->ask.op == AUDIT_EXPORT)
		return check_export(run, e);
	if (run->ask.op == AUDIT_REPORT)
		return choose_form(run, e);
	return run->ask.op == AUDIT_PAYLOADS ? check_pruning(run, e) : 0;
}

static int read_words(struct ledger_run *run, int argc, char **argv, struct ambit_error *e)
{
	int r = 0;

	opterr = 0;
	optind = 1;
	while (r == 0) {
		const char *word = next_option(argv);
		int c;

		if (word != NULL && strcmp(word, "-h") != 0 && (word[1] != '-' || !is_whole(run, word)))
			return no_flag(run, word, e); /* a single dash is no bundle of letters */
		c = getopt_long(argc, argv, ":h", run->command->flags, NULL);
		if (c == -1)
			break;
		if (c == 'h')
			run->help = true;
		else if (c == ':')
			r = cli_misused(e, HELP, "%s needs a value", word);
		else if (c == '?')
			r = cli_misused(e, HELP, "%.*s takes no value", word != NULL ? (int)strcspn(word, "=") : 0,
					word != NULL ? word : "");
		else
			r = take_flag(run, c, optarg, e);
	}
	if (r < 0 || run->help)
		return r;
	r = take_word(run, argv + optind, e);
	return r < 0 ? r : check_together(run, e);
}

/* ---- what is read here ---- */

/* All of these look at the logs before, too. */
static bool reads_all(enum audit_op op)
{
	return op == AUDIT_VERIFY || op == AUDIT_REPLAY || op == AUDIT_EXPORT || op == AUDIT_REPORT;
}

static int find_log(struct ledger_run *run, struct err *e)
{
	const int r = place_find(run->ledger, &run->place, e);

	if (r < 0)
		return r;
	(void)text_copy(run->ask.dir, sizeof run->ask.dir, run->place.log); /* the same size */
	if (run->ask.op == AUDIT_VERIFY || run->ask.op == AUDIT_PROVE || run->ask.op == AUDIT_REPORT)
		(void)text_copy(run->ask.cosigned, sizeof run->ask.cosigned, run->place.witness); /* likewise */
	if (reads_all(run->ask.op) || run->ask.op == AUDIT_PROVE)
		(void)text_copy(run->ask.past, sizeof run->ask.past, run->place.past);
	if (reads_all(run->ask.op) && run->place.is_written)
		run->ask.flags |= AUDIT_WHOLE;
	if (run->payloads)
		(void)text_copy(run->ask.beside, sizeof run->ask.beside, run->place.payload);
	return 0;
}

/* A checkpoint or a proof: bytes, for the role to judge. */
static int read_given(struct ledger_run *run, struct err *e)
{
	const char *path = run->from;
	auto_fd int fd = -1;
	auto_free uint8_t *bytes = malloc(AUDIT_GIVEN_MAX + 1);
	ssize_t n;

	if (bytes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read %s", path);
	fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	n = fd < 0 ? -errno : fd_read_all(fd, bytes, AUDIT_GIVEN_MAX + 1);
	if (n < 0)
		return err_sys(e, AMBIT_USAGE, (int)-n, NULL, "cannot read %s", path);
	if (n == 0 || (size_t)n > AUDIT_GIVEN_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL,
			       n == 0 ? "%s is empty" : "%s is too long to be what it should be", path);
	buf_put(&run->given, bytes, (size_t)n);
	run->ask.given = span_bytes(run->given.data, run->given.len);
	return run->given.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory to read %s", path) : 0;
}

/* ---- asking ---- */

static int tell(const struct ledger_run *run, int status, const struct err *complaint)
{
	struct ambit_error told = { .size = sizeof told };

	if (complaint->code != AMBIT_OK) {
		(void)public_error(&told, -(int)complaint->code, complaint);
		/* with --json something may stand on standard output already */
		(void)cli_refuse(run->json && status == AUDIT_REFUSED, &told);
	}
	return status == AUDIT_DONE ? 0 : status == AUDIT_FAILED ? EXIT_FAULT : EXIT_REFUSED;
}

static int ask(struct ledger_run *run)
{
	const bool text = !run->json && !run->html && run->ask.op != AUDIT_PROVE && run->ask.op != AUDIT_EXPORT;
	struct ambit_error told = { .size = sizeof told };
	struct err complaint, e;
	bool gone;
	const int r = auditor_run(&run->ask, STDOUT_FILENO, text, &complaint, &gone, &e);

	if (r < 0) {
		(void)public_error(&told, r, &e);
		return cli_refuse(run->json, &told);
	}
	return tell(run, r, &complaint);
}

static int prepare(struct ledger_run *run, struct ambit_error *told)
{
	struct err e;
	int r = run->ask.op == AUDIT_CHECK ? 0 : find_log(run, &e);

	if (run->payloads)
		run->ask.flags |= AUDIT_FILES;
	run->prune.json = run->json;
	run->witness.json = run->json;
	run->witness.key = run->ask.key[0] != 0 ? run->ask.key : NULL;
	if (run->json)
		run->ask.flags |= AUDIT_JSON;
	if (reads_all(run->ask.op) && isatty(STDERR_FILENO) == 1)
		run->ask.flags |= AUDIT_PROGRESS;
	if (r == 0 && run->from != NULL)
		r = read_given(run, &e);
	if (r < 0 || run->policy == NULL)
		return public_error(told, r, &e);
	r = tried_policy(run->policy, &run->given, told);
	run->ask.given = span_bytes(run->given.data, run->given.len);
	return r;
}

static int back_up(struct ledger_run *run)
{
	struct ambit_error told = { .size = sizeof told };
	auto_fd int lock_fd = -1;
	struct err e;
	int r;

	run->ask.flags |= AUDIT_WRITES | (run->no_verify ? 0 : AUDIT_FILES);
	if (isatty(STDERR_FILENO) == 1)
		run->ask.flags |= AUDIT_PROGRESS;
	if (!run->no_payloads)
		(void)text_copy(run->ask.beside, sizeof run->ask.beside, run->place.payload); /* the same size */
	(void)text_copy(run->ask.cosigned, sizeof run->ask.cosigned, run->place.witness);     /* likewise */
	r = place_copy(&run->place, run->copy, run->ask.target, &lock_fd, &e);
	if (r == 0)
		return ask(run);
	(void)public_error(&told, r, &e);
	return cli_refuse(run->json, &told);
}

static int show_entries(struct ledger_run *run)
{
	run->show.ask = run->ask;
	run->show.json = run->json;
	run->show.pager = run->pager;
	return show(&run->show);
}

static int say_help(void)
{
	return fputs(help_text, stdout) < 0 || fputs(help_options, stdout) < 0 ? EXIT_REFUSED : 0;
}

static int run_command(const struct ledger_command *command, int argc, char **argv)
{
	struct ledger_run run = {
		.command = command, .ask = { .op = command->op }, .pager = true, .show = { .index = true }
	};
	struct ambit_error told = { .size = sizeof told };
	int status;

	buf_init(&run.given, AUDIT_GIVEN_MAX);
	if (read_words(&run, argc, argv, &told) < 0)
		status = cli_refuse(run.json, &told);
	else if (run.help)
		status = say_help();
	else if (run.ask.op == AUDIT_SHOW)
		status = show_entries(&run);
	else if (prepare(&run, &told) < 0)
		status = cli_refuse(run.json, &told);
	else if (run.ask.op == AUDIT_BACKUP)
		status = back_up(&run);
	else if (run.ask.op == AUDIT_OP_COUNT)
		status = rotate(&run.place, run.wait, run.json);
	else if (run.ask.op == AUDIT_PAYLOADS)
		status = prune(&run.place, run.ask.key, &run.prune);
	else if (run.ask.op == AUDIT_GROWTH)
		status = witness(&run.place, &run.witness);
	else
		status = ask(&run);
	buf_finish(&run.given);
	return status;
}

int cli_ledger(int argc, char **argv)
{
	const char *names[COMMANDS];

	if (argc > 1 && cli_is_help(argv[1])) {
		return say_help();
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (argc > 1 && strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
		names[i] = commands[i].name;
	}
	return argc > 1 ? cli_no_word(HELP, argv[1], names, COMMANDS, "no command 'ledger %s'", argv[1])
			: cli_usage(HELP,
				    "ledger what? verify, show, replay, report, export, prove, check, witness, backup, "
				    "prune or rotate");
}
