/* Certificates among other text, what of it is none, and the keystore that Java gets of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cell/keystore.h"
#include "cell/pem.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define B "-----BEGIN CERTIFICATE-----\n"
#define E "-----END CERTIFICATE-----\n"
#define ONE "MAMCAQE=\n" /* SEQUENCE { INTEGER 1 } */
#define TWO "MAMCAQI=\n"

/* The last byte of each that was found. */
static void find(const char *text, char *ret, size_t size)
{
	auto_buf der = { .max = PEM_CERTIFICATE_MAX };
	struct span left = span_of(text), one = { .at = NULL };
	size_t n = 0;

	ret[0] = 0;
	while (pem_next(&left, &one, &der)) {
		assert_true(one.at >= text && one.at + one.len <= text + strlen(text) && one.at + one.len == left.at);
		assert_memory_equal(one.at, "-----BEGIN", 10);
		n += (size_t)snprintf(ret + n, size - n, "%s%u", n == 0 ? "" : " ", der.data[der.len - 1]);
	}
}

static void what_is_a_certificate(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
		{ "", "" },
		{ B ONE E, "1" },
		{ B ONE E B TWO E, "1 2" },
		{ "# Of somebody\n" B ONE E "\ntext\n" B TWO E "end", "1 2" },
		{ "-----BEGIN CERTIFICATE-----\r\nMAMCAQE=\r\n-----END CERTIFICATE-----\r\n", "1" },
		{ B "MAMC\nAQE=\n" E, "1" },
		/* one that is none is left out, and what follows is not */
		{ B E B TWO E, "2" },
		{ B ONE B TWO E, "2" },
		{ B ONE "\n" E B TWO E, "2" },
		{ B ONE ONE E B TWO E, "2" },            /* something behind the padding */
		{ B "MA==\nAwIBAQ==\n" E B TWO E, "2" }, /* that would be one */
		{ B "MAMCAQE\n" E B TWO E, "2" },        /* no padding */
		{ B "MAMCAQF=\n" E B TWO E, "2" },       /* stray bits */
		{ B "MAMC AQE=\n" E B TWO E, "2" },      /* a blank */
		{ B "MAMCAQE!\n" E B TWO E, "2" },
		{ B "\303\244MCAQE=\n" E B TWO E, "2" },
		{ B "MAMCAQEA\n" E B TWO E, "2" }, /* a byte too many */
		{ B "MAQCAQE=\n" E B TWO E, "2" }, /* and one too few */
		{ B "MIEDAgEB\n" E B TWO E, "2" }, /* a length that is longer than it need be */
		{ B "MYMCAQE=\n" E B TWO E, "2" },
		{ B "AgEB\n" E B TWO E, "2" }, /* no SEQUENCE */
		{ B "MA==\n" E B TWO E, "2" },
		{ B "MIA=\n" E B TWO E, "2" }, /* of no definite length */
		{ "-----BEGIN PRIVATE KEY-----\n" ONE "-----END PRIVATE KEY-----\n" B TWO E, "2" },
		{ "-----BEGIN TRUSTED CERTIFICATE-----\n" ONE "-----END TRUSTED CERTIFICATE-----\n" B TWO E, "2" },
		{ B ONE "-----END PRIVATE KEY-----\n" B TWO E, "2" },
		{ " " B ONE E B TWO E, "2" },
		/* cut short */
		{ B ONE "-----END CERTIFICATE-----", "" },
		{ B ONE, "" },
		{ B, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char found[64];

		find(rows[i].text, found, sizeof found);
		if (strcmp(found, rows[i].found) != 0)
			fail_msg("row %zu: %s, not %s: %s", i, found, rows[i].found, rows[i].text);
	}
}

/* A SEQUENCE of n bytes in all. */
static void make(uint8_t *ret, size_t n)
{
	memset(ret, 0x5a, n);
	ret[0] = 0x30;
	if (n >= 260) {
		ret[1] = 0x82;
		ret[2] = (uint8_t)((n - 4) >> 8);
		ret[3] = (uint8_t)(n - 4);
	} else if (n >= 131) {
		ret[1] = 0x81;
		ret[2] = (uint8_t)(n - 3);
	} else {
		ret[1] = (uint8_t)(n - 2);
	}
}

