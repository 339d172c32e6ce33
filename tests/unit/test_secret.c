/* Secrets: names, hosts and messages; the words of commands; what a value may be; and the file of one, of which each byte counts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/fd.h"
#include "secret/store.h"
#include "secret/words.h"

static const uint8_t key[SEALED_KEY_BYTES] = "this key is known to all, thirty";

static struct secret_value value_of(const void *bytes, size_t n)
{
	struct secret_value v = { .n = n };

	memcpy(v.bytes, bytes, n);
	return v;
}

/* ---- names and hosts ---- */

#define LETTERS_21 "abcdefghijklmnopqrstu"

static void names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ "github", true },
		{ "a", true },
		{ "7", true },
		{ "a.b_c-d", true },
		{ "A", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ "../x", false },
		{ "a/b", false },
		{ ".a", false },
		{ "a.", false },
		{ "-a", false },
		{ "a-", false },
		{ "_a", false },
		{ "a b", false },
		{ "a\n", false },
		{ "\303\251", false },
		{ "a\x01"
		  "b",
		  false },
		{ "a\\b", false },
		{ LETTERS_21 LETTERS_21 LETTERS_21, true },
		{ LETTERS_21 LETTERS_21 LETTERS_21 "v", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (secret_name_is_good(rows[i].name) != rows[i].good)
			fail_msg("'%s' is %s name", rows[i].name, rows[i].good ? "no" : "a");
}

