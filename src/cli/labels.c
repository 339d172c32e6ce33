/* ambit labels: who, and what, has labels in the person's authority; forgetting a stream, and taking labels off a path. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/found.h"
#include "lib/authority.h"

#define HELP "ambit labels --help"
#define LIST_MAX (256u << 20) /* all texts that an authority keeps, each byte as six, and what stands around them */

static const char help_text[] =
	"ambit labels\n"
	"ambit labels --forget STREAM\n"
	"ambit labels --unmark PATH\n"
	"\n"
	"Lists the streams and the paths that have labels. A label says what was seen: `private` data, `untrusted` text, or what a policy\n"
	"calls it. Whoever has it cannot do what is closed by it.\n"
	"\n"
	"  A stream is what one agent does in one workspace, or a sub-agent of it. It gets the labels of what it is granted and of where it connects, and does not lose them.\n"
	"  A path gets those of the stream that wrote it, and gives them to whoever reads it.\n"
	"\n"
	"  --forget STREAM  end it, with its sub-agents: its labels go, and its grants and what you were asked, and said. What runs of it\n"
	"                   is refused from then on; what begins later begins without labels. An id, or the beginning of one\n"
	"  --unmark PATH    take the labels off it, after asking you: whoever reads it gets none by it any more. Who has them keeps them.\n"
	"                   A path as it is listed: those of a directory are of all that is in it\n"
	"  --yes            do not ask\n"
	"  --json           as JSON\n"
	"  --help           this text\n"
	"\n"
	"A path keeps its labels, whoever is forgotten: what is private in a file stays so. Where there is no room for more paths, those of one\n"
	"directory become one, which is that.\n";

struct words {
	const char *forget, *unmark; /* both NULL: it lists */
	bool yes, json, help;
};

/* ---- listing ---- */

struct list {
	const struct keeper_labels *names;
	struct buf out;
	struct json j; /* to out */
	bool json;
};

/* One that has no name, which no policy has given it, by its number. */
static const char *name_of(const struct keeper_labels *names, unsigned bit, char room[8])
{
	if (bit < names->n)
		return names->names[bit];
	(void)snprintf(room, 8, "#%u", bit);
	return room;
}

static void put_labels(struct json *j, const struct keeper_labels *names, uint64_t labels)
{
	char room[8];

	json_put_array(j);
	for (unsigned bit = 0; bit < AUTHORITY_LABELS_MAX; bit++)
		if ((labels & UINT64_C(1) << bit) != 0)
			json_put_word(j, name_of(names, bit, room));
	json_put_array_end(j);
}

static void say_labels(struct buf *out, const struct keeper_labels *names, uint64_t labels)
{
	const char *before = "";
	char room[8];

	for (unsigned bit = 0; bit < AUTHORITY_LABELS_MAX; bit++) {
		if ((labels & UINT64_C(1) << bit) == 0)
			continue;
		buf_printf(out, "%s%s", before, name_of(names, bit, room));
		before = ", ";
	}
}

static void add_labels(struct list *l, uint64_t labels)
{
	if (l->json)
		put_labels(json_put_key(&l->j, "labels"), l->names, labels);
	else
		say_labels(&l->out, l->names, labels);
}

static int add_stream(void *of, const struct keeper_row *row)
{
	const struct authority_badge_told *b = &row->badge;
	struct list *l = of;
	char id[ID_TEXT_MAX];

	if (b->labels == 0 || b->parent != 0) /* a sub-agent has those of its stream */
		return 0;
	authority_id_text('b', b->id, id);
	if (!l->json) {
		buf_printf(&l->out, "%s  %s  ", id, b->agent);
		add_labels(l, b->labels);
		buf_printf(&l->out, "%s\n", b->frozen ? "  frozen" : "");
		return 0;
	}
	json_put_object(&l->j);
	json_put_word(json_put_key(&l->j, "agent"), b->agent);
	json_put_bool(json_put_key(&l->j, "frozen"), b->frozen);
	json_put_word(json_put_key(&l->j, "id"), id);
	add_labels(l, b->labels);
	json_put_object_end(&l->j);
	return 0;
}

