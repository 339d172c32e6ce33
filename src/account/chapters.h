/* chapters - the parts of the report.
 *
 * Owns:   nothing.
 * Holds:  what came from the log is escaped here, so that a backslash in it is none of ours; the paper shows it again.
 * Called: account/page.c. */
#ifndef ACCOUNT_CHAPTERS_H
#define ACCOUNT_CHAPTERS_H

#include "account/page.h"

#define CHAPTER_ROWS 200 /* of a table; the most frequent */

void chapter_log(const struct page *page, struct paper *p);
void chapter_who(const struct page *page, struct paper *p);
void chapter_allowed(const struct page *page, struct paper *p);
void chapter_denied(const struct page *page, struct paper *p);
void chapter_wall(const struct page *page, struct paper *p);
void chapter_changes(const struct page *page, struct paper *p);
void chapter_events(const struct page *page, struct paper *p);
void chapter_ledger(const struct page *page, struct paper *p);
void chapter_check(const struct page *page, struct paper *p);

/* ---- for them ---- */

#define CELL_MAX 1200
#define TIME_MAX 32

/* A name from the log, cut where it is very long. Gives dst. */
const char *cell_name(char dst[CELL_MAX], const char *name);
const char *cell_count(char dst[24], uint64_t n);
/* The number of an entry; of past/N as N:number. */
const char *cell_entry(char dst[32], uint64_t entry);
/* In UTC, to the second. */
const char *cell_time(char dst[TIME_MAX], uint64_t ms);

/* Under a table: what is not in it. rows: how many there are; over: how often there was no room for another. */
void say_cut(struct paper *p, const struct tally *t, const char *what);

/* One row of a table: cells is filled by the caller from the tally's row, and drawn. */
typedef void row_fn(const struct page *page, struct paper *p, const struct tally *t, const struct tally_row *row);
/* The table of a tally, or the sentence where it is empty. */
struct table {
	const char *caption, *empty;
	const struct paper_column *columns;
	size_t n_columns;
	row_fn *row;
};
void put_tally(const struct page *page, struct paper *p, const struct tally *t, const struct table *table);

#endif
