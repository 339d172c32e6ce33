/* ambit setup: a client of the Model Context Protocol starts its servers behind the gate, and has Ambit's own. What its configuration says is read by the role ambit-setup, in a cell; here
 * are bytes, which are shown and written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/setup_file.h"
#include "cli/setup_hook.h"
#include "cli/setup_kept.h"
#include "cli/setup_measure.h"
#include "cli/setup_role.h"
#include "lib/public.h"

#define HELP "ambit setup --help"
#define FILES_MAX 2

static const char help_text[] =
	"ambit setup CLIENT [OPTIONS]\n"
	"ambit setup CLIENT --undo\n"
	"\n"
	"Changes the configuration of claude-code, codex, cursor, vscode, claude-desktop or gemini: the servers of the Model\n"
	"Context Protocol that it starts run behind `ambit guard`, and it gets a server `ambit`: `ambit mcp --preset agent`.\n"
	"The change is shown first, and made after a yes. All else in the file stays as it is.\n"
	"\n"
	"  --project        the file in the current directory, and not your own\n"
	"  --config FILE    this file, of that client's form\n"
	"  --policy FILE    what servers and their tools may do (ambit guard --policy)\n"
	"  --guard WORDS    other options of `ambit guard`, for each of them: '--tool filesystem/* --read ~/notes'\n"
	"  --mcp WORDS      the options of `ambit mcp`, in place of '--preset agent'\n"
	"  --no-mcp         no server `ambit`\n"
	"  --no-guard       servers are left as they are\n"
	"  --hooks          claude-code, codex, cursor: the commands of its shell run in cells, too\n"
	"  --run WORDS      with --hooks: the options of `ambit run`, in place of '--preset agent'\n"
	"  --sandbox off    turns off the client's own sandbox, in which no cell starts\n"
	"  --measure        tries how long a command of its shell takes, and what stands around it, now and with the hook\n"
	"  --dry-run        shows the change, and makes none\n"
	"  --yes            does not ask\n"
	"  --undo           what was there before comes back; where the file was changed since, what Ambit put in goes\n"
	"  --help           this text\n"
	"\n"
	"What was there is kept in ~/.local/state/ambit/setup. `ambit setup hook CLIENT [-- WORDS]` is what the client calls.\n";

struct words {
	enum setup_client client;
	const char *config, *policy;
	bool project, no_mcp, no_guard, hooks, off, measure, dry_run, yes, undo;
	struct setup_words mcp, guard, run;
	char rooms[3][8192]; /* their texts */
	char policy_path[PATH_MAX];
};

/* One file of a client, and what becomes of it. */
struct job {
	struct setup_file file;
	struct setup_kept kept;
	struct setup_told *told; /* owned */
	struct buf room;         /* owned: the new text lies in it */
	uint32_t what;           /* of SETUP_WRAP ... */
	bool changes, gone;      /* gone: no file is to be there */
	bool forgets;            /* nothing is to be done, and what is kept is of no use any more */
	const uint8_t *text;
	size_t text_len;
};

/* ---- what is to be done to a file ---- */

static int ask_role(struct job *j, const struct words *w, enum setup_op op, const char *hook, struct err *e)
{
	char program[PATH_MAX];
	const struct setup_ask ask = { .op = op,
				       .client = w->client,
				       .what = j->what,
				       .policy = w->policy != NULL ? w->policy_path : "",
				       .hook = hook,
				       .program = program,
				       .mcp = w->mcp,
				       .guard = w->guard,
				       .text = j->file.text.data,
				       .text_len = (uint32_t)j->file.text.len,
				       .before = j->kept.before.data,
				       .before_len = op == SETUP_UNDO ? (uint32_t)j->kept.before.len : 0 };
	char shown[PATH_MAX];
	int r;

	setup_hook_program(program);
	r = setup_role_ask(&ask, &j->room, j->told, e);
	if (r < 0)
		return err_context(e, r, "%s", text_escape(shown, 300, j->file.path, strlen(j->file.path)));
	j->changes = j->told->changes > 0;
	j->text = j->told->text;
	j->text_len = j->told->text_len;
	return 0;
}

static int plan_change(struct job *j, const struct words *w, struct err *e)
{
	auto_buf hook = { .max = 64u << 10 };

	setup_hook_command(&hook, w->client, &w->run);
	if (buf_cstr(&hook) == NULL || hook.len >= SETUP_WORD_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "--run has too many words");
	return ask_role(j, w, SETUP_CHANGE, (const char *)hook.data, e);
}