static int add_path(void *of, const struct keeper_row *row)
{
	const struct authority_mark_told *m = &row->mark;
	char shown[4 * GRANT_OBJECT_MAX];
	struct list *l = of;

	if (!l->json) {
		buf_printf(&l->out, "%s  ", text_escape(shown, sizeof shown, m->path, strlen(m->path)));
		add_labels(l, m->labels);
		buf_printf(&l->out, "\n");
		return 0;
	}
	json_put_object(&l->j);
	add_labels(l, m->labels);
	json_put_name(json_put_key(&l->j, "path"), m->path);
	json_put_object_end(&l->j);
	return 0;
}

/* k NULL: nobody ever asked for anything. */
static int add_all(struct list *l, struct keeper *k, enum keeper_kind kind, const char *key,
		   int (*add)(void *of, const struct keeper_row *row), struct err *e)
{
	int r = 0;

	if (l->json)
		json_put_array(json_put_key(&l->j, key));
	if (k != NULL)
		r = keeper_list(k, kind, add, l, e);
	if (l->json)
		json_put_array_end(&l->j);
	return r;
}

static int fill(struct list *l, struct keeper *k, struct err *e)
{
	int r;

	json_begin(&l->j, &l->out);
	if (l->json)
		json_put_object(&l->j);
	r = add_all(l, k, KEEPER_MARKS, "paths", add_path, e);
	r = r < 0 ? r : add_all(l, k, KEEPER_BADGES, "streams", add_stream, e);
	if (r < 0)
		return r;
	if (l->json) {
		json_put_object_end(&l->j);
		buf_put_u8(&l->out, '\n');
	} else if (l->out.len == 0) {
		buf_printf(&l->out, "nothing has labels\n");
	}
	return l->out.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the list") : 0;
}

static int list(const struct words *w, struct keeper *k, const struct keeper_labels *names, struct err *e)
{
	struct list l = { .names = names, .json = w->json };
	int r;

	buf_init(&l.out, LIST_MAX);
	r = fill(&l, k, e);
	if (r == 0)
		r = cli_write(l.out.data, l.out.len);
	buf_finish(&l.out);
	return r;
}

/* ---- forgetting ---- */

struct wanted {
	const char *word;
	unsigned n; /* that begin so */
	authority_ref ref;
	char id[ID_TEXT_MAX], agent[AUTHORITY_NAME_MAX];
};

static int look(void *of, const struct keeper_row *row)
{
	struct wanted *want = of;
	char id[ID_TEXT_MAX];

	authority_id_text('b', row->badge.id, id);
	if (row->badge.labels == 0 || row->badge.parent != 0 || strncmp(id, want->word, strlen(want->word)) != 0)
		return 0;
	want->n++;
	want->ref = row->badge.ref;
	(void)text_copy(want->id, sizeof want->id, id); /* of the same size, as is the name */
	(void)text_copy(want->agent, sizeof want->agent, row->badge.agent);
	return 0;
}

static int find(struct keeper *k, struct wanted *want, struct err *e)
{
	char shown[80];
	const int r = k == NULL ? 0 : keeper_list(k, KEEPER_BADGES, look, want, e);

	if (r < 0 || want->n == 1)
		return r;
	(void)text_escape(shown, sizeof shown, want->word, strlen(want->word));
	return want->n == 0
		       ? err_set(e, AMBIT_NOT_FOUND, "`ambit labels` lists them", "no stream '%s' has labels", shown)
		       : err_set(e, AMBIT_CONFLICT, "write more of it", "several streams begin with '%s'", shown);
}

static int say_forgotten(const struct words *w, const struct wanted *was)
{
	auto_buf out = { .max = 1024 };
	struct json j;

	if (!w->json) {
		(void)printf("forgotten: %s  %s, with its labels, its grants and what was asked\n", was->id,
			     was->agent);
		return cli_flush();
	}
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "agent"), was->agent);
	json_put_word(json_put_key(&j, "forgotten"), was->id);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

