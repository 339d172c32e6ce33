/* A log that dies at any step, by kill or by loss of power: what was acknowledged is there, numbered without a gap, and nothing was
 * ever signed that is not so. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fake_disk.h"
#include "ledger/log.h"
#include "ledger/tile.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ENTRIES 3000u
#ifdef AMBIT_SANITIZED
#define ROUNDS 10u /* it is a tenth as fast there */
#else
#define ROUNDS 60u
#endif

/* ---- a signature that remembers what was signed ---- */

static struct {
	struct hash root[ENTRIES];
	bool is_signed[ENTRIES];
} key;

static const struct log_key no_key; /* nobody looks at it here */

int head_put(struct buf *out, const struct log_key *k, uint64_t size, const struct hash *root, struct err *e)
{
	(void)e;
	assert_ptr_equal(k, &no_key);
	if (size >= ENTRIES) /* of entries that are all the same */
		return 0;
	if (key.is_signed[size])
		assert_memory_equal(&key.root[size], root, sizeof *root); /* never two of one size */
	key.root[size] = *root;
	key.is_signed[size] = true;
	buf_put(out, "signed", 6);
	buf_put_u64(out, size);
	buf_put(out, root, sizeof *root);
	return 0;
}

int head_take(const struct vkey *k, const void *bytes, size_t n, uint64_t *ret_size, struct hash *ret_root,
	      struct err *e)
{
	struct rbuf r;
	const uint8_t *word, *root;

	assert_ptr_equal(k, &no_key.public);
	rbuf_init(&r, bytes, n);
	word = rbuf_bytes(&r, 6);
	*ret_size = rbuf_u64(&r);
	root = rbuf_bytes(&r, sizeof *ret_root);
	if (!rbuf_done(&r) || memcmp(word, "signed", 6) != 0)
		return err_set(e, AMBIT_MALFORMED, NULL, "not signed");
	memcpy(ret_root, root, sizeof *ret_root);
	return 0;
}

/* ---- what was given to the log ---- */

struct given {
	uint16_t n;
	uint32_t salt;
};

static struct {
	struct given entry[ENTRIES];
	uint64_t accepted, durable; /* so many were written, so many synced */
} world;

static void entry_bytes(const struct given *g, uint8_t *ret)
{
	uint32_t x = g->salt;

	for (uint16_t i = 0; i < g->n; i++) {
		x = x * 1664525u + 1013904223u;
		ret[i] = (uint8_t)(x >> 24);
	}
}

static int add(struct log *l)
{
	static uint8_t bytes[ENTRY_BYTES_MAX];
	struct given *g = &world.entry[log_size(l)];
	const uint32_t x = fake_random();

	g->n = (uint16_t)(x % 400 == 0 ? ENTRY_BYTES_MAX : x % 8 == 0 ? 0 : x % 60);
	g->salt = fake_random();
	entry_bytes(g, bytes);
	return log_add(l, bytes, g->n, NULL);
}

/* ---- what is there ---- */

static const uint8_t *file_bytes(unsigned level, uint64_t index, unsigned width, size_t *ret_n)
{
	char path[TILE_PATH_MAX];
	const struct buf *file;

	tile_path(path, level, index, width);
	file = fake_disk_file(path);
	if (file == NULL) {
		tile_path(path, level, index, TILE_WIDTH);
		file = fake_disk_file(path);
	}
	if (file == NULL) {
		fail_msg("no %s", path);
		abort(); /* not reached, which the compiler does not know */
	}
	*ret_n = file->len;
	return file->data;
}

static int tile_from_files(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e)
{
	size_t n;
	const uint8_t *bytes = file_bytes(level, index, width, &n);

	(void)arg, (void)e;
	assert_true(n >= width * sizeof *ret);
	memcpy(ret, bytes, width * sizeof *ret);
	return 0;
}

static int nothing(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	(void)arg, (void)level, (void)index, (void)row;
	return 0;
}

static bool is_there(unsigned level, uint64_t index, unsigned width)
{
	char path[TILE_PATH_MAX];

	tile_path(path, level, index, width);
	return fake_disk_file(path) != NULL;
}

