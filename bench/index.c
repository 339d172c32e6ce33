/* What an index of a log costs and saves: made anew by `ambit ledger show`, beside as many rows that are simply put into SQLite; one event
 * shown by it, and without it. Milliseconds.
 *
 *   index AMBIT DIRECTORY [ROUNDS]    of a ledger's directory; a million entries is what the target is for */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "command.h"
#include "series.h"

#define MAKE_TARGET_MS 30000.0
#define EACH 6 /* entries of an event */

static int fail(const char *what)
{
	(void)fprintf(stderr, "index: %s\n", what);
	return 1;
}

/* The same rows and the same ways to look them up, made up instead of read, in a file beside it. */
static double plain_ms(const char *directory, uint64_t entries)
{
	const double begun = now_ms();
	char path[4200], sql[512];
	sqlite3 *db = NULL;
	int r;

	(void)snprintf(path, sizeof path, "%s/plain.sqlite", directory);
	(void)unlink(path);
	(void)snprintf(
		sql, sizeof sql,
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %llu) "
		"INSERT INTO entry SELECT i, 1790000000000 + i * 1000, i %% 24, i %% 6 = 3, i / %d + 1, NULL FROM n",
		(unsigned long long)entries - 1, EACH);
	r = sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_exec(
		    db,
		    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768; BEGIN;"
		    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, wall INTEGER, type INTEGER, denied INTEGER, event INTEGER, granted INTEGER)",
		    NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db,
			 "CREATE INDEX a ON entry(event); CREATE INDEX b ON entry(type); CREATE INDEX c ON entry(wall);"
			 "CREATE INDEX d ON entry(denied) WHERE denied = 1; COMMIT",
			 NULL, NULL, NULL) == SQLITE_OK;
	(void)sqlite3_close(db);
	(void)unlink(path);
	return r ? now_ms() - begun : -1;
}

static uint64_t size_of(const char *directory)
{
	char path[4200], line[256] = "";
	uint64_t size = 0;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/log/checkpoint", directory);
	file = fopen(path, "re");
	for (int i = 0; file != NULL && i < 2; i++)
		if (fgets(line, sizeof line, file) == NULL)
			line[0] = 0;
	if (file != NULL)
		(void)fclose(file);
	line[strcspn(line, "\n")] = 0;
	return parse_u64(line, 1, UINT64_MAX, &size) ? size : 0;
}

static int measure(char *ambit, char *directory, uint64_t size, uint32_t rounds)
{
	char ledger[] = "ledger", show[] = "show", event[] = "--event", last[] = "last", flag[] = "--ledger",
	     without[] = "--no-index", path[4200];
	char *const by_index[] = { ambit, ledger, show, event, last, flag, directory, NULL };
	char *const reading[] = { ambit, ledger, show, event, last, without, flag, directory, NULL };
	struct series made, plain, one, all;
	int failed = series_init(&made, rounds) < 0 || series_init(&plain, rounds) < 0 ||
		     series_init(&one, rounds) < 0 || series_init(&all, rounds) < 0;

	(void)snprintf(path, sizeof path, "%s/index/index.sqlite", directory);
	for (uint32_t i = 0; i < rounds && !failed; i++) {
		(void)unlink(path);
		series_add(&made, command_ms(by_index));
		series_add(&plain, plain_ms(directory, size));
		series_add(&one, command_ms(by_index));
		series_add(&all, command_ms(reading));
		failed = series_at(&made, 0) < 0 || series_at(&plain, 0) < 0 || series_at(&one, 0) < 0 ||
			 series_at(&all, 0) < 0;
	}
	if (!failed) {
		figure_tell("an index made anew", series_median(&made), MAKE_TARGET_MS, "ms");
		(void)printf("%-44s %8.2f of plain inserts (%.0f ms)\n", "", series_ratio(&made, &plain),
			     series_median(&plain));
		(void)printf("%-44s %8.2f ms; without the index %.0f ms\n", "ambit ledger show --event last",
			     series_median(&one), series_median(&all));
	}
	series_finish(&made);
	series_finish(&plain);
	series_finish(&one);
	series_finish(&all);
	return failed;
}

int main(int argc, char **argv)
{
	uint32_t rounds = 5;
	uint64_t size;

	if (argc < 3 || (argc > 3 && !parse_u32(argv[3], 1, 1000, &rounds)))
		return fail("usage: index AMBIT DIRECTORY [ROUNDS]");
	size = size_of(argv[2]);
	if (size == 0)
		return fail("there is no log");
	return measure(argv[1], argv[2], size, rounds) ? fail("a command failed") : 0;
}
