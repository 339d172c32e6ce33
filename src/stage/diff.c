/* The changes of a stage as text, which the role ambit-diff makes in a cell with an empty root: names and contents are foreign. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "diff/writer.h"
#include "lib/parser.h"
#include "stage/chosen.h"
#include "stage/role.h"
#include "stage/sys.h"

#define DIFF_MEMORY (UINT64_C(1) << 30)

static uint8_t type_of(uint32_t mode)
{
	if (S_ISREG(mode))
		return CHANGE_FILE;
	if (S_ISDIR(mode))
		return CHANGE_DIRECTORY;
	if (S_ISLNK(mode))
		return CHANGE_SYMLINK;
	if (S_ISFIFO(mode))
		return CHANGE_FIFO;
	return S_ISSOCK(mode) ? CHANGE_SOCKET : CHANGE_OTHER;
}

static void put_link(struct diff_writer *w, int dir_fd, const char *name)
{
	char text[CHANGE_PATH_MAX];
	const ssize_t n = readlinkat(dir_fd, name, text, sizeof text);

	if (n < 0)
		diff_writer_omitted(w, CHANGE_SYMLINK, DIFF_UNREADABLE);
	else
		diff_writer_bytes(w, CHANGE_SYMLINK, text, (size_t)n);
}

/* What stands at path of the layer. */
static void put_side(struct diff_writer *w, int tree_fd, const char *path)
{
	const char *name = "";
	auto_fd int dir = path[0] == 0 ? -1 : sys_open_parent(tree_fd, path, &name), fd = -1;
	struct look l;

	if (path[0] == 0) {
		diff_writer_omitted(w, CHANGE_DIRECTORY, DIFF_NOT_REGULAR);
		return;
	}
	if (dir < 0 || sys_look(dir, name, &l) < 0) {
		diff_writer_omitted(w, CHANGE_OTHER, DIFF_UNREADABLE);
		return;
	}
	if (S_ISLNK(l.id.mode)) {
		put_link(w, dir, name);
		return;
	}
	fd = S_ISREG(l.id.mode) ? sys_open_name(dir, name, O_RDONLY) : -1;
	if (fd >= 0)
		diff_writer_file(w, CHANGE_FILE, fd);
	else
		diff_writer_omitted(w, type_of(l.id.mode), S_ISREG(l.id.mode) ? DIFF_UNREADABLE : DIFF_NOT_REGULAR);
}

static void put_change(struct diff_writer *w, const struct trees *t, const struct change *c)
{
	diff_writer_change(w, c);
	if (c->kind == CHANGE_MODE) {
		diff_writer_unchanged(w, c->type);
		diff_writer_unchanged(w, c->type);
		return;
	}
	if (c->kind == CHANGE_ADDED || c->kind == CHANGE_LINK)
		diff_writer_absent(w);
	else
		put_side(w, t->real[c->tree], c->kind == CHANGE_RENAMED ? c->from : c->path);
	if (c->kind == CHANGE_DELETED)
		diff_writer_absent(w);
	else if (c->kind == CHANGE_LINK)
		diff_writer_unchanged(w, c->type);
	else
		put_side(w, t->upper[c->tree], c->path);
}

static uint8_t form_asked(const struct stage_ask *ask)
{
	if ((ask->flags & STAGE_FLAG_STAT) != 0)
		return DIFF_STAT;
	if ((ask->flags & STAGE_FLAG_NAMES) != 0)
		return DIFF_NAME_ONLY;
	return (ask->flags & STAGE_FLAG_BINARY) != 0 ? DIFF_BINARY : DIFF_PATCH;
}

