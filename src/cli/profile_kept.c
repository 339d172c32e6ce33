/* ambit profile show, diff, export, import, promote, reset, release: the profiles that the keeper has. Texts of profiles are read by ambit-profile, in a parser's cell. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "cli/profile.h"
#include "cli/terminal.h"
#include "cli/written.h"
#include "lib/freeze.h"
#include "lib/parser.h"
#include "lib/public.h"
#include "lib/throttle.h"
#include "lib/usual.h"
#include "profile/link.h"
#include "usual/layout.h"

#define HELP "ambit profile --help"
#define LIST_MAX (64u << 20)

struct words {
	const char *what; /* a profile, an event, a file; NULL: none was named */
	const char *html; /* where a page is to be; "-": standard output */
	bool json, shadow, seeds, help;
};

/* ---- words ---- */

/* One, and what stands behind it. */
static int take_word(const char *verb, char ***at, struct words *w, struct ambit_error *e)
{
	static const char *const options[] = { "html", "seeds", "json", "shadow", "help" };
	const char *word = **at;
	const bool draws = strcmp(verb, "show") == 0;
	int r = 0;
	const char *html = draws ? cli_argument(at, HELP, "--html", &r, e) : NULL;

	if (html != NULL) {
		w->html = html;
		return r;
	}
	if (draws && strcmp(word, "--seeds") == 0)
		w->seeds = true;
	else if (strcmp(word, "--shadow") == 0)
		w->shadow = true;
	else if (cli_is_help(word))
		w->help = true;
	else if (word[0] == '-' && word[1] != 0)
		return cli_misused_option(e, HELP, word, options + (draws ? 0 : 2),
					  sizeof options / sizeof options[0] - (draws ? 0 : 2));
	else if (w->what != NULL)
		return cli_misused(e, HELP, "%s takes one, and not '%s' too", verb, word);
	else
		w->what = word;
	return 0;
}

static int read_words(const char *verb, char **argv, struct words *w, struct ambit_error *e)
{
	int r = 0;

	*w = (struct words){ .what = NULL };
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--json") == 0)
			w->json = true;
		else if (r == 0)
			r = take_word(verb, &argv, w, e);
	if (r == 0 && w->seeds && w->what != NULL && !w->help)
		return cli_misused(e, HELP, "--seeds is of the list: one is shown by its id");
	if (r == 0 && w->html != NULL && !w->help && (w->json || w->what == NULL))
		return cli_misused(e, HELP,
				   w->json ? "--html or --json, and not both" : "--html is of one profile: which?");
	return r;
}

/* ---- which one ---- */

struct search {
	const char *word;
	size_t found;
	char key[PROFILE_NAME_MAX];
	bool is_bad; /* its file is none */
};

static const char *part_of(const char *key, size_t part, size_t *ret_n)
{
	for (; part > 0; part--)
		key += strcspn(key, "\t") + (key[strcspn(key, "\t")] != 0);
	*ret_n = strcspn(key, "\t");
	return key;
}

static bool is_seed(const struct usual_row *row)
{
	return strncmp(row->id, USUAL_SEED, strlen(USUAL_SEED)) == 0;
}

/* The beginning of its id, or the program, which one profile may have of itself; a seed by all of its id alone. */
static bool is_meant(const char *word, const struct usual_row *row)
{
	size_t n, shape;
	const char *program = part_of(row->key, 2, &n);

	if (is_seed(row))
		return strcmp(row->id, word) == 0;
	if (strncmp(word, "p_", 2) == 0 || strncmp(word, "c_", 2) == 0)
		return strncmp(row->id, word, strlen(word)) == 0;
	(void)part_of(row->key, 3, &shape);
	return shape == 0 && n == strlen(word) && memcmp(program, word, n) == 0;
}

static int look_at(void *of, const struct usual_row *row)
{
	struct search *s = of;

	if (!is_meant(s->word, row))
		return 0;
	s->found++;
	s->is_bad = row->key[0] == '?';
	(void)text_copy(s->key, sizeof s->key, row->key); /* of the same size */
	return 0;
}

