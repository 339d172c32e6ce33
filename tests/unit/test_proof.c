#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "err_text.h"
#include "ledger/proof.h"
#include "note_vectors.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define HEAD "c2sp.org/tlog-proof@v1\n"
#define CHECKPOINT ARCHE_NOTE
#define SMALL "o\n6\n" SOFA_ROOT "\n\n" SOFA_LINE /* a tree of six */
/* The first part of the specification's example; of its checkpoint the signatures are cut there. */
#define EXTRA "YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ"
#define HASHES                                                                                                         \
	"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"                 \
	"EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n"                 \
	"AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n"
#define ONE "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"

static void proofs_that_are_read(void **state)
{
	static const struct {
		const char *name, *text, *extra, *checkpoint;
		uint64_t index, size;
		size_t n_hashes;
	} rows[] = {
		{ "the example", HEAD "extra " EXTRA "\nindex 73894\n" HASHES "\n" CHECKPOINT, EXTRA, CHECKPOINT, 73894,
		  1432088532, 5 },
		{ "without extra data", HEAD "index 73894\n" HASHES "\n" CHECKPOINT, "", CHECKPOINT, 73894, 1432088532,
		  5 },
		{ "no hashes: a tree of one", HEAD "index 0\n\no\n1\n" SOFA_ROOT "\n\n" SOFA_LINE, "",
		  "o\n1\n" SOFA_ROOT "\n\n" SOFA_LINE, 0, 1, 0 },
		{ "the last entry", HEAD "index 5\n" ONE "\n" SMALL, "", SMALL, 5, 6, 1 },
		{ "the last of the largest tree",
		  HEAD "index 9223372036854775806\n\no\n9223372036854775807\n" SOFA_ROOT "\n\n" SOFA_LINE, "",
		  "o\n9223372036854775807\n" SOFA_ROOT "\n\n" SOFA_LINE, INT64_MAX - 1, INT64_MAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf again = { .max = PROOF_MAX };
		struct proof p;
		struct err e;

		if (proof_parse(span_of(rows[i].text), &p, &e) < 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		if (!span_equal(p.extra, span_of(rows[i].extra)) || p.index != rows[i].index ||
		    p.n_hashes != rows[i].n_hashes || p.checkpoint.size != rows[i].size ||
		    !span_equal(p.signed_checkpoint, span_of(rows[i].checkpoint)))
			fail_msg("%s", rows[i].name);
		assert_int_equal(proof_put(&again, &p, &e), 0);
		assert_string_equal(buf_cstr(&again), rows[i].text);
	}
}

static void what_a_proof_says(void **state)
{
	uint8_t first[PROOF_HASH_BYTES], last[PROOF_HASH_BYTES];
	struct proof p;

	(void)state;
	assert_int_equal(proof_parse(span_of(HEAD "index 73894\n" HASHES "\n" CHECKPOINT), &p, NULL), 0);
	assert_true(span_base64(span_of("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="), first, sizeof first));
	assert_true(span_base64(span_of("AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk="), last, sizeof last));
	assert_memory_equal(p.hashes[0], first, sizeof first);
	assert_memory_equal(p.hashes[4], last, sizeof last);
	assert_int_equal(p.note.n_signatures, 6);
	assert_true(span_equal(p.note.text, span_of(ARCHE_TEXT)));
	assert_true(span_equal(p.checkpoint.origin, span_of("arche2025h1.staging.ct.transparency.dev")));
}

static void proofs_that_are_refused(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{ "empty", "", "line 1: no proof" },
		{ "another version", "c2sp.org/tlog-proof@v2\nindex 0\n\n" SMALL, "line 1: no proof" },
		{ "a space behind the version", "c2sp.org/tlog-proof@v1 \nindex 0\n\n" SMALL, "line 1: no proof" },
		{ "no newline behind the version", "c2sp.org/tlog-proof@v1", "line 1: no proof" },
		{ "a checkpoint alone", SMALL, "line 1: no proof" },
		{ "an empty line first", "\n" HEAD "index 0\n\n" SMALL, "line 1: no proof" },
		{ "a version alone", HEAD, "line 2: no index" },
		{ "no index", HEAD "\n" SMALL, "line 2: not \"index" },
		{ "hashes before the index", HEAD ONE "index 0\n\n" SMALL, "line 2: not \"index" },
		{ "an index in great letters", HEAD "Index 0\n\n" SMALL, "line 2: not \"index" },
		{ "an index of nothing", HEAD "index \n\n" SMALL, "line 2: not \"index" },
		{ "an index and no space", HEAD "index\n\n" SMALL, "line 2: not \"index" },
		{ "two spaces", HEAD "index  0\n\n" SMALL, "line 2: not \"index" },
		{ "a space behind", HEAD "index 0 \n\n" SMALL, "line 2: not \"index" },
		{ "a zero before others", HEAD "index 00\n\n" SMALL, "line 2: not \"index" },
		{ "a negative index", HEAD "index -1\n\n" SMALL, "line 2: not \"index" },
		{ "over 63 bits", HEAD "index 9223372036854775808\n\n" SMALL, "line 2: not \"index" },
		{ "twice an index", HEAD "index 0\nindex 0\n\n" SMALL, "line 3: a hash" },
		{ "one behind the last entry", HEAD "index 6\n" ONE "\n" SMALL, "line 2: the tree" },
		{ "the same with extra data", HEAD "extra YWdl\nindex 6\n" ONE "\n" SMALL, "line 3: the tree" },
		{ "extra data without padding", HEAD "extra YWdlLXY\nindex 0\n\n" SMALL, "line 2: extra data" },
		{ "empty extra data", HEAD "extra \nindex 0\n\n" SMALL, "line 2: extra data" },
		{ "extra data and no space", HEAD "extra\nindex 0\n\n" SMALL, "line 2: not \"index" },
		{ "extra data alone", HEAD "extra YWdl\n", "line 3: not \"index" },
		{ "extra data, no index", HEAD "extra YWdl\n" ONE "\n" SMALL, "line 3: not \"index" },
		{ "extra data twice", HEAD "extra YWdl\nextra YWdl\nindex 0\n\n" SMALL, "line 3: not \"index" },
		{ "extra data behind the index", HEAD "index 0\nextra YWdl\n\n" SMALL, "line 3: a hash" },
		{ "a hash of 31 bytes", HEAD "index 0\n" ONE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n\n" SMALL,
		  "line 4: a hash" },
		{ "a hash of 33 bytes", HEAD "index 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n" SMALL,
		  "line 3: a hash" },
		{ "bits behind a hash", HEAD "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlR=\n\n" SMALL,
		  "line 3: a hash" },
		{ "hashes alone", HEAD "index 0\n" ONE, "line 4: no empty line" },
		{ "a hash without a newline", HEAD "index 0\nAAAA", "line 3: no empty line" },
		{ "no empty line before the checkpoint", HEAD "index 0\n" SMALL, "line 3: a hash" },
		{ "no checkpoint", HEAD "index 0\n\n", "checkpoint from line 4: byte 0: no newline" },
		{ "two empty lines", HEAD "index 0\n\n\n" SMALL, "checkpoint from line 4: line 1: no origin" },
		{ "no signature", HEAD "index 0\n" ONE "\n" SOFA_TEXT "\n", "checkpoint from line 5: line 5: no sig" },
		{ "a checkpoint that is none", HEAD "index 0\n\no\n06\n" SOFA_ROOT "\n\n" SOFA_LINE,
		  "checkpoint from line 4: line 2: the size" },
		{ "an empty tree", HEAD "index 0\n\no\n0\n" SOFA_ROOT "\n\n" SOFA_LINE, "line 2: the tree" },
		{ "a line behind it", HEAD "index 0\n\n" SMALL "more\n",
		  "checkpoint from line 4: line 6: a signature" },
		{ "carriage returns", "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n" SMALL, "line 1: no proof" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct proof p = { .index = 7 };
		struct err e = { .code = AMBIT_OK };

		if (proof_parse(span_of(rows[i].text), &p, &e) != -AMBIT_MALFORMED ||
		    strncmp(e.msg, rows[i].says, strlen(rows[i].says)) != 0 || p.index != 7)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		assert_int_equal(proof_parse(span_of(rows[i].text), &p, NULL), -AMBIT_MALFORMED);
	}
}

static void hashes_have_a_limit(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		auto_buf b = { .max = PROOF_MAX };
		struct proof p;
		struct err e;

		buf_printf(&b, HEAD "index 5\n");
		for (size_t i = 0; i < PROOF_HASHES_MAX + more; i++)
			buf_printf(&b, ONE);
		buf_printf(&b, "\n" SMALL);
		if (more == 0) {
			assert_int_equal(proof_parse(span_bytes(b.data, b.len), &p, &e), 0);
			assert_int_equal(p.n_hashes, PROOF_HASHES_MAX);
			p.n_hashes++;
			assert_int_equal(proof_put(&b, &p, &e), -AMBIT_MALFORMED);
			assert_true(err_says(&e, "line 66: a proof has at most 63 hashes"));
			continue;
		}
		assert_int_equal(proof_parse(span_bytes(b.data, b.len), &p, &e), -AMBIT_MALFORMED);
		assert_true(err_says(&e, "line 66: a proof has at most 63 hashes"));
	}
}

/* Extra data may have what the rest leaves; letters behind the tree's root make up for groups of four. */
static void a_proof_has_a_limit(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		const size_t others = strlen(HEAD "extra \nindex 5\n" ONE "\no\n6\n" SOFA_ROOT "\n\n\n" SOFA_LINE);
		const size_t extra = (PROOF_MAX - others) / 4 * 4 - 4;
		const size_t letters = PROOF_MAX - others - extra + more;
		auto_buf b = { .max = PROOF_MAX + 2 }, again = { .max = 2 * PROOF_MAX };
		struct proof p;
		struct err e;

		buf_printf(&b, HEAD "extra ");
		for (size_t i = 0; i < extra; i++)
			buf_put(&b, "A", 1);
		buf_printf(&b, "\nindex 5\n" ONE "\no\n6\n" SOFA_ROOT "\n%.*s\n\n" SOFA_LINE, (int)letters,
			   "xxxxxxxxxx");
		assert_int_equal(b.len, PROOF_MAX + more);
		if (more == 0) {
			assert_int_equal(proof_parse(span_bytes(b.data, b.len), &p, &e), 0);
			assert_int_equal(p.extra.len, extra);
			assert_int_equal(p.checkpoint.n_extensions, 1);
			assert_int_equal(proof_put(&again, &p, &e), 0);
			p.index = 0;
			p.n_hashes = 2; /* 45 bytes more */
			buf_reset(&again);
			assert_int_equal(proof_put(&again, &p, &e), -AMBIT_MALFORMED);
			assert_true(err_says(&e, "byte 131072: a proof has at most 131072 bytes") && again.len == 0);
			continue;
		}
		assert_int_equal(proof_parse(span_bytes(b.data, b.len), &p, &e), -AMBIT_MALFORMED);
		assert_true(err_says(&e, "byte 131072: a proof has at most 131072 bytes"));
	}
}

