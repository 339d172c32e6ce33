/* ambit diff, commit, discard, undo, and stage list|diff|commit|discard|undo|recover: translated for the role ambit-stage. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/pager.h"
#include "cli/stage_json.h"
#include "cli/stopping.h"
#include "core/grant.h"
#include "lib/public.h"
#include "lib/stage.h"
#include "lib/summary_stage.h"
#include "lib/usual.h"

#define PROGRESS_AFTER_MS 1000
#define CONFLICTS_SHOWN 20

static const char diff_help[] =
	"ambit diff [EVENT] [PATH...]\n"
	"\n"
	"Shows what an event changed in its stage, before it is committed.\n"
	"\n"
	"  EVENT is an id or the beginning of one; `last` (the default) is the latest that is kept of a tree in which you are, or\n"
	"  that lies where you are. PATH is a file, a directory or a pattern (quoted), as in `ambit commit`.\n"
	"\n"
	"  --stat        how much changed in each file\n"
	"  --name-only   the names alone\n"
	"  --binary      a patch to be applied: with the contents of binary files, as `git diff --binary`\n"
	"  --json        the changes as JSON, without contents\n"
	"  --color WHEN  auto (default), always, never\n"
	"  --no-pager    no pager, even on a terminal\n"
	"  --help        this text\n"
	"\n"
	"Lines that begin with `# held:` say what is not committed as it is, and why; `# executes later` that another program\n"
	"runs the file.\n";

static const char commit_help[] =
	"ambit commit [EVENT] [PATH...]\n"
	"\n"
	"Commits what an event changed, all at once: all of it, or what lies at or beneath each PATH.\n"
	"\n"
	"  EVENT is an id or the beginning of one; `last` (the default) is the latest that is kept of a tree in which you are, or\n"
	"  that lies where you are. PATH is a file, a directory or a pattern (quoted), relative to the current directory:\n"
	"  `ambit commit last 'src/*.c'`; `*` stops at a slash, `**/*.c` is of all beneath, too. If one of them names no change\n"
	"  nothing is committed.\n"
	"\n"
	"  --write PATH        commit this protected name too (.git/hooks/pre-commit): programs run or obey it later;\n"
	"                      or this hidden one (.env), over what lies there\n"
	"  --on-conflict WAY   where the real file changed meanwhile: fail (default), theirs (leave it), ours (overwrite it)\n"
	"  --wait TIME         for other events that work on the tree (default: 10s)\n"
	"  --usual             not what is held as unusual, or was not judged yet: for who commits without having looked\n"
	"  --untouched         likewise not what touched a canary, and was ended\n"
	"  --json              the outcome as JSON\n"
	"  --help              this text\n"
	"\n"
	"`ambit undo EVENT` takes it back. An event that still runs can be committed too: its changes until now. It is `last` only\n"
	"where nothing is kept and no other one runs.\n";

static const char discard_help[] =
	"ambit discard [EVENT]\n"
	"\n"
	"Throws away what an event changed and nobody committed. EVENT is an id or the beginning of one; `last` (the default) is\n"
	"the latest that is kept of a tree in which you are, or that lies where you are.\n"
	"\n"
	"  --all        every stage that is kept and not in use, of all trees\n"
	"  --force      also if a commit of it was broken off and can neither be finished nor turned back: the tree stays as it is\n"
	"  --usual      not what is held as unusual, or was not judged yet: for who has not looked\n"
	"  --untouched  likewise not what touched a canary, and was ended\n"
	"  --json       the outcome as JSON\n"
	"  --help       this text\n";

static const char undo_help[] =
	"ambit undo EVENT\n"
	"\n"
	"Takes back a commit: every file is again what it was before. If one of them has changed since, nothing is done.\n"
	"Afterwards the changes are staged again, and can be committed or discarded.\n"
	"\n"
	"  EVENT is an id or the beginning of one; `last` is the latest that was committed, or a part of it, of a tree in which\n"
	"  you are, or that lies where you are.\n"
	"\n"
	"  --on-conflict WAY   where a file changed since: fail (default), theirs (leave it as it is, and undo the rest), ours\n"
	"                      (undo it all the same)\n"
	"  --json   the outcome as JSON\n"
	"  --help   this text\n";

static const char stage_help[] =
	"ambit stage list | diff | commit | discard | undo | recover\n"
	"\n"
	"  list      what is kept, since when and for how long, and what can be undone; the latest first\n"
	"  list DIR  the same of trees in which DIR lies, or that lie in it\n"
	"  recover   finishes or takes back commits that were broken off; done by itself before an event starts\n"
	"  diff, commit, discard, undo are the commands of that name\n"
	"\n"
	"  --kept   list: only those whose changes wait for you\n"
	"  --json   as JSON\n"
	"  --help   this text\n"
	"\n"
	"Stages and what can be undone are kept for AMBIT_KEEP (7d), and together take at most AMBIT_KEEP_SPACE (10G): the\n"
	"oldest go first.\n";

enum flag {
	JSON = 256,
	STAT,
	NAMES,
	BINARY,
	COLOR,
	NO_PAGER,
	ON_CONFLICT,
	WAIT,
	WRITE,
	ALL,
	FORCE,
	KEPT,
	USUAL,
	UNTOUCHED,
	HELP
};

struct stage_command {
	const char *name, *help, *see;
	enum stage_op op;
	const struct option *flags;
	bool paths, event;
};

static const struct option diff_flags[] = {
	{ "stat", no_argument, NULL, STAT },         { "name-only", no_argument, NULL, NAMES },
	{ "binary", no_argument, NULL, BINARY },     { "json", no_argument, NULL, JSON },
	{ "color", required_argument, NULL, COLOR }, { "no-pager", no_argument, NULL, NO_PAGER },
	{ "help", no_argument, NULL, HELP },         { NULL, 0, NULL, 0 },
};
static const struct option commit_flags[] = {
	{ "on-conflict", required_argument, NULL, ON_CONFLICT },
	{ "wait", required_argument, NULL, WAIT },
	{ "write", required_argument, NULL, WRITE },
	{ "usual", no_argument, NULL, USUAL },
	{ "untouched", no_argument, NULL, UNTOUCHED },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};
static const struct option discard_flags[] = {
	{ "all", no_argument, NULL, ALL },
	{ "force", no_argument, NULL, FORCE },
	{ "usual", no_argument, NULL, USUAL },
	{ "untouched", no_argument, NULL, UNTOUCHED },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};
static const struct option undo_flags[] = {
	{ "on-conflict", required_argument, NULL, ON_CONFLICT },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};
static const struct option list_flags[] = {
	{ "kept", no_argument, NULL, KEPT },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};
static const struct option plain_flags[] = {
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

static const struct stage_command commands[] = {
	{ "list", stage_help, "ambit stage --help", STAGE_OP_LIST, list_flags, false, false },
	{ "diff", diff_help, "ambit diff --help", STAGE_OP_DIFF, diff_flags, true, true },
	{ "commit", commit_help, "ambit commit --help", STAGE_OP_COMMIT, commit_flags, true, true },
	{ "discard", discard_help, "ambit discard --help", STAGE_OP_DISCARD, discard_flags, false, true },
	{ "undo", undo_help, "ambit undo --help", STAGE_OP_UNDO, undo_flags, false, true },
	{ "recover", stage_help, "ambit stage --help", STAGE_OP_RECOVER, plain_flags, false, false },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

struct stage_run {
	const struct stage_command *command;
	struct stage_ask ask;
	bool json, help, pager;
	int colour; /* -1: as the terminal is */
};

static int take_colour(struct stage_run *run, const char *word, struct ambit_error *e)
{
	if (strcmp(word, "auto") == 0)
		run->colour = -1;
	else if (strcmp(word, "always") == 0 || strcmp(word, "never") == 0)
		run->colour = word[0] == 'a';
	else
		return cli_misused(e, run->command->see, "--color takes auto, always or never, and not '%s'", word);
	return 0;
}

static int take_conflict(struct stage_run *run, const char *word, struct ambit_error *e)
{
	static const char *const words[] = {
		[STAGE_CONFLICT_FAIL] = "fail", [STAGE_CONFLICT_THEIRS] = "theirs", [STAGE_CONFLICT_OURS] = "ours"
	};

	for (uint32_t i = 0; i < STAGE_CONFLICT_COUNT; i++)
		if (strcmp(words[i], word) == 0) {
			run->ask.conflict = i;
			return 0;
		}
	return cli_misused(e, run->command->see, "--on-conflict takes fail, theirs or ours, and not '%s'", word);
}

static int take_wait(struct stage_run *run, const char *word, struct ambit_error *e)
{
	uint64_t ms;

	if (!parse_duration(word, &ms) || ms > UINT32_MAX)
		return cli_misused(e, run->command->see, "--wait takes a time (10s, 5m), and not '%s'", word);
	run->ask.wait_ms = (uint32_t)ms; /* in range: just checked */
	return 0;
}

/* A path or pattern as the person means it: from where they are. Directories that are links are not asked for here: the
 * trees of stages have none in their names, so the place is taken as the kernel says it. */
static int add_path(struct stage_run *run, const char *word, char **list, uint32_t *n, struct ambit_error *e)
{
	char here[PATH_MAX], path[STAGE_PATH_MAX];

	if (getcwd(here, sizeof here) == NULL || !path_normalise(here, word, path, sizeof path))
		return cli_misused(e, run->command->see, "'%s' is no path", word);
	if (*n == STAGE_SELECTED_MAX)
		return cli_misused(e, run->command->see, "more than %d paths: name directories, or a pattern",
				   STAGE_SELECTED_MAX);
	list[*n] = strdup(path);
	if (list[*n] == NULL)
		return cli_misused(e, run->command->see, "no memory for the paths");
	(*n)++;
	return 0;
}

static int take_flag(struct stage_run *run, int flag, const char *given, struct ambit_error *e)
{
	const char *value = given != NULL ? given : ""; /* the table says which have one */

	switch ((enum flag)flag) {
	case JSON: run->json = true; break;
	case STAT: run->ask.flags |= STAGE_FLAG_STAT; break;
	case NAMES: run->ask.flags |= STAGE_FLAG_NAMES; break;
	case BINARY: run->ask.flags |= STAGE_FLAG_BINARY; break;
	case NO_PAGER: run->pager = false; break;
	case ALL: run->ask.flags |= STAGE_FLAG_ALL; break;
	case FORCE: run->ask.flags |= STAGE_FLAG_FORCE; break;
	case KEPT: run->ask.flags |= STAGE_FLAG_KEPT; break;
	case USUAL: run->ask.flags |= STAGE_FLAG_USUAL; break;
	case UNTOUCHED: run->ask.flags |= STAGE_FLAG_UNTOUCHED; break;
	case HELP: run->help = true; break;
	case COLOR: return take_colour(run, value, e);
	case ON_CONFLICT: return take_conflict(run, value, e);
	case WAIT: return take_wait(run, value, e);
	case WRITE: return add_path(run, value, run->ask.granted, &run->ask.n_granted, e);
	}
	return 0;
}

static int no_flag(const struct stage_run *run, const char *word, struct ambit_error *e)
{
	const char *names[16];
	size_t n = 0;

	for (const struct option *f = run->command->flags; f->name != NULL && n < sizeof names / sizeof names[0]; f++)
		names[n++] = f->name;
	return cli_misused_option(e, run->command->see, word, names, n);
}

/* What getopt takes an abbreviation for is not what was written. */
static bool is_whole(const struct stage_run *run, const char *word)
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

#define ID_LETTERS "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#define ID_BEGINS "e_"
#define ID_LENGTH 26 /* of what follows */

static bool is_event(const char *word)
{
	return strcmp(word, "last") == 0 ||
	       (strncmp(word, ID_BEGINS, 2) == 0 && word[2] != 0 && strlen(word) < STAGE_ID_MAX &&
		strspn(word + 2, ID_LETTERS) == strlen(word + 2));
}

/* Whether somebody may well have meant an event: who asks for it says which is near. Ids begin with the time, and so with a digit. */
static bool is_like_event(const char *word)
{
	const bool begins = strncasecmp(word, ID_BEGINS, 2) == 0;
	const char *rest = word + (begins ? 2 : 0);
	const size_t n = strspn(rest, ID_LETTERS "abcdefghijklmnopqrstuvwxyzILOU");

	return rest[0] >= '0' && rest[0] <= '7' && rest[n] == 0 && strlen(word) < STAGE_ID_MAX &&
	       (begins ? n > 0 : n + 2 >= ID_LENGTH && n <= ID_LENGTH + 2);
}

/* The first word, if it names an event. A file that is there and looks like one is a file all the same. */
static bool names_event(const struct stage_run *run, const char *word)
{
	if (!run->command->event || word == NULL || (run->ask.flags & STAGE_FLAG_ALL) != 0)
		return false;
	if (is_event(word))
		return true;
	if (!run->command->paths) /* then it can be nothing else */
		return word[0] != 0 && strlen(word) < STAGE_ID_MAX &&
		       strspn(word, ID_LETTERS "abcdefghijklmnopqrstuvwxyzILOU_") == strlen(word);
	return is_like_event(word) && faccessat(AT_FDCWD, word, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int take_event(struct stage_run *run, char ***words, struct ambit_error *e)
{
	const char *first = **words;
	struct stage_ask *ask = &run->ask;

	if ((ask->flags & STAGE_FLAG_ALL) != 0 && (ask->flags & (STAGE_FLAG_USUAL | STAGE_FLAG_UNTOUCHED)) != 0)
		return cli_misused(e, run->command->see, "--usual and --untouched are of one event: without --all");
	if ((ask->flags & STAGE_FLAG_ALL) != 0 && first != NULL)
		return cli_misused(e, run->command->see, "--all is every event that is kept, and not '%s'", first);
	if (names_event(run, first)) {
		(void)text_copy(ask->event, sizeof ask->event, first); /* measured */
		(*words)++;
	} else if (ask->op == STAGE_OP_UNDO) {
		return first == NULL ? cli_misused(e, run->command->see, "which event? its id, or last")
				     : cli_misused(e, run->command->see, "'%s' is no event", first);
	} else if (run->command->event) {
		(void)text_copy(ask->event, sizeof ask->event, "last");
	}
	if (strcmp(ask->event, "last") == 0 && getcwd(ask->here, sizeof ask->here) == NULL)
		return cli_misused(e, run->command->see,
				   "last is about the current directory, which is gone: name an event by its id");
	return 0;
}

/* Trees have no links in their names; of a directory that is gone they may still be there. */
static int take_directory(struct stage_run *run, char ***words, struct ambit_error *e)
{
	char here[PATH_MAX], whole[PATH_MAX];
	const char *word = **words;

	if (run->command->op != STAGE_OP_LIST || word == NULL)
		return 0;
	if (realpath(word, whole) != NULL)
		(void)text_copy(run->ask.here, sizeof run->ask.here, whole); /* no longer */
	else if (getcwd(here, sizeof here) == NULL || !path_normalise(here, word, run->ask.here, sizeof run->ask.here))
		return cli_misused(e, run->command->see, "'%s' is no path", word);
	(*words)++;
	return 0;
}

static int take_words(struct stage_run *run, char **words, struct ambit_error *e)
{
	int r = take_event(run, &words, e);

	r = r < 0 ? r : take_directory(run, &words, e);
	if (r == 0 && words[0] != NULL && !run->command->paths)
		r = cli_misused(e, run->command->see, "%s takes no '%s'", run->command->name, words[0]);
	for (; r == 0 && *words != NULL; words++)
		r = add_path(run, *words, run->ask.selected, &run->ask.n_selected, e);
	return r;
}

static int read_words(struct stage_run *run, int argc, char **argv, struct ambit_error *e)
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
			r = cli_misused(e, run->command->see, "%s needs a value", word);
		else if (c == '?')
			r = cli_misused(e, run->command->see, "%.*s takes no value",
					word != NULL ? (int)strcspn(word, "=") : 0, word != NULL ? word : "");
		else
			r = take_flag(run, c, optarg, e);
	}
	return r < 0 || run->help ? r : take_words(run, argv + optind, e);
}

static void show_progress(const struct stage_answer *a, bool *shown)
{
	if (a->total == 0 || isatty(STDERR_FILENO) != 1)
		return;
	(void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " files", a->done, a->total);
	*shown = true;
}

static void show_waiting(const struct stage_answer *a, bool *told)
{
	char room[256];
	struct buf text;

	if (!a->waits || *told)
		return;
	*told = true;
	buf_init_in(&text, room, sizeof room);
	summary_waiting_text(a, &text);
	(void)fwrite(text.data, 1, text.len, stderr); /* nobody is left to be told */
}

/* Until the role has answered. */
static int await(struct stage_talk *t, struct stopping *s, struct err *e)
{
	const uint64_t begun = clock_ms();
	bool shown = false, waits = false;
	int r;

	while ((r = stage_talk_step(t, e)) == 0) {
		struct pollfd p[2] = { { .fd = stage_talk_fd(t), .events = POLLIN },
				       { .fd = s->fd, .events = POLLIN } };

		if (poll(p, 2, PROGRESS_AFTER_MS) > 0 && p[1].revents != 0) /* interrupted: step looks again */
			stopping_take(s, t);
		if (clock_ms() - begun > PROGRESS_AFTER_MS)
			show_progress(stage_talk_answer(t), &shown);
		show_waiting(stage_talk_answer(t), &waits);
	}
	if (shown)
		(void)fputs("\r\033[K", stderr);
	return r;
}

static const char *state_of(const struct stage_entry *s)
{
	static const char *const states[] = {
		[STAGE_RUNNING] = "lost", [STAGE_KEPT] = "kept", [STAGE_COMMITTED] = "committed"
	};

	if (s->damaged)
		return "damaged";
	if (s->in_use)
		return "running";
	if (s->incomplete)
		return "incomplete";
	return s->state == STAGE_KEPT && s->commits > 0 ? "partly" : states[s->state]; /* in range: it was decoded */
}

static void since(const struct stage_entry *s, char *ret, size_t size)
{
	const time_t t = (time_t)((s->ended_ns != 0 ? s->ended_ns : s->started_ns) / 1000000000);
	struct tm tm;

	if (t == 0 || localtime_r(&t, &tm) == NULL || strftime(ret, size, "%Y-%m-%d %H:%M", &tm) == 0)
		(void)snprintf(ret, size, "-");
}

static void tell_entry(const struct stage_entry *s, uint64_t now)
{
	char begun[32], left[32] = "-", command[200], tree[300], more[24] = "";

	since(s, begun, sizeof begun);
	if (s->keep_until_ns > now)
		summary_time_left(s->keep_until_ns - now, left, sizeof left);
	if (s->n_trees > 1)
		(void)snprintf(more, sizeof more, " and %u more", s->n_trees - 1);
	(void)printf("%-28s  %-10s  %8" PRIu64 " KB  %-16s  %-10s  %s%s  %s\n", s->event, state_of(s),
		     (s->bytes + 1023) / 1024, begun, left, text_escape(tree, sizeof tree, s->tree, strlen(s->tree)),
		     more, text_escape(command, sizeof command, s->command, strlen(s->command)));
}

static void tell_caches(const struct stage_end *end)
{
	if (end->caches > 0)
		(void)printf("what is remembered of %" PRIu32 " director%s (trees, and the home) takes %" PRIu64
			     " KB, and goes with %s\n",
			     end->caches, end->caches == 1 ? "y" : "ies", (end->cache_bytes + 1023) / 1024,
			     end->caches == 1 ? "it" : "them");
}

/* The latest first: of a long list that is what somebody looks for. */
static void tell_list(const struct stage_run *run, const struct stage_answer *a)
{
	const bool whole = run->ask.here[0] == 0 && (run->ask.flags & STAGE_FLAG_KEPT) == 0;
	struct timespec t;
	char shown[600];

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (a->n_entries == 0)
		(void)printf("nothing is kept%s%s\n", run->ask.here[0] != 0 ? " of " : "",
			     text_escape(shown, sizeof shown, run->ask.here, strlen(run->ask.here)));
	else
		(void)printf("%-28s  %-10s  %11s  %-16s  %-10s  %s\n", "EVENT", "STATE", "SIZE", "SINCE", "KEPT FOR",
			     "TREE AND COMMAND");
	for (size_t i = a->n_entries; i-- > 0;)
		tell_entry(&a->entries[i], (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec);
	if (whole)
		tell_caches(&a->end);
}

/* What was brought in that another program executes unasked: a count, and the first of it by name. */
static void tell_later(const struct stage_answer *a)
{
	const struct change *first = NULL;
	const uint64_t n = stage_answer_later(a, &first);
	char path[STAGE_PATH_MAX + CHANGE_PATH_MAX], shown[600];

	if (n == 0)
		return;
	stage_answer_path(a, first, first->path, path, sizeof path);
	(void)printf("  executes later: %" PRIu64 " of them, %s%s\n", n,
		     text_escape(shown, sizeof shown, path, strlen(path)), n > 1 ? " the first" : "");
}

static void tell_commit(const struct stage_answer *a, const char *label)
{
	const struct stage_end *end = &a->end;

	if (end->workspace == WORKSPACE_UNTOUCHED)
		(void)printf("nothing to commit: %s changed nothing\n", label);
	if (end->workspace != WORKSPACE_COMMITTED)
		return;
	(void)printf("committed: %" PRIu64 " change%s of %s\n", end->changes, text_plural(end->changes), label);
	tell_later(a);
	if (end->dropped > 0)
		(void)printf("  left out: %" PRIu64 " change%s, since the real tree changed there meanwhile\n",
			     end->dropped, text_plural(end->dropped));
	if (end->left > 0)
		(void)printf("  still kept: %" PRIu64 " change%s (ambit diff %s)\n", end->left, text_plural(end->left),
			     end->event);
	(void)printf("  hint: ambit undo %s takes back what was committed\n", end->event);
}

static void tell_discarded(const struct stage_run *run, const struct stage_answer *a, const char *label)
{
	if ((run->ask.flags & STAGE_FLAG_ALL) == 0) {
		(void)printf("discarded: %s%s\n", label,
			     a->end.lost ? "; what was committed of it cannot be taken back any more" : "");
		return;
	}
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct stage_entry *s = &a->entries[i];
		char one[STAGE_LABEL_MAX];

		stage_label(one, s->event, s->command, s->tree, s->n_trees);
		(void)printf("discarded: %s\n", one);
	}
	(void)printf("discarded: %" PRIu64 " stage%s\n", a->end.changes, text_plural(a->end.changes));
}

static void tell_end(const struct stage_run *run, const struct stage_answer *a)
{
	const struct stage_end *end = &a->end;
	char label[STAGE_LABEL_MAX];

	stage_label(label, end->event, end->command, end->tree, end->n_trees);
	switch (run->command->op) {
	case STAGE_OP_LIST: tell_list(run, a); break;
	case STAGE_OP_COMMIT: tell_commit(a, label); break;
	case STAGE_OP_DISCARD: tell_discarded(run, a, label); break;
	case STAGE_OP_UNDO:
		(void)printf("undone: %s\n  still kept: %" PRIu64 " change%s (ambit diff %s)\n"
			     "  hint: ambit commit %s brings back what was undone, ambit discard %s throws it away\n",
			     label, end->changes, text_plural(end->changes), end->event, end->event, end->event);
		break;
	case STAGE_OP_RECOVER: (void)printf("recovered: %" PRIu64 "\n", end->changes); break;
	case STAGE_OP_SETTLE:
	case STAGE_OP_CHANGES:
	case STAGE_OP_DIFF:
	case STAGE_OP_COUNT: break;
	}
}

/* What was done is done, though nobody could be told; what was only to be shown was not. */
static int status_of(const struct stage_run *run, int written, bool kept)
{
	const bool shows = run->command->op == STAGE_OP_LIST || run->command->op == STAGE_OP_DIFF;

	return written != 0 && shows ? EXIT_REFUSED : kept ? 123 : 0;
}

static void tell_kept(const struct stage_answer *a, const struct err *e)
{
	auto_buf text = { .max = 0 };

	buf_init(&text, 64u << 10);
	summary_stage_text(a, e, &text);
	(void)fwrite(text.data, 1, text.len, stderr); /* nobody is left to be told */
}

/* The names that changed since, each with what happened to it. */
static void list_conflicts(const struct stage_answer *a, FILE *out, const char *what)
{
	for (size_t i = 0; i < a->n_changes && i < CONFLICTS_SHOWN; i++) {
		char path[STAGE_PATH_MAX + CHANGE_PATH_MAX], shown[600];

		stage_answer_path(a, a->changes[i], a->changes[i]->path, path, sizeof path);
		(void)fprintf(out, "%s%s: %s\n", what, text_escape(shown, sizeof shown, path, strlen(path)),
			      a->changes[i]->reason);
	}
	if (a->n_changes > CONFLICTS_SHOWN)
		(void)fprintf(out, "%s%zu more (--json lists them)\n", what, a->n_changes - CONFLICTS_SHOWN);
}

/* Which even `git status` writes. */
static bool is_git_index(const struct change *c)
{
	static const char name[] = ".git/index";
	const size_t n = strlen(c->path), length = sizeof name - 1;

	return n >= length && strcmp(c->path + n - length, name) == 0 &&
	       (n == length || c->path[n - length - 1] == '/');
}

/* What the command that was given has not tried. */
static const char *way_past(enum stage_conflict given, const struct stage_answer *a)
{
	if (given == STAGE_CONFLICT_FAIL && a->end.held == 1 && a->n_changes == 1 && is_git_index(a->changes[0]))
		return "ours` is right if only `git status` wrote it; theirs leaves an index whose objects are gone again";
	switch (given) {
	case STAGE_CONFLICT_THEIRS: return "ours` undoes it all the same; what stands there is not kept for sure";
	case STAGE_CONFLICT_OURS: return "theirs` leaves what cannot be undone, and undoes the rest";
	case STAGE_CONFLICT_FAIL:
	case STAGE_CONFLICT_COUNT: break;
	}
	return "theirs` leaves what changed since, and undoes the rest; ours undoes all of it all the same";
}