/* Behind the checkpoint is nothing: a tile of entries that were lost would be taken for one of what came in their place. */
static void nothing_is_behind(uint64_t size)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		for (uint64_t index = tile_at_edge(size, level); index < ENTRIES / TILE_WIDTH + 1; index++)
			for (unsigned width = tile_width(size, level, index) + 1; width <= TILE_WIDTH; width++) {
				assert_false(is_there(level, index, width));
				assert_false(level == 0 && is_there(TILE_ENTRIES, index, width));
			}
}

/* Every entry beneath the checkpoint is what was given, every signed root was one of these entries, and every tile fits. */
static void looks_right(uint64_t size)
{
	static const struct tile_source tiles = { tile_from_files, NULL };
	static struct edge again, loaded;
	static uint8_t expected[ENTRY_BYTES_MAX];
	struct hash root, leaf, proof[MERKLE_PROOF_MAX];
	struct rbuf r;
	size_t n_proof;

	edge_init(&again);
	for (uint64_t i = 0; i < size; i++) {
		size_t n;
		const uint8_t *entry;

		if (i % TILE_WIDTH == 0) {
			const uint8_t *bundle = file_bytes(TILE_ENTRIES, i / TILE_WIDTH,
							   tile_width(size, 0, i / TILE_WIDTH), &n);

			rbuf_init(&r, bundle, n);
		}
		entry = bundle_next(&r, &n);
		assert_non_null(entry);
		entry_bytes(&world.entry[i], expected);
		assert_int_equal(n, world.entry[i].n);
		assert_memory_equal(entry, expected, n);
		merkle_leaf(entry, n, &leaf);
		if (key.is_signed[i]) {
			edge_root(&again, &root);
			assert_memory_equal(&root, &key.root[i], sizeof root);
		}
		assert_int_equal(edge_add(&again, &leaf, nothing, NULL), 0);
	}
	edge_root(&again, &root);
	assert_true(key.is_signed[size]);
	assert_memory_equal(&root, &key.root[size], sizeof root);
	for (uint64_t i = size + 1; i < ENTRIES; i++)
		assert_false(key.is_signed[i]); /* nothing was signed that is lost */
	assert_int_equal(edge_load(&loaded, size, &tiles, NULL), 0);
	edge_root(&loaded, &root);
	assert_memory_equal(&root, &key.root[size], sizeof root);
	if (size > 0) {
		const uint64_t i = fake_random() % size;
		uint8_t bytes[ENTRY_BYTES_MAX];

		entry_bytes(&world.entry[i], bytes);
		merkle_leaf(bytes, world.entry[i].n, &leaf);
		assert_int_equal(merkle_prove(i, size, &tiles, proof, &n_proof, NULL), 0);
		assert_true(merkle_check(&leaf, i, size, proof, n_proof, &root));
	}
}

static void begin_world(void)
{
	memset(&world, 0, sizeof world);
	memset(&key, 0, sizeof key);
}

static struct log *open_log(struct disk *disk, struct log_found *ret)
{
	struct log *l = NULL;
	struct err e;

	if (log_open(disk, &no_key, &l, ret, &e) != 0)
		fail_msg("%s", e.msg);
	return l;
}

/* ---- dying ---- */

/* Some work; it ends by death, or when enough was done, or with the first call that failed. */
static int work(struct log *l)
{
	int r = 0;

	for (unsigned turn = 0; turn < 60 && log_size(l) < ENTRIES - 700; turn++) {
		const uint32_t what = fake_random() % 16;
		const uint32_t n = what == 0 ? 300 + fake_random() % 300 : 1 + fake_random() % 5;

		for (uint32_t i = 0; i < n && what < 12 && r == 0; i++)
			r = add(l);
		if (r == 0 && (what >= 14 || log_is_full(l))) {
			r = log_publish(l, NULL);
			if (r == 0)
				world.accepted = world.durable = log_size(l);
			continue;
		}
		r = r < 0 ? r : log_write(l, NULL);
		if (r == 0)
			world.accepted = log_size(l);
		if (r == 0 && what % 3 == 0)
			r = log_sync(l, NULL);
		if (r == 0 && what % 3 == 0)
			world.durable = world.accepted;
		if (r < 0)
			return r;
	}
	return r;
}