static int forget(const struct words *w, struct keeper *k, struct err *e)
{
	struct wanted want = { .word = w->forget };
	struct authority_request q = { .op = AUTHORITY_END, .object = "", .terms = "" };
	struct keeper_answer answer;
	int r = find(k, &want, e);

	if (r < 0)
		return r;
	q.badge = want.ref;
	r = keeper_step(k, &q, &answer, e);
	if (r < 0)
		return r;
	if (answer.verdict != AUTHORITY_ALLOWED)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit labels` lists them", "%s ended meanwhile", want.id);
	return say_forgotten(w, &want);
}

/* ---- a path ---- */

struct marked {
	char path[PATH_MAX];
	uint64_t labels;              /* 0: it has none of its own */
	char above[GRANT_OBJECT_MAX]; /* a directory that has some; "": none has */
};

static int look_at_mark(void *of, const struct keeper_row *row)
{
	struct marked *m = of;

	if (strcmp(row->mark.path, m->path) == 0)
		m->labels = row->mark.labels;
	else if (path_is_beneath(m->path, row->mark.path))
		(void)text_copy(m->above, sizeof m->above, row->mark.path); /* of the same size */
	return 0;
}

/* As it is marked: without links. One that is not there any more may be marked. */
static int find_path(const char *word, struct marked *ret, struct err *e)
{
	char here[PATH_MAX];

	if (realpath(word, ret->path) != NULL ||
	    (getcwd(here, sizeof here) != NULL && path_normalise(here, word, ret->path, sizeof ret->path)))
		return 0;
	return err_set(e, AMBIT_USAGE, "name it as `ambit labels` lists it", "that is no path");
}

static int has_none(const struct marked *m, struct err *e)
{
	char shown[ERR_MSG_MAX / 2], above[ERR_HINT_MAX / 2], hint[ERR_HINT_MAX] = "`ambit labels` lists what has";

	(void)text_escape(shown, sizeof shown, m->path, strlen(m->path));
	if (m->above[0] != 0)
		(void)snprintf(hint, sizeof hint, "it has those of %s, which is above it",
			       text_escape(above, sizeof above, m->above, strlen(m->above)));
	return err_set(e, AMBIT_NOT_FOUND, hint, "%s has no labels of its own", shown);
}

/* Only a person at a terminal can say yes: a script says it beforehand. */
static int confirm(const struct words *w, const struct marked *m, const char *labels, struct err *e)
{
	char answer[8] = "", shown[4 * PATH_MAX];

	if (w->yes)
		return 0;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return err_set(e, AMBIT_DENIED, "at a terminal you are asked; --yes says it beforehand",
			       "whether labels are taken off is yours to say, and there is nobody to ask");
	(void)fprintf(stderr, "%s has the labels: %s\nTake them off? Whoever reads it gets none by it then. [y/N] ",
		      text_escape(shown, sizeof shown, m->path, strlen(m->path)), labels);
	if (fgets(answer, sizeof answer, stdin) == NULL || (answer[0] != 'y' && answer[0] != 'Y'))
		return err_set(e, AMBIT_DENIED, NULL, "nothing was changed");
	return 0;
}

static int say_unmarked(const struct words *w, const struct marked *m, const struct keeper_labels *names,
			const char *labels)
{
	auto_buf out = { .max = 1u << 16 };
	char shown[4 * PATH_MAX];
	struct json j;

	if (!w->json) {
		(void)printf("taken off: %s, of %s\n", labels,
			     text_escape(shown, sizeof shown, m->path, strlen(m->path)));
		return cli_flush();
	}
	json_begin(&j, &out);
	json_put_object(&j);
	put_labels(json_put_key(&j, "labels"), names, m->labels);
	json_put_name(json_put_key(&j, "unmarked"), m->path);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

/* Those that were shown, and none that came since. */
static int unmark(const struct words *w, struct keeper *k, const struct keeper_labels *names, struct err *e)
{
	struct marked m = { .labels = 0 };
	struct authority_request q = { .op = AUTHORITY_UNMARK, .object = m.path, .terms = "" };
	auto_buf labels = { .max = 8192 };
	struct keeper_answer answer;
	int r = find_path(w->unmark, &m, e);

	if (r == 0 && k != NULL)
		r = keeper_list(k, KEEPER_MARKS, look_at_mark, &m, e);
	if (r < 0 || m.labels == 0)
		return r < 0 ? r : has_none(&m, e);
	say_labels(&labels, names, m.labels);
	if (buf_cstr(&labels) == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for its labels");
	r = confirm(w, &m, buf_cstr(&labels), e);
	q.labels = m.labels;
	r = r < 0 ? r : keeper_step(k, &q, &answer, e);
	if (r < 0)
		return r;
	if (answer.verdict != AUTHORITY_ALLOWED)
		return has_none(&m, e);
	return say_unmarked(w, &m, names, buf_cstr(&labels));
}

/* ---- words ---- */

static int take_word(struct words *w, char ***at, struct ambit_error *e)
{
	static const char *const options[] = { "forget", "help", "json", "unmark", "yes" };
	const char *value;
	int r = 0;

	if ((value = cli_argument(at, HELP, "--forget", &r, e)) != NULL) {
		if (r == 0 && w->forget != NULL)
			return cli_misused(e, HELP, "--forget takes one stream");
		w->forget = value;
		return r == 0 && value[0] == 0 ? cli_misused(e, HELP, "--forget which stream?") : r;
	}
	if ((value = cli_argument(at, HELP, "--unmark", &r, e)) != NULL) {
		if (r == 0 && w->unmark != NULL)
			return cli_misused(e, HELP, "--unmark takes one path");
		w->unmark = value;
		return r == 0 && value[0] == 0 ? cli_misused(e, HELP, "--unmark which path?") : r;
	}
	if ((**at)[0] == '-')
		return cli_misused_option(e, HELP, **at, options, sizeof options / sizeof options[0]);
	return cli_misused(e, HELP, "labels takes no '%s'", **at);
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
		else if (strcmp(*argv, "--yes") == 0)
			w->yes = true;
		else if (r == 0)
			r = take_word(w, &argv, e);
	}
	if (r < 0 || w->help)
		return w->help ? 0 : r;
	if (w->forget != NULL && w->unmark != NULL)
		return cli_misused(e, HELP, "--forget and --unmark are two things");
	return w->yes && w->unmark == NULL ? cli_misused(e, HELP, "--yes is for --unmark") : 0;
}

/* Nothing is made or started for a look where nobody ever asked. */
static int act(const struct words *w, struct err *e)
{
	struct keeper_labels names = { .n = 0 };
	struct keeper *k = NULL;
	char place[4096];
	int r = keeper_find(place, sizeof place, e);

	r = r == -AMBIT_NOT_FOUND ? 0 : r < 0 ? r : keeper_open(NULL, NULL, &k, e);
	if (r == 0 && k != NULL)
		r = keeper_labels(k, &names, e);
	if (r == 0)
		r = w->forget != NULL   ? forget(w, k, e)
		    : w->unmark != NULL ? unmark(w, k, &names, e)
					: list(w, k, &names, e);
	keeper_close(k);
	return r;
}

int cli_labels(int argc, char **argv)
{
	struct ambit_error told = { .size = sizeof told };
	struct words w = { .forget = NULL };
	struct err e;
	int r;

	(void)argc;
	if (read_words(argv + 1, &w, &told) < 0)
		return cli_refuse(w.json, &told);
	if (w.help) {
		(void)fputs(help_text, stdout);
		return 0;
	}
	r = act(&w, &e);
	return r < 0 ? found_refuse(w.json, &e) : r;
}