/* Nothing was done, since something stands in the way. */
static int tell_not_undone(const struct stage_run *run, const struct stage_answer *a)
{
	const char *event = a->end.event;

	if (run->json) {
		(void)stage_json_write(a, run->command->op); /* it is refused in any case */
		return EXIT_REFUSED;
	}
	(void)fprintf(stderr, "ambit: cannot undo %s: %" PRIu64 " name%s as the commit left %s\n", event, a->end.held,
		      a->end.held == 1 ? " is not" : "s are not", a->end.held == 1 ? "it" : "them");
	list_conflicts(a, stderr, "  why: ");
	if (run->ask.conflict == STAGE_CONFLICT_THEIRS)
		(void)fprintf(stderr, "  why: nothing else is there to be undone\n");
	(void)fprintf(stderr, "  hint: `ambit undo %s --on-conflict %s\n", event,
		      way_past((enum stage_conflict)run->ask.conflict, a)); /* in range: it was taken from a word */
	return EXIT_REFUSED;
}

static int tell(const struct stage_run *run, const struct stage_answer *a)
{
	const bool kept = run->command->op == STAGE_OP_COMMIT && a->end.workspace == WORKSPACE_KEPT &&
			  a->end.why != STAGE_WHY_ASKED;

	if (run->command->op == STAGE_OP_UNDO && a->end.workspace == WORKSPACE_COMMITTED)
		return tell_not_undone(run, a);
	if (run->json)
		return status_of(run, stage_json_write(a, run->command->op), kept);
	tell_end(run, a);
	if (run->command->op == STAGE_OP_UNDO && a->n_changes > 0)
		list_conflicts(a, stdout, "  left as it is: ");
	if (kept)
		tell_kept(a, NULL);
	return status_of(run, cli_flush(), kept);
}