/* Opens, works, dies, and so on. The log of a life that ended is never freed by its process: it is here, for the next. */
static void one_life_after_another(uint32_t seed)
{
	static struct log *living; /* volatile would do as well */
	struct disk *disk = fake_disk();
	struct log_found found;
	static unsigned life;
	jmp_buf back;

	fake_seed(seed);
	begin_world();
	living = NULL;
	for (life = 0; life < 8; life++) {
		if (setjmp(back) == 0) {
			fake_disk_die_after(life == 7 ? 0 : 1 + fake_random() % (life % 2 == 0 ? 250 : 25), &back);
			living = open_log(disk, &found);
			assert_true(log_size(living) >= world.accepted);
			world.accepted = world.durable = log_size(living); /* opening publishes */
			looks_right(log_size(living));
			nothing_is_behind(log_size(living));
			assert_int_equal(work(living), 0);
			fake_disk_die_after(0, NULL);
		}
		log_close(living);
		living = NULL;
		if (fake_random() % 2 == 0) {
			fake_disk_lose_power();
			world.accepted = world.durable;
		}
	}
}

static void nothing_that_was_acknowledged_is_lost(void **state)
{
	const char *soak = getenv("AMBIT_SOAK");
	const uint32_t rounds = ROUNDS * (soak != NULL ? (uint32_t)strtoul(soak, NULL, 10) : 1);

	(void)state;
	for (uint32_t seed = 1; seed <= rounds; seed++)
		one_life_after_another(seed);
}

/* A disk that is full, or broken, from some call on: nothing that was acknowledged is lost, and the log goes on afterwards. */
static void a_disk_that_fails_loses_nothing(void **state)
{
	static const int errors[] = { ENOSPC, EIO, EROFS };

	(void)state;
	for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
		struct disk *disk = fake_disk();
		struct log_found found;
		struct log *l = NULL;
		struct err e;

		fake_seed(seed);
		begin_world();
		for (unsigned life = 0; life < 4; life++) {
			int r;

			if (life < 3)
				fake_disk_fail_after(1 + fake_random() % 150, errors[fake_random() % COUNT_OF(errors)]);
			else
				fake_disk_fail_after(0, 0);
			r = log_open(disk, &no_key, &l, &found, &e);
			if (r == 0) {
				assert_true(log_size(l) >= world.accepted);
				world.accepted = world.durable = log_size(l);
				looks_right(log_size(l));
				nothing_is_behind(log_size(l));
				r = work(l);
				log_close(l);
			} else {
				assert_true(r == -AMBIT_SYSTEM || r == -AMBIT_LIMIT); /* and not damaged */
				assert_true(e.sys_errno != 0 && e.hint[0] != 0);
			}
			assert_true(life < 3 || r == 0);
			if (fake_random() % 4 == 0) {
				fake_disk_lose_power();
				world.accepted = world.durable;
			}
		}
	}
}

/* ---- what is not as it was signed ---- */

static void flip(const char *name, size_t at)
{
	struct buf *file = fake_disk_file(name);

	assert_non_null(file);
	assert_true(at < file->len);
	file->data[at] ^= 0x10;
}

/* 700 entries under the checkpoint, 20 in the journal. */
static struct disk *some_log(void)
{
	struct disk *disk = fake_disk();
	struct log_found found;
	struct log *l;

	fake_seed(7);
	begin_world();
	l = open_log(disk, &found);
	for (unsigned i = 0; i < 700; i++)
		assert_int_equal(add(l), 0);
	assert_int_equal(log_publish(l, NULL), 0);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(add(l), 0);
		assert_int_equal(log_write(l, NULL), 0);
	}
	log_close(l);
	return disk;
}

