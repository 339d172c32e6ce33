/* Two logs that were closed and the present one, each signed by its own key, with one link of them wrong at a time: what no tampering with
 * files can make, but whoever has a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "ledger/log.h"

#define LOGS 3u

enum wrong {
	NOTHING,
	WRONG_ROOT,
	WRONG_SIZE,
	WRONG_KEY_BEFORE,
	WRONG_KEY_NEXT,
	NO_NEXT,
	NO_PREVIOUS,
	GOES_ON,
	GOES_ON_UNSIGNED,
	NEXT_IN_THE_MIDDLE,
	NO_LINK
};

/* The fault is in what log 2 says, which is past/2. */
static const struct row {
	enum wrong wrong;
	const char *file, *why; /* NULL: none */
} rows[] = {
	{ NOTHING, NULL, NULL },
	{ WRONG_ROOT, "past/2/log", "it names another root than that of past/1/log" },
	{ WRONG_SIZE, "past/2/log", "it says that past/1/log has 9 entries, and that has 3" },
	{ WRONG_KEY_BEFORE, "past/1/log/checkpoint", "the checkpoint is not signed by test/other" },
	{ WRONG_KEY_NEXT, "past/2/log", "it names another key than that of log" },
	{ NO_NEXT, "past/2/log", "its last entry names no key, so nothing leads from it to log" },
	{ NO_PREVIOUS, "past/2/log", "its first entry names no log before it, and there is past/1" },
	{ GOES_ON, "past/2/log", "the log was closed with it, and goes on behind it" },
	{ GOES_ON_UNSIGNED, "past/2/log", "behind what was signed it has 1 entries, though it was closed" },
	{ NEXT_IN_THE_MIDDLE, "past/2/log", "the log was closed with it, and goes on behind it" },
	{ NO_LINK, "past/2/log", "it is signed, and leads to no other log" },
};

struct world {
	char dir[64], path[LOGS + 1][96];
	struct log_key key[LOGS + 1]; /* the last is nobody's */
	struct hash root[LOGS];
	uint64_t size[LOGS];
};

static struct world w;

static void make_key(struct log_key *key, uint8_t seed_of, const char *name)
{
	const uint8_t seed[crypto_sign_SEEDBYTES] = { seed_of };
	uint8_t public[VKEY_PUBLIC_BYTES];

	crypto_sign_seed_keypair(public, key->secret, seed);
	assert_int_equal(vkey_init(&key->public, VKEY_ED25519, span_of(name), public, NULL), 0);
}

static void add(struct log *l, enum entry_type type, const struct link *link)
{
	auto_buf body = { .max = LINK_BODY_MAX }, made = { .max = ENTRY_MAX };
	struct entry entry = { .type = type,
			       .seq = log_size(l),
			       .wall_ms = 1790000000000,
			       .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21",
			       .body = { (const uint8_t *)"{}", 2 } };

	if (link != NULL) {
		link_put(&body, link);
		entry.body = (struct canonical_value){ body.data, body.len };
	}
	assert_int_equal(entry_put(&entry, &made, NULL), 0);
	assert_int_equal(log_add(l, made.data, made.len, NULL), 0);
}

static void add_first(struct log *l, unsigned i, enum wrong wrong)
{
	struct link link = { .kind = LINK_PREVIOUS };

	if (i == 0 || (i == 1 && wrong == NO_PREVIOUS))
		return;
	link.key = w.key[i - 1].public;
	link.root = w.root[i - 1];
	link.size = w.size[i - 1];
	if (i == 1 && wrong == WRONG_ROOT)
		link.root.bytes[5] ^= 1;
	if (i == 1 && wrong == WRONG_SIZE)
		link.size = 9;
	if (i == 1 && wrong == WRONG_KEY_BEFORE)
		link.key = w.key[LOGS].public;
	add(l, ENTRY_KEY, &link);
}

static void add_last(struct log *l, unsigned i, enum wrong wrong)
{
	struct link link = { .kind = LINK_NEXT };

	if (i + 1 == LOGS || (i == 1 && wrong == NO_NEXT))
		return;
	link.key = w.key[i == 1 && wrong == WRONG_KEY_NEXT ? LOGS : i + 1].public;
	add(l, ENTRY_KEY, &link);
	if (i == 1 && wrong == GOES_ON)
		add(l, ENTRY_POLICY, NULL);
}

