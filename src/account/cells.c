/* What the chapters have in common: cells, and tables of what was counted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "account/chapters.h"
#include "base/text.h"
#include "base/timestamp.h"

const char *cell_name(char dst[CELL_MAX], const char *name)
{
	return text_escape(dst, CELL_MAX, name, strlen(name));
}

const char *cell_count(char dst[24], uint64_t n)
{
	(void)snprintf(dst, 24, "%" PRIu64, n); /* it fits */
	return dst;
}

const char *cell_entry(char dst[32], uint64_t entry)
{
	const uint64_t log = entry >> ACCOUNT_LOG_SHIFT, number = entry & ACCOUNT_NUMBER_MASK;

	if (log == 0)
		return cell_count(dst, number);
	(void)snprintf(dst, 32, "%" PRIu64 ":%" PRIu64, log, number); /* it fits */
	return dst;
}

const char *cell_time(char dst[TIME_MAX], uint64_t ms)
{
	char text[TIMESTAMP_LEN + 1];

	if (!timestamp_write(ms, text))
		return "?";
	(void)snprintf(dst, TIME_MAX, "%.10s %.8sZ", text, text + 11);
	return dst;
}

void say_cut(struct paper *p, const struct tally *t, const char *what)
{
	char text[256];

	if (t->n > CHAPTER_ROWS) {
		(void)snprintf(text, sizeof text, "Shown are the %d most frequent of %zu %s.", CHAPTER_ROWS, t->n,
			       what);
		paper_warn(p, text);
	}
	if (t->over > 0) {
		(void)snprintf(text, sizeof text,
			       "There were more %s than are told apart here; entries about others of them: %" PRIu64
			       ".",
			       what, t->over);
		paper_warn(p, text);
	}
}

void put_tally(const struct page *page, struct paper *p, const struct tally *t, const struct table *table)
{
	if (t->n == 0) {
		paper_say(p, table->empty);
		return;
	}
	paper_table(p, table->caption, table->columns, table->n_columns);
	for (size_t i = 0; i < t->n && i < CHAPTER_ROWS; i++)
		table->row(page, p, t, &t->rows[i]);
	paper_table_end(p);
}