/* Where the changes are still kept that is told, too. */
static int tell_failure(const struct stage_run *run, const struct stage_answer *a, int r, const struct err *e)
{
	struct ambit_error told = { .size = sizeof told };
	const bool kept = run->command->op == STAGE_OP_COMMIT && a->end.workspace == WORKSPACE_KEPT;
	int status;

	(void)public_error(&told, r, e);
	if (!kept || run->json) {
		status = cli_refuse(run->json, &told);
		return kept ? 123 : status;
	}
	tell_kept(a, e);
	return 123;
}

static void prepare_output(struct stage_run *run, struct pager *pager)
{
	struct winsize size;

	if (run->command->op != STAGE_OP_DIFF || run->json)
		return;
	if (run->colour == 1 || (run->colour < 0 && isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL))
		run->ask.flags |= STAGE_FLAG_COLOUR;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		run->ask.width = size.ws_col;
	pager_open(pager, run->pager);
}

/* A signal came, and what became of the rest is told. */
static int tell_stopped(const struct stage_run *run, struct stopping *s, const struct err *e, int status)
{
	if (e != NULL && e->code == AMBIT_GONE)
		return stopping_die(s);
	(void)fprintf(stderr, "ambit: signal %d came when the %s had begun, and it went on to its end\n", s->signal,
		      run->command->name);
	return status;
}

