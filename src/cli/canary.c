/* ambit canary add, list, remove: decoys that nobody has a reason to touch. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "cli/decoy.h"
#include "cli/found.h"
#include "core/grant.h"
#include "lib/canary.h"

#define HELP "ambit canary --help"
#define LIST_MAX (1u << 20)

static const char help_text[] =
	"ambit canary add [PATH] [--kind KIND]\n"
	"ambit canary list\n"
	"ambit canary remove PATH | --all\n"
	"\n"
	"Places decoys: files that look like secrets, that open nothing, and that nobody has a reason to touch. An event whose program\n"
	"opens, executes, renames, links, changes or deletes one is ended at once, or what `canary` of its policy says (--canary).\n"
	"\n"
	"  add     writes a decoy where nothing lies yet. Without a PATH it lies at a plausible place beneath your home or the current directory\n"
	"  list    which there are, and whether each is there still\n"
	"  remove  takes one away, and its file, if that is the decoy still\n"
	"\n"
	"Where it lies matters. What walks through a tree and reads it all (grep -r, git add, a backup, an indexer) opens the decoy in it, too, and\n"
	"is ended: put it where your own tools do not look. A look at the name is none: ls, find, stat. What is opened outside of cells is not seen.\n"
	"A name that no cell is shown (.env, .ssh, id_ed25519) is touched only by who names it unseen: another one is the better bait.\n"
	"\n"
	"  --kind KIND  aws (credentials), ssh (a private key), env (variables of a service), token, or file (passwords) (default: file)\n"
	"  --all        remove: all of them\n"
	"  --json       list: as JSON\n"
	"  --help       this text\n";

struct words {
	const char *verb, *path, *kind;
	bool all, json, help;
};

static int take_option(struct words *w, int argc, char **argv, int *i)
{
	static const char *const names[] = { "all", "help", "json", "kind" };
	const char *word = argv[*i];

	if (strcmp(word, "--all") == 0)
		w->all = true;
	else if (strcmp(word, "--json") == 0)
		w->json = true;
	else if (strncmp(word, "--kind=", 7) == 0)
		w->kind = word + 7;
	else if (strcmp(word, "--kind") != 0)
		return cli_no_option(HELP, word, names, sizeof names / sizeof names[0]);
	else if (*i + 1 >= argc)
		return cli_usage(HELP, "--kind takes one of aws, ssh, env, token, file");
	else
		w->kind = argv[++*i];
	return 0;
}

static int take_words(struct words *w, int argc, char **argv)
{
	int r = 0;

	for (int i = 1; i < argc && r == 0; i++) {
		if (cli_is_help(argv[i]))
			w->help = true;
		else if (argv[i][0] == '-' && argv[i][1] != 0)
			r = take_option(w, argc, argv, &i);
		else if (w->verb == NULL)
			w->verb = argv[i];
		else if (w->path == NULL)
			w->path = argv[i];
		else
			r = cli_usage(HELP, "name one path");
	}
	return r;
}

static int check_words(const struct words *w)
{
	static const char *const verbs[] = { "add", "list", "remove" };
	const bool adds = w->verb != NULL && strcmp(w->verb, "add") == 0;
	const bool removes = w->verb != NULL && strcmp(w->verb, "remove") == 0;

	if (w->verb == NULL)
		return cli_usage(HELP, "say add, list or remove");
	if (!adds && !removes && strcmp(w->verb, "list") != 0)
		return cli_no_word(HELP, w->verb, verbs, sizeof verbs / sizeof verbs[0], "there is no 'canary %s'",
				   w->verb);
	if ((w->kind != NULL && !adds) || (w->all && !removes) || (w->json && (adds || removes)) ||
	    (w->path != NULL && !adds && !removes))
		return cli_usage(HELP, "canary %s does not take that", w->verb);
	if (removes && (w->path != NULL) == w->all)
		return cli_usage(HELP, "name the canary, or --all");
	if (w->kind != NULL && canary_kind_of(w->kind) == CANARY_KINDS)
		return cli_usage(HELP, "--kind takes one of aws, ssh, env, token, file");
	return 0;
}

/* ---- where one lies ---- */

