#include "diff/patch.h"

#include <string.h>

#include "ambit/codes.h"
#include "diff/binary.h"
#include "diff/hunks.h"
#include "diff/look.h"

#define GIT_SYMLINK 0120000u
#define GIT_FILE 0100000u

/* One patch being written. */
struct patch {
	struct out *o;
	const char *tree;
	const struct change *change;
	const char *old_path, *new_path; /* the same where one side is absent */
	const struct diff_options *options;
	uint64_t *work;
};

static void note_begin(struct out *o)
{
	out_colour(o, OUT_NOTE);
	out_string(o, "# ");
}

static void note_end(struct out *o)
{
	out_colour(o, OUT_PLAIN);
	out_string(o, "\n");
}

static void note(struct out *o, const char *words)
{
	note_begin(o);
	out_string(o, words);
	note_end(o);
}

static void put_reason(struct out *o, const struct change *c)
{
	if (c->reason[0] == 0)
		return;
	out_string(o, ": ");
	out_text(o, c->reason, strlen(c->reason));
}

static void put_later(struct out *o, const struct change *c)
{
	note_begin(o);
	out_string(o, "executes later");
	put_reason(o, c);
	note_end(o);
}

/* "held: .git/hooks/pre-commit: protected: git runs them". With its name: what the patch leaves out has no header. */
static void put_held(const struct patch *p)
{
	const char *word = held_word(p->change->held);

	note_begin(p->o);
	out_string(p->o, "held: ");
	out_name(p->o, "", p->tree, p->change->path);
	out_string(p->o, ": ");
	out_string(p->o, word != NULL ? word : "unknown");
	put_reason(p->o, p->change);
	note_end(p->o);
}

static void put_notes(const struct patch *p)
{
	const struct change *c = p->change;

	if (c->held != HELD_NOT)
		put_held(p);
	if (c->later != 0 && c->held == HELD_NOT) /* else the reason is why it is held */
		put_later(p->o, c);
	if (c->kind == CHANGE_LINK) {
		note_begin(p->o);
		out_string(p->o, "hard link ");
		out_name(p->o, "", p->tree, c->path);
		out_string(p->o, " to ");
		out_name(p->o, "", p->tree, c->from);
		note_end(p->o);
	}
}

static const char *type_word(uint8_t type)
{
	switch ((enum change_type)type) { /* the decoder let no other through */
	case CHANGE_FILE: return "file";
	case CHANGE_DIRECTORY: return "directory";
	case CHANGE_SYMLINK: return "symbolic link";
	case CHANGE_FIFO: return "fifo";
	case CHANGE_SOCKET: return "socket";
	case CHANGE_OTHER: return "special file";
	}
	return "special file";
}

/* What is no file and no link, in one line. */
static void put_special(const struct patch *p, const struct diff_side *old, const struct diff_side *new)
{
	const struct change *c = p->change;
	const uint8_t type = new->state == DIFF_ABSENT ? old->type : new->type;

	note_begin(p->o);
	if (new->state == DIFF_ABSENT || old->state == DIFF_ABSENT)
		out_string(p->o, new->state == DIFF_ABSENT ? "deleted " : "new ");
	out_printf(p->o, "%s ", type_word(type));
	out_name(p->o, "", p->tree, p->new_path);
	if (new->state == DIFF_ABSENT)
		out_string(p->o, type == CHANGE_DIRECTORY ? ", with all in it" : "");
	else if (old->state == DIFF_ABSENT)
		out_printf(p->o, ", mode %04o", c->mode_new);
	else if (c->mode_old != c->mode_new)
		out_printf(p->o, ", mode %04o, was %04o", c->mode_new, c->mode_old);
	else if (c->kind == CHANGE_MODE)
		out_string(p->o, ", only times or extended attributes differ");
	if (c->kind == CHANGE_RENAMED && new->state != DIFF_ABSENT && old->state != DIFF_ABSENT) {
		out_string(p->o, ", was ");
		out_name(p->o, "", p->tree, c->from);
	}
	note_end(p->o);
}

static uint32_t git_mode(uint8_t type, uint32_t mode)
{
	return type == CHANGE_SYMLINK ? GIT_SYMLINK : GIT_FILE | mode;
}

static void header_begin(struct out *o)
{
	out_colour(o, OUT_HEADER);
}

static void header_end(struct out *o)
{
	out_colour(o, OUT_PLAIN);
	out_string(o, "\n");
}

static void put_header_mode(struct out *o, const char *words, uint32_t mode)
{
	header_begin(o);
	out_printf(o, "%s %06o", words, mode);
	header_end(o);
}

static void put_header_name(const struct patch *p, const char *words, const char *path)
{
	header_begin(p->o);
	out_string(p->o, words);
	out_name(p->o, "", p->tree, path);
	header_end(p->o);
}

