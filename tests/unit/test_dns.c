/* What the cell's questions are answered with: to the byte, and of any bytes nothing worse than a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns_again.h"
#include "net/dns.h"
#include "octets.h"
#include "prop.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define ROOM 2048

/* Heads: number, flags, counts. */
#define ASK "1234 0100 0001 0000 0000 0000 "
#define ASK_EDNS "1234 0100 0001 0000 0000 0001 "
#define HEAD_OF(flags, answers, authority, more) "1234 " flags " 0001 000" answers " 000" authority " 000" more " "
#define ADDRESS HEAD_OF("8180", "1", "0", "0")
#define NODATA HEAD_OF("8180", "0", "1", "0")
#define NXDOMAIN HEAD_OF("8183", "0", "0", "0")
#define REFUSED HEAD_OF("8185", "0", "0", "0")
#define BARE(flags) "1234 " flags " 0000 0000 0000 0000"
#define FORMERR BARE("8181")

#define API "[1 'api'] [1 'example'] [1 'com'] 00 "
#define OLD "[1 'old'] [1 'example'] 00 "
#define NEW "[1 'new'] [1 'example'] 00 "
#define NONE "[1 'none'] [1 'example'] 00 "
#define A "0001 0001 "
#define AAAA "001c 0001 "
#define SVCB "0040 0001 "
#define HTTPS "0041 0001 "

#define FOR_A_MINUTE "c00c 0001 0001 0000003c "
#define IPV4 FOR_A_MINUTE "[2 7f400001] "
#define IPV6 "c00c 001c 0001 0000003c [2 fd00 12*00 0001] "
#define SOA "c00c 0006 0001 0000003c [2 00 00 00000001 0000003c 0000003c 0000003c 0000003c] "
#define OPT "00 0029 04d0 00 00 0000 [2] "

#define LABEL "[1 63*61] "
#define LONGEST LABEL LABEL LABEL "[1 61*61] 00 " /* 255 bytes */

struct row {
	const char *name;
	const char *query;
	const char *answer; /* NULL: none */
};

static bool find(void *arg, const struct host_name *name, struct dns_host *ret)
{
	static const struct address ipv4 = { ADDRESS_IPV4, { 127, 64, 0, 1 } };
	static const struct address ipv6 = { ADDRESS_IPV6, { [0] = 0xfd, [15] = 1 } };
	const size_t n = strlen(name->text);

	(*(size_t *)arg)++;
	assert_int_not_equal(n, 0); /* only what is a name is looked for */
	if (strcmp(name->text, "none.example") == 0)
		return true;
	if (strcmp(name->text, "api.example.com") != 0 && strcmp(name->text, "old.example") != 0 &&
	    strcmp(name->text, "new.example") != 0 && n < HOST_NAME_MAX_LEN)
		return false;
	if (strcmp(name->text, "new.example") != 0)
		ret->ipv4 = ipv4;
	if (strcmp(name->text, "api.example.com") == 0 || strcmp(name->text, "new.example") == 0)
		ret->ipv6 = ipv6;
	return true;
}

/* In a room that shows when more is written than may be. */
static size_t answer(const uint8_t *query, size_t n, uint8_t ret[DNS_ANSWER_MAX + 1], size_t *asked)
{
	const struct dns_hosts hosts = { find, asked };
	size_t size;

	memset(ret, 0xa5, DNS_ANSWER_MAX + 1);
	size = dns_answer(&hosts, query, n, ret);
	assert_in_range(size, 0, DNS_ANSWER_MAX);
	for (size_t i = size; i <= DNS_ANSWER_MAX; i++)
		assert_int_equal(ret[i], 0xa5);
	return size;
}

static void show(const char *name, const uint8_t *got, size_t n)
{
	char text[2 * DNS_ANSWER_MAX + 1] = "";

	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", got[i]);
	fail_msg("%s: %zu bytes: %s", name, n, text);
}

static void expect_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		static uint8_t query[ROOM], expected[ROOM], got[DNS_ANSWER_MAX + 1];
		const size_t query_n = octets(rows[i].query, query, sizeof query);
		const size_t expected_n = rows[i].answer != NULL ? octets(rows[i].answer, expected, sizeof expected)
								 : 0;
		size_t asked = 0;
		const size_t got_n = answer(query, query_n, got, &asked);

		if (got_n != expected_n || memcmp(got, expected, got_n) != 0)
			show(rows[i].name, got, got_n);
		assert_in_range(asked, 0, 1);
	}
}