static void what_is_not_written(void **state)
{
	static const struct {
		const char *name, *extra, *checkpoint;
		uint64_t index;
		const char *says;
	} rows[] = {
		{ "an index behind the tree", "", SMALL, 6, "line 2: the tree" },
		{ "the same with extra data", "AAAA", SMALL, 6, "line 3: the tree" },
		{ "an index over 63 bits", "", SMALL, UINT64_MAX, "line 2: not \"index" },
		{ "a text that nobody signed", "", SOFA_TEXT, 0, "checkpoint from line 4: byte 82: no empty" },
		{ "a note that is no checkpoint", "", FOO_NOTE, 0, "checkpoint from line 4: line 2: the size" },
		{ "nothing", "", "", 0, "checkpoint from line 4: byte 0" },
		{ "extra data that is not base64", "AAA", SMALL, 0, "line 2: extra data" },
		{ "extra data of two lines", "AAAA\nindex 5", SMALL, 0, "line 2: extra data" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct proof p = { .extra = span_of(rows[i].extra),
					 .index = rows[i].index,
					 .signed_checkpoint = span_of(rows[i].checkpoint) };
		auto_buf out = { .max = PROOF_MAX };
		struct err e = { .code = AMBIT_OK };

		buf_printf(&out, "before");
		if (proof_put(&out, &p, &e) != -AMBIT_MALFORMED ||
		    strncmp(e.msg, rows[i].says, strlen(rows[i].says)) != 0 || strcmp(buf_cstr(&out), "before") != 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
	}
}

static void a_full_buffer_has_no_half_proof(void **state)
{
	const struct proof p = {
		.extra = span_of("AAAA"), .index = 3, .n_hashes = 2, .signed_checkpoint = span_of(SMALL)
	};
	static const char text[] = HEAD
		"extra AAAA\nindex 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"\n" SMALL;
	size_t size = 0;

	(void)state;
	for (;; size++) {
		char room[512];
		struct buf out;
		struct err e;

		assert_true(size < sizeof room);
		buf_init_in(&out, room, size);
		if (proof_put(&out, &p, &e) == 0) {
			assert_memory_equal(room, text, size);
			break;
		}
		assert_int_equal(e.code, AMBIT_MEMORY);
		assert_true(out.failed && out.len == 0);
	}
	assert_int_equal(size, strlen(text));
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < prop_rounds(1000); round++) {
		struct prop p = prop_round(round);
		auto_buf extra = { .max = 400 }, out = { .max = PROOF_MAX };
		struct proof made = { .index = prop_next(&p) % 1432088532,
				      .n_hashes = prop_below(&p, PROOF_HASHES_MAX + 1),
				      .signed_checkpoint = span_of(ARCHE_NOTE) };
		struct proof read;
		uint8_t bytes[200];
		struct err e;

		for (size_t i = 0; i < made.n_hashes; i++)
			for (size_t n = 0; n < PROOF_HASH_BYTES; n++)
				made.hashes[i][n] = (uint8_t)prop_below(&p, 256);
		for (size_t n = 0; n < sizeof bytes; n++)
			bytes[n] = (uint8_t)prop_below(&p, 256);
		base64_put(&extra, bytes, prop_below(&p, sizeof bytes + 1));
		made.extra = span_bytes(extra.data, extra.len);
		if (proof_put(&out, &made, &e) < 0 || proof_parse(span_bytes(out.data, out.len), &read, &e) < 0)
			prop_fail(&p, "%s", err_text(&e).s);
		if (!span_equal(read.extra, made.extra) || read.index != made.index || read.n_hashes != made.n_hashes ||
		    memcmp(read.hashes, made.hashes, sizeof made.hashes) != 0 ||
		    !span_equal(read.signed_checkpoint, made.signed_checkpoint))
			prop_fail(&p, "%s", buf_cstr(&out));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(proofs_that_are_read),
		cmocka_unit_test(what_a_proof_says),
		cmocka_unit_test(proofs_that_are_refused),
		cmocka_unit_test(hashes_have_a_limit),
		cmocka_unit_test(a_proof_has_a_limit),
		cmocka_unit_test(what_is_not_written),
		cmocka_unit_test(a_full_buffer_has_no_half_proof),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