/* Whether the content is not given as lines that can be applied, though both sides are known. */
static bool is_opaque(const struct look *l)
{
	return l->body == LOOK_BINARY || l->body == LOOK_ESCAPED;
}

/* Equal modes are given where git has an index line that somebody needs: patch does not change what it does not know to be a
 * link, and git takes a header of one line for no header at all and would pass over a content that is not shown. */
static bool needs_modes(const struct look *l)
{
	return l->body == LOOK_OMITTED || (l->body == LOOK_LINES && l->new->type == CHANGE_SYMLINK);
}

/* git applies nothing to a binary file without both whole names. */
static void put_index(const struct patch *p, const struct look *l)
{
	const uint32_t mode = git_mode(l->new->type, p->change->mode_new);
	const bool both = l->old->state != DIFF_ABSENT && l->new->state != DIFF_ABSENT;
	char old[OBJECT_NAME_MAX], new[OBJECT_NAME_MAX];

	object_name(l->old->state == DIFF_ABSENT ? NULL : &l->texts[0], old);
	object_name(l->new->state == DIFF_ABSENT ? NULL : &l->texts[1], new);
	header_begin(p->o);
	out_printf(p->o, "index %s..%s", old, new);
	if (both && git_mode(l->old->type, p->change->mode_old) == mode)
		out_printf(p->o, " %06o", mode);
	header_end(p->o);
}

static void put_modes(const struct patch *p, const struct look *l)
{
	const uint32_t old = git_mode(l->old->type, p->change->mode_old);
	const uint32_t new = git_mode(l->new->type, p->change->mode_new);

	if (l->old->state == DIFF_ABSENT) {
		put_header_mode(p->o, "new file mode", new);
	} else if (l->new->state == DIFF_ABSENT) {
		put_header_mode(p->o, "deleted file mode", old);
	} else if (old != new || needs_modes(l)) {
		put_header_mode(p->o, "old mode", old);
		put_header_mode(p->o, "new mode", new);
	}
}

/* `diff --git` and what follows, as far as the names of a text. */
static void put_header(const struct patch *p, const struct look *l)
{
	header_begin(p->o);
	out_string(p->o, "diff --git ");
	out_name(p->o, "a/", p->tree, p->old_path);
	out_string(p->o, " ");
	out_name(p->o, "b/", p->tree, p->new_path);
	header_end(p->o);
	put_modes(p, l);
	if (p->change->kind == CHANGE_RENAMED && l->old->state != DIFF_ABSENT && l->new->state != DIFF_ABSENT) {
		put_header_name(p, "rename from ", p->change->from);
		put_header_name(p, "rename to ", p->change->path);
	}
	if (is_opaque(l))
		put_index(p, l);
}

/* A name that holds a blank ends with a tab, so that no reader takes what follows the blank for a date. */
static void put_side_name(const struct patch *p, const char *sign, const char *lead, const char *path, bool absent)
{
	header_begin(p->o);
	out_string(p->o, sign);
	if (absent)
		out_string(p->o, "/dev/null");
	else
		out_name(p->o, lead, p->tree, path);
	if (!absent && (strchr(path, ' ') != NULL || strchr(p->tree, ' ') != NULL))
		out_string(p->o, "\t");
	header_end(p->o);
}

/* The head of a hunk without its lines: git then refuses the patch, where it would apply as far as the cut. */
static void put_cut(const struct patch *p)
{
	out_colour(p->o, OUT_NOTE);
	out_string(p->o, "@@ -1 +1 @@ the rest of this file is not shown: the difference is too long");
	note_end(p->o);
}

static int put_lines(const struct patch *p, struct look *l)
{
	const int rc = out_is_full(p->o) ? 0 : look_compare(l, p->work);

	if (rc < 0)
		return rc;
	put_side_name(p, "--- ", "a/", p->old_path, l->old->state == DIFF_ABSENT);
	put_side_name(p, "+++ ", "b/", p->new_path, l->new->state == DIFF_ABSENT);
	if (out_is_full(p->o) || !hunks_write(p->o, &l->texts[0], &l->texts[1], &l->script, p->options->context, ""))
		put_cut(p);
	return 0;
}

/* git's words for contents that it does not show; nothing applies such a patch by halves. */
static void put_differ(const struct patch *p, const struct look *l)
{
	out_string(p->o, "Binary files ");
	if (l->old->state == DIFF_ABSENT)
		out_string(p->o, "/dev/null");
	else
		out_name(p->o, "a/", p->tree, p->old_path);
	out_string(p->o, " and ");
	if (l->new->state == DIFF_ABSENT)
		out_string(p->o, "/dev/null");
	else
		out_name(p->o, "b/", p->tree, p->new_path);
	out_string(p->o, " differ\n");
}

