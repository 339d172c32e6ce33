/* paper - headings, paragraphs, tables and drawings, as a page of HTML or as text.
 *
 * Owns:   what is written to a descriptor as it goes, and the form of both.
 * Holds:  what is given as a text or a cell may be anything: what could move a terminal, turn the direction of a line or is no text is shown
 *         as what it is (base/text.h), and nothing of it is markup. The page has no script, no form, and nothing that is fetched; its
 *         policy says so to the browser, which knows the one style by its hash. Words of the program itself are given as such.
 * Called: account, profile/page.c. */
#ifndef PAPER_PAPER_H
#define PAPER_PAPER_H

#include <stdarg.h>

#include "base/buf.h"

struct paper {
	struct buf own;    /* what is not written yet */
	struct buf *out;   /* that, or somebody's who wants it all */
	const char *style; /* borrowed: beside that of all pages */
	int fd;
	bool html;
	int rc; /* the first thing that went wrong: -errno */
	const struct paper_column *columns;
	size_t n_columns;
};

enum paper_kind {
	PAPER_TEXT,
	PAPER_NUMBER, /* to the right */
	PAPER_CODE,   /* names of files, commands: may be broken anywhere */
	PAPER_WORD,   /* is not broken: ids, times */
};

struct paper_column {
	const char *head;
	enum paper_kind kind;
};

void paper_begin(struct paper *p, int fd, bool html, const char *title);
/* A page, into a buffer of somebody's, which fails where there is no room. style: what its drawings have beside the style of all pages; borrowed. */
void paper_begin_in(struct paper *p, struct buf *out, const char *style, const char *title);
/* same: a sentence at its end, of ours. Gives the first thing that went wrong. */
int paper_end(struct paper *p, const char *same);

/* The verdict on top: good or bad, and a line to it. */
void paper_banner(struct paper *p, bool good, const char *head, const char *text);
/* A chapter; id is a word of ours. paper_contents lists them, before the first. */
void paper_contents(struct paper *p, const char *const ids[], const char *const heads[], size_t n);
void paper_chapter(struct paper *p, const char *id, const char *head);
void paper_chapter_end(struct paper *p);
void paper_heading(struct paper *p, const char *head);
void paper_say(struct paper *p, const char *text);
/* What is not to be overlooked. */
void paper_warn(struct paper *p, const char *text);

/* Large numbers side by side. alarm: not as it should be, if it is not 0. */
void paper_figures(struct paper *p);
void paper_figure(struct paper *p, const char *number, const char *what, bool alarm);
void paper_figures_end(struct paper *p);

void paper_facts(struct paper *p);
void paper_fact(struct paper *p, const char *name, const char *value, enum paper_kind kind);
void paper_facts_end(struct paper *p);

/* Lines as they are, each shown by itself. */
void paper_lines(struct paper *p, const char *text, size_t n);

/* Markup that the caller made, of numbers and words of ours alone: nothing is escaped. In text there is none. */
void paper_drawing(struct paper *p, const struct buf *drawing, const char *caption);

/* columns is borrowed until the end of the table. A cell that is empty is a dash; a newline in one is a new line. */
void paper_table(struct paper *p, const char *caption, const struct paper_column *columns, size_t n);
/* alarm: the row is marked, and by a word in it, too. */
void paper_row(struct paper *p, const char *const cells[], bool alarm);
/* With a last column of such markup, on a page. */
void paper_table_drawn(struct paper *p, const char *caption, const struct paper_column *columns, size_t n,
		       const char *drawn);
void paper_row_drawn(struct paper *p, const char *const cells[], const struct buf *drawing, bool alarm);
void paper_table_end(struct paper *p);

#endif
