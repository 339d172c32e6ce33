/* What it costs to verify a log and to prove one of its entries: whole commands, and their parts in this process. Milliseconds.
 *
 *   audit AMBIT DIRECTORY [ROUNDS]    of a ledger's directory; a million entries is what the targets are for
 *   audit AMBIT DIRECTORY ROUNDS replay    its decisions made once more; a hundred thousand entries */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/ask.h"
#include "audit/prove.h"
#include "audit/verify.h"
#include "base/num.h"
#include "command.h"
#include "ledger/entry.h"
#include "ledger/proof.h"
#include "ledger/tile.h"
#include "series.h"

#define PROOFS 500
#define VERIFY_TARGET_MS 15000.0
#define PROVE_TARGET_MS 5.0
#define REPLAY_TARGET_MS 60000.0

static int fail(const char *what, const struct err *e)
{
	(void)fprintf(stderr, "audit: %s: %s\n", what, e->msg);
	return 1;
}

/* ---- whole commands ---- */

static int commands(char *ambit, char *directory, uint64_t size, unsigned rounds)
{
	char number[24], ledger[] = "ledger", verify_word[] = "verify", prove_word[] = "prove", flag[] = "--ledger";
	char *const verify[] = { ambit, ledger, verify_word, flag, directory, NULL };
	char *const prove[] = { ambit, ledger, prove_word, number, flag, directory, NULL };
	struct series of_verify, of_prove;
	int failed = series_init(&of_verify, rounds) < 0 || series_init(&of_prove, rounds) < 0;

	for (unsigned i = 0; i < rounds && !failed; i++) {
		(void)snprintf(number, sizeof number, "%llu", (unsigned long long)(size * i / rounds));
		series_add(&of_verify, command_ms(verify));
		series_add(&of_prove, command_ms(prove));
		failed = series_at(&of_verify, 0) < 0 || series_at(&of_prove, 0) < 0;
	}
	if (!failed) {
		figure_tell("ambit ledger verify", series_median(&of_verify), VERIFY_TARGET_MS, "ms");
		(void)printf("%-44s %8.2f ms, the cell among it\n", "ambit ledger prove", series_median(&of_prove));
	}
	series_finish(&of_verify);
	series_finish(&of_prove);
	return failed;
}

static int replays(char *ambit, char *directory, unsigned rounds)
{
	char ledger[] = "ledger", word[] = "replay", flag[] = "--ledger";
	char *const replay[] = { ambit, ledger, word, flag, directory, NULL };
	struct series s;
	int failed = series_init(&s, rounds) < 0;

	for (unsigned i = 0; i < rounds && !failed; i++) {
		series_add(&s, command_ms(replay));
		failed = series_at(&s, 0) < 0;
	}
	if (!failed)
		figure_tell("ambit ledger replay", series_median(&s), REPLAY_TARGET_MS, "ms");
	series_finish(&s);
	return failed;
}

/* ---- parts ---- */

enum part { READ, LEAVES, ENTRIES, TILES, PARTS };

static void take_bundle(const struct snapshot *s, uint64_t index, struct buf *room, double ms[PARTS])
{
	const double begun = now_ms();
	struct hash row[TILE_WIDTH], hash;
	struct rbuf r, again;
	const uint8_t *entry;
	struct entry taken;
	double read, leaves, entries;
	size_t len;

	if (snapshot_bundle(s, index, room, &r) < 0 || snapshot_tile(s, 0, index, row) < 0)
		return;
	read = now_ms();
	again = r;
	while ((entry = bundle_next(&r, &len)) != NULL)
		merkle_leaf(entry, len, &hash);
	leaves = now_ms();
	while ((entry = bundle_next(&again, &len)) != NULL)
		(void)entry_take(entry, len, &taken, NULL); /* only the time counts */
	entries = now_ms();
	merkle_row(row, tile_width(s->size, 0, index), &hash);
	ms[READ] += read - begun;
	ms[LEAVES] += leaves - read;
	ms[ENTRIES] += entries - leaves;
	ms[TILES] += now_ms() - entries;
}

static int parts(struct snapshot *s)
{
	static const char *const names[] = { [READ] = "  reading bundles and tiles",
					     [LEAVES] = "  hashes of entries",
					     [ENTRIES] = "  the form of entries",
					     [TILES] = "  the tree over them" };
	static struct report report;
	auto_buf room = { .max = SOURCE_BUNDLE_MAX };
	double ms[PARTS] = { 0 };
	const double begun = now_ms();
	struct err e;

	if (verify_log(s, span_of(""), NULL, &report, &e) < 0 || report.n_faults > 0)
		return fail("verify", &e);
	(void)printf("%-44s %8.0f ms\n", "verification alone", now_ms() - begun);
	for (uint64_t i = 0; i <= (s->size - 1) / TILE_WIDTH; i++)
		take_bundle(s, i, &room, ms);
	for (enum part p = 0; p < PARTS; p++)
		(void)printf("%-44s %8.0f ms\n", names[p], ms[p]);
	return 0;
}

/* With all that a command does: one state of the log is taken each time. */
static int proofs(const char *log, uint64_t size)
{
	struct series s;
	int failed = series_init(&s, PROOFS) < 0;

	for (unsigned i = 0; i < PROOFS && !failed; i++) {
		const struct audit_ask ask = { .op = AUDIT_PROVE, .flags = AUDIT_BY_SEQ, .seq = size / PROOFS * i };
		auto_buf out = { .max = PROOF_MAX };
		struct snapshot *snapshot = NULL;
		const double begun = now_ms();
		struct err e = { .code = AMBIT_OK };

		if (snapshot_take(log, "", SNAPSHOT_KEY, &snapshot, &e) < 0 ||
		    prove_entry(snapshot, &ask, &out, &e) < 0)
			failed = fail("prove", &e);
		snapshot_free(snapshot);
		series_add(&s, now_ms() - begun);
	}
	if (!failed)
		figure_tell("a proof alone", series_median(&s), PROVE_TARGET_MS, "ms");
	series_finish(&s);
	return failed;
}

int main(int argc, char **argv)
{
	struct snapshot *s = NULL;
	uint32_t rounds = 5;
	char log[4096];
	uint64_t size;
	struct err e;
	const bool is_replay = argc == 5 && strcmp(argv[4], "replay") == 0;
	int failed;

	if (argc < 3 || (argc > 4 && !is_replay) || (argc >= 4 && !parse_u32(argv[3], 1, 1000, &rounds)) ||
	    snprintf(log, sizeof log, "%s/log", argv[2]) >= (int)sizeof log)
		return 2;
	if (snapshot_take(log, "", SNAPSHOT_KEY | SNAPSHOT_LIST, &s, &e) < 0)
		return fail(log, &e);
	size = s->size;
	(void)printf("%llu entries\n", (unsigned long long)size);
	failed = is_replay ? replays(argv[1], argv[2], rounds)
			   : size == 0 || commands(argv[1], argv[2], size, rounds) || parts(s) || proofs(log, size);
	snapshot_free(s);
	return failed;
}