static void make_log(unsigned i, enum wrong wrong)
{
	const struct link previous = { .kind = LINK_PREVIOUS, .key = w.key[0].public };
	const struct link next = { .kind = LINK_NEXT, .key = w.key[2].public };
	struct log_found found;
	struct disk *disk;
	struct log *l;
	const int fd = open(w.path[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(disk_create(fd, &disk), 0);
	assert_int_equal(log_open(disk, &w.key[i], &l, &found, NULL), 0);
	add_first(l, i, wrong);
	add(l, ENTRY_POLICY, NULL);
	if (i == 1 && wrong == NEXT_IN_THE_MIDDLE)
		add(l, ENTRY_KEY, &next);
	if (i == 1 && wrong == NO_LINK)
		add(l, ENTRY_KEY, &previous);
	add(l, ENTRY_POLICY, NULL);
	add_last(l, i, wrong);
	assert_int_equal(log_publish(l, NULL), 0);
	log_root(l, &w.root[i]);
	w.size[i] = log_size(l);
	if (i == 1 && wrong == GOES_ON_UNSIGNED) {
		add(l, ENTRY_POLICY, NULL);
		assert_int_equal(log_write(l, NULL), 0);
	}
	log_close(l);
	disk_destroy(disk);
	(void)close(fd);
}

static void make_directories(void)
{
	char path[96];

	strcpy(w.dir, "/tmp/ambit-chain.XXXXXX"); /* fits */
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(path, sizeof path, "%s/past", w.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i + 1 < LOGS; i++) {
		(void)snprintf(path, sizeof path, "%s/past/%u", w.dir, i + 1);
		assert_int_equal(mkdir(path, 0700), 0);
		(void)snprintf(w.path[i], sizeof w.path[i], "%s/past/%u/log", w.dir, i + 1);
		assert_int_equal(mkdir(w.path[i], 0700), 0);
	}
	(void)snprintf(w.path[LOGS - 1], sizeof w.path[0], "%s/log", w.dir);
	assert_int_equal(mkdir(w.path[LOGS - 1], 0700), 0);
}

static void make_ledger(enum wrong wrong)
{
	make_key(&w.key[0], 1, "test/one");
	make_key(&w.key[1], 2, "test/two");
	make_key(&w.key[2], 3, "test/three");
	make_key(&w.key[LOGS], 4, "test/other");
	make_directories();
	for (unsigned i = 0; i < LOGS; i++)
		make_log(i, wrong);
}

static void remove_ledger(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf '%s'", w.dir);
	assert_int_equal(system(command), 0);
}

static bool has_fault(const struct report *report, const struct row *row)
{
	for (size_t i = 0; i < report->n_faults; i++)
		if (strcmp(report->faults[i].file, row->file) == 0 && strcmp(report->faults[i].why, row->why) == 0)
			return true;
	return false;
}

/* With the key of this log. */
static void look(const struct row *row, unsigned anchor)
{
	static struct report report;
	struct audit_ask ask = { .op = AUDIT_VERIFY };
	struct snapshot *s;
	struct chain chain;
	struct buf key;
	struct err e;

	buf_init_in(&key, (uint8_t *)ask.key, sizeof ask.key);
	vkey_put(&key, &w.key[anchor].public);
	(void)snprintf(ask.dir, sizeof ask.dir, "%s/log", w.dir);
	(void)snprintf(ask.past, sizeof ask.past, "%s/past", w.dir);
	assert_int_equal(chain_verify(&ask, NULL, &chain, &report, &s, &e), 0);
	if (row->why == NULL && report.n_faults > 0)
		fail_msg("anchor %u: %s: %s", anchor, report.faults[0].file, report.faults[0].why);
	if (row->why == NULL)
		assert_int_equal(chain.first, 1);
	else if (report.n_faults == 0)
		fail_msg("anchor %u: nothing is wrong, where it should be: %s", anchor, row->why);
	snapshot_free(s);
	chain_finish(&chain);
	/* from another log the same is told in other words, or something before it */
	if (row->why != NULL && anchor == LOGS - 1 && !has_fault(&report, row))
		fail_msg("anchor %u: no '%s: %s', but '%s: %s'", anchor, row->file, row->why, report.faults[0].file,
			 report.faults[0].why);
}

static void each_wrong_link_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		make_ledger(rows[i].wrong);
		for (unsigned anchor = 0; anchor < LOGS; anchor++)
			look(&rows[i], anchor);
		remove_ledger();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_wrong_link_is_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
