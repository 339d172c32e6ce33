#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/merkle.h"
#include "ledger/tile.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define MANY 66000u /* more than a full tile of the second level */

/* All tiles of a tree of MANY leaves, as a log on disk has them. */
struct world {
	struct hash leaf[MANY];
	struct hash tile[3][300][TILE_WIDTH];
	unsigned full[3];
	unsigned reads;
};

static struct world w;

static void hex(const char *text, uint8_t *ret, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		ret[i] = (uint8_t)byte;
	}
}

/* ---- the tree as the specification says it ---- */

static void naive(const struct hash *leaf, size_t n, struct hash *ret)
{
	struct hash left, right;
	size_t k = 1;

	if (n == 0) {
		merkle_nothing(ret);
		return;
	}
	if (n == 1) {
		*ret = leaf[0];
		return;
	}
	while (2 * k < n)
		k *= 2;
	naive(leaf, k, &left);
	naive(leaf + k, n - k, &right);
	merkle_node(&left, &right, ret);
}

/* Of the first n leaves; each is reckoned once. */
static void root_of(size_t n, struct hash *ret)
{
	static struct hash known[MANY + 1];
	static bool is_known[MANY + 1];

	if (!is_known[n])
		naive(w.leaf, n, &known[n]);
	is_known[n] = true;
	*ret = known[n];
}

/* ---- the same from an edge and from tiles ---- */

static int keep(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	(void)arg;
	assert_int_equal(index, w.full[level]);
	memcpy(w.tile[level][index], row, sizeof w.tile[level][index]);
	w.full[level]++;
	return 0;
}

static int no_tile(void *arg, unsigned level, uint64_t index, const struct hash row[TILE_WIDTH])
{
	(void)arg, (void)level, (void)index, (void)row;
	return 0;
}

static int from_world(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e)
{
	(void)arg, (void)e;
	w.reads++;
	assert_true(level < 3 && index < 300 && width > 0 && width <= TILE_WIDTH);
	memcpy(ret, w.tile[level][index], width * sizeof *ret);
	return 0;
}

static int not_there(void *arg, unsigned level, uint64_t index, unsigned width, struct hash *ret, struct err *e)
{
	(void)arg, (void)index, (void)width, (void)ret;
	return err_set(e, AMBIT_NOT_FOUND, NULL, "no tile of level %u", level);
}

static const struct tile_source tiles = { from_world, NULL };

static int make_world(void **state)
{
	static struct edge e;

	(void)state;
	edge_init(&e);
	for (uint32_t i = 0; i < MANY; i++) {
		merkle_leaf(&i, sizeof i, &w.leaf[i]);
		assert_int_equal(edge_add(&e, &w.leaf[i], keep, NULL), 0);
	}
	for (unsigned level = 0; level < 3; level++)
		memcpy(w.tile[level][w.full[level]], e.row[level], edge_width(&e, level) * sizeof(struct hash));
	return 0;
}