/* The name as events know it: without links, but for the last part. */
static int take_path(const char *word, char ret[CANARY_PATH_MAX], struct err *e)
{
	char name[PATH_MAX], here[PATH_MAX], real[PATH_MAX], whole[2 * PATH_MAX];
	char *slash;
	int n;

	if (getcwd(here, sizeof here) == NULL || !path_normalise(here, word, name, sizeof name))
		return err_set(e, AMBIT_USAGE, NULL, "'%s' is not a path", word);
	slash = strrchr(name, '/');
	*slash = 0;
	if (realpath(slash == name ? "/" : name, real) == NULL)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "make it, or name another place", "the directory %s",
			       slash == name ? "/" : name);
	n = snprintf(whole, sizeof whole, "%s/%s", real[1] == 0 ? "" : real, slash + 1);
	if (n < 0 || n >= CANARY_PATH_MAX || !canary_is_path(whole))
		return err_set(e, AMBIT_USAGE, "name a shorter place, without control characters",
			       "a canary cannot lie there");
	memcpy(ret, whole, (size_t)n + 1);
	return 0;
}

/* What is usual of its kind. The directory in the home is made, as the programs make it whose it is. */
static int take_default(enum canary_kind kind, char ret[CANARY_PATH_MAX], struct err *e)
{
	const char *place = decoy_place(kind), *home = getenv("HOME");
	char name[PATH_MAX], dir[PATH_MAX];

	if (place[0] != '~')
		return take_path(place, ret, e);
	if (home == NULL || home[0] != '/' || snprintf(name, sizeof name, "%s%s", home, place + 1) >= (int)sizeof name)
		return err_set(e, AMBIT_USAGE, "name a path", "you have no home to put it in");
	(void)text_copy(dir, sizeof dir, name); /* same size */
	*strrchr(dir, '/') = 0;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, AMBIT_SYSTEM, errno, "name a path", "cannot make %s", dir);
	return take_path(name, ret, e);
}

/* ---- add ---- */

struct adding {
	struct canary canary;
	bool made; /* its file is there */
};

/* Nothing that is there is ever written over, and no link followed. */
static int make_file(struct adding *a, struct err *e)
{
	auto_buf text = { .max = CANARY_SIZE_MAX };
	auto_fd int fd = -1;
	int r = decoy_write((enum canary_kind)a->canary.kind, &text);

	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot make a decoy");
	fd = open(a->canary.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno == EEXIST ? AMBIT_CONFLICT : AMBIT_SYSTEM, errno,
			       errno == EEXIST ? "name a path where nothing lies" : NULL, "cannot make %s",
			       a->canary.path);
	a->made = true;
	r = fd_write_all(fd, text.data, text.len);
	r = r == 0 && fsync(fd) < 0 ? -errno : r;
	r = r < 0 ? r : canary_measure(&a->canary);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write %s", a->canary.path) : 0;
}

static int add_one(void *of, struct canaries *c, struct err *e)
{
	struct adding *a = of;
	int r;

	if (c->n == CANARIES_MAX)
		return err_set(e, AMBIT_LIMIT, "remove one: `ambit canary list`", "there are %d canaries already",
			       CANARIES_MAX);
	if (canaries_find(c, a->canary.path) != CANARIES_MAX)
		return err_set(e, AMBIT_CONFLICT, "remove it first, or name another path", "a canary lies at %s",
			       a->canary.path);
	r = make_file(a, e);
	if (r == 0)
		c->list[c->n++] = a->canary;
	return r;
}

static int add(const struct words *w, struct err *e)
{
	struct adding a = { .canary.kind = w->kind != NULL ? canary_kind_of(w->kind) : CANARY_FILE };
	char shown[4 * CANARY_PATH_MAX];
	int r = w->path != NULL ? take_path(w->path, a.canary.path, e)
				: take_default((enum canary_kind)a.canary.kind, a.canary.path, e);

	a.canary.made_ms = clock_unix_ms();
	r = r < 0 ? r : canaries_change(add_one, &a, e);
	if (r < 0 && a.made)
		(void)unlink(a.canary.path); /* a decoy that nobody knows is litter */
	if (r < 0)
		return r;
	(void)printf("placed: %s  %s\n", canary_word(a.canary.kind),
		     text_escape(shown, sizeof shown, a.canary.path, strlen(a.canary.path)));
	return cli_flush();
}

/* ---- list ---- */

static const char *state_word(enum canary_state s)
{
	switch (s) {
	case CANARY_THERE: return "there";
	case CANARY_GONE: return "gone";
	case CANARY_REPLACED: break;
	}
	return "replaced";
}