static int find(struct usual_keeper *k, const char *word, char ret[PROFILE_NAME_MAX], struct err *e)
{
	struct search s = { .word = word };
	int r = usual_list(k, look_at, &s, e);

	if (r < 0)
		return r;
	if (s.found == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit profile show` lists them", "there is no profile '%s'", word);
	if (s.found > 1)
		return err_set(e, AMBIT_CONFLICT, "`ambit profile show` lists them with their ids",
			       "%zu profiles begin with '%s'", s.found, word);
	if (s.is_bad)
		return err_set(e, AMBIT_MALFORMED, "move it away", "no profile: %s", s.key + 1);
	memcpy(ret, s.key, PROFILE_NAME_MAX);
	return 0;
}

/* ---- the list ---- */

struct list {
	struct buf out;
	struct json j;
	bool json, seeds;
	size_t n;
};

static void put_part(struct json *j, const char *name, const char *key, size_t part)
{
	size_t n;
	const char *text = part_of(key, part, &n);

	json_put_key(j, name);
	if (n > 0)
		json_put_bytes(j, text, n);
	else
		json_put_null(j);
}

static void put_row(struct json *j, const struct usual_row *row)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "id"), row->id);
	put_part(j, "agent", row->key, 0);
	put_part(j, "tool", row->key, 1);
	put_part(j, "program", row->key, 2);
	put_part(j, "shape", row->key, 3);
	json_put_count(json_put_key(j, "epoch"), row->epoch);
	json_put_count(json_put_key(j, "events"), row->events);
	json_put_count(json_put_key(j, "learned"), row->shadow_events);
	json_put_count(json_put_key(j, "scored"), row->scored);
	json_put_count(json_put_key(j, "flagged"), row->flagged);
	json_put_count(json_put_key(j, "bytes"), row->bytes);
	json_put_object_end(j);
}

static bool is_part(const char *key, size_t part, const char *word)
{
	size_t n;
	const char *text = part_of(key, part, &n);

	return strlen(word) == n && memcmp(text, word, n) == 0;
}

/* Of what is no program's a word (profile/profile.h, usual/across.h). */
static void name_program(const char *key, char *ret, size_t size)
{
	const bool is_one = !is_part(key, 2, "");
	size_t n;
	const char *text = part_of(key, is_one ? 2 : 1, &n); /* code has a kind alone */

	if (is_part(key, 1, "*"))
		(void)snprintf(ret, size, "%s, by minutes",
			       !is_part(key, 2, "")  ? "a destination"
			       : is_part(key, 3, "") ? "all"
						     : "a tree");
	else if (is_part(key, 2, "*"))
		(void)snprintf(ret, size, "all programs");
	else if (!is_one && is_part(key, 1, "run"))
		(void)snprintf(ret, size, "what is run");
	else
		(void)text_escape(ret, size, text, n);
}

static void say_row(struct buf *out, const struct usual_row *row)
{
	char agent[64], program[64], id[17], bad[2 * PROFILE_NAME_MAX];
	const char *text, *by;
	size_t n;

	(void)text_show(id, sizeof id, row->id, strlen(row->id)); /* its beginning is enough */
	if (row->key[0] == '?') {
		(void)text_show(bad, sizeof bad, row->key + 1, strlen(row->key + 1));
		buf_printf(out, is_seed(row) ? "%-16s no seed: %s\n" : "%-16s no profile: move %s away\n", id, bad);
		return;
	}
	text = part_of(row->key, 0, &n);
	(void)text_escape(agent, sizeof agent, text, n);
	(void)part_of(row->key, 3, &n);
	by = n == 0 ? "whoever runs it" : "no agent";
	name_program(row->key, program, sizeof program);
	buf_printf(out, "%-16s %-20s %-20s %8u %8u %6u %8llu %8llu\n", id, program, agent[0] != 0 ? agent : by,
		   row->events, row->shadow_events, row->epoch, (unsigned long long)row->scored,
		   (unsigned long long)row->flagged);
}

static int add_row(void *of, const struct usual_row *row)
{
	struct list *l = of;

	if (l->seeds != is_seed(row))
		return 0;
	if (l->n++ == 0 && !l->json)
		buf_printf(&l->out, "%-16s %-20s %-20s %8s %8s %6s %8s %8s\n", "profile", "of", "by", "events",
			   "learned", "epoch", "scored", "flagged");
	if (l->json)
		put_row(&l->j, row);
	else
		say_row(&l->out, row);
	return l->out.failed ? -AMBIT_LIMIT : 0;
}

static int show_list(struct usual_keeper *k, const struct words *w, struct err *e)
{
	struct list l = { .json = w->json, .seeds = w->seeds };
	int r, status;

	buf_init(&l.out, LIST_MAX);
	json_begin(&l.j, &l.out);
	if (w->json)
		json_put_array(&l.j);
	r = usual_list(k, add_row, &l, e);
	if (w->json) {
		json_put_array_end(&l.j);
		buf_put_u8(&l.out, '\n');
	} else if (l.n == 0) {
		buf_printf(&l.out,
			   w->seeds ? "there are no seeds\n"
				    : "there are no profiles yet: `ambit run --profile log -- COMMAND` begins one\n");
	}
	status = r < 0 ? r : cli_write(l.out.data, l.out.len);
	buf_finish(&l.out);
	return status;
}

/* ---- one ---- */

/* By the role, in a cell. */
static int tell(const char *how, const struct buf *profiles, const char *file, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-profile", MFD_CLOEXEC);
	struct parser_ask ask = { .role = "ambit-profile", .mode = how, .memory_bytes = UINT64_C(1) << 30 };
	auto_buf answer = { .max = ORDER_ANSWER_MAX + 16 };
	const uint8_t *text, *drawing;
	size_t n, n_drawing;
	int status = 0, r;

	if (fd < 0 || fd_write_all(fd, profiles->data, profiles->len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
	ask.input_fd = fd;
	r = parser_run(&ask, &answer, &status, e);
	r = r < 0 ? r : answer_take(&answer, &text, &n, &drawing, &n_drawing, e);
	if (r < 0)
		return r;
	return file != NULL ? written_put(file, text, n, e) : cli_write(text, n);
}

/* Blocks are for who reads UTF-8, and colours for a terminal. */
static bool reads_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	for (size_t i = 0; i < sizeof names / sizeof names[0] && (locale == NULL || locale[0] == 0); i++)
		locale = getenv(names[i]);
	return locale != NULL && strchr(locale, '.') != NULL && !terminal_is_8bit(locale);
}

/* As profile/shown.h has it. */
static void put_face(char *room, size_t size)
{
	const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");
	const bool is_terminal = isatty(STDOUT_FILENO) == 1;
	struct winsize window = { .ws_col = 0 };

	if (is_terminal)
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &window); /* one without a size has 0 */
	(void)snprintf(room, size, "show:%u:%s%s", window.ws_col, reads_utf8() ? "" : "a",
		       is_terminal && (no_colour == NULL || no_colour[0] == 0) && kind != NULL &&
				       strcmp(kind, "dumb") != 0
			       ? "c"
			       : "");
}

static int show(struct usual_keeper *k, const struct words *w, struct err *e)
{
	auto_buf text = { .max = USUAL_TEXT_MAX };
	const bool is_file = w->html != NULL && strcmp(w->html, "-") != 0;
	char key[PROFILE_NAME_MAX], face[32];
	int r;

	if (w->what == NULL)
		return show_list(k, w, e);
	put_face(face, sizeof face);
	r = is_file ? written_may(w->html, e) : 0;
	r = r < 0 ? r : find(k, w->what, key, e);
	r = r < 0 ? r : usual_get(k, key, w->shadow, &text, e);
	return r < 0 ? r : tell(w->html != NULL ? "page" : w->json ? "json" : face, &text, is_file ? w->html : NULL, e);
}

static int diff(struct usual_keeper *k, const struct words *w, struct err *e)
{
	auto_buf text = { .max = 2 * USUAL_TEXT_MAX };
	char key[PROFILE_NAME_MAX];
	int r = find(k, w->what, key, e);

	r = r < 0 ? r : usual_get(k, key, false, &text, e);
	r = r < 0 ? r : usual_get(k, key, true, &text, e);
	return r < 0 ? r : tell("diff", &text, NULL, e);
}

static int export(struct usual_keeper *k, const struct words *w, struct err *e)
{
	auto_buf text = { .max = USUAL_TEXT_MAX };
	char key[PROFILE_NAME_MAX];
	int r = find(k, w->what, key, e);

	r = r < 0 ? r : usual_get(k, key, w->shadow, &text, e);
	return r < 0 ? r : cli_write(text.data, text.len);
}

/* The keeper reads it, and nothing else does. */
static int import(struct usual_keeper *k, const struct words *w, struct err *e)
{
	const bool is_stdin = strcmp(w->what, "-") == 0;
	auto_fd int from = is_stdin ? -1 : open(w->what, O_RDONLY | O_CLOEXEC),
		    to = memfd_create("ambit-profile", MFD_CLOEXEC);
	char room[1 << 16], key[PROFILE_NAME_MAX], shown[2 * PROFILE_NAME_MAX];
	size_t all = 0;
	ssize_t n = 1;
	int r;

	if ((!is_stdin && from < 0) || to < 0)
		return err_sys(e, errno == ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, errno, NULL, "cannot read %s",
			       w->what);
	while (n > 0 && all <= USUAL_TEXT_MAX) {
		n = fd_read_all(is_stdin ? STDIN_FILENO : from, room, sizeof room);
		if (n < 0 || (n > 0 && fd_write_all(to, room, (size_t)n) < 0))
			return err_sys(e, AMBIT_SYSTEM, n < 0 ? (int)-n : errno, NULL, "cannot read %s", w->what);
		all += (size_t)n;
	}
	r = usual_put(k, to, key, e);
	if (r < 0)
		return err_context(e, r, "%s", w->what);
	for (char *at = key; *at != 0; at++)
		*at = *at == '\t' ? '/' : *at;
	(void)printf("imported: %s\n", text_escape(shown, sizeof shown, key, strlen(key)));
	return cli_flush();
}

static int promote(struct usual_keeper *k, const struct words *w, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	const int r = find(k, w->what, key, e);

	return r < 0 ? r : usual_promote(k, key, e);
}

static int reset(struct usual_keeper *k, const struct words *w, struct err *e)
{
	char key[PROFILE_NAME_MAX];
	const int r = find(k, w->what, key, e);

	return r < 0 ? r : usual_reset(k, key, e);
}

static int settle(struct usual_keeper *k, const struct words *w, bool released, struct err *e)
{
	struct usual_settle s = { .released = released };

	if (!id_is('e', w->what, strlen(w->what)))
		return err_set(e, AMBIT_USAGE, "its id stands in what was said of it, and in `ambit stage list`",
			       "'%s' is no id of an event", w->what);
	(void)text_copy(s.event, sizeof s.event, w->what); /* an id */
	return usual_settle_event(k, &s, e);
}

/* What was throttled for it begins as it comes again; it may be all that there is to release. */
static int release(struct usual_keeper *k, const struct words *w, struct err *e)
{
	char place[GRANT_OBJECT_MAX];
	int r = settle(k, w, true, e), lifted = 0;

	if (r == 0 || r == -AMBIT_NOT_FOUND)
		lifted = freeze_place(place, NULL) == 0 ? throttle_lift(place, NULL, w->what, e) : 0;
	return lifted > 0 ? 0 : lifted < 0 ? lifted : r;
}

static int refuse(struct usual_keeper *k, const struct words *w, struct err *e)
{
	return settle(k, w, false, e);
}

static const struct verb {
	const char *name, *wants; /* NULL: nothing has to be named */
	int (*act)(struct usual_keeper *k, const struct words *w, struct err *e);
} verbs[] = {
	{ "show", NULL, show },
	{ "diff", "a profile", diff },
	{ "export", "a profile", export },
	{ "import", "a file", import },
	{ "promote", "a profile", promote },
	{ "reset", "a profile", reset },
	{ "release", "an event", release },
	{ "refuse", "an event", refuse },
};

int profile_kept(const char *name, char **argv)
{
	struct ambit_error e = { .size = sizeof e };
	const struct verb *v = verbs;
	struct usual_keeper *k = NULL;
	struct words w;
	struct err err;
	int r;

	while (strcmp(v->name, name) != 0)
		v++; /* profile.c has the same */
	r = read_words(name, argv, &w, &e);
	if (r == 0 && w.help) {
		(void)fputs(profile_help, stdout);
		return 0;
	}
	if (r == 0 && v->wants != NULL && w.what == NULL)
		r = cli_misused(&e, HELP, "%s what? %s", name, v->wants);
	if (r < 0)
		return cli_refuse(w.json, &e);
	r = usual_open(NULL, &k, &err);
	r = r < 0 ? r : v->act(k, &w, &err);
	usual_close(k);
	return r < 0 ? (public_error(&e, r, &err), cli_refuse(w.json, &e)) : r;
}