static void a_damaged_log_is_not_continued(void **state)
{
	static const struct {
		const char *name;
		size_t at;
	} rows[] = {
		{ "checkpoint", 0 },
		{ "checkpoint", 7 },
		{ "checkpoint", 20 },
		{ "tile/0/002.p/188", 0 },
		{ "tile/0/002.p/188", 6015 },
		{ "tile/1/000.p/2", 40 },
		{ "tile/entries/002.p/188", 1 },
	};
	static const char *const gone[] = { "checkpoint", "tile/0/002.p/188", "tile/1/000.p/2",
					    "tile/entries/002.p/188" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows) + COUNT_OF(gone); i++) {
		struct disk *disk = some_log();
		struct log_found found;
		struct log *l = NULL;
		unsigned long before;
		struct err e;

		if (i < COUNT_OF(rows))
			flip(rows[i].name, rows[i].at);
		else
			fake_disk_remove(gone[i - COUNT_OF(rows)]);
		fake_disk_fail_after(0, 0);
		before = fake_disk_steps();
		assert_int_equal(log_open(disk, &no_key, &l, &found, &e), -AMBIT_MALFORMED);
		assert_int_equal(fake_disk_steps(), before); /* nothing was written */
	}
}

/* Up to the first group that is not whole; that one, and what follows, was in no answer, or is told. */
static void a_torn_journal_is_cut_at_a_group(void **state)
{
	struct log_found found;
	struct disk *disk;
	struct log *l;
	size_t whole;

	(void)state;
	(void)some_log();
	whole = fake_disk_file("journal")->len;
	for (size_t cut = 0; cut <= whole; cut += cut < 200 ? 1 : 37) {
		disk = some_log();
		fake_disk_file("journal")->len -= cut;
		l = open_log(disk, &found);
		assert_int_equal(found.signed_size, 700);
		assert_int_equal(log_size(l), 700 + found.replayed);
		assert_true(cut == 0 ? found.replayed == 20 && found.torn_bytes == 0 : found.replayed < 20);
		looks_right(log_size(l));
		log_close(l);
		l = open_log(disk, &found); /* once more: nothing is left to be mended */
		assert_true(found.replayed == 0 && found.torn_bytes == 0 && found.signed_size == log_size(l));
		log_close(l);
	}
	for (size_t at = 0; at < whole; at += 13) {
		disk = some_log();
		flip("journal", at);
		l = open_log(disk, &found);
		assert_true(found.replayed < 20 && found.torn_bytes > 0);
		looks_right(log_size(l));
		log_close(l);
	}
}

/* ---- what stands in the journal, and who wrote it ---- */

enum writer { WHO_HAS_THE_KEY, WHO_HAS_ANOTHER, WHO_COPIES_A_MAC, WHO_HAS_NONE };

/* One entry more behind the last group, in a group that is whole and follows. */
static void put_group(enum writer who)
{
	static const uint8_t another[JOURNAL_SEED_BYTES] = { 1 };
	static const struct tile_source tiles = { tile_from_files, NULL };
	static struct edge edge;
	struct buf *journal = fake_disk_file("journal"), bundle;
	struct given *given = &world.entry[720];
	uint8_t entry[9], room[2 + sizeof entry];
	struct journal_group last, g = { .n = 1, .first = 720, .entries = room, .bytes = sizeof room };
	struct hash leaf, root;
	struct rbuf r;

	*given = (struct given){ .n = sizeof entry, .salt = 4 };
	entry_bytes(given, entry);
	buf_init_in(&bundle, room, sizeof room);
	bundle_put(&bundle, entry, sizeof entry);
	assert_int_equal(edge_load(&edge, 700, &tiles, NULL), 0);
	rbuf_init(&r, journal->data, journal->len);
	while (rbuf_left(&r) > 0)
		assert_true(journal_next(&r, &last) && journal_follows(&last, &edge));
	merkle_leaf(entry, sizeof entry, &leaf);
	assert_int_equal(edge_add(&edge, &leaf, nothing, NULL), 0);
	edge_root(&edge, &root);
	journal_seal(&g, &root, who == WHO_HAS_ANOTHER ? another : no_key.secret);
	if (who == WHO_COPIES_A_MAC)
		g.mac = last.mac;
	if (who == WHO_HAS_NONE)
		memset(&g.mac, 0, sizeof g.mac);
	merkle_node(&root, &g.mac, &g.seal);
	journal_put_head(journal, &g);
	buf_put(journal, room, sizeof room);
	journal_put_tail(journal, &g);
	assert_false(journal->failed);
}