/* Who commits what was held as unusual says that it was right, and who discards it that it was not. */
static void tell_profile(const struct stage_run *run, const struct stage_answer *a)
{
	if (run->command->op == STAGE_OP_COMMIT && a->end.workspace == WORKSPACE_COMMITTED)
		usual_said(run->ask.store, a->end.event, true);
	else if (run->command->op == STAGE_OP_DISCARD)
		usual_said(run->ask.store, a->end.event, false);
}

static int ask(struct stage_run *run)
{
	struct pager pager = { .fd = -1 };
	struct stopping stopping = { .fd = -1 };
	struct stage_talk *t = NULL;
	struct err e;
	int r, status;

	if (run->json && run->command->op == STAGE_OP_DIFF)
		run->ask.op = STAGE_OP_CHANGES;
	prepare_output(run, &pager);
	r = stage_talk_start(&run->ask, pager.fd, &t, &e);
	if (r == 0 && (run->ask.op == STAGE_OP_COMMIT || run->ask.op == STAGE_OP_UNDO))
		stopping_begin(&stopping);
	r = r < 0 ? r : await(t, &stopping, &e);
	if (!pager_close(&pager)) { /* it took nothing: once more, and plainly */
		stopping_end(&stopping);
		stage_talk_free(t);
		run->pager = false;
		return ask(run);
	}
	status = r < 0 ? tell_failure(run, stage_talk_answer(t), r, &e) : tell(run, stage_talk_answer(t));
	if (r >= 0)
		tell_profile(run, stage_talk_answer(t));
	stage_talk_free(t);
	if (stopping.signal != 0)
		status = tell_stopped(run, &stopping, r < 0 ? &e : NULL, status);
	stopping_end(&stopping); /* when all is told */
	return status;
}

