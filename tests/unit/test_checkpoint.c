#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "err_text.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"
#include "note_vectors.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define ROOT SOFA_ROOT

static void checkpoints_of_notes(void **state)
{
	static const struct {
		const char *name, *note, *origin, *root;
		uint64_t size;
		size_t n_extensions;
	} rows[] = {
		{ "the example", SOFA_TEXT "\n" SOFA_LINE, "example.com/behind-the-sofa", ROOT, 20852163, 0 },
		{ "with a witness", SOFA_TEXT "\n" SOFA_LINE SOFA_WITNESS, "example.com/behind-the-sofa", ROOT,
		  20852163, 0 },
		{ "a log's", ARCHE_NOTE, "arche2025h1.staging.ct.transparency.dev",
		  "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=", 1432088532, 0 },
		{ "an extension", SOFA_TEXT "more\n\n" SOFA_LINE, "example.com/behind-the-sofa", ROOT, 20852163, 1 },
		{ "three", SOFA_TEXT "more\n 1\n" ROOT "\n\n" SOFA_LINE, "example.com/behind-the-sofa", ROOT, 20852163,
		  3 },
		{ "an empty tree", "o\n0\n" ROOT "\n\n" SOFA_LINE, "o", ROOT, 0, 0 },
		{ "the largest tree", "o\n9223372036854775807\n" ROOT "\n\n" SOFA_LINE, "o", ROOT, INT64_MAX, 0 },
		{ "an origin with spaces and a plus", "my log + yours\n1\n" ROOT "\n\n" SOFA_LINE, "my log + yours",
		  ROOT, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t root[CHECKPOINT_ROOT_BYTES];
		struct checkpoint c;
		struct note n;
		struct err e;

		if (note_parse(span_of(rows[i].note), &n, &e) < 0 || checkpoint_parse(n.text, &c, &e) < 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		assert_true(span_base64(span_of(rows[i].root), root, sizeof root));
		if (!span_equal(c.origin, span_of(rows[i].origin)) || c.size != rows[i].size ||
		    c.n_extensions != rows[i].n_extensions || memcmp(c.root, root, sizeof root) != 0)
			fail_msg("%s: '%.*s', %" PRIu64 ", %zu", rows[i].name, (int)c.origin.len, c.origin.at, c.size,
				 c.n_extensions);
	}
}

static void checkpoints_that_are_refused(void **state)
{
	static const struct {
		const char *name, *text, *says;
	} rows[] = {
		{ "empty", "", "line 1: no origin" },
		{ "an empty line", "\n", "line 1: no origin" },
		{ "no origin", "\n1\n" ROOT "\n", "line 1: no origin" },
		{ "an origin alone", "o\n", "line 2: the size" },
		{ "no size", "o\n\n" ROOT "\n", "line 2: the size" },
		{ "no root", "o\n1\n", "line 3: the root" },
		{ "an empty root", "o\n1\n\n", "line 3: the root" },
		{ "a zero before others", "o\n01\n" ROOT "\n", "line 2: the size" },
		{ "two zeroes", "o\n00\n" ROOT "\n", "line 2: the size" },
		{ "a sign", "o\n+1\n" ROOT "\n", "line 2: the size" },
		{ "a negative size", "o\n-1\n" ROOT "\n", "line 2: the size" },
		{ "a space before the size", "o\n 1\n" ROOT "\n", "line 2: the size" },
		{ "a space behind the size", "o\n1 \n" ROOT "\n", "line 2: the size" },
		{ "not decimal", "o\n0x1\n" ROOT "\n", "line 2: the size" },
		{ "one over the largest", "o\n9223372036854775808\n" ROOT "\n", "line 2: the size" },
		{ "over 64 bits", "o\n18446744073709551617\n" ROOT "\n", "line 2: the size" },
		{ "size and root exchanged", "o\n" ROOT "\n1\n", "line 2: the size" },
		{ "a root of 31 bytes", "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", "line 3: the root" },
		{ "a root of 33 bytes", "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "line 3: the root" },
		{ "a root without padding", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n", "line 3: the root" },
		{ "bits behind its end", "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", "line 3: the root" },
		{ "a root of digits", "o\n1\n0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62\n",
		  "line 3: the root" },
		{ "a space behind the root", "o\n1\n" ROOT " \n", "line 3: the root" },
		{ "no newline", "o\n1\n" ROOT, "line 3: the root" },
		{ "an empty line behind it", "o\n1\n" ROOT "\n\n", "line 4: a line" },
		{ "an empty extension", "o\n1\n" ROOT "\nmore\n\nmore\n", "line 5: a line" },
		{ "an extension without a newline", "o\n1\n" ROOT "\nmore", "line 4: a line" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct checkpoint c = { .size = 7 };
		struct err e = { .code = AMBIT_OK };

		if (checkpoint_parse(span_of(rows[i].text), &c, &e) != -AMBIT_MALFORMED ||
		    strncmp(e.msg, rows[i].says, strlen(rows[i].says)) != 0 || c.size != 7)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
		assert_int_equal(checkpoint_parse(span_of(rows[i].text), &c, NULL), -AMBIT_MALFORMED);
	}
}

static void checkpoints_are_written(void **state)
{
	static const struct {
		const char *name, *origin;
		uint64_t size;
		const char *text, *says; /* one of them */
	} rows[] = {
		{ "the example", "example.com/behind-the-sofa", 20852163, SOFA_TEXT, NULL },
		{ "an empty tree", "o", 0, "o\n0\n" ROOT "\n", NULL },
		{ "the largest tree", "o", INT64_MAX, "o\n9223372036854775807\n" ROOT "\n", NULL },
		{ "one more", "o", CHECKPOINT_SIZE_MAX + 1, NULL, "line 2: the size" },
		{ "no origin", "", 1, NULL, "line 1: an origin" },
		{ "an origin of two lines", "o\n5", 1, NULL, "line 1: an origin" },
		{ "an origin with a space", "a b", 1, NULL, "line 1: an origin" },
		{ "an origin with a plus", "a+b", 1, NULL, "line 1: an origin" },
		{ "an origin that is not UTF-8", "a\xff", 1, NULL, "line 1: an origin" },
	};
	uint8_t root[CHECKPOINT_ROOT_BYTES];

	(void)state;
	assert_true(span_base64(span_of(ROOT), root, sizeof root));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf out = { .max = 256 };
		struct err e = { .code = AMBIT_OK };
		const int rc = checkpoint_put(&out, span_of(rows[i].origin), rows[i].size, root, &e);

		if (rows[i].text == NULL ? rc != -AMBIT_MALFORMED || !err_says(&e, rows[i].says) || out.len != 0
					 : rc != 0 || strcmp(buf_cstr(&out), rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].name, err_text(&e).s);
	}
}

static void a_full_buffer_has_no_half_checkpoint(void **state)
{
	const uint8_t root[CHECKPOINT_ROOT_BYTES] = { 0 };
	size_t size = 0;

	(void)state;
	for (;; size++) {
		char room[64];
		struct buf out;
		struct err e;

		buf_init_in(&out, room, size);
		if (checkpoint_put(&out, span_of("o"), 1, root, &e) == 0)
			break;
		assert_int_equal(e.code, AMBIT_MEMORY);
		assert_true(out.failed && out.len == 0);
	}
	assert_int_equal(size, strlen("o\n1\n" ROOT "\n"));
}

static void what_is_written_is_read(void **state)
{
	static const char *const origins[] = { "o", "example.com/log", "sch\xc3\xb6n", "0", "\xe2\x80\x94" };

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(2000); round++) {
		struct prop p = prop_round(round);
		const struct span origin = span_of(origins[prop_below(&p, COUNT_OF(origins))]);
		const uint64_t size = prop_next(&p) >> (1 + prop_below(&p, 63));
		uint8_t root[CHECKPOINT_ROOT_BYTES];
		auto_buf out = { .max = 256 };
		struct checkpoint c;
		struct err e;

		for (size_t i = 0; i < sizeof root; i++)
			root[i] = (uint8_t)prop_below(&p, 256);
		if (checkpoint_put(&out, origin, size, root, &e) < 0 ||
		    checkpoint_parse(span_bytes(out.data, out.len), &c, &e) < 0)
			prop_fail(&p, "%s", err_text(&e).s);
		if (!span_equal(c.origin, origin) || c.size != size || c.n_extensions != 0 ||
		    memcmp(c.root, root, sizeof root) != 0)
			prop_fail(&p, "%s", buf_cstr(&out));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(checkpoints_of_notes),    cmocka_unit_test(checkpoints_that_are_refused),
		cmocka_unit_test(checkpoints_are_written), cmocka_unit_test(a_full_buffer_has_no_half_checkpoint),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
