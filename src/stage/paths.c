/* What a person named of a stage: paths that name no change are refused, with the one that may have been meant. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/text.h"
#include "core/grant.h"
#include "stage/chosen.h"
#include "stage/journal.h"
#include "stage/pattern.h"
#include "stage/role.h"

#define WHOLE_MAX (STAGE_PATH_MAX + CHANGE_PATH_MAX)

static void whole(const struct role *role, uint16_t tree, const char *path, char ret[WHOLE_MAX])
{
	const char *real = role->meta->trees[tree].real;

	(void)snprintf(ret, WHOLE_MAX, "%s%s%s", strcmp(real, "/") == 0 ? "" : real, path[0] != 0 ? "/" : "",
		       path); /* it fits */
}

/* The path, and the directories on the way to it: those too can be chosen. */
static void try_path(const struct role *role, struct nearest *n, uint16_t tree, const char *path)
{
	char at[WHOLE_MAX];

	whole(role, tree, path, at);
	while (strlen(at) > strlen(role->meta->trees[tree].real)) {
		nearest_try(n, at);
		*strrchr(at, '/') = 0;
	}
}

/* One whose last name is the same, in another directory. */
static void try_name(const struct role *role, struct nearest *n, const struct change *c)
{
	const char *name = strrchr(n->word, '/'), *its = strrchr(c->path, '/');
	char at[WHOLE_MAX];

	if (name == NULL || name[1] == 0 || strcmp(name + 1, its != NULL ? its + 1 : c->path) != 0)
		return;
	whole(role, c->tree, c->path, at);
	if (nearest_found(n) == NULL)
		nearest_set(n, at);
}

static void what_was_meant(const struct role *role, const char *word, char hint[ERR_HINT_MAX])
{
	const char *name = strrchr(word, '/') + 1; /* it is absolute */
	char shown[ERR_HINT_MAX / 2];
	struct nearest n;

	nearest_begin(&n, word);
	for (size_t i = 0; i < role->n_changes; i++) {
		try_path(role, &n, role->changes[i]->tree, role->changes[i]->path);
		if (role->changes[i]->from[0] != 0)
			try_path(role, &n, role->changes[i]->tree, role->changes[i]->from);
	}
	for (size_t i = 0; i < role->n_changes && nearest_found(&n) == NULL; i++)
		try_name(role, &n, role->changes[i]);
	if (nearest_found(&n) != NULL)
		(void)snprintf(hint, ERR_HINT_MAX, "did you mean '%s'?",
			       text_escape(shown, sizeof shown, n.meant, strlen(n.meant)));
	else if (shelf_has(&role->shelf, name))
		(void)snprintf(hint, ERR_HINT_MAX, "one event at a time, and its id before all paths");
	else
		(void)snprintf(hint, ERR_HINT_MAX, "`ambit diff --name-only %s` shows what there is",
			       role->meta->event);
}

static bool is_of_move(const struct role *role, const struct op *op, const char *word, bool goes_in)
{
	char at[WHOLE_MAX];
	const char *beneath;

	if (op->tree >= role->meta->n_trees)
		return false;
	beneath = chosen_beneath(role->meta->trees[op->tree].real, word);
	whole(role, op->tree, op->path, at);
	/* a directory that is new went in with all that it holds */
	return (beneath != NULL && pattern_fits(beneath, op->path)) || (goes_in && path_is_beneath(word, at));
}

static bool is_of_deed(const struct role *role, const struct deed *d, const char *word)
{
	for (size_t i = 0; i < d->moves.n; i++)
		if (is_of_move(role, &d->moves.ops[i], word, true))
			return true;
	for (size_t i = 0; i < d->dirs.n; i++)
		if (is_of_move(role, &d->dirs.ops[i], word, false))
			return true;
	return false;
}

static bool was_committed(const struct role *role, const char *word)
{
	const uint32_t n = deed_count(role->stage.dir_fd);
	bool found = false;

	for (uint32_t i = 0; i < n && !found; i++) {
		struct deed d = { .batch = 0 };
		char name[24];

		deed_name(i, name);
		found = deed_read(role->stage.dir_fd, name, &d, NULL) == 1 && is_of_deed(role, &d, word);
		deed_finish(&d);
	}
	return found;
}

int no_such_change(const struct role *role, const char *word, struct err *e)
{
	const bool there = faccessat(AT_FDCWD, word, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	char hint[ERR_HINT_MAX], shown[ERR_MSG_MAX / 2];
	const char *why = there ? "it is as it was before the event" : "there is nothing of that name";

	what_was_meant(role, word, hint);
	if (was_committed(role, word)) {
		why = "it was committed already";
		(void)snprintf(hint, ERR_HINT_MAX, "`ambit diff --name-only %s` shows what is left", role->meta->event);
	} else if (!there && pattern_is_wide(word)) {
		why = "no change fits the pattern; `*` stops at a slash, `**/` stands for any directories";
	}
	return err_why(e,
		       err_set(e, AMBIT_NOT_FOUND, hint, "no change of %s lies at %s", role->meta->event,
			       text_escape(shown, sizeof shown, word, strlen(word))),
		       "%s", why);
}

static bool is_named(const struct role *role, const char *word)
{
	for (size_t i = 0; i < role->n_changes; i++)
		if (chosen_by(word, role->meta, role->changes[i]))
			return true;
	return faccessat(AT_FDCWD, word, F_OK, AT_SYMLINK_NOFOLLOW) ==
	       0; /* there, and not changed: that is an answer */
}

int check_shown(const struct role *role, struct err *e)
{
	for (uint32_t i = 0; i < role->ask.n_selected; i++)
		if (!is_named(role, role->ask.selected[i]))
			return no_such_change(role, role->ask.selected[i], e);
	return 0;
}

static bool is_changed_at(const struct role *role, const char *path)
{
	char at[WHOLE_MAX];

	for (size_t i = 0; i < role->n_changes; i++) {
		whole(role, role->changes[i]->tree, role->changes[i]->path, at);
		if (path_is_beneath(at, path) ||
		    path_is_beneath(path, at)) /* what is in a directory that goes is not listed */
			return true;
	}
	return role->counts.dropped > 0; /* not listed, it cannot be known */
}

int check_granted(const struct role *role, struct err *e)
{
	for (uint32_t i = 0; i < role->ask.n_granted; i++)
		if (!is_changed_at(role, role->ask.granted[i]))
			return err_context(e, no_such_change(role, role->ask.granted[i], e), "--write");
	return 0;
}
