/* gitconfig - the syntax of git's configuration files, entry by entry.
 *
 * Owns:   the grammar, read from git-config(1) and from what git 2.39 does with it.
 * Holds:  what git reads as an entry comes out as one: sections and subsections in both forms, continued lines, quotes,
 *         comments, a byte order mark. Where versions of git differ, or a line is longer than older ones could rewrite, it is
 *         an error; so is any control character but tabs, line feeds and the CR before one.
 * Called: by keys.c; pure, no heap. */
#ifndef JUDGE_GITCONFIG_H
#define JUDGE_GITCONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GITCONFIG_NAME_MAX 512   /* a section, a subsection (a branch, an address) and a key */
#define GITCONFIG_VALUE_MAX 4096 /* a path */
#define GITCONFIG_LINE_MAX 1000  /* git before 2.40.1 cut lines of 1024 bytes in two when it renamed a section */

struct gitconfig_entry {
	char name[GITCONFIG_NAME_MAX]; /* section.subsection.key; section and key are lower-case */
	char value[GITCONFIG_VALUE_MAX];
	bool has_value;                         /* false: the key alone, which means true */
	const char *section, *subsection, *key; /* parts of name, which stay in place: see lengths */
	size_t section_len, subsection_len;     /* subsection is NULL if there is none */
	uint32_t offset;                        /* of the key */
};

struct gitconfig {
	const uint8_t *bytes;
	size_t n, at;
	char stem[GITCONFIG_NAME_MAX]; /* "section.subsection." */
	size_t stem_len;
	const char *mistake; /* static; NULL while there is none */
};

void gitconfig_init(struct gitconfig *g, const void *bytes, size_t n);
/* 1: an entry; 0: the end; -1: a mistake, at g->at. The entry points into itself: it must not be copied. */
int gitconfig_next(struct gitconfig *g, struct gitconfig_entry *ret);

#endif