static void put_one(const struct canary *c, struct json *j)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "kind"), canary_word(c->kind));
	json_put_word(json_put_key(j, "state"), state_word(canary_look(c)));
	json_put_time(json_put_key(j, "placed"), c->made_ms < TIMESTAMP_END_MS ? c->made_ms * 1000000 : 0);
	json_put_name(json_put_key(j, "path"), c->path);
	json_put_object_end(j);
}

static void say_one(const struct canary *c, struct buf *out)
{
	char shown[4 * CANARY_PATH_MAX], when[TIMESTAMP_LEN + 1];

	(void)timestamp_write(c->made_ms, when); /* or "" */
	buf_printf(out, "%-5s  %-8s  %s  %s\n", canary_word(c->kind), state_word(canary_look(c)), when,
		   text_escape(shown, sizeof shown, c->path, strlen(c->path)));
}

static int list(const struct words *w, struct err *e)
{
	auto_free struct canaries *c = calloc(1, sizeof *c);
	auto_buf out = { .max = LIST_MAX };
	struct json j;
	int r;

	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for canaries");
	r = canaries_load(NULL, c, e);
	if (r < 0)
		return r;
	json_begin(&j, &out);
	if (w->json)
		json_put_array(json_put_key((json_put_object(&j), &j), "canaries"));
	for (uint32_t i = 0; i < c->n; i++)
		w->json ? put_one(&c->list[i], &j) : say_one(&c->list[i], &out);
	if (w->json) {
		json_put_array_end(&j);
		json_put_object_end(&j);
		buf_put_u8(&out, '\n');
	} else if (c->n == 0) {
		buf_printf(&out, "there are none: `ambit canary add` places one\n");
	}
	if (out.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the list");
	return cli_write(out.data, out.len);
}

/* ---- remove ---- */

struct removing {
	const char *path; /* NULL: all */
	struct buf told;
};

/* What is there by that name and is no decoy any more stays. */
static int take_away(struct removing *g, const struct canary *c, struct err *e)
{
	const enum canary_state state = canary_look(c);
	char shown[4 * CANARY_PATH_MAX];

	if (state == CANARY_THERE && unlink(c->path) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot remove %s", c->path);
	buf_printf(&g->told, "removed: %s%s\n", text_escape(shown, sizeof shown, c->path, strlen(c->path)),
		   state == CANARY_REPLACED ? " (another file lies there now, and stays)"
		   : state == CANARY_GONE   ? " (its file was gone)"
					    : "");
	return 0;
}

static int remove_some(void *of, struct canaries *c, struct err *e)
{
	struct removing *g = of;
	uint32_t kept = 0;
	int r = 0;

	if (g->path != NULL && canaries_find(c, g->path) == CANARIES_MAX)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit canary list` shows them", "no canary lies at %s", g->path);
	for (uint32_t i = 0; i < c->n && r == 0; i++)
		if (g->path == NULL || strcmp(g->path, c->list[i].path) == 0)
			r = take_away(g, &c->list[i], e);
		else
			c->list[kept++] = c->list[i];
	c->n = kept;
	return r;
}

static int remove_named(const struct words *w, struct err *e)
{
	char path[CANARY_PATH_MAX];
	struct removing g = { .path = NULL };
	int r = 0;

	if (w->path != NULL) {
		/* as it is listed, where its directory is gone */
		if (take_path(w->path, path, e) < 0 &&
		    !(canary_is_path(w->path) && text_copy(path, sizeof path, w->path)))
			return -(int)e->code;
		g.path = path;
	}
	buf_init(&g.told, LIST_MAX);
	r = canaries_change(remove_some, &g, e);
	r = r < 0 ? r : cli_write(g.told.data, g.told.len);
	buf_finish(&g.told);
	return r;
}

int cli_canary(int argc, char **argv)
{
	struct words w = { .verb = NULL };
	struct err e;
	int r = take_words(&w, argc, argv);

	if (r != 0)
		return r;
	if (w.help) {
		(void)fputs(help_text, stdout);
		return cli_flush();
	}
	r = check_words(&w);
	if (r != 0 || w.verb == NULL)
		return r;
	if (strcmp(w.verb, "add") == 0)
		r = add(&w, &e);
	else if (strcmp(w.verb, "list") == 0)
		r = list(&w, &e);
	else
		r = remove_named(&w, &e);
	return r < 0 ? found_refuse(w.json, &e) : r;
}