static int plan_undo(struct job *j, const struct words *w, struct err *e)
{
	char digest[2 * SHA256_BYTES + 1];

	if (j->kept.n == 0)
		return 0;
	setup_digest(j->file.text.data, j->file.text.len, digest);
	if (!j->file.is_there ||
	    strcmp(digest, j->kept.was) == 0) { /* it is gone, or as it was: it was put back by others */
		j->forgets = true;
		return 0;
	}
	if (strcmp(digest, j->kept.is) != 0) {
		int r = ask_role(j, w, SETUP_UNDO, "", e);

		j->forgets = r == 0 && !j->changes;
		return r;
	}
	j->changes = true;
	j->gone = !j->kept.was_there;
	j->text = j->kept.before.data;
	j->text_len = j->kept.before.len;
	return 0;
}

/* ---- what is shown ---- */

static void show_notes(const struct job *j)
{
	char text[2 * SETUP_NAME_MAX];

	for (uint32_t i = 0; i < j->told->n_notes; i++) {
		const struct setup_note *n = &j->told->notes[i];
		const char *sentence = setup_note_text((enum setup_note_id)n->id), *at = strstr(sentence, "%s");

		(void)printf("  ");
		if (n->line > 0)
			(void)printf("line %u: ", n->line);
		if (at == NULL)
			(void)printf("%s\n", sentence);
		else
			(void)printf("%.*s%s%s\n", (int)(at - sentence), sentence,
				     text_show(text, sizeof text, n->name, strlen(n->name)), at + 2);
	}
}

/* A server behind the gate that is granted nothing may not even start: better said before. */
static void show_nothing_granted(const struct job *j, const struct words *w)
{
	for (uint32_t i = 0; i < j->told->n_notes && w->policy == NULL && w->guard.n == 0; i++)
		if (j->told->notes[i].id == NOTE_WRAPPED) {
			(void)printf(
				"  nothing is granted to what runs behind the gate: --policy or --guard says what; what is refused there names the line that would allow it\n");
			return;
		}
}

static int show(const struct job *j, const struct words *w, struct err *e)
{
	char path[2 * PATH_MAX];

	if (w->undo ? j->kept.n == 0 : !j->file.is_there && !j->changes && j->told->n_notes == 0)
		return 0;
	(void)printf("%s%s\n", text_escape(path, sizeof path, j->file.path, strlen(j->file.path)),
		     !j->file.is_there && j->changes ? " (new)" : "");
	show_notes(j);
	show_nothing_granted(j, w);
	if (j->forgets)
		(void)printf("  %s\n", j->file.is_there ? "it has nothing of Ambit's any more"
							: "it is gone: there is nothing to put back");
	else if (w->undo && j->changes && j->told->changes > 0)
		(void)printf("  it was changed since: what Ambit put in is taken out, and the rest stays\n");
	else if (!j->changes)
		(void)printf("  nothing is to be changed\n");
	return j->changes ? setup_role_diff(&j->file, j->text, j->text_len, j->gone, e) : 0;
}

static int confirm(const struct words *w, struct err *e)
{
	char answer[8] = "";

	if (w->yes)
		return 0;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return err_set(e, AMBIT_DENIED,
			       "at a terminal you are asked; --yes says it beforehand, --dry-run only shows",
			       "whether it is changed is yours to say, and there is nobody to ask");
	(void)fprintf(stderr, "Change it? [y/N] ");
	if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
		return err_set(e, AMBIT_DENIED, NULL, "nothing was changed");
	return 0;
}

static int write_job(struct job *j, const struct words *w, struct err *e)
{
	int r = 0;

	if (!j->changes) {
		if (j->forgets)
			setup_kept_drop(&j->kept);
		return 0;
	}
	if (!w->undo)
		r = setup_kept_add(&j->kept, &j->file, j->text, j->text_len, e);
	r = r < 0 ? r : setup_file_write(&j->file, j->text, j->text_len, j->gone, e);
	if (w->undo ? r == 0 : r < 0)
		setup_kept_drop(&j->kept);
	return r;
}

/* ---- all files of a client ---- */

static uint32_t what_of(const struct words *w)
{
	return (w->no_guard ? 0 : SETUP_WRAP) | (w->no_mcp ? 0 : SETUP_ADD);
}

static uint32_t hooks_of(const struct words *w)
{
	return SETUP_SANDBOX | (w->hooks ? SETUP_HOOKS : 0) | (w->off ? SETUP_OFF : 0);
}

static int open_job(struct job *j, const struct words *w, const char *where, uint32_t what, struct err *e)
{
	int r;

	j->what = what;
	j->told = calloc(1, sizeof *j->told);
	buf_init(&j->room, 0);
	r = j->told == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory")
			    : setup_file_find(&j->file, where, w->project, w->config, e);
	r = r < 0 ? r : setup_file_read(&j->file, e);
	r = r < 0 ? r : setup_kept_open(&j->kept, w->client, &j->file, e);
	if (r < 0)
		return r;
	if (!w->undo && !j->file.is_there && (what & ~(SETUP_SANDBOX | SETUP_OFF | SETUP_WRAP)) == 0)
		return 0; /* none is made to say nothing in it */
	return w->undo ? plan_undo(j, w, e) : plan_change(j, w, e);
}