static void names_that_are_there_have_addresses(void **state)
{
	static const struct row rows[] = {
		{ "A", ASK API A, ADDRESS API A IPV4 },
		{ "AAAA", ASK API AAAA, ADDRESS API AAAA IPV6 },
		{ "no AAAA", ASK OLD AAAA, NODATA OLD AAAA SOA },
		{ "no A", ASK NEW A, NODATA NEW A SOA },
		{ "AAAA alone", ASK NEW AAAA, ADDRESS NEW AAAA IPV6 },
		{ "no address at all", ASK NONE A, NODATA NONE A SOA },
		{ "SVCB", ASK API SVCB, NODATA API SVCB SOA },
		{ "HTTPS", ASK API HTTPS, NODATA API HTTPS SOA },
		{ "case as it was sent", ASK "[1 'aPi'] [1 'EXAMPLE'] [1 'cOM'] 00 " A,
		  ADDRESS "[1 'aPi'] [1 'EXAMPLE'] [1 'cOM'] 00 " A IPV4 },
		{ "the longest name", ASK LONGEST A, ADDRESS LONGEST A IPV4 },
		{ "the longest answer", ASK_EDNS LONGEST AAAA OPT,
		  HEAD_OF("8180", "0", "1", "1") LONGEST AAAA SOA OPT },
		{ "no recursion wanted", "1234 0000 0001 0000 0000 0000 " API A,
		  "1234 8080 0001 0001 0000 0000 " API A IPV4 },
		{ "checking off", "1234 0110 0001 0000 0000 0000 " API A, HEAD_OF("8190", "1", "0", "0") API A IPV4 },
		{ "bits that say nothing in a query", "1234 076f 0001 0000 0000 0000 " API A, ADDRESS API A IPV4 },
		{ "another number", "ffff 0100 0001 0000 0000 0000 " API A,
		  "ffff 8180 0001 0001 0000 0000 " API A IPV4 },
	};

	(void)state;
	expect_rows(rows, COUNT(rows));
}

static void other_names_are_not_there(void **state)
{
	static const struct row rows[] = {
		{ "A", ASK "[1 'other'] [1 'example'] 00 " A, NXDOMAIN "[1 'other'] [1 'example'] 00 " A },
		{ "HTTPS", ASK "[1 'other'] 00 " HTTPS, NXDOMAIN "[1 'other'] 00 " HTTPS },
		{ "AAAA", ASK "[1 'example'] [1 'com'] 00 " AAAA, NXDOMAIN "[1 'example'] [1 'com'] 00 " AAAA },
		{ "below one", ASK "[1 'x'] " API A, NXDOMAIN "[1 'x'] " API A },
		{ "the root", ASK "00" A, NXDOMAIN "00" A },
		{ "an address", ASK "[1 '192'] [1 '0'] [1 '2'] [1 '7'] 00 " A,
		  NXDOMAIN "[1 '192'] [1 '0'] [1 '2'] [1 '7'] 00 " A },
		{ "a dot in a label", ASK "[1 'api.example'] [1 'com'] 00 " A,
		  NXDOMAIN "[1 'api.example'] [1 'com'] 00 " A },
		{ "a dot at the end", ASK "[1 'api'] [1 'example'] [1 'com.'] 00 " A,
		  NXDOMAIN "[1 'api'] [1 'example'] [1 'com.'] 00 " A },
		{ "a NUL in a label", ASK "[1 'api'] [1 'example'] [1 'com' 00] 00 " A,
		  NXDOMAIN "[1 'api'] [1 'example'] [1 'com' 00] 00 " A },
		{ "a star", ASK "[1 '*'] [1 'example'] [1 'com'] 00 " A,
		  NXDOMAIN "[1 '*'] [1 'example'] [1 'com'] 00 " A },
		{ "bytes that are no text", ASK "[1 ff00 0a] 00 " A, NXDOMAIN "[1 ff00 0a] 00 " A },
	};

	(void)state;
	expect_rows(rows, COUNT(rows));
}