static void what_is_written_is_read_again(void **state)
{
	static const size_t sizes[] = {
		2, 3, 47, 48, 49, 95, 96, 97, 128, 129, 131, 200, 258, 260, 1000, 1024, PEM_CERTIFICATE_MAX
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		static uint8_t bytes[PEM_CERTIFICATE_MAX];
		auto_buf text = { .max = 2 * PEM_CERTIFICATE_MAX }, der = { .max = PEM_CERTIFICATE_MAX };
		struct span left, one = { .at = NULL };

		make(bytes, sizes[i]);
		pem_put(&text, bytes, sizes[i]);
		left = span_bytes(text.data, text.len);
		assert_true(pem_next(&left, &one, &der));
		assert_int_equal(der.len, sizes[i]);
		assert_memory_equal(der.data, bytes, sizes[i]);
		assert_int_equal(one.len, text.len);
		assert_false(pem_next(&left, &one, &der));
		assert_int_equal(pem_is_of_event(buf_cstr(&text)), sizes[i] <= AUTHORITY_BYTES_MAX);
	}
}

static void what_is_an_events(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
		{ B ONE E, true },
		{ B ONE E B TWO E, true },
		{ "", false },
		{ "\n" B ONE E, false },
		{ B ONE E "\n", false },
		{ B ONE E "x\n" B TWO E, false },
		{ B "MAMC\nAQE=\n" E, false }, /* not in our lines */
		{ B "MAMCAQE=\r\n" E, false },
		{ B ONE E B ONE, false },
		{ "-----BEGIN PRIVATE KEY-----\n" ONE "-----END PRIVATE KEY-----\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (pem_is_of_event(rows[i].text) != rows[i].is)
			fail_msg("row %zu: %s", i, rows[i].text);
}

static void an_event_has_sixteen_of_the_longest(void **state)
{
	uint8_t bytes[AUTHORITY_BYTES_MAX + 1];
	auto_buf text = { .max = AUTHORITIES_TEXT_MAX }, more = { .max = 2 * AUTHORITIES_TEXT_MAX };

	(void)state;
	make(bytes, AUTHORITY_BYTES_MAX);
	for (size_t i = 0; i < AUTHORITIES_MAX; i++)
		pem_put(&text, bytes, AUTHORITY_BYTES_MAX);
	assert_false(text.failed);
	assert_true(pem_is_of_event(buf_cstr(&text)));
	buf_put(&more, text.data, text.len);
	pem_put(&more, bytes, AUTHORITY_BYTES_MAX);
	assert_false(pem_is_of_event(buf_cstr(&more)));
}

/* ---- the keystore ---- */

static void read_golden(const char *name, struct buf *ret)
{
	char path[512];
	FILE *f;
	int c;

	(void)snprintf(path, sizeof path, "%s/%s", GOLDEN, name);
	f = fopen(path, "re");
	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		buf_put_u8(ret, (uint8_t)c);
	(void)fclose(f);
}

static void write_golden(const char *name, const struct buf *bytes)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", GOLDEN, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes->data, 1, bytes->len, f), bytes->len);
	assert_int_equal(fclose(f), 0);
}

/* Its bytes are what keytool lists without a complaint: `keytool -list -keystore authorities.jks -storepass changeit`. */
static void java_gets_these_bytes(void **state)
{
	const char *golden = getenv("AMBIT_GOLDEN");
	auto_buf text = { .max = 1u << 16 }, der = { .max = PEM_CERTIFICATE_MAX }, got = { .max = 1u << 16 };
	auto_buf expected = { .max = 1u << 16 };
	struct span left, one = { .at = NULL };
	struct keystore k;

	(void)state;
	read_golden("authorities.pem", &text);
	left = span_bytes(text.data, text.len);
	keystore_begin(&k, &got);
	while (pem_next(&left, &one, &der))
		keystore_add(&k, der.data, der.len);
	assert_int_equal(k.n, 2);
	assert_true(keystore_end(&k));
	if (golden != NULL && strcmp(golden, "write") == 0)
		write_golden("authorities.jks", &got);
	read_golden("authorities.jks", &expected);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.data, expected.data, expected.len);
}

static void what_does_not_fit_is_no_keystore(void **state)
{
	uint8_t room[64], bytes[128];
	struct keystore k;
	struct buf out;

	(void)state;
	make(bytes, sizeof bytes);
	buf_init_in(&out, room, sizeof room);
	keystore_begin(&k, &out);
	keystore_add(&k, bytes, sizeof bytes);
	assert_false(keystore_end(&k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_a_certificate), cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(what_is_an_events),     cmocka_unit_test(an_event_has_sixteen_of_the_longest),
		cmocka_unit_test(java_gets_these_bytes), cmocka_unit_test(what_does_not_fit_is_no_keystore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
