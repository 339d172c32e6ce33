#include "stage/shown.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "stage/chosen.h"
#include "stage/sys.h"

#define LINE_MAX (4 * (STAGE_PATH_MAX + CHANGE_PATH_MAX))

static void put_line(struct buf *out, const char *what, const char *text)
{
	static char room[LINE_MAX];

	buf_printf(out, "%s: %s\n", what, text_escape(room, sizeof room, text, strlen(text)));
}

static void put_path(struct buf *out, const struct role *role, const struct change *c, const char *path)
{
	static char whole[STAGE_PATH_MAX + CHANGE_PATH_MAX], room[LINE_MAX];
	const char *real = role->meta->trees[c->tree].real;

	(void)snprintf(whole, sizeof whole, "%s%s%s", real, path[0] != 0 && real[1] != 0 ? "/" : "", path); /* fits */
	buf_printf(out, " %s", text_escape(room, sizeof room, whole, strlen(whole)));
}

/* Where a new link leads: no digest says that. */
static void put_target(struct buf *out, const struct role *role, const struct change *c)
{
	static char room[LINE_MAX];
	char text[CHANGE_PATH_MAX];
	const char *name;
	auto_fd int dir = c->path[0] == 0 ? -1 : sys_open_parent(role->trees.upper[c->tree], c->path, &name);
	const ssize_t n = dir < 0 ? -1 : readlinkat(dir, name, text, sizeof text);

	buf_printf(out, " to %s", n < 0 ? "?" : text_escape(room, sizeof room, text, (size_t)n));
}

static void put_change(struct buf *out, const struct role *role, const struct change *c)
{
	buf_printf(out, "%s%s %s", c->held == HELD_ASKED ? "* " : "- ", change_word(c->kind),
		   change_type_word(c->type));
	put_path(out, role, c, c->path);
	if (c->from[0] != 0) {
		buf_printf(out, " from");
		put_path(out, role, c, c->from);
	}
	if (c->kind != CHANGE_DELETED)
		buf_printf(out, " mode %o", (unsigned)c->mode_new);
	if (c->kind != CHANGE_DELETED && c->type == CHANGE_FILE)
		buf_printf(out, " bytes %llu", (unsigned long long)c->size_new);
	if (c->kind != CHANGE_DELETED && c->type == CHANGE_SYMLINK)
		put_target(out, role, c);
	if (c->has_digest != 0) {
		buf_printf(out, " sha256 ");
		for (size_t i = 0; i < CHANGE_DIGEST_BYTES; i++)
			buf_printf(out, "%02x", c->digest[i]);
	}
	buf_printf(out, "\n");
}

static void put_head(struct role *role, uint32_t asks, struct buf *out)
{
	const struct stage_meta *m = role->meta;
	uint64_t n = 0;

	for (size_t i = 0; i < role->n_changes; i++)
		n += chosen(&role->ask, m, role->changes[i]);
	buf_printf(out, "what: commit\n");
	put_line(out, "event", m->event);
	if (m->agent[0] != 0)
		put_line(out, "agent", m->agent);
	put_line(out, "workspace", m->workspace);
	put_line(out, "command", m->command);
	put_line(out, "asked for by a grant of", m->names[asks]);
	buf_printf(out, "changes: %llu, of which those with a star are asked for\n", (unsigned long long)n);
	for (size_t i = 0; i < role->n_changes; i++)
		if (chosen(&role->ask, m, role->changes[i]))
			put_change(out, role, role->changes[i]);
}

int shown_put(struct role *role, uint32_t asks, struct buf *out, struct err *e)
{
	auto_buf diff = { .max = 0 };
	int r;

	put_head(role, asks, out);
	if (out->failed || role->counts.dropped > 0)
		return err_set(e, AMBIT_LIMIT, "let it change less at once, or ask for less of it",
			       "there are more changes than a person can be shown");
	buf_init(&diff, DIFF_TEXT_MAX);
	r = diff_text(role, &diff, e);
	if (r < 0)
		return r;
	buf_printf(out, "\n");
	if (diff.len > SHOWN_BYTES_MAX - out->len - 80)
		buf_printf(out, "(the difference is too long to be shown: `ambit diff` has it)\n");
	else
		buf_put(out, diff.data, diff.len);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for what is to be shown") : 0;
}