static void other_questions_are_refused(void **state)
{
	static const char *const kinds[] = { "0000 0001", "0002 0001", "0005 0001", "0006 0001", "000c 0001",
					     "000f 0001", "0010 0001", "0021 0001", "0023 0001", "0029 0001",
					     "00fa 0001", "00fb 0001", "00fc 0001", "00ff 0001", "ffff 0001",
					     "0101 0001", "0001 0000", "0001 0003", "0001 0004", "0001 00fe",
					     "0001 00ff", "001c 0101", "0100 0001" };
	static const struct row rows[] = {
		{ "status", "1234 1100 0001 0000 0000 0000 " API A, BARE("9184") },
		{ "notify", "1234 2000 0001 0000 0000 0000 " API A, BARE("a084") },
		{ "update", "1234 2800 0001 0000 0000 0000 " API A, BARE("a884") },
		{ "an operation that is none, of bytes that are none", "1234 7800 ffff ffff ffff ffff ff",
		  BARE("f884") },
		{ "an answer", "1234 8180 0001 0000 0000 0000 " API A, NULL },
		{ "an answer to another operation", "1234 a800 0001 0000 0000 0000 " API A, NULL },
		{ "nothing", "", NULL },
		{ "a byte", "12", NULL },
		{ "less than a head", "1234 0100 0001 0000 0000 00", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		char query[256], refused[256];
		const struct row of_a_name = { kinds[i], query, refused };

		(void)snprintf(query, sizeof query, ASK API "%s", kinds[i]);
		(void)snprintf(refused, sizeof refused, REFUSED API "%s", kinds[i]);
		expect_rows(&of_a_name, 1);
		(void)snprintf(query, sizeof query, ASK "[1 'other'] 00 %s", kinds[i]);
		(void)snprintf(refused, sizeof refused, REFUSED "[1 'other'] 00 %s", kinds[i]);
		expect_rows(&of_a_name, 1);
	}
	expect_rows(rows, COUNT(rows));
}

static void what_is_not_understood_to_the_end_is_an_error(void **state)
{
	static const struct row rows[] = {
		{ "no question", "1234 0100 0000 0000 0000 0000", FORMERR },
		{ "no question, though one is there", "1234 0100 0000 0000 0000 0000 " API A, FORMERR },
		{ "two questions", "1234 0100 0002 0000 0000 0000 " API A API A, FORMERR },
		{ "257 questions", "1234 0100 0101 0000 0000 0000 " API A, FORMERR },
		{ "a question without its bytes", ASK, FORMERR },
		{ "a pointer", ASK "c00c " A, FORMERR },
		{ "a pointer after a label", ASK "[1 'api'] c00c " A, FORMERR },
		{ "a label of another kind", ASK "41 61 00 " A, FORMERR },
		{ "one more of them", ASK "80 61 00 " A, FORMERR },
		{ "a label of 64", ASK "[1 64*61] 00 " A, FORMERR },
		{ "a name of 256 bytes", ASK LABEL LABEL LABEL "[1 62*61] 00 " A, FORMERR },
		{ "a name of 256 bytes, of short labels", ASK LABEL LABEL LABEL "[1 60*61] [1] 00 " A, FORMERR },
		{ "a name without an end", ASK "[1 'api']", FORMERR },
		{ "half a type", ASK API "00", FORMERR },
		{ "no class", ASK API "0001", FORMERR },
		{ "half a class", ASK API "0001 00", FORMERR },
		{ "a byte more", ASK API A "00", FORMERR },
		{ "an answer in the query", HEAD_OF("0100", "1", "0", "0") API A IPV4, FORMERR },
		{ "authority in the query", HEAD_OF("0100", "0", "1", "0") API A SOA, FORMERR },
		{ "an answer that is not there", HEAD_OF("0100", "1", "0", "0") API A, FORMERR },
		{ "authority that is not there", HEAD_OF("0100", "0", "1", "0") API A, FORMERR },
		{ "OPT counted twice", HEAD_OF("0100", "0", "0", "2") API A OPT, FORMERR },
		{ "OPT of half a name", ASK_EDNS API A "01 0029 04d0 00000000 [2]", FORMERR },
		{ "OPT that is not counted", ASK API A OPT, FORMERR },
		{ "OPT that is counted and not there", ASK_EDNS API A, FORMERR },
		{ "two of OPT", HEAD_OF("0100", "0", "0", "2") API A OPT OPT, FORMERR },
		{ "two of OPT, one of them counted", ASK_EDNS API A OPT OPT, FORMERR },
		{ "another record in its place", ASK_EDNS API A IPV4, FORMERR },
		{ "another record of the root", ASK_EDNS API A "00 0001 0001 00000000 [2 7f000001]", FORMERR },
		{ "a signature", ASK_EDNS API A "00 00fa 00ff 00000000 [2]", FORMERR },
		{ "OPT of a name", ASK_EDNS API A "[1 'x'] 00 0029 04d0 00000000 [2]", FORMERR },
		{ "OPT of a pointer", ASK_EDNS API A "c00c 0029 04d0 00000000 [2]", FORMERR },
		{ "an option longer than OPT", ASK_EDNS API A "00 0029 04d0 00000000 [2 000a 0001]", FORMERR },
		{ "half an option", ASK_EDNS API A "00 0029 04d0 00000000 [2 000a 00]", FORMERR },
		{ "OPT longer than the packet", ASK_EDNS API A "00 0029 04d0 00000000 0001", FORMERR },
		{ "OPT shorter than the packet", ASK_EDNS API A "00 0029 04d0 00000000 0000 00", FORMERR },
		{ "too long by one", ASK_EDNS API A "00 0029 04d0 00000000 [2 000c [2 1185*00]]", FORMERR },
	};

	(void)state;
	expect_rows(rows, COUNT(rows));
}

static void edns_is_answered_with_edns(void **state)
{
	static const struct row rows[] = {
		{ "an address", ASK_EDNS API A OPT, HEAD_OF("8180", "1", "0", "1") API A IPV4 OPT },
		{ "none", ASK_EDNS OLD AAAA OPT, HEAD_OF("8180", "0", "1", "1") OLD AAAA SOA OPT },
		{ "no name", ASK_EDNS "[1 'x'] 00 " A OPT, HEAD_OF("8183", "0", "0", "1") "[1 'x'] 00 " A OPT },
		{ "refused", ASK_EDNS API "0010 0001" OPT, HEAD_OF("8185", "0", "0", "1") API "0010 0001" OPT },
		{ "version 1", ASK_EDNS API A "00 0029 04d0 00 01 0000 [2]",
		  HEAD_OF("8180", "0", "0", "1") API A "00 0029 04d0 01 00 0000 [2]" },
		{ "version 1, and what would be refused", ASK_EDNS API "0010 0001 00 0029 04d0 00 ff 0000 [2]",
		  HEAD_OF("8180", "0", "0", "1") API "0010 0001 00 0029 04d0 01 00 0000 [2]" },
		{ "signatures wanted", ASK_EDNS API A "00 0029 04d0 00 00 8000 [2]",
		  HEAD_OF("8180", "1", "0", "1") API A IPV4 OPT },
		{ "no room", ASK_EDNS API A "00 0029 0000 00 00 0000 [2]",
		  HEAD_OF("8180", "1", "0", "1") API A IPV4 OPT },
		{ "options", ASK_EDNS API A "00 0029 ffff 00 00 0000 [2 000a [2 8*11] 000f [2]]",
		  HEAD_OF("8180", "1", "0", "1") API A IPV4 OPT },
		{ "as long as may be", ASK_EDNS API A "00 0029 04d0 00000000 [2 000c [2 1184*00]]",
		  HEAD_OF("8180", "1", "0", "1") API A IPV4 OPT },
	};

	(void)state;
	expect_rows(rows, COUNT(rows));
}

/* ---- any bytes ---- */

static const char *const good[] = { ASK API A,
				    ASK API AAAA,
				    ASK OLD AAAA,
				    ASK API HTTPS,
				    ASK_EDNS API A OPT,
				    ASK_EDNS NONE A OPT,
				    ASK_EDNS API "0010 0001" OPT,
				    ASK LONGEST SVCB };

static void what_is_cut_off_is_not_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint8_t query[ROOM], got[DNS_ANSWER_MAX + 1];
		const size_t n = octets(good[i], query, sizeof query);
		size_t asked = 0;

		for (size_t cut = 0; cut < n; cut++) {
			const size_t size = answer(query, cut, got, &asked);

			if (size != (cut < 12 ? 0 : 12) || (size > 0 && got[3] != 0x81))
				show(good[i], got, size);
		}
		assert_int_equal(asked, 0);
	}
}