static void close_job(struct job *j)
{
	setup_file_finish(&j->file);
	setup_kept_close(&j->kept);
	buf_finish(&j->room);
	free(j->told);
}

static int open_jobs(struct job jobs[FILES_MAX], size_t *n, const struct words *w, struct err *e)
{
	const struct setup_about *about = setup_about(w->client);
	const char *second = w->project ? about->project_hook : about->user_hook;
	const bool two = second != NULL && w->config == NULL;
	int r;

	*n = 1;
	r = open_job(&jobs[0], w, w->project ? about->project : about->user,
		     what_of(w) | (about->user_hook == NULL ? hooks_of(w) : 0), e);
	if (r < 0 || !two)
		return r;
	*n = 2;
	return open_job(&jobs[1], w, second, hooks_of(w), e);
}

static int finish_jobs(struct job *jobs, size_t n, const struct words *w, struct err *e)
{
	bool any = false, forgets = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = show(&jobs[i], w, e);
		any = any || jobs[i].changes;
		forgets = forgets || jobs[i].forgets;
	}
	if (w->client == SETUP_GEMINI && getenv("GEMINI_SANDBOX") != NULL)
		(void)printf(
			"GEMINI_SANDBOX is set: a sandbox that cannot start inside a cell, and in which no cell starts; unset it\n");
	if (r == 0 && w->measure)
		r = setup_measure(w->client, &w->run, e);
	if (w->undo && jobs[0].kept.n == 0 && (n == 1 || jobs[1].kept.n == 0))
		return err_set(e, AMBIT_NOT_FOUND, NULL, "nothing is kept of it: `ambit setup` changed nothing there");
	if (r < 0 || w->dry_run || (!any && !forgets))
		return r;
	if (any && cli_flush() == 0)
		r = confirm(w, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_job(&jobs[i], w, e);
	if (r == 0 && any && !w->undo)
		(void)printf("Changed. `ambit setup %s%s --undo` puts it back; %s reads it when it starts.\n",
			     setup_about(w->client)->word,
			     w->project          ? " --project"
			     : w->config != NULL ? " --config FILE"
						 : "",
			     setup_about(w->client)->title);
	else if (r == 0 && any)
		(void)printf("Put back.\n");
	return r;
}

static int setup(const struct words *w)
{
	struct job jobs[FILES_MAX] = { { .kept = { .dir_fd = -1 } }, { .kept = { .dir_fd = -1 } } };
	struct err e;
	auto_fd int lock = -1;
	size_t n = 0;
	int r = w->dry_run ? 0 : setup_kept_lock(&lock, &e);

	r = r < 0 ? r : open_jobs(jobs, &n, w, &e);
	r = r < 0 ? r : finish_jobs(jobs, n, w, &e);
	for (size_t i = 0; i < n; i++)
		close_job(&jobs[i]);
	return r < 0 ? found_refuse(false, &e) : cli_flush();
}

/* ---- words ---- */

/* As a shell does, without its expansions: blanks part words, quotes keep them together. */
static int split(const char *option, const char *text, struct setup_words *ret, char *room, size_t size,
		 struct ambit_error *e)
{
	size_t n = 0;
	char quote = 0;

	if (strlen(text) + 2 > size || !text_is_utf8(text, strlen(text), NULL))
		return cli_misused(e, HELP, "%s: too long, or no UTF-8", option);
	for (ret->n = 0; *text != 0;) {
		while (*text == ' ' || *text == '\t' || *text == '\n')
			text++;
		if (*text == 0)
			break;
		if (ret->n + 2 >= SETUP_WORDS_MAX)
			return cli_misused(e, HELP, "%s: too many words", option);
		ret->word[ret->n++] = room + n;
		for (; *text != 0 && (quote != 0 || (*text != ' ' && *text != '\t' && *text != '\n')); text++)
			if (quote == 0 && (*text == '\'' || *text == '"'))
				quote = *text;
			else if (quote == *text)
				quote = 0;
			else
				room[n++] = *text;
		room[n++] = 0;
		if (quote == 0 && strcmp(ret->word[ret->n - 1], "--") == 0)
			return cli_misused(e, HELP, "%s: options, and nothing behind them: no '--'", option);
	}
	return quote != 0 ? cli_misused(e, HELP, "%s: a quote has no end", option) : 0;
}