static int run_command(const struct stage_command *command, int argc, char **argv)
{
	struct stage_run *run = calloc(1, sizeof *run);
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int status = EXIT_REFUSED, r;

	if (run == NULL)
		return EXIT_REFUSED;
	run->command = command;
	run->pager = true;
	run->colour = -1;
	r = stage_ask_init(&run->ask, command->op, &e);
	if (r < 0)
		status = (public_error(&told, r, &e), cli_error(&told));
	else if (read_words(run, argc, argv, &told) < 0)
		status = cli_refuse(run->json, &told);
	else if (run->help)
		status = fputs(command->help, stdout) < 0 ? EXIT_REFUSED : 0;
	else
		status = ask(run);
	stage_ask_finish(&run->ask);
	free(run);
	return status;
}

static const struct stage_command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int cli_stage_short(int argc, char **argv)
{
	return run_command(find(argv[0]), argc, argv); /* the table of main.c names those that are here */
}

int cli_stage(int argc, char **argv)
{
	const struct stage_command *command = argc > 1 ? find(argv[1]) : NULL;
	const char *names[COMMANDS];

	if (argc > 1 && cli_is_help(argv[1])) {
		(void)fputs(stage_help, stdout);
		return 0;
	}
	if (command != NULL)
		return run_command(command, argc - 1, argv + 1);
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	return argc > 1 ? cli_no_word("ambit stage --help", argv[1], names, COMMANDS, "no command 'stage %s'", argv[1])
			: cli_usage("ambit stage --help", "stage what? list, diff, commit, discard, undo or recover");
}