/* In a file of the stage itself: it may be as large as what changed. */
static int write_input(struct role *role, const struct trees *t, const bool *goes, int fd, struct err *e)
{
	struct diff_options o;
	struct diff_writer w;
	int r;

	diff_options_init(&o);
	o.form = form_asked(&role->ask);
	o.colour = (role->ask.flags & STAGE_FLAG_COLOUR) != 0;
	if (role->ask.width >= DIFF_WIDTH_MIN && role->ask.width <= DIFF_WIDTH_MAX)
		o.width = (uint16_t)role->ask.width; /* in range: just checked */
	o.output_max = DIFF_OUTPUT_MAX;
	o.n_trees = (uint16_t)role->meta->n_trees; /* at most STAGE_TREES_MAX */
	for (uint32_t i = 0; i < role->meta->n_trees; i++)
		o.tree[i] = role->meta->n_trees == 1 ? "" : role->meta->trees[i].real + 1;
	diff_writer_init(&w, fd, &o);
	for (size_t i = 0; i < role->n_changes; i++)
		if (goes[i])
			put_change(&w, t, role->changes[i]);
	r = diff_writer_end(&w, e);
	diff_writer_finish(&w);
	return r == -AMBIT_LIMIT || lseek(fd, 0, SEEK_SET) == 0 ? 0 : r;
}

/* Whose changes follow, before a patch: `last` may be another event than the person thinks. Readers of patches pass over it. */
static int write_whose(const struct role *role)
{
	const bool colour = (role->ask.flags & STAGE_FLAG_COLOUR) != 0;
	const struct stage_meta *m = role->meta;
	char label[STAGE_LABEL_MAX], line[STAGE_LABEL_MAX + 16];

	if ((role->ask.flags & (STAGE_FLAG_STAT | STAGE_FLAG_NAMES)) != 0)
		return 0;
	stage_label(label, m->event, m->command, m->n_trees > 0 ? m->trees[0].real : "", m->n_trees);
	(void)snprintf(line, sizeof line, "%s# %s%s\n", colour ? "\033[33m" : "", label,
		       colour ? "\033[m" : ""); /* it fits */
	return fd_write_all(role->output_fd, line, strlen(line));
}

static int write_out(const struct role *role, const struct buf *out, struct err *e)
{
	int r = role->output_fd < 0 || out->len == 0 ? 0 : write_whose(role);

	if (r == 0 && role->output_fd >= 0)
		r = fd_write_all(role->output_fd, out->data, out->len);
	if (r == -EPIPE) /* a reader that has seen enough goes */
		return 0;
	return r == 0 ? 0
		      : err_sys(e, AMBIT_SYSTEM, -r, "free some space, or write it elsewhere",
				"cannot write the difference");
}

static int run_diff(int input_fd, struct buf *out, struct err *e)
{
	const struct parser_ask ask = { .role = "ambit-diff", .input_fd = input_fd, .memory_bytes = DIFF_MEMORY };
	int status, r = parser_run(&ask, out, &status, e);

	if (r == 0 && status != 0)
		r = err_set(e, AMBIT_INTERNAL, "--stat and --json may serve meanwhile", "ambit-diff failed: %.*s",
			    (int)(out->len < 300 ? out->len : 300), out->data != NULL ? (char *)out->data : "");
	return r;
}

int diff_text(struct role *role, const bool *goes, struct buf *out, struct err *e)
{
	auto_fd int fd = openat(role->stage.dir_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct trees trees;
	int r;

	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, "free some space", "cannot write what is to be shown");
	r = trees_open(&role->stage, role->meta, &trees, e);
	if (r < 0)
		return r;
	r = write_input(role, &trees, goes, fd, e);
	trees_finish(&trees);
	return r < 0 ? r : run_diff(fd, out, e);
}

int show_diff(struct role *role, struct err *e)
{
	auto_buf out = { .max = 0 };
	auto_free bool *goes = NULL;
	int r = find_changes(role, e);

	buf_init(&out, DIFF_TEXT_MAX);
	r = r < 0 ? r : check_shown(role, e);
	if (r < 0)
		return r;
	goes = calloc(role->n_changes + 1, sizeof *goes);
	if (goes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the difference");
	for (size_t i = 0; i < role->n_changes; i++)
		goes[i] = chosen(&role->ask, role->meta, role->changes[i]);
	r = diff_text(role, goes, &out, e);
	r = r < 0 ? r : write_out(role, &out, e);
	if (r < 0)
		return r;
	answer_whose(role);
	role->end.changes = role->counts.changes;
	return r;
}