static int take_text(struct words *w, char ***at, bool *took, struct ambit_error *e)
{
	const char *value;
	int r = 0;

	*took = true;
	if ((value = cli_argument(at, HELP, "--config", &r, e)) != NULL)
		w->config = value;
	else if ((value = cli_argument(at, HELP, "--policy", &r, e)) != NULL)
		w->policy = value;
	else if ((value = cli_argument(at, HELP, "--mcp", &r, e)) != NULL)
		return r < 0 ? r : split("--mcp", value, &w->mcp, w->rooms[0], sizeof w->rooms[0], e);
	else if ((value = cli_argument(at, HELP, "--guard", &r, e)) != NULL)
		return r < 0 ? r : split("--guard", value, &w->guard, w->rooms[1], sizeof w->rooms[1], e);
	else if ((value = cli_argument(at, HELP, "--run", &r, e)) != NULL)
		return r < 0 ? r : split("--run", value, &w->run, w->rooms[2], sizeof w->rooms[2], e);
	else if ((value = cli_argument(at, HELP, "--sandbox", &r, e)) != NULL) {
		w->off = r == 0;
		if (r == 0 && strcmp(value, "off") != 0)
			return cli_misused(e, HELP, "--sandbox takes off, and nothing else");
	} else
		*took = false;
	if (r == 0 && value != NULL && value[0] == 0)
		return cli_misused(e, HELP, "an empty name");
	return r;
}

static int take_word(struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "config",  "dry-run", "guard",    "help",   "hooks",
					       "mcp",     "measure", "no-guard", "no-mcp", "policy",
					       "project", "run",     "sandbox",  "undo",   "yes" };
	const struct {
		const char *word;
		bool *flag;
	} flags[] = { { "--project", &w->project }, { "--no-mcp", &w->no_mcp },   { "--no-guard", &w->no_guard },
		      { "--hooks", &w->hooks },     { "--measure", &w->measure }, { "--dry-run", &w->dry_run },
		      { "--yes", &w->yes },         { "--undo", &w->undo } };
	bool took;
	int r = take_text(w, at, &took, e);

	if (r < 0 || took)
		return r;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(**at, flags[i].word) == 0) {
			*flags[i].flag = true;
			return 0;
		}
	if ((**at)[0] == '-')
		return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
	if (w->client != SETUP_CLIENTS)
		return cli_misused(e, HELP, "one client, and not '%s' too", **at);
	w->client = setup_client_of(**at);
	return w->client != SETUP_CLIENTS
		       ? 0
		       : cli_misused(e, HELP,
				     "no client '%s': claude-code, codex, cursor, vscode, claude-desktop, gemini",
				     **at);
}

static int check_words(struct words *w, struct ambit_error *e)
{
	const struct setup_about *about;

	if (w->client == SETUP_CLIENTS)
		return cli_misused(e, HELP, "which client? claude-code, codex, cursor, vscode, claude-desktop, gemini");
	about = setup_about(w->client);
	if (w->project && w->config != NULL)
		return cli_misused(e, HELP, "--project or --config, and not both");
	if (w->project && about->project == NULL)
		return cli_misused(e, HELP, "%s has no file in a project", about->title);
	if (w->hooks && about->hook == HOOK_NONE)
		return cli_misused(e, HELP, "--hooks is for claude-code, codex and cursor");
	if ((w->hooks || w->off) && w->config != NULL && about->user_hook != NULL)
		return cli_misused(e, HELP, "%s has these in another file (%s): leave --config out", about->title,
				   strrchr(about->user_hook, '/') + 1);
	if (w->measure && (w->undo || about->hook == HOOK_NONE))
		return cli_misused(e, HELP,
				   "--measure is for what has a hook: claude-code, codex and cursor, without --undo");
	if (w->run.n > 0 && !w->hooks && !w->measure)
		return cli_misused(e, HELP, "--run is for --hooks and --measure");
	if (w->policy != NULL && realpath(w->policy, w->policy_path) == NULL)
		return cli_misused(e, HELP, "--policy: there is no '%s'", w->policy);
	return 0;
}

int cli_setup(int argc, char **argv)
{
	static struct words w;
	struct ambit_error e = { .size = sizeof e };
	int r = 0;

	if (argc > 1 && strcmp(argv[1], "hook") == 0)
		return setup_hook_run(argc - 2, argv + 2);
	w = (struct words){ .client = SETUP_CLIENTS, .mcp = { .word = { "--preset", "agent" }, .n = 2 } };
	for (char **at = argv + 1; r == 0 && *at != NULL; at++) {
		if (cli_is_help(*at)) {
			(void)fputs(help_text, stdout);
			return 0;
		}
		r = take_word(&w, &at, &e);
	}
	r = r < 0 ? r : check_words(&w, &e);
	return r < 0 ? cli_refuse(false, &e) : setup(&w);
}