/* It is no accident, so nothing is cut and nothing is signed, until a person cuts it at the byte that is told. */
static void a_group_of_somebody_else_stops_the_log(void **state)
{
	(void)state;
	for (enum writer who = WHO_HAS_THE_KEY; who <= WHO_HAS_NONE; who++) {
		struct disk *disk = some_log();
		struct buf *journal = fake_disk_file("journal");
		const size_t before = journal->len;
		struct log_found found;
		struct log *l = NULL;
		char said[64];
		struct err e;

		put_group(who);
		fake_disk_fail_after(0, 0);
		if (who == WHO_HAS_THE_KEY) {
			l = open_log(disk, &found);
			assert_true(found.replayed == 21 && found.torn_bytes == 0);
		} else {
			assert_int_equal(log_open(disk, &no_key, &l, &found, &e), -AMBIT_UNTRUSTED);
			(void)snprintf(said, sizeof said, "from byte %zu on (entry 720)", before);
			assert_non_null(strstr(e.msg, said));
			assert_int_equal(fake_disk_steps(), 0); /* nothing was written */
			assert_false(key.is_signed[720] || key.is_signed[721]);
			journal->len = before;
			l = open_log(disk, &found);
			assert_true(found.replayed == 20 && found.torn_bytes == 0);
		}
		looks_right(log_size(l));
		log_close(l);
	}
}

/* Of a group that is cut nobody knows who wrote it; what was lost with the power looks like this. */
static void a_group_of_somebody_else_that_is_cut_is_torn(void **state)
{
	(void)state;
	for (size_t cut = 1; cut <= JOURNAL_HEAD_BYTES + 11 + JOURNAL_TAIL_BYTES; cut++) {
		struct disk *disk = some_log();
		struct log_found found;
		struct log *l;

		put_group(WHO_HAS_NONE);
		fake_disk_file("journal")->len -= cut;
		l = open_log(disk, &found);
		assert_int_equal(found.replayed, 20);
		assert_int_equal(found.torn_bytes, JOURNAL_HEAD_BYTES + 11 + JOURNAL_TAIL_BYTES - cut);
		log_close(l);
	}
}

/* What is not under the checkpoint has one place, whoever wrote it. */
static void a_group_that_is_there_twice_is_torn(void **state)
{
	struct disk *disk = some_log();
	struct buf *journal = fake_disk_file("journal");
	const size_t before = journal->len;
	uint8_t group[JOURNAL_HEAD_BYTES + 11 + JOURNAL_TAIL_BYTES];
	struct log_found found;
	struct log *l;

	(void)state;
	put_group(WHO_HAS_THE_KEY);
	assert_int_equal(journal->len, before + sizeof group);
	memcpy(group, journal->data + before, sizeof group);
	buf_put(journal, group, sizeof group);
	l = open_log(disk, &found);
	assert_true(found.replayed == 21 && found.torn_bytes == sizeof group);
	looks_right(log_size(l));
	log_close(l);
}

static void a_journal_of_the_older_form_is_refused(void **state)
{
	struct disk *disk = some_log();
	struct log_found found;
	struct log *l = NULL;
	struct err e;

	(void)state;
	memcpy(fake_disk_file("journal")->data, "ALG1", 4);
	fake_disk_fail_after(0, 0);
	assert_int_equal(log_open(disk, &no_key, &l, &found, &e), -AMBIT_UNAVAILABLE);
	assert_int_equal(fake_disk_steps(), 0);
	assert_non_null(strstr(e.hint, "the version of Ambit that wrote it"));
}

/* Whoever reads with the checkpoint of that size finds its tiles. */
static void is_readable(uint64_t size)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++) {
		const uint64_t index = tile_at_edge(size, level);
		const unsigned width = tile_width(size, level, index);
		size_t n;

		if (width > 0)
			assert_non_null(file_bytes(level, index, width, &n));
		if (width > 0 && level == 0)
			assert_non_null(file_bytes(TILE_ENTRIES, index, width, &n));
	}
}