static void hosts_are_bound(void **state)
{
	static const struct {
		const char *bound, *host;
		bool means;
	} rows[] = {
		{ "api.example.com", "api.example.com", true },
		{ "API.Example.com.", "api.example.com", true },
		{ "api.example.com", "example.com", false },
		{ "api.example.com", "xapi.example.com", false },
		{ "api.example.com", "api.example.com.evil.test", false },
		{ "*.example.com", "api.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "a.b.example.com", false },
		{ "*.example.com", "*.example.com", true },
		{ "api.example.com", "*.example.com", false }, /* the grant leads to others, too */
		{ "*.example.com", "*.com", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.10", false },
		{ "2001:DB8::0:1", "2001:db8::1", true },
		{ "example.com", "192.0.2.1", false },
		{ "example.com", "*", false },
		{ "example.com", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct secret_hosts h = { .n = 0 };

		assert_int_equal(secret_hosts_add(&h, rows[i].bound, NULL), 0);
		assert_int_equal(secret_hosts_add(&h, rows[i].bound, NULL), 0); /* once is enough */
		assert_int_equal(h.n, 1);
		if (secret_hosts_mean(&h, rows[i].host) != rows[i].means)
			fail_msg("%s %s %s", rows[i].bound, rows[i].means ? "does not mean" : "means", rows[i].host);
	}
	assert_true(secret_hosts_mean(&(struct secret_hosts){ .n = 0 }, "any.example.com"));
}

static void what_is_no_host_is_not_bound(void **state)
{
	static const char *const rows[] = { "",          "*",      "*.",    "*.com",      "a b",     "example.com:443",
					    "a..b",      "-a.com", "127.1", "10.0.0.0/8", "unix:/x", "https://a.com",
					    "ssh://a@b", "x.*.com" };
	struct secret_hosts h = { .n = 0 };
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (secret_hosts_add(&h, rows[i], NULL) != -AMBIT_MALFORMED)
			fail_msg("'%s' is taken for a host", rows[i]);
	for (int i = 0; i < SECRET_HOSTS_MAX; i++) {
		(void)snprintf(name, sizeof name, "h%d.test", i);
		assert_int_equal(secret_hosts_add(&h, name, NULL), 0);
	}
	assert_int_equal(secret_hosts_add(&h, "h0.test", NULL), 0);
	assert_int_equal(secret_hosts_add(&h, "one-more.test", NULL), -AMBIT_LIMIT);
}

/* ---- messages ---- */

static void messages_come_back(void **state)
{
	static struct secret_set set = { .source = SECRET_FROM_COMMAND, .name = "a", .command = "pass show a" },
				 set_again;
	static struct secret_row row = { .kind = SECRET_IS_VALUE, .set_ms = 7, .name = "a" }, row_again;
	const struct secret_give give = { .name = "a", .host = "a.test" };
	struct secret_give give_again;
	uint8_t room[2048];
	struct buf out;
	struct rbuf in;

	(void)state;
	assert_int_equal(secret_hosts_add(&set.hosts, "*.b.test", NULL), 0);
	row.hosts = set.hosts;
	buf_init_in(&out, room, sizeof room);
	secret_put_set(&out, &set);
	rbuf_init(&in, out.data, out.len);
	assert_true(secret_take_set(&in, &set_again));
	assert_memory_equal(&set, &set_again, sizeof set);
	buf_reset(&out);
	secret_put_row(&out, &row);
	rbuf_init(&in, out.data, out.len);
	assert_true(secret_take_row(&in, &row_again));
	assert_memory_equal(&row, &row_again, sizeof row);
	buf_reset(&out);
	secret_put_give(&out, &give);
	for (size_t n = 0; n <= out.len; n++) {
		rbuf_init(&in, out.data, n);
		assert_int_equal(secret_take_give(&in, &give_again), n == out.len);
	}
}

static void messages_are_checked(void **state)
{
	static const struct secret_give gives[] = {
		{ .name = "../a", .host = "a.test" }, { .name = "", .host = "a.test" },   { .name = "a", .host = "" },
		{ .name = "a", .host = "A.test" },    { .name = "a", .host = "a.test." }, { .name = "a", .host = "*" },
	};
	static struct secret_set sets[] = {
		{ .source = 0, .name = "a" },
		{ .source = 4, .name = "a" },
		{ .source = SECRET_FROM_COMMAND, .name = "a" },
		{ .source = SECRET_FROM_FILE, .name = "a", .command = "x" },
		{ .source = SECRET_FROM_FILE, .name = "a/b" },
		{ .source = SECRET_FROM_FILE, .name = "a", .hosts = { 1, { "A.test" } } },
		{ .source = SECRET_FROM_FILE, .name = "a", .hosts = { 2, { "a.test", "a.test" } } },
	};
	static struct secret_set set;
	struct secret_give give;
	uint8_t room[2048];
	struct buf out;
	struct rbuf in;

	(void)state;
	buf_init_in(&out, room, sizeof room);
	for (size_t i = 0; i < sizeof gives / sizeof gives[0]; i++) {
		buf_reset(&out);
		secret_put_give(&out, &gives[i]);
		rbuf_init(&in, out.data, out.len);
		if (secret_take_give(&in, &give))
			fail_msg("give %zu is taken", i);
	}
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		buf_reset(&out);
		secret_put_set(&out, &sets[i]);
		rbuf_init(&in, out.data, out.len);
		if (secret_take_set(&in, &set))
			fail_msg("set %zu is taken", i);
	}
}

/* ---- words ---- */

static void commands_have_words(void **state)
{
	static const struct {
		const char *text;
		const char *words; /* each ended by |; NULL: refused */
	} rows[] = {
		{ "pass show github", "pass|show|github|" },
		{ "  a\t b ", "a|b|" },
		{ "a 'b c'd \"e f\"", "a|b cd|e f|" },
		{ "a '' \"\"", "a|||" },
		{ "a '$HOME; `x`' \"$(y) | z\"", "a|$HOME; `x`|$(y) _ z|" }, /* _ stands for a bar here */
		{ "a b\\ c \"d\\\"e\" 'f\\'", "a|b c|d\"e|f\\|" },
		{ "/bin/a ~ * ? # =", "/bin/a|~|*|?|#|=|" },
		{ "a\\$b", "a$b|" },
		{ "", NULL },
		{ "   ", NULL },
		{ "''", NULL },
		{ "a 'b", NULL },
		{ "a \"b", NULL },
		{ "a b\\", NULL },
		{ "a|b", NULL },
		{ "a & b", NULL },
		{ "a; b", NULL },
		{ "a > b", NULL },
		{ "a < b", NULL },
		{ "a $b", NULL },
		{ "a `b`", NULL },
		{ "(a)", NULL },
		{ "./a", NULL },
		{ "b/a", NULL },
		{ "../a b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char words[WORDS_BYTES_MAX + 1];
		const int n = words_split(rows[i].text, strlen(rows[i].text), words, NULL);

		for (int at = 0; at < n; at++)
			words[at] = words[at] == '|' ? '_' : words[at] == 0 ? '|' : words[at];
		if ((n > 0) != (rows[i].words != NULL) ||
		    (n > 0 && ((size_t)n != strlen(rows[i].words) || memcmp(words, rows[i].words, (size_t)n) != 0)))
			fail_msg("'%s' is %d bytes: '%.*s'", rows[i].text, n, n > 0 ? n : 0, words);
	}
}

static void commands_end_somewhere(void **state)
{
	char text[WORDS_BYTES_MAX + 1], words[WORDS_BYTES_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(words_split(text, WORDS_BYTES_MAX, words, NULL), WORDS_BYTES_MAX + 1);
	assert_int_equal(words_split(text, WORDS_BYTES_MAX + 1, words, NULL), -AMBIT_LIMIT);
	for (size_t i = 0; i < sizeof text; i += 2)
		text[i] = ' ';
	assert_int_equal(words_split(text, 2 * (size_t)WORDS_MAX, words, NULL), 2 * WORDS_MAX);
	assert_int_equal(words_split(text, 2 * (size_t)WORDS_MAX + 2, words, NULL), -AMBIT_LIMIT);
	assert_int_equal(words_split("a\0b", 3, words, NULL), -AMBIT_MALFORMED);
}

/* ---- values ---- */

static void values(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool good;
	} rows[] = {
		{ "x", 1, true },         { "a b", 3, true },      { "\303\251\360\237\220\247", 6, true },
		{ "", 0, false },         { "a\n", 2, false },     { "a\nb", 3, false },
		{ "a\r", 2, false },      { "a\tb", 3, false },    { "a\0b", 3, false },
		{ "\0", 1, false },       { "a\x7f", 2, false },   { "\xc2\x85", 2, false },
		{ "\xff", 1, false },     { "a\xc3", 2, false },   { "\xed\xa0\x80", 3, false },
		{ "\xc0\xaf", 2, false }, { "\x1b[2J", 4, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct secret_value v = value_of(rows[i].bytes, rows[i].n);

		if ((secret_value_check(&v, "the value", NULL) == 0) != rows[i].good)
			fail_msg("row %zu is %s value", i, rows[i].good ? "no" : "a");
	}
}

/* ---- the file ---- */

static size_t seal(uint8_t file[SEALED_FILE_MAX], const struct secret_value *v)
{
	static struct sealed_head head = { .kind = SECRET_IS_VALUE, .set_ms = 1700000000000, .name = "github" };
	struct buf out;

	head.hosts.n = 0;
	assert_int_equal(secret_hosts_add(&head.hosts, "api.github.com", NULL), 0);
	buf_init_in(&out, file, SEALED_FILE_MAX);
	sealed_put(&out, &head, v, key);
	assert_false(out.failed);
	return out.len;
}

static void what_is_sealed_is_opened(void **state)
{
	static uint8_t file[SEALED_FILE_MAX], longest[SECRET_VALUE_MAX];
	static struct secret_value v, again;
	static struct sealed_head head;
	const size_t lengths[] = { 1, 2, 100, SECRET_VALUE_MAX - 1, SECRET_VALUE_MAX };
	size_t n = 0, first;

	(void)state;
	memset(longest, 'x', sizeof longest);
	v = value_of("t", 1);
	first = seal(file, &v);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		v = value_of(longest, lengths[i]);
		n = seal(file, &v);
		assert_int_equal(n, first); /* how long it is tells nothing */
		assert_int_equal(sealed_take(file, n, key, &head, &again, NULL), 0);
		assert_memory_equal(&v, &again, sizeof v);
		assert_string_equal(head.name, "github");
		assert_int_equal(head.hosts.n, 1);
		assert_int_equal(head.set_ms, 1700000000000);
	}
}

static void each_byte_counts(void **state)
{
	static uint8_t file[SEALED_FILE_MAX + 1];
	static const struct secret_value none;
	static struct secret_value v, again;
	static struct sealed_head head;
	uint8_t other[SEALED_KEY_BYTES];
	size_t n;

	(void)state;
	v = value_of("token", 5);
	n = seal(file, &v);
	for (size_t i = 0; i < n; i++) {
		file[i] = (uint8_t)(file[i] ^ 1 << (i % 8));
		if (sealed_take(file, n, key, &head, &again, NULL) != -AMBIT_MALFORMED)
			fail_msg("byte %zu may be another", i);
		assert_memory_equal(&again, &none, sizeof none);
		file[i] = (uint8_t)(file[i] ^ 1 << (i % 8));
	}
	for (size_t cut = 0; cut < n; cut++)
		if (sealed_take(file, cut, key, &head, &again, NULL) != -AMBIT_MALFORMED)
			fail_msg("%zu bytes are enough", cut);
	assert_int_equal(sealed_take(file, n + 1, key, &head, &again, NULL), -AMBIT_MALFORMED);
	memcpy(other, key, sizeof other);
	other[31] ^= 1;
	assert_int_equal(sealed_take(file, n, other, &head, &again, NULL), -AMBIT_MALFORMED);
	assert_int_equal(sealed_take(file, n, key, &head, &again, NULL), 0); /* the twin */
	assert_memory_equal(&v, &again, sizeof v);
}

/* ---- the store ---- */

struct place {
	char path[64];
	struct store store;
};

static void place_open(struct place *p)
{
	char at[96];

	*p = (struct place){ .path = "/tmp/ambit-test-secret-XXXXXX", .store = { .uid = geteuid() } };
	assert_non_null(mkdtemp(p->path));
	(void)snprintf(at, sizeof at, "%s/s", p->path);
	assert_int_equal(mkdir(at, 0700), 0);
	p->store.dir_fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(at, sizeof at, "%s/k", p->path);
	assert_int_equal(mkdir(at, 0700), 0);
	p->store.key_fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->store.dir_fd >= 0 && p->store.key_fd >= 0);
}

static void place_close(struct place *p)
{
	char command[128];

	fd_close(&p->store.dir_fd);
	fd_close(&p->store.key_fd);
	(void)snprintf(command, sizeof command, "rm -r %s", p->path);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own path */
}

static int put(struct place *p, const char *name, const char *value)
{
	p->store.head = (struct sealed_head){ .kind = SECRET_IS_VALUE };
	(void)snprintf(p->store.head.name, sizeof p->store.head.name, "%s", name); /* fits */
	p->store.value = value_of(value, strlen(value));
	return store_write(&p->store, NULL);
}

static void what_is_written_is_read(void **state)
{
	static struct place p;
	static struct store_names found;
	struct err e;

	(void)state;
	place_open(&p);
	assert_int_equal(store_check(&p.store, NULL), 0);
	assert_int_equal(store_key(&p.store, false, &e), -AMBIT_NOT_FOUND);
	assert_int_equal(store_key(&p.store, true, NULL), 0);
	assert_int_equal(put(&p, "b", "two"), 0);
	assert_int_equal(put(&p, "a", "one"), 0);
	assert_int_equal(store_key(&p.store, false, NULL), 0);
	assert_int_equal(store_read(&p.store, "b", NULL), 0);
	assert_string_equal((const char *)p.store.value.bytes, "two");
	assert_int_equal(store_list(&p.store, &found, NULL), 0);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.list[0], "a");
	assert_int_equal(store_remove(&p.store, "a", NULL), 0);
	assert_int_equal(store_remove(&p.store, "a", NULL), -AMBIT_NOT_FOUND);
	assert_int_equal(store_read(&p.store, "a", &e), -AMBIT_NOT_FOUND);
	assert_int_equal(unlinkat(p.store.key_fd, "store.key", 0), 0);
	assert_int_equal(store_key(&p.store, true, &e), -AMBIT_NOT_FOUND); /* b could not be opened any more */
	assert_int_equal(store_remove(&p.store, "b", NULL), 0);
	assert_int_equal(store_key(&p.store, true, NULL), 0);
	place_close(&p);
}

/* What stands at a name of the store, each by itself. */
static void what_is_not_ours_alone_is_refused(void **state)
{
	static const struct {
		const char *name;
		int code;
		unsigned mode; /* of a file with the true bytes; 0: another thing */
		const char *link;
	} rows[] = {
		{ "a file of its own", 0, 0600, NULL },
		{ "for the group to read", -AMBIT_DENIED, 0640, NULL },
		{ "for all to read", -AMBIT_DENIED, 0604, NULL },
		{ "for the group to write", -AMBIT_DENIED, 0620, NULL },
		{ "a link to a true one", -AMBIT_SYSTEM, 0, "other.sealed" },
	};
	static struct place p;

	(void)state;
	place_open(&p);
	assert_int_equal(store_key(&p.store, true, NULL), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int r;

		assert_int_equal(put(&p, "a", "one"), 0);
		if (rows[i].link != NULL) {
			assert_int_equal(renameat(p.store.dir_fd, "a.sealed", p.store.dir_fd, rows[i].link), 0);
			assert_int_equal(symlinkat(rows[i].link, p.store.dir_fd, "a.sealed"), 0);
		} else {
			assert_int_equal(fchmodat(p.store.dir_fd, "a.sealed", rows[i].mode, 0), 0);
		}
		r = store_read(&p.store, "a", NULL);
		if (r != rows[i].code)
			fail_msg("%s: %d", rows[i].name, r);
	}
	assert_int_equal(unlinkat(p.store.dir_fd, "a.sealed", 0), 0);
	assert_int_equal(mkfifoat(p.store.dir_fd, "a.sealed", 0600), 0);
	assert_int_equal(store_read(&p.store, "a", NULL), -AMBIT_DENIED);
	assert_int_equal(put(&p, "a", "one"), 0);
	p.store.uid++; /* another's */
	assert_int_equal(store_read(&p.store, "a", NULL), -AMBIT_DENIED);
	assert_int_equal(store_check(&p.store, NULL), -AMBIT_DENIED);
	assert_int_equal(store_key(&p.store, false, NULL), -AMBIT_DENIED);
	p.store.uid--;
	assert_int_equal(renameat(p.store.dir_fd, "a.sealed", p.store.dir_fd, "b.sealed"), 0);
	assert_int_equal(store_read(&p.store, "b", NULL), -AMBIT_MALFORMED); /* under another name */
	assert_int_equal(fchmodat(p.store.key_fd, "store.key", 0640, 0), 0);
	assert_int_equal(store_key(&p.store, false, NULL), -AMBIT_DENIED);
	assert_int_equal(fchmod(p.store.key_fd, 0750), 0);
	assert_int_equal(store_check(&p.store, NULL), -AMBIT_DENIED);
	place_close(&p);
}

static void a_store_has_an_end(void **state)
{
	static struct place p;
	char name[24];

	(void)state;
	place_open(&p);
	assert_int_equal(store_key(&p.store, true, NULL), 0);
	assert_int_equal(put(&p, "s0", "x"), 0);
	for (int i = 1; i < STORE_SECRETS_MAX; i++) { /* names are enough, and quicker */
		(void)snprintf(name, sizeof name, "s%d.sealed", i);
		assert_int_equal(linkat(p.store.dir_fd, "s0.sealed", p.store.dir_fd, name, 0), 0);
	}
	assert_int_equal(put(&p, "more", "x"), -AMBIT_LIMIT);
	assert_int_equal(put(&p, "s7", "y"), 0);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(hosts_are_bound),
		cmocka_unit_test(what_is_no_host_is_not_bound),
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(messages_are_checked),
		cmocka_unit_test(commands_have_words),
		cmocka_unit_test(commands_end_somewhere),
		cmocka_unit_test(values),
		cmocka_unit_test(what_is_sealed_is_opened),
		cmocka_unit_test(each_byte_counts),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_not_ours_alone_is_refused),
		cmocka_unit_test(a_store_has_an_end),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
