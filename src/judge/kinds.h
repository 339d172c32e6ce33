/* kinds - the judges, one for each kind of content.
 *
 * Owns:   nothing.
 * Holds:  each calls hold() at the first thing that is not inert, and returns; one that did not call it found all inert. The
 *         content is at most JUDGE_CONTENT_MAX bytes, holds no NUL, and differs from the old one: judge() saw to that.
 * Called: by judge.c; pure, no heap. */
#ifndef JUDGE_KINDS_H
#define JUDGE_KINDS_H

#include "judge/judge.h"

/* Says what holds, with at most n bytes of what it is about, escaped. */
void hold(struct judge_verdict *ret, size_t offset, const char *what, const void *about, size_t n);

/* A line and its length without its end: LF, CR LF, or the end of the content. */
struct line {
	const char *text;
	size_t n, offset, next; /* next: where the next one begins */
};

/* False at the end. Start with a zeroed line. */
bool line_next(const char *content, size_t n, struct line *l);
/* Takes the next word, between blanks of the set, from the rest of the line; false if there is none. */
bool word_next(const struct line *l, const char *blanks, size_t *at, const char **ret_word, size_t *ret_n);
bool word_is(const char *word, size_t n, const char *what);

void judge_git_config(const struct judge_case *c, struct judge_verdict *ret); /* .gitmodules, too */
void judge_git_file(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_commondir(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_dir(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_attributes(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_todo(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_author(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_word(const struct judge_case *c, struct judge_verdict *ret);
void judge_git_index(const struct judge_case *c,
		     struct judge_verdict *ret); /* of any bytes and length, the old ones too */
void judge_npmrc(const struct judge_case *c, struct judge_verdict *ret);

#endif