/* Narrow tiles of the last two publications stay, and none of older ones. */
static void what_wider_tiles_stand_for_goes(void **state)
{
	struct disk *disk = fake_disk();
	struct log_found found;
	uint64_t last = 0;
	struct log *l;

	(void)state;
	fake_seed(3);
	begin_world();
	l = open_log(disk, &found);
	for (unsigned i = 0; i < 1500; i++) {
		assert_int_equal(add(l), 0);
		if (i % 7 != 0)
			continue;
		assert_int_equal(log_publish(l, NULL), 0);
		is_readable(last);
		last = log_size(l);
	}
	assert_int_equal(log_publish(l, NULL), 0);
	looks_right(1500);
	/* full: 5 of hashes, 5 of entries; narrow: of level 0 and entries two sizes each, of level 1 one; checkpoint and journal */
	assert_int_equal(fake_disk_count(), 10 + 4 + 1 + 2);
	log_close(l);
}

static void what_is_too_long_is_refused_and_the_log_goes_on(void **state)
{
	static uint8_t bytes[ENTRY_BYTES_MAX + 1];
	struct log_found found;
	struct err e;
	struct log *l;

	(void)state;
	begin_world();
	l = open_log(fake_disk(), &found);
	assert_true(found.signed_size == 0 && found.replayed == 0 && found.torn_bytes == 0);
	assert_int_equal(log_add(l, bytes, sizeof bytes, &e), -AMBIT_LIMIT);
	for (size_t n = 0; n + ENTRY_BYTES_MAX + 2 <= LOG_GROUP_MAX; n += ENTRY_BYTES_MAX + 2)
		assert_int_equal(log_add(l, bytes, ENTRY_BYTES_MAX, &e), 0);
	assert_int_equal(log_add(l, bytes, ENTRY_BYTES_MAX, &e), -AMBIT_LIMIT);
	assert_int_equal(log_write(l, &e), 0);
	assert_int_equal(log_add(l, bytes, ENTRY_BYTES_MAX, &e), 0);
	assert_int_equal(log_publish(l, &e), 0);
	assert_int_equal(log_size(l), LOG_GROUP_MAX / (ENTRY_BYTES_MAX + 2) + 1);
	log_close(l);
}

/* Until it is folded. And however small the entries are, a group ends. */
static void a_journal_that_is_full_takes_no_more(void **state)
{
	struct log_found found;
	struct log *l = open_log(fake_disk(), &found);

	(void)state;
	for (unsigned i = 0; i < LOG_JOURNAL_ENTRIES - 1; i++)
		assert_int_equal(log_add(l, "", 0, NULL), 0);
	assert_int_equal(log_write(l, NULL), 0);
	assert_false(log_is_full(l));
	for (unsigned i = 0; i < LOG_JOURNAL_ENTRIES; i++)
		assert_int_equal(log_add(l, "", 0, NULL), 0);
	assert_int_equal(log_add(l, "", 0, NULL), -AMBIT_LIMIT);
	assert_int_equal(log_write(l, NULL), 0);
	assert_true(log_is_full(l));
	assert_int_equal(log_add(l, "", 0, NULL), -AMBIT_LIMIT);
	assert_int_equal(log_publish(l, NULL), 0);
	assert_int_equal(log_add(l, "", 0, NULL), 0);
	assert_int_equal(log_size(l), 2 * LOG_JOURNAL_ENTRIES);
	log_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_was_acknowledged_is_lost),
		cmocka_unit_test(a_disk_that_fails_loses_nothing),
		cmocka_unit_test(a_damaged_log_is_not_continued),
		cmocka_unit_test(a_torn_journal_is_cut_at_a_group),
		cmocka_unit_test(a_group_of_somebody_else_stops_the_log),
		cmocka_unit_test(a_group_of_somebody_else_that_is_cut_is_torn),
		cmocka_unit_test(a_group_that_is_there_twice_is_torn),
		cmocka_unit_test(a_journal_of_the_older_form_is_refused),
		cmocka_unit_test(what_wider_tiles_stand_for_goes),
		cmocka_unit_test(what_is_too_long_is_refused_and_the_log_goes_on),
		cmocka_unit_test(a_journal_that_is_full_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