/* Lines for a person, which nothing applies: a terminal, or what only reads, has them. */
static int put_escaped(const struct patch *p, struct look *l)
{
	const int rc = out_is_full(p->o) ? 0 : look_compare(l, p->work);

	if (rc < 0)
		return rc;
	put_differ(p, l);
	if (out_is_full(p->o) || !hunks_write(p->o, &l->texts[0], &l->texts[1], &l->script, p->options->context, "# "))
		note(p->o, "the rest of this file is not shown: the difference is too long");
	return 0;
}

static void put_opaque(const struct patch *p, const struct look *l)
{
	if (p->options->form == DIFF_BINARY && binary_write(p->o, &l->texts[0], &l->texts[1]))
		return;
	put_differ(p, l);
	if (p->options->form == DIFF_BINARY)
		note(p->o, "content not given: the patch is too long");
}

static void note_omitted(const struct patch *p, uint8_t why)
{
	switch ((enum diff_why)why) { /* the decoder let no other through */
	case DIFF_WHY_NONE: return;
	case DIFF_TOO_LARGE: note(p->o, "content not shown: it is too large"); return;
	case DIFF_NOT_REGULAR: note(p->o, "content not shown: this is no regular file"); return;
	case DIFF_UNREADABLE: note(p->o, "content not shown: it cannot be read"); return;
	}
}

/* Whether a header would have nothing to say. */
static bool is_silent(const struct patch *p, const struct look *l)
{
	const bool both = l->old->state != DIFF_ABSENT && l->new->state != DIFF_ABSENT;

	return both && l->body == LOOK_NOTHING && p->change->kind != CHANGE_RENAMED &&
	       git_mode(l->old->type, p->change->mode_old) == git_mode(l->new->type, p->change->mode_new);
}

static void put_silent(const struct patch *p, const struct look *l)
{
	if (p->change->kind == CHANGE_LINK)
		return; /* its note said it all */
	note_begin(p->o);
	out_printf(p->o, "%s ", type_word(l->new->type));
	out_name(p->o, "", p->tree, p->change->path);
	out_string(p->o, ", only times or extended attributes differ");
	note_end(p->o);
}

static int put_patch(const struct patch *p, struct look *l)
{
	if (is_silent(p, l)) {
		put_silent(p, l);
		return 0;
	}
	if (l->body == LOOK_OMITTED)
		note_omitted(p, l->why);
	if (l->body == LOOK_ESCAPED && p->options->form != DIFF_BINARY && !p->o->colour)
		note(p->o, "shown with escapes; --binary gives a patch that can be applied");
	put_header(p, l);
	switch (l->body) {
	case LOOK_NOTHING: return 0;
	case LOOK_LINES: return put_lines(p, l);
	case LOOK_ESCAPED:
		if (p->options->form != DIFF_BINARY)
			return p->o->colour ? put_lines(p, l) : put_escaped(p, l);
		put_opaque(p, l);
		return 0;
	case LOOK_BINARY: put_opaque(p, l); return 0;
	case LOOK_OMITTED: put_differ(p, l); return 0;
	}
	return 0;
}

/* Two sides of one type, or one alone. */
static int put_pair(const struct patch *all, const struct diff_side *old, const struct diff_side *new)
{
	struct patch p = *all;
	struct look l;
	int rc;

	p.old_path = old->state == DIFF_ABSENT ? all->new_path : all->old_path;
	p.new_path = new->state == DIFF_ABSENT ? all->old_path : all->new_path;
	if (!look_is_patchable(new->state == DIFF_ABSENT ? old : new)) {
		put_special(&p, old, new);
		return 0;
	}
	if (old->state == DIFF_ABSENT && new->state == DIFF_UNCHANGED)
		return 0; /* a name of what is shown elsewhere; the note said so */
	look_at(p.change, old, new, &l);
	rc = put_patch(&p, &l);
	look_finish(&l);
	return rc;
}

int patch_write(struct out *o, const char *tree, const struct diff_change *c, const struct diff_options *options,
		uint64_t *work)
{
	const struct patch p = { .o = o,
				 .tree = tree,
				 .change = &c->change,
				 .old_path = c->change.kind == CHANGE_RENAMED ? c->change.from : c->change.path,
				 .new_path = c->change.path,
				 .options = options,
				 .work = work };
	int rc;

	put_notes(&p);
	if (!look_is_split(c))
		return put_pair(&p, &c->old, &c->new);
	rc = put_pair(&p, &c->old, &look_absent);
	return rc < 0 ? rc : put_pair(&p, &look_absent, &c->new);
}