static void any_bytes_have_a_strict_answer(void **state)
{
	const uint64_t rounds = prop_rounds(20000);
	size_t found = 0, errors = 0;

	(void)state;
	for (uint64_t round = 0; round < rounds; round++) {
		struct prop p = prop_round(round);
		uint8_t query[ROOM], got[DNS_ANSWER_MAX + 1];
		size_t n = octets(good[prop_below(&p, COUNT(good))], query, sizeof query), size, asked = 0;
		struct dns_again again;

		for (uint32_t flips = prop_below(&p, 4); flips > 0; flips--)
			query[prop_below(&p, (uint32_t)n)] ^= (uint8_t)(1u << prop_below(&p, 8));
		size = answer(query, n, got, &asked);
		if ((size == 0) != ((query[2] & 0x80) != 0))
			prop_fail(&p, "%zu bytes of answer", size);
		if (size == 0)
			continue;
		if (!dns_again_read(got, size, &again) || memcmp(got, query, 2) != 0 ||
		    memcmp(got + 12, query + 12, again.question_n) != 0)
			prop_fail(&p, "an answer that is none, of %zu bytes", size);
		if (again.has_record && (asked != 1 || again.code != 0))
			prop_fail(&p, "a record from nowhere");
		found += again.has_record;
		errors += again.code == 1;
		assert_int_equal(dns_answer(&(struct dns_hosts){ find, &asked }, got, size, query), 0);
	}
	assert_true(found > rounds / 20 && errors > rounds / 20); /* the rounds are of both kinds */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_there_have_addresses),
		cmocka_unit_test(other_names_are_not_there),
		cmocka_unit_test(other_questions_are_refused),
		cmocka_unit_test(what_is_not_understood_to_the_end_is_an_error),
		cmocka_unit_test(edns_is_answered_with_edns),
		cmocka_unit_test(what_is_cut_off_is_not_answered),
		cmocka_unit_test(any_bytes_have_a_strict_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