static void roots_are_those_of_rfc_6962(void **state)
{
	static const struct {
		const char *bytes, *root;
	} rows[] = {
		{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
		{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
		{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
		{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
		{ "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
		{ "606162636465666768696a6b6c6d6e6f",
		  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
	};
	static struct edge e;
	struct hash root, expected, nothing;

	(void)state;
	edge_init(&e);
	edge_root(&e, &root);
	hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", nothing.bytes, HASH_BYTES);
	assert_memory_equal(&root, &nothing, sizeof root);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const size_t n = strlen(rows[i].bytes) / 2;
		uint8_t bytes[16];
		struct hash leaf;

		hex(rows[i].bytes, bytes, n);
		merkle_leaf(bytes, n, &leaf);
		assert_int_equal(edge_add(&e, &leaf, no_tile, NULL), 0);
		edge_root(&e, &root);
		hex(rows[i].root, expected.bytes, HASH_BYTES);
		assert_memory_equal(&root, &expected, sizeof root);
	}
}

static void an_edge_has_the_root_of_all_that_was_added(void **state)
{
	static struct edge e;
	struct hash root, expected;

	(void)state;
	edge_init(&e);
	for (size_t n = 0; n < MANY; n++) {
		if (n < 600 || n % 8191 == 0 || (n > 65530 && n < 65540)) {
			edge_root(&e, &root);
			root_of(n, &expected);
			assert_memory_equal(&root, &expected, sizeof root);
		}
		assert_int_equal(edge_add(&e, &w.leaf[n], no_tile, NULL), 0);
	}
}

static void an_edge_is_found_again_from_tiles(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 2, 255, 256, 257, 511, 512, 1000, 65535, 65536, 65537, MANY };
	static struct edge e;
	struct hash root, expected;
	struct err error;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		assert_int_equal(edge_load(&e, sizes[i], &tiles, NULL), 0);
		edge_root(&e, &root);
		root_of(sizes[i], &expected);
		assert_memory_equal(&root, &expected, sizeof root);
	}
	assert_int_equal(edge_load(&e, 257, &(struct tile_source){ not_there, NULL }, &error), -AMBIT_NOT_FOUND);
	assert_string_equal(error.msg, "no tile of level 0");
}

/* The proof holds, and nothing else that looks like it. */
static void proves(uint64_t index, uint64_t size)
{
	struct hash proof[MERKLE_PROOF_MAX + 1], root;
	size_t n = 77;

	root_of(size, &root);
	assert_int_equal(merkle_prove(index, size, &tiles, proof, &n, NULL), 0);
	assert_true(n < MERKLE_PROOF_MAX && merkle_check(&w.leaf[index], index, size, proof, n, &root));
	assert_false(merkle_check(&w.leaf[(index + 1) % MANY], index, size, proof, n, &root));
	assert_false(merkle_check(&w.leaf[index], index + 1, size, proof, n, &root));
	assert_false(merkle_check(&w.leaf[index], size, size, proof, n, &root));
	proof[n] = root;
	assert_false(merkle_check(&w.leaf[index], index, size, proof, n + 1, &root));
	if (n > 0)
		assert_false(merkle_check(&w.leaf[index], index, size, proof, n - 1, &root));
	for (size_t i = 0; i < n; i++) {
		proof[i].bytes[i % HASH_BYTES] ^= 1;
		assert_false(merkle_check(&w.leaf[index], index, size, proof, n, &root));
		proof[i].bytes[i % HASH_BYTES] ^= 1;
	}
	root.bytes[31] ^= 1;
	assert_false(merkle_check(&w.leaf[index], index, size, proof, n, &root));
}

static void every_entry_is_proved(void **state)
{
	static const uint64_t sizes[] = { 255, 256, 257, 511, 513, 1000, 65535, 65536, 65537, 65792, MANY };
	struct hash proof[MERKLE_PROOF_MAX];
	size_t n;

	(void)state;
	for (uint64_t size = 1; size <= 70; size++)
		for (uint64_t index = 0; index < size; index++)
			proves(index, size);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		const uint64_t at[] = {
			0, 1, 254, sizes[i] / 2, sizes[i] - 2, sizes[i] - 1, (uint64_t)random() % sizes[i]
		};

		for (size_t j = 0; j < COUNT_OF(at); j++)
			proves(at[j], sizes[i]);
	}
	w.reads = 0;
	assert_int_equal(merkle_prove(12345, MANY, &tiles, proof, &n, NULL), 0);
	assert_in_range(w.reads, 1, 64); /* whatever the size: no tile is read that is not on the way */
	assert_int_equal(merkle_prove(3, 9, &(struct tile_source){ not_there, NULL }, proof, &n, NULL),
			 -AMBIT_NOT_FOUND);
}

static void grows(uint64_t old, uint64_t size)
{
	struct hash proof[MERKLE_PROOF_MAX + 1], old_root, root;
	size_t n = 77;

	root_of(old, &old_root);
	root_of(size, &root);
	assert_int_equal(merkle_prove_growth(old, size, &tiles, proof, &n, NULL), 0);
	assert_true(n < MERKLE_PROOF_MAX && merkle_check_growth(old, &old_root, size, &root, proof, n));
	proof[n] = root;
	assert_false(merkle_check_growth(old, &old_root, size, &root, proof, n + 1));
	if (old == size)
		return;
	assert_false(merkle_check_growth(size, &root, old, &old_root, proof, n)); /* no tree shrinks */
	assert_false(merkle_check_growth(old, &root, size, &root, proof, n));
	assert_false(merkle_check_growth(old, &old_root, size, &old_root, proof, n));
	assert_false(merkle_check_growth(old, &old_root, size, &root, proof, n - 1));
	assert_false(merkle_check_growth(old, &old_root, size, &root, proof, 0));
	for (size_t i = 0; i < n; i++) {
		proof[i].bytes[i % HASH_BYTES] ^= 0x80;
		assert_false(merkle_check_growth(old, &old_root, size, &root, proof, n));
		proof[i].bytes[i % HASH_BYTES] ^= 0x80;
	}
}

static void growth_is_proved(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 128, 255, 256, 257, 512, 700, 4096, 65535, 65536, 65537, MANY };
	struct hash root;

	(void)state;
	for (uint64_t size = 1; size <= 70; size++)
		for (uint64_t old = 1; old <= size; old++)
			grows(old, size);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		for (size_t j = 0; j <= i; j++)
			grows(sizes[j], sizes[i]);
	root_of(5, &root);
	assert_false(merkle_check_growth(0, &root, 5, &root, NULL, 0));
	assert_false(merkle_check_growth(5, &root, 4, &root, NULL, 0));
}

static void a_tile_is_as_wide_as_the_tree_needs(void **state)
{
	static const struct {
		uint64_t size;
		unsigned level;
		uint64_t index;
		unsigned expected;
	} rows[] = { /* the example of tlog-tiles: a tree of 70,000 */
		     { 70000, 0, 272, 256 }, { 70000, 0, 273, 112 }, { 70000, 0, 274, 0 }, { 70000, 1, 0, 256 },
		     { 70000, 1, 1, 17 },    { 70000, 2, 0, 1 },     { 70000, 3, 0, 0 },   { 256, 0, 0, 256 },
		     { 256, 0, 1, 0 },       { 256, 1, 0, 1 },       { 0, 0, 0, 0 },       { TREE_SIZE_MAX, 7, 0, 127 },
		     { UINT64_MAX, 8, 0, 0 }
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(tile_width(rows[i].size, rows[i].level, rows[i].index), rows[i].expected);
}

static void paths_are_those_of_tlog_tiles(void **state)
{
	static const struct {
		unsigned level;
		uint64_t index;
		unsigned width;
		const char *expected;
	} rows[] = {
		{ 0, 0, 256, "tile/0/000" },
		{ 0, 0, 1, "tile/0/000.p/1" },
		{ 1, 999, 255, "tile/1/999.p/255" },
		{ 7, 1000, 256, "tile/7/x001/000" },
		{ 0, 1234067, 256, "tile/0/x001/x234/067" },
		{ TILE_ENTRIES, 1234067, 9, "tile/entries/x001/x234/067.p/9" },
		{ TILE_ENTRIES, 0, 256, "tile/entries/000" },
		{ TILE_ENTRIES, UINT64_MAX, 255, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255" },
	};
	char path[TILE_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		tile_path(path, rows[i].level, rows[i].index, rows[i].width);
		assert_string_equal(path, rows[i].expected);
	}
}

static void a_bundle_gives_its_entries_back(void **state)
{
	static uint8_t large[ENTRY_BYTES_MAX];
	auto_buf b = { .max = 0 };
	struct rbuf r;
	const uint8_t *entry;
	size_t n = 0;

	(void)state;
	buf_init(&b, 1u << 20);
	bundle_put(&b, "one", 3);
	bundle_put(&b, "", 0);
	bundle_put(&b, large, sizeof large);
	assert_memory_equal(b.data, "\0\3one\0\0\xff\xff", 9);
	rbuf_init(&r, b.data, b.len);
	entry = bundle_next(&r, &n);
	assert_true(entry != NULL && n == 3 && memcmp(entry, "one", 3) == 0);
	assert_true(bundle_next(&r, &n) != NULL && n == 0);
	assert_true(bundle_next(&r, &n) != NULL && n == sizeof large);
	assert_true(bundle_next(&r, &n) == NULL && !r.failed && rbuf_done(&r));
	for (size_t cut = 1; cut < 5; cut++) {
		rbuf_init(&r, b.data, cut);
		assert_true(bundle_next(&r, &n) == NULL && r.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_rfc_6962),
		cmocka_unit_test(an_edge_has_the_root_of_all_that_was_added),
		cmocka_unit_test(an_edge_is_found_again_from_tiles),
		cmocka_unit_test(every_entry_is_proved),
		cmocka_unit_test(growth_is_proved),
		cmocka_unit_test(a_tile_is_as_wide_as_the_tree_needs),
		cmocka_unit_test(paths_are_those_of_tlog_tiles),
		cmocka_unit_test(a_bundle_gives_its_entries_back),
	};

	return cmocka_run_group_tests(tests, make_world, NULL);
}
