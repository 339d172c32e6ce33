#include "lib/summary_named.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "cell/base.h"
#include "core/effect.h"
#include "core/grant.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@+-"

/* What every cell has of its own, whatever the host has there. */
static bool is_own(const char *path)
{
	static const char *const own[] = { "/tmp", "/proc", "/dev", "/sys", "/run", "/etc" };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (path_is_beneath(path, own[i]))
			return true;
	return false;
}

/* A denial of it, or beneath, says all of that already; and what it opened, it had. */
static bool was_seen(const struct event_result *r, const char *path)
{
	for (size_t i = 0; i < r->n_effects; i++)
		if (path_is_beneath(r->effects[i].object, path))
			return true;
	return false;
}

static bool is_missing(const struct event_result *r, const char *path)
{
	const struct grant_request read = { .verb = VERB_READ, .object = path };

	return !is_own(path) && !base_shows((enum cell_base)r->base, path, RIGHT_READ) &&
	       !grant_check(r->grants, &read).allowed && !was_seen(r, path);
}

static void say(const char *path, struct buf *out)
{
	const struct grant_request read = { .verb = VERB_READ, .object = path };
	char line[8], flag[PATH_MAX];

	grant_suggest(&read, line, sizeof line, flag, sizeof flag);
	if (flag[0] == 0)
		return;
	buf_printf(out,
		   "ambit: named in the command, and not granted: %s\n"
		   "  why: what is not granted is not there for a cell\n"
		   "  hint: %s allows it, if it is there\n",
		   path, flag); /* of plain characters */
}

/* Each path of a text, which may be a script: from a blank, a quote or an equals sign on. */
static void look(const struct event_result *r, const char *text, char told[SUMMARY_NAMED][PATH_MAX], size_t *n,
		 struct buf *out)
{
	for (const char *at = text; *at != 0 && *n < SUMMARY_NAMED; at++) {
		const bool begins = (at == text || strchr(" \t\n'\"=", at[-1]) != NULL) &&
				    (at[0] == '/' || strncmp(at, "../", 3) == 0);
		const size_t length = begins ? strspn(at, PLAIN) : 0;
		char word[PATH_MAX], path[PATH_MAX];
		bool again = false;

		if (length < 2 || length >= sizeof word)
			continue;
		if (at != text && strchr("'\"", at[-1]) != NULL && at[length - 1] == '/')
			continue; /* a pattern of awk or sed */
		memcpy(word, at, length);
		word[length] = 0;
		at += length - 1;
		if (!path_normalise(r->workdir, word, path, sizeof path) || path[1] == 0 || !is_missing(r, path))
			continue;
		for (size_t i = 0; i < *n; i++)
			again = again || path_is_beneath(path, told[i]);
		if (again)
			continue;
		(void)text_copy(told[(*n)++], PATH_MAX, path); /* of the same size */
		say(path, out);
	}
}

void summary_named(const struct event_result *r, struct buf *out)
{
	char told[SUMMARY_NAMED][PATH_MAX];
	size_t n = 0;

	if (r->cause != CAUSE_EXITED || r->exit_status == 0 || r->grants == NULL || r->workdir == NULL)
		return;
	for (size_t i = 1; r->argv != NULL && r->argv[0] != NULL && r->argv[i] != NULL; i++)
		look(r, r->argv[i], told, &n, out);
}
