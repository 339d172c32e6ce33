#include "stage/shown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sha256.h"
#include "base/text.h"
#include "stage/sys.h"
#include "stage/xattr.h"

#define LINE_MAX (4 * (STAGE_PATH_MAX + CHANGE_PATH_MAX))

static void put_line(struct buf *out, const char *what, const char *text)
{
	static char room[LINE_MAX];

	buf_printf(out, "%s: %s\n", what, text_escape(room, sizeof room, text, strlen(text)));
}

static const char *whole_path(const struct role *role, const struct change *c, const char *path)
{
	static char whole[STAGE_PATH_MAX + CHANGE_PATH_MAX], room[LINE_MAX];
	const char *real = role->meta->trees[c->tree].real;

	(void)snprintf(whole, sizeof whole, "%s%s%s", real, path[0] != 0 && real[1] != 0 ? "/" : "", path); /* fits */
	return text_escape(room, sizeof room, whole, strlen(whole));
}

/* Where a new link leads: no digest says that. */
static void put_target(struct buf *out, int dir, const char *name)
{
	static char room[LINE_MAX];
	char text[CHANGE_PATH_MAX];
	const ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof text);

	buf_printf(out, ". to %s\n", n < 0 ? "?" : text_escape(room, sizeof room, text, (size_t)n));
}

static void put_sum(struct buf *out, const uint8_t sum[SHA256_BYTES])
{
	buf_put_hex(out, sum, SHA256_BYTES);
}

static int put_attributes(struct buf *out, int dir, const char *name)
{
	auto_fd int fd = dir < 0 ? -1 : sys_open_name(dir, name, O_RDONLY);
	uint8_t sum[SHA256_BYTES];
	const int r = fd < 0 ? fd : xattr_sum(fd, sum);

	if (r == 1) {
		buf_printf(out, ". attributes sha256 ");
		put_sum(out, sum);
		buf_printf(out, "\n");
	}
	return r;
}

/* What is there afterwards beside its content. */
static int put_rest(struct buf *out, const struct role *role, const struct change *c)
{
	const char *name = "";
	auto_fd int dir = c->path[0] == 0 ? sys_open_beneath(role->trees.upper[c->tree], "", O_RDONLY | O_DIRECTORY)
					  : sys_open_parent(role->trees.upper[c->tree], c->path, &name);

	if (c->type == CHANGE_SYMLINK)
		put_target(out, dir, name);
	if (c->type != CHANGE_FILE && c->type != CHANGE_DIRECTORY)
		return 0;
	return put_attributes(out, dir, name[0] != 0 ? name : ".");
}

/* 0, or why it cannot be shown. */
static int put_change(struct buf *out, const struct role *role, const struct change *c)
{
	const bool is_there = c->kind != CHANGE_DELETED, is_file = is_there && c->type == CHANGE_FILE;
	int r;

	buf_printf(out, "%s%s %s", c->held == HELD_ASKED ? "* " : "- ", change_word(c->kind),
		   change_type_word(c->type));
	if (is_there)
		buf_printf(out, " mode %o", (unsigned)c->mode_new);
	if (is_file)
		buf_printf(out, " bytes %llu", (unsigned long long)c->size_new);
	if (c->has_digest != 0) {
		buf_printf(out, " sha256 ");
		put_sum(out, c->digest);
	}
	buf_printf(out, " %s\n", whole_path(role, c, c->path));
	if (c->from[0] != 0)
		buf_printf(out, ". from %s\n", whole_path(role, c, c->from));
	r = is_there ? put_rest(out, role, c) : 0;
	if (r < 0)
		return r;
	return is_file && c->kind != CHANGE_MODE && c->has_digest == 0 ? -EFBIG : 0;
}

static int put_head(struct role *role, const char *by, const char *takes_off, const bool *goes, struct buf *out,
		    struct err *e)
{
	const struct stage_meta *m = role->meta;
	uint64_t n = 0;
	int r = 0;

	for (size_t i = 0; i < role->n_changes; i++)
		n += goes[i];
	buf_printf(out, "what: commit\n");
	put_line(out, "event", m->event);
	if (m->agent[0] != 0)
		put_line(out, "agent", m->agent);
	put_line(out, "workspace", m->workspace);
	put_line(out, "command", m->command);
	if (takes_off != NULL)
		put_line(out, "takes off their label", takes_off);
	put_line(out, "asked for by a grant of", by);
	buf_printf(out, "changes: %llu, of which those with a star are asked for\n", (unsigned long long)n);
	for (size_t i = 0; i < role->n_changes && r == 0; i++) {
		r = goes[i] ? put_change(out, role, role->changes[i]) : 0;
		if (r == -EFBIG)
			return err_set(e, AMBIT_LIMIT, "commit the rest of it by path, or let it write less",
				       "%s has too much in it to be shown",
				       whole_path(role, role->changes[i], role->changes[i]->path));
	}
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot look at what is to be shown") : 0;
}

int shown_put(struct role *role, const char *by, const char *takes_off, const bool *goes, struct buf *out,
	      struct err *e)
{
	auto_buf diff = { .max = 0 };
	int r;

	r = put_head(role, by, takes_off, goes, out, e);
	if (r < 0)
		return r;
	if (out->failed || role->counts.dropped > 0)
		return err_set(e, AMBIT_LIMIT, "let it change less at once, or ask for less of it",
			       "there are more changes than a person can be shown");
	buf_init(&diff, DIFF_TEXT_MAX);
	r = diff_text(role, goes, &diff, e);
	if (r < 0)
		return r;
	buf_printf(out, "\n");
	if (out->len + diff.len + 80 > SHOWN_BYTES_MAX)
		buf_printf(out, "(the difference is too long to be shown: `ambit diff` has it)\n");
	else
		buf_put(out, diff.data, diff.len);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be shown") : 0;
}
