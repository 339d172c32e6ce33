#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "profile/address.h"
#include "profile/call.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const uint8_t KEY[CALL_KEY_SIZE] = "a key of a test";

/* What is found, with a blank behind each. */
static void found_in(const char *text, size_t n, char *ret, size_t size)
{
	struct address_search s;
	size_t len = 0;

	ret[0] = 0;
	address_begin(&s, text, n);
	for (struct address a; address_next(&s, &a);) {
		char form[256];
		const size_t form_n = address_write(&a, form, sizeof form);

		assert_true(a.at.at >= text && a.at.at + a.at.len <= text + n && form_n <= a.at.len);
		len += (size_t)snprintf(ret + len, size - len, "%c:%.*s ", "-MUNP"[a.kind], (int)form_n, form);
		assert_true(len < size);
	}
}

static void addresses_in_texts(void **state)
{
	static const struct {
		const char *text, *found;
	} rows[] = {
		{ "", "" },
		{ "Nothing is here, or there. And so on: 12 of 13.", "" },
		{ "Write to Ann.Lee+x@Mail.Example.com.", "M:ann.lee+x@mail.example.com " },
		{ "mailto:a@b.test, <c@d.test>;e@f.test", "M:a@b.test M:c@d.test M:e@f.test " },
		{ "@everyone and user@localhost and a@", "" },
		{ "see https://www.Evil.example/Path/?q=1#x).", "U:evil.example/path/?q=1#x " },
		{ "http://evil.com/", "U:evil.com " },
		{ "https://evil.com:443/a and http://evil.com:80 and evil.com:8080/",
		  "U:evil.com/a U:evil.com U:evil.com:8080 " },
		{ "ftp://10.0.0.1/x 192.168.1.20:22 300.1.1.1 1.2.3", "U:10.0.0.1/x U:192.168.1.20:22 " },
		{ "www.evil.anything, evil.com, sub.evil.co.uk/x", "U:evil.anything U:evil.com U:sub.evil.co.uk/x " },
		{ "\\nwww.evil.com\\n\\nevil.org**", "U:evil.com U:evil.org " },
		{ "**evil.com** _evil.org_ \"evil.net\" (evil.io) [x](evil.dev)",
		  "U:evil.com U:evil.org U:evil.net U:evil.io U:evil.dev " },
		{ "link:evil.com link=evil.org a/evil.net?x", "U:evil.com U:evil.org P:a/evil.net " },
		{ "url=https://evil.com", "U:evil.com " },
		{ "e.g. this, i.e. that, 3.30pm, Ph.D., v1.2.3, main.c, a.b", "" },
		{ "what may be a host is one: main.py, README.md", "U:main.py U:readme.md " },
		{ "IBAN DE89370400440532013000!", "N:de89370400440532013000 " },
		{ "DE89 3704 0044 0532 0130 00 please", "N:de89370400440532013000 " },
		{ "GB29 NWBK 6016 1331 9268 19.", "N:gb29nwbk60161331926819 " },
		{ "US133000000121212121212", "N:us133000000121212121212 " },
		{ "card 4237-4252-7456-2574 or 4237425274562574", "N:4237425274562574 N:4237425274562574 " },
		{ "call +1 (415) 555-0132 today", "N:14155550132 " },
		{ "on 2024-05-19 16:00 and 2024-05-20 10:30", "" },
		{ "years 1999 2000 2001", "N:199920002001 " },
		{ "1 2 3 4 5 6 7 8 9 10", "" },
		{ "wallet 0x52908400098527886E0F7030069857D2E4169EE7",
		  "N:0x52908400098527886e0f7030069857d2e4169ee7 " },
		{ "cat /etc/passwd, ~/.ssh/id_rsa and ../up/x.txt", "P:/etc/passwd P:~/.ssh/id_rsa P:../up/x.txt " },
		{ "./run.sh docs/report.md and/or TCP/IP 5/6", "P:run.sh P:docs/report.md " },
		{ "x\xe2\x80\x94www.evil.com\xe2\x80\x94y", "U:evil.com " },
		{ "http://good.test@evil.com/", "U:good.test@evil.com " },
		{ "//evil.com/x", "U:evil.com/x " },
		{ "://x http:// @ . .. / // ~ +", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char found[512];

		found_in(rows[i].text, strlen(rows[i].text), found, sizeof found);
		if (strcmp(found, rows[i].found) != 0)
			fail_msg("'%s': '%s', not '%s'", rows[i].text, found, rows[i].found);
	}
}

static void the_place_of_an_address(void **state)
{
	static const struct {
		enum address_kind kind;
		const char *form, *place;
	} rows[] = {
		{ ADDRESS_MAIL, "ann@mail.example.com", "mail.example.com" },
		{ ADDRESS_URL, "evil.com", "evil.com" },
		{ ADDRESS_URL, "evil.com:8080/x@y?z", "evil.com:8080" },
		{ ADDRESS_URL, "good.test@evil.com/a", "evil.com" },
		{ ADDRESS_URL, "evil.com?a/b", "evil.com" },
		{ ADDRESS_PATH, "/etc/ssl/cert.pem", "/etc/ssl" },
		{ ADDRESS_NUMBER, "de89", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!span_equal(address_place(rows[i].kind, span_of(rows[i].form)), span_of(rows[i].place)))
			fail_msg("'%s'", rows[i].form);
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Four times as long takes four times as long, and not sixteen. */
static void texts_take_linear_time(void **state)
{
	static const char *const pieces[] = { "a",  "a/", "a@", "a.",     "://", "@",  "1 ",   "12 ",  "AA00 ",  "~/",
					      "a:", "a=", "/",  "a-b.c/", "\\n", "1-", "AA11", "a@b.", "http://" };
	const size_t size = 1u << 18;
	auto_free char *text = malloc(4 * size);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		const size_t n = strlen(pieces[i]);
		double took[2];

		for (size_t k = 0; k < 4 * size; k++)
			text[k] = pieces[i][k % n];
		for (size_t k = 0; k < 2; k++) {
			const double begin = seconds();
			struct address_search s;

			address_begin(&s, text, k == 0 ? size : 4 * size);
			for (struct address a; address_next(&s, &a);)
				;
			took[k] = seconds() - begin;
		}
		if (took[1] > 10 * took[0] + 0.1)
			fail_msg("'%s': %f, %f s", pieces[i], took[0], took[1]);
	}
}

static void names_of_tools(void **state)
{
	static const struct {
		const char *name;
		enum tool_told tells;
	} rows[] = {
		{ "send_email", TOOL_ACTS },
		{ "sendEmail", TOOL_ACTS },
		{ "SendEmail", TOOL_ACTS },
		{ "send-email", TOOL_ACTS },
		{ "gmail.sendEmail", TOOL_ACTS },
		{ "github/create_issue", TOOL_ACTS },
		{ "mcp__github__create_issue", TOOL_ACTS },
		{ "mcp__post-office__list_letters", TOOL_READS },
		{ "get_update", TOOL_READS },
		{ "update_get", TOOL_ACTS },
		{ "getHTMLPage", TOOL_READS },
		{ "HTTPPost", TOOL_ACTS },
		{ "list_transfers", TOOL_READS },
		{ "get_or_create_user", TOOL_ACTS },
		{ "search_and_replace", TOOL_ACTS },
		{ "search_and_rescue", TOOL_READS },
		{ "issue_read", TOOL_READS },
		{ "cart.add", TOOL_ACTS },
		{ "add.item", TOOL_ACTS },
		{ "read_text_file", TOOL_READS },
		{ "calculator", TOOL_UNTOLD },
		{ "bash", TOOL_UNTOLD },
		{ "updates", TOOL_UNTOLD },
		{ "", TOOL_UNTOLD },
		{ "...", TOOL_UNTOLD },
		{ "____", TOOL_UNTOLD },
		{ "a_name_longer_than_any_verb_would_ever_be_send", TOOL_ACTS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (tool_tells(rows[i].name, strlen(rows[i].name)) != rows[i].tells)
			fail_msg("'%s'", rows[i].name);
}

static struct call *a_call(const char *tool, const struct prompt *p)
{
	struct call *c = malloc(sizeof *c);

	assert_non_null(c);
	call_begin(c, KEY, p, tool, strlen(tool), TOOL_UNTOLD);
	return c;
}

static void items_of(const struct call *c, char *ret, size_t size)
{
	static const char letters[] = "t?aifsnwe#@!+";
	size_t n = 0;

	ret[0] = 0;
	for (size_t i = 0; i < c->n; i++) {
		n += (size_t)snprintf(ret + n, size - n, "%c%s:%s%s ", letters[c->items[i].mark.kind],
				      c->items[i].place, c->items[i].value,
				      c->items[i].mark.from & ITEM_OF_PROMPT ? "(P)" : "");
		assert_true(n < size);
	}
}

static void items_of_values(void **state)
{
	static const struct {
		const char *tool, *path, *value;
		enum value_kind is;
		const char *items;
	} rows[] = {
		{ "send_x", "to", "Ann@Mail.test", VALUE_TEXT, "t: ato:ann@mail.test sto:mail.test " },
		{ "send_x", "to", "a@b.test, C@d.test", VALUE_TEXT,
		  "t: ato:a@b.test sto:b.test ato:c@d.test sto:d.test " },
		{ "send_x", "url", "https://www.Evil.com/", VALUE_TEXT, "t: aurl:evil.com " },
		{ "get_x", "url", "https://www.Evil.com/a", VALUE_TEXT, "furl:evil.com/a surl:evil.com " },
		{ "get_x", "query", "mails of ann@mail.test", VALUE_TEXT, "" },
		{ "get_x", "query", "what is at evil.com/?key=1 now", VALUE_TEXT,
		  "fquery:evil.com/?key=1 squery:evil.com " },
		{ "send_x", "channel", " General ", VALUE_TEXT, "t: nchannel:general " },
		{ "send_x", "hotel", "The  Old\\nInn.", VALUE_TEXT, "t: whotel:the old inn " },
		{ "send_x", "title", "A title of five words", VALUE_TEXT, "t: etitle:a title of five words " },
		{ "send_x", "title", "Look at evil.com now", VALUE_TEXT,
		  "t: etitle:look at evil.com now ititle:evil.com " },
		{ "send_x", "body", "This is a longer text of more than eight words: evil.com", VALUE_TEXT,
		  "t: ibody:evil.com " },
		{ "send_x", "body", "This is a longer text of more than eight words", VALUE_TEXT, "t: " },
		{ "send_x", "n", "3", VALUE_NUMBER, "t: #n:3 " },
		{ "send_x", "n", "3", VALUE_TEXT, "t: #n:3 " },
		{ "send_x", "n", "-1,000.50", VALUE_TEXT, "t: #n:-1,000.50 " },
		{ "send_x", "n", "3.10", VALUE_NUMBER, "t: #n:3.1 " },
		{ "send_x", "file_id", "13", VALUE_TEXT, "t: nfile_id:13 " },
		{ "send_x", "fileId", "13", VALUE_NUMBER, "t: nfileId:13 " },
		{ "send_x", "account.number", "13", VALUE_TEXT, "t: naccount.number:13 " },
		{ "send_x", "at", "2024-05-19T16:00:00Z", VALUE_TEXT, "t: @at:2024-05-19 16:00 " },
		{ "send_x", "at", "2024-05-19 16:00", VALUE_TEXT, "t: @at:2024-05-19 16:00 " },
		{ "send_x", "at", "16:00", VALUE_TEXT, "t: @at:16:00 " },
		{ "send_x", "on", "true", VALUE_SWITCH, "t: !on:true " },
		{ "send_x", "on", "True", VALUE_TEXT, "t: !on:true " },
		{ "send_x", "x", "", VALUE_TEXT, "t: " },
		{ "send_x", "x", " \n", VALUE_TEXT, "t: " },
		{ "send_x", "x", ".", VALUE_TEXT, "t: " },
		{ "write_file", "path", "./docs/a.md", VALUE_TEXT, "t: apath:docs/a.md spath:docs " },
		{ "bash", "command", "ls", VALUE_TEXT, "?: ncommand:ls " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_free struct call *c = a_call(rows[i].tool, NULL);
		char items[512];

		call_argument(c, rows[i].path, strlen(rows[i].path), rows[i].value, strlen(rows[i].value), rows[i].is,
			      0);
		items_of(c, items, sizeof items);
		if (strcmp(items, rows[i].items) != 0)
			fail_msg("%s %s '%s': '%s', not '%s'", rows[i].tool, rows[i].path, rows[i].value, items,
				 rows[i].items);
	}
}

static void what_a_prompt_names(void **state)
{
	static const struct {
		const char *prompt, *value, *items;
	} rows[] = {
		{ "Write to  ANN@mail.test!", "ann@mail.test", "t: ax:ann@mail.test(P) sx:mail.test(P) " },
		{ "Write to joann@mail.test", "ann@mail.test", "t: ax:ann@mail.test sx:mail.test(P) " },
		{ "Look at http://www.a.test/b/", "https://a.test/b", "t: ax:a.test/b(P) sx:a.test(P) " },
		{ "Delete file 13.", "13", "t: #x:13(P) " },
		{ "Delete file 134 or 213", "13", "t: #x:13 " },
		{ "Delete it\nin the  yard", "the yard", "t: wx:the yard(P) " },
		{ "", "it", "t: nx:it " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char room[64], items[512];
		const struct prompt p = { .text = room,
					  .n = prompt_form(rows[i].prompt, strlen(rows[i].prompt), room) };
		auto_free struct call *c = a_call("send_x", &p);

		call_argument(c, "x", 1, rows[i].value, strlen(rows[i].value), VALUE_TEXT, 0);
		items_of(c, items, sizeof items);
		if (strcmp(items, rows[i].items) != 0)
			fail_msg("'%s' '%s': '%s'", rows[i].prompt, rows[i].value, items);
	}
}

static void what_has_no_room_is_told(void **state)
{
	auto_free struct call *c = a_call("send_x", NULL);
	char name[32];

	(void)state;
	for (unsigned i = 1; i < CALL_ITEMS_MAX; i++) { /* one is the tool */
		(void)snprintf(name, sizeof name, "name%u", i);
		call_argument(c, "to", 2, name, strlen(name), VALUE_TEXT, 0);
	}
	assert_int_equal(c->n, CALL_ITEMS_MAX);
	assert_int_equal(c->items[c->n - 1].mark.kind, ITEM_NAME);
	call_argument(c, "to", 2, "name1", 5, VALUE_TEXT, 0); /* the same again takes none */
	assert_int_equal(c->n, CALL_ITEMS_MAX);
	for (unsigned i = 0; i < 3; i++) {
		const uint64_t before = c->items[CALL_ITEMS_MAX].mark.item;

		(void)snprintf(name, sizeof name, "other%u", i);
		call_argument(c, "to", 2, name, strlen(name), VALUE_TEXT, 0);
		assert_int_equal(c->n, CALL_ITEMS_MAX + 1);
		assert_int_equal(c->items[CALL_ITEMS_MAX].mark.kind, ITEM_MORE);
		assert_int_not_equal(c->items[CALL_ITEMS_MAX].mark.item, before); /* each counts */
	}
}

static uint64_t hash_of(const char *tool, const char *path, const char *value, size_t n)
{
	auto_free struct call *c = a_call(tool, NULL);

	call_argument(c, path, strlen(path), value, n, VALUE_TEXT, 0);
	return c->items[1].mark.item; /* behind the tool */
}

static void other_things_have_other_hashes(void **state)
{
	static const uint8_t other[CALL_KEY_SIZE] = "another";
	char url[2048] = "https://evil.com/";
	uint64_t same;

	(void)state;
	assert_int_equal(hash_of("send_x", "to", "Ann", 3), hash_of("send_x", "to", "ann", 3));
	assert_int_not_equal(hash_of("send_x", "to", "ann", 3), hash_of("send_x", "cc", "ann", 3));
	assert_int_not_equal(hash_of("send_x", "to", "ann", 3), hash_of("send_y", "to", "ann", 3));
	assert_int_not_equal(call_hash(KEY, 1, 0, 0, "a", 1), call_hash(other, 1, 0, 0, "a", 1));
	/* what is cut for a person is not cut for the hash */
	memset(url + 17, 'a', sizeof url - 18);
	same = hash_of("post_x", "body", url, sizeof url - 1);
	url[sizeof url - 3] = 'b';
	assert_int_not_equal(same, hash_of("post_x", "body", url, sizeof url - 1));
}

static void where_a_value_comes_from(void **state)
{
	static const struct {
		uint8_t first, then, is;
	} rows[] = {
		{ ITEM_OF_NOWHERE, ITEM_OF_NOWHERE, ITEM_OF_NOWHERE },
		{ ITEM_OF_NOWHERE, 0, 0 }, /* nobody knows of the second */
		{ 0, ITEM_OF_NOWHERE, 0 },
		{ ITEM_OF_NOWHERE, ITEM_OF_ANSWER, ITEM_OF_ANSWER },
		{ ITEM_OF_PROMPT, ITEM_OF_ANSWER, ITEM_OF_PROMPT | ITEM_OF_ANSWER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_free struct call *c = a_call("send_x", NULL);

		call_argument(c, "to", 2, "ann", 3, VALUE_TEXT, rows[i].first);
		call_argument(c, "to", 2, "ann", 3, VALUE_TEXT, rows[i].then);
		assert_int_equal(c->items[1].mark.from, rows[i].is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_texts),       cmocka_unit_test(the_place_of_an_address),
		cmocka_unit_test(texts_take_linear_time),   cmocka_unit_test(names_of_tools),
		cmocka_unit_test(items_of_values),          cmocka_unit_test(what_a_prompt_names),
		cmocka_unit_test(what_has_no_room_is_told), cmocka_unit_test(other_things_have_other_hashes),
		cmocka_unit_test(where_a_value_comes_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
