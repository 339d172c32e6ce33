/* The index of git: its reader, on files made by hand in all versions, and what is said about two of them. Real git's are in
 * test_judge_git.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "judge/gitindex.h"
#include "judge/input.h"
#include "judge/judge.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define TREE "/home/u/proj"
#define FULL 0x0FFFu

/* How an index is written. */
struct how {
	uint32_t version;
	size_t id_len;
};

static const struct how all_ways[] = { { 2, 20 }, { 3, 20 }, { 4, 20 }, { 2, 32 }, { 3, 32 }, { 4, 32 } };

static void put_be32(struct buf *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_put_u8(out, (uint8_t)(v >> shift));
}

static void put_head(struct buf *out, uint32_t version, uint32_t count)
{
	buf_put(out, "DIRC", 4);
	put_be32(out, version);
	put_be32(out, count);
}

static void put_zeroes(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_put_u8(out, 0);
}

/* As git writes the number, for n below 16,512. */
static void put_strip(struct buf *out, size_t n)
{
	if (n >= 128)
		buf_put_u8(out, (uint8_t)(128 | ((n - 128) >> 7)));
	buf_put_u8(out, (uint8_t)(n >= 128 ? (n - 128) & 127 : n));
}

/* One whose name ends with `/` is a directory; `id` is each byte of its object id. Names with `e` in front have extended flags, those
 * with `i` (not in version 2) are only intended. */
static void put_entry(struct buf *out, const struct how *how, const char *before, const char *name, uint8_t stage,
		      uint8_t id)
{
	const size_t start = out->len, n = strlen(name);
	const bool intended = how->version >= 3 && name[0] == 'i';
	const bool extended = how->version >= 3 && (intended || name[0] == 'e');
	size_t common = 0;

	put_zeroes(out, 24);
	put_be32(out, n > 0 && name[n - 1] == '/' ? 0040000 : 0100644);
	put_zeroes(out, 12);
	for (size_t i = 0; i < how->id_len; i++)
		buf_put_u8(out, id);
	buf_put_u8(out, (uint8_t)((extended ? 0x40u : 0u) | (unsigned)stage << 4 | (n < FULL ? n >> 8 : FULL >> 8)));
	buf_put_u8(out, (uint8_t)(n < FULL ? n : FULL));
	if (extended)
		buf_put(out, intended ? "\x20\0" : "\x40\0", 2); /* to be added, or not in the work tree */
	if (how->version == 4) {
		while (before[common] != 0 && before[common] == name[common])
			common++;
		put_strip(out, strlen(before) - common);
		buf_put(out, name + common, n - common + 1);
		return;
	}
	buf_put(out, name, n + 1);
	put_zeroes(out, (8 - (out->len - start) % 8) % 8);
}

/* Names between blanks; `!name` is in conflict; `name#` has another object. */
static void put_index(struct buf *out, const struct how *how, const char *names)
{
	char copy[3 * CHANGE_PATH_MAX], *save = NULL;
	const char *before = "";
	const size_t count_at = out->len + 8;
	uint32_t n = 0;

	put_head(out, how->version, 0);
	(void)snprintf(copy, sizeof copy, "%s", names);
	for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
		const bool conflict = word[0] == '!', other = word[strlen(word) - 1] == '#';

		if (other)
			word[strlen(word) - 1] = 0;
		word += conflict;
		put_entry(out, how, before, word, conflict ? 1 : 0, other ? 8 : 7);
		if (conflict)
			put_entry(out, how, word, word, 3, 9);
		n += conflict ? 2 : 1;
		before = word;
	}
	out->data[count_at + 3] = (uint8_t)n;
	out->data[count_at + 2] = (uint8_t)(n >> 8);
}

static void end_index(struct buf *out, const struct how *how)
{
	for (size_t i = 0; i < how->id_len; i++)
		buf_put_u8(out, 0xEE);
}

static void put_extension(struct buf *out, const char *name, uint32_t n)
{
	buf_put(out, name, 4);
	put_be32(out, n);
	put_zeroes(out, n);
}

static void expect_names(const struct buf *index, const struct how *how, const char *names)
{
	char got[3 * CHANGE_PATH_MAX] = "";
	struct gitindex g;
	size_t at = 0;

	if (!gitindex_init(&g, index->data, index->len))
		fail_msg("version %u, ids of %zu, <%s>: %s", how->version, how->id_len, names, g.mistake);
	assert_int_equal(g.id_len, how->id_len);
	while (gitindex_next(&g))
		at += (size_t)snprintf(got + at, sizeof got - at, "%s%s", at > 0 ? " " : "", g.name);
	assert_string_equal(got, names);
}

static void names_of_all_versions(void **state)
{
	static const char *const rows[] = {
		"a", "a a.b a/b ab", "ext", "a/b/c/d a/b/c/e a/b/f extended/x sub/ z", "A0 a b",
	};
	char longest[CHANGE_PATH_MAX], names[3 * CHANGE_PATH_MAX];

	(void)state;
	memset(longest, 'x', sizeof longest);
	for (size_t i = 200; i < sizeof longest; i += 200)
		longest[i] = '/';
	longest[sizeof longest - 1] = 0;
	(void)snprintf(names, sizeof names, "a %.4000s %s z", longest, longest);
	for (size_t h = 0; h < COUNT_OF(all_ways); h++) {
		const struct how *how = &all_ways[h];

		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			auto_buf b = { .max = 65536 };

			put_index(&b, how, rows[i]);
			put_extension(&b, "TREE", 100);
			put_extension(&b, "EOIE", 24);
			put_extension(&b, "sdir", 0);
			end_index(&b, how);
			expect_names(&b, how, rows[i]);
		}
		{
			auto_buf b = { .max = 65536 };

			put_index(&b, how, names);
			end_index(&b, how);
			expect_names(&b, how, names);
		}
	}
}

/* In which of both lengths of ids a first name is wrong nobody can say: then `part` is NULL. */
static void expect_mistake(const struct buf *index, const char *part, const char *about)
{
	struct gitindex g;

	if (gitindex_init(&g, index->data, index->len))
		fail_msg("%s: it was read", about);
	if (part != NULL && strstr(g.mistake, part) == NULL)
		fail_msg("%s: '%s' has no '%s'", about, g.mistake, part);
	assert_false(gitindex_next(&g));
}

static void names_that_git_would_not_take(void **state)
{
	static const struct {
		const char *names, *mistake;
	} rows[] = {
		{ "a a/../b", "no path" },  { "..", "no path" },       { "/etc/passwd", "no path" },
		{ "a//b", "no path" },      { "./a", "no path" },      { "a/.", "no path" },
		{ "b a", "out of order" },  { "a a", "out of order" }, { "ab a", "out of order" },
		{ "!a a", "out of order" }, { "/", "no path" },        { "a/../", "no path" },
	};

	(void)state;
	for (size_t h = 0; h < COUNT_OF(all_ways); h++)
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			auto_buf b = { .max = 65536 };

			put_index(&b, &all_ways[h], rows[i].names);
			end_index(&b, &all_ways[h]);
			expect_mistake(&b, all_ways[h].id_len == 20 ? rows[i].mistake : NULL, rows[i].names);
		}
}

#define ENTRY 12u                 /* where the first one begins */
#define FLAGS (ENTRY + 40u + 20u) /* of one with ids of 20 bytes */

static void bytes_that_are_no_index(void **state)
{
	static const struct {
		const char *about;
		uint32_t version;
		size_t at;
		uint8_t byte;
		const char *mistake;
	} rows[] = {
		{ "other letters", 2, 0, 'E', "begin as an index" },
		{ "version 1", 2, 7, 1, "version" },
		{ "version 5", 2, 7, 5, "version" },
		{ "version 2^24 + 2", 2, 4, 1, "version" },
		{ "one name less than there are", 2, 11, 1, "extension" },
		{ "one name more than there are", 2, 11, 3, "in the middle" },
		{ "2^31 names", 2, 8, 0x80, "in the middle" },
		{ "no names", 2, 11, 0, "extension" },
		{ "extended flags in version 2", 2, FLAGS, 0x40, "later version" },
		{ "a longer name", 2, FLAGS + 1, 9, "another length" },
		{ "a shorter name", 2, FLAGS + 1, 1, "another length" },
		{ "a name with a zero byte", 2, FLAGS + 3, 0, "another length" },
		{ "padding that is none", 2, FLAGS + 6, 'x', "zero byte" },
		{ "an empty name", 2, FLAGS + 2, 0, "zero byte" },
		{ "a file that is a directory", 2, ENTRY + 26, 0x40, "directory" },
		{ "it strips what is not there", 4, FLAGS + 2, 1, "takes more" },
		{ "it strips without end", 4, FLAGS + 2, 0xFF, "takes more" },
		{ "a shorter name, stripped", 4, FLAGS + 1, 1, "another length" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct how how = { rows[i].version, 20 };
		auto_buf b = { .max = 65536 };

		put_index(&b, &how, "abc abd");
		end_index(&b, &how);
		expect_names(&b, &how, "abc abd"); /* the twin */
		b.data[rows[i].at] = rows[i].byte;
		expect_mistake(&b, rows[i].mistake, rows[i].about);
	}
}

static void names_that_are_too_long(void **state)
{
	char name[CHANGE_PATH_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = 0;
	for (size_t h = 0; h < COUNT_OF(all_ways); h++) {
		auto_buf b = { .max = 65536 };

		put_index(&b, &all_ways[h], name);
		end_index(&b, &all_ways[h]);
		expect_mistake(&b, all_ways[h].id_len == 20 ? "too long" : NULL, "4,096 bytes");
	}
}

static void extensions(void **state)
{
	static const struct {
		const char *name, *mistake;
	} rows[] = { { "link", "split" },
		     { "abcd", "not known" },
		     { "\1BCD", "not known" },
		     { "TREE", NULL },
		     { "sdir", NULL } };

	(void)state;
	for (size_t h = 0; h < COUNT_OF(all_ways); h++)
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			auto_buf b = { .max = 65536 };
			struct gitindex g;

			put_index(&b, &all_ways[h], "a b");
			put_extension(&b, rows[i].name, 5);
			end_index(&b, &all_ways[h]);
			if (rows[i].mistake != NULL)
				expect_mistake(&b, rows[i].mistake, rows[i].name);
			else
				expect_names(&b, &all_ways[h], "a b");
			b.data[b.len - all_ways[h].id_len - 6]++; /* its length */
			assert_false(gitindex_init(&g, b.data, b.len));
		}
}

/* What a split index has of names that are replaced. */
static void an_empty_name(void **state)
{
	const struct how how = { 2, 20 };
	auto_buf b = { .max = 65536 };

	(void)state;
	put_head(&b, 2, 1);
	put_entry(&b, &how, "", "", 0, 7);
	end_index(&b, &how);
	expect_mistake(&b, "split", "an empty name");
}

/* In memory of just that length, so that a byte too many is noticed. */
static void judge_exactly(const uint8_t *bytes, size_t n, bool as_old)
{
	static const char hidden[] = TREE "/a/b";
	auto_free uint8_t *copy = malloc(n > 0 ? n : 1);
	struct judge_case c = { .kind = JUDGE_GIT_INDEX, .had_old = true, .tree = TREE, .path = ".git/index" };
	struct judge_verdict v;
	auto_buf other = { .max = 65536 };

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	put_index(&other, &all_ways[0], "a a/b");
	end_index(&other, &all_ways[0]);
	c.hidden = hidden;
	c.hidden_len = sizeof hidden;
	c.old = as_old ? copy : other.data;
	c.old_len = as_old ? n : other.len;
	c.now = as_old ? other.data : copy;
	c.now_len = as_old ? other.len : n;
	judge(&c, &v);
	if (v.inert != (v.why[0] == 0) || v.offset != 0)
		fail_msg("%zu bytes: inert %d, '%s'", n, v.inert, v.why);
}

static void every_byte_missing_or_changed(void **state)
{
	(void)state;
	for (size_t h = 0; h < COUNT_OF(all_ways); h++) {
		auto_buf b = { .max = 65536 };
		struct gitindex g;

		put_index(&b, &all_ways[h], "a a/b !c e/f sub/ z");
		put_extension(&b, "TREE", 3);
		end_index(&b, &all_ways[h]);
		assert_true(gitindex_init(&g, b.data, b.len));
		for (size_t n = 0; n < b.len; n++) {
			if (gitindex_init(&g, b.data, n)) /* only what comes last may go: there is no sum */
				expect_names(&(struct buf){ .data = b.data, .len = n }, &all_ways[h],
					     "a a/b c c e/f sub/ z");
			judge_exactly(b.data, n, false);
			judge_exactly(b.data, n, true);
		}
		for (size_t at = 0; at < b.len; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				b.data[at] ^= (uint8_t)(1u << bit);
				judge_exactly(b.data, b.len, false);
				judge_exactly(b.data, b.len, true);
				b.data[at] ^= (uint8_t)(1u << bit);
			}
	}
}

/* ---- two of them ---- */

struct row {
	const char *old, *now; /* names; NULL: there is none */
	const char *hidden;    /* between blanks, sorted */
	const char *why;       /* a part; NULL: inert */
	const char *path;      /* NULL: ".git/index" */
	const char *gitdir, *config;
};

static size_t as_list(const char *words, char ret[4096])
{
	const size_t n = strlen(words);

	(void)snprintf(ret, 4096, "%s", words);
	for (size_t i = 0; i < n; i++)
		if (ret[i] == ' ')
			ret[i] = 0;
	return n > 0 ? n + 1 : 0;
}

static void check(const struct row *row, const struct how *old_how, const struct how *now_how, const char *tree)
{
	char hidden[4096];
	auto_buf old = { .max = 65536 }, now = { .max = 65536 };
	struct judge_case c = { .kind = JUDGE_GIT_INDEX,
				.had_old = row->old != NULL,
				.tree = tree,
				.path = row->path != NULL ? row->path : ".git/index" };
	struct judge_verdict v;

	if (row->old != NULL) {
		put_index(&old, old_how, row->old);
		end_index(&old, old_how);
	}
	if (row->now != NULL) {
		put_index(&now, now_how, row->now);
		end_index(&now, now_how);
	}
	c.old = old.data;
	c.old_len = old.len;
	c.now = now.data;
	c.now_len = now.len;
	c.hidden_len = as_list(row->hidden, hidden);
	c.hidden = hidden;
	c.gitdir = row->gitdir;
	c.gitdir_len = row->gitdir != NULL ? strlen(row->gitdir) : 0;
	c.config = row->config;
	c.config_len = row->config != NULL ? strlen(row->config) : 0;
	judge(&c, &v);
	if (v.inert != (row->why == NULL) || (row->why != NULL && strstr(v.why, row->why) == NULL))
		fail_msg("from <%s> to <%s>, hidden <%s>: '%s', expected '%s'", row->old != NULL ? row->old : "none",
			 row->now != NULL ? row->now : "none", row->hidden, v.why,
			 row->why != NULL ? row->why : "inert");
}

#define W TREE "/"

static void what_is_lost(void **state)
{
	static const struct row rows[] = {
		{ "a k.pem", "a", W "k.pem", "--read ./k.pem shows", NULL, NULL, NULL },
		{ "a k.pem", "a k.pem", W "k.pem", NULL, NULL, NULL, NULL },
		{ "a k.pem", "a k.pem#", W "k.pem", NULL, NULL, NULL, NULL },
		{ "a k.pem", "a !k.pem", W "k.pem", NULL, NULL, NULL, NULL },
		{ "a !k.pem", "a", W "k.pem", "--read ./k.pem", NULL, NULL, NULL },
		{ "a k.pem", "k.pem", W "k.pem", NULL, NULL, NULL, NULL },
		{ "a k.pem", "b", W "k.pem", "./k.pem", NULL, NULL, NULL },
		{ "a k.pem", "", W "k.pem", "./k.pem", NULL, NULL, NULL },
		{ "a k.pem", NULL, W "k.pem", "./k.pem", NULL, NULL, NULL },
		{ NULL, "a", W "k.pem", NULL, NULL, NULL, NULL },
		{ "", "a", W "k.pem", NULL, NULL, NULL, NULL },
		{ "a k.pem", "a", "", NULL, NULL, NULL, NULL },
		{ "a", "b", W "k.pem", NULL, NULL, NULL, NULL }, /* it was not in it */
		{ "a k.pem", "a", W "k.pe", NULL, NULL, NULL, NULL },
		{ "K.pem a", "a", W "k.pem", "--read ./k.pem shows", NULL, NULL, NULL }, /* without case */
		{ "a k.pem", "a", W "K.PEM", "--read ./K.PEM shows", NULL, NULL, NULL },
		{ "T/k.pem a", "a", W "j " W "t " W "U", "--read ./t shows", NULL, NULL, NULL },
		{ "T/ a", "a", W "J " W "t/k.pem " W "U", "--read ./t/k.pem shows", NULL, NULL, NULL },
		{ "a k.pem", "a", W "k.pem.x", NULL, NULL, NULL, NULL },
		{ "a k.pem", "a", W "t/k.pem", NULL, NULL, NULL, NULL },
		{ "a t/k.pem", "a", W "t/k.pem", "./t/k.pem", NULL, NULL, NULL },
		{ "a t/k.pem", "a", W "t", "--read ./t shows", NULL, NULL, NULL }, /* a hidden directory */
		{ "a t/u/k t/u/l t/v", "a", W "t", "it; --read ./t shows", NULL, NULL, NULL },
		{ "a t.x/u t0", "a", W "t", NULL, NULL, NULL, NULL },
		{ ".env k.pem m.pem", "x", W ".env " W "k.pem " W "m.pem",
		  "--read ./.env --read ./k.pem --read ./m.pem shows", NULL, NULL, NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa k l m", "x",
		  W "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " W "k " W "l " W "m",
		  "--read ./k and 2 more shows", NULL, NULL, NULL },
		{ "a\tb", "x", W "a\tb", "--read of 1 names", NULL, NULL, NULL },
		{ "a'b k", "x", W "a'b " W "k", "--read of 2 names", NULL, NULL, NULL },
		/* a sparse index: what is in its directories, it does not say; what becomes of them is data */
		{ "a t/", "a t/", W "t/k.pem", NULL, NULL, NULL, NULL },
		{ "a t/", "a t/#", W "t/k.pem", NULL, NULL, NULL, NULL },
		{ "a t/", "a t/x", W "t/k.pem", NULL, NULL, NULL, NULL },
		{ "a t/", "a", W "t", "--read ./t ", NULL, NULL, NULL },
		{ "a t/", "a", W "t.pem", NULL, NULL, NULL, NULL },
		{ "a t/k.pem", "a t/", W "t/k.pem", "--read ./t/k.pem", NULL, NULL, NULL },
		{ "a t/k.pem", "a t/k.pem/", W "t/k.pem", "--read ./t/k.pem", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_ways); i++)
		for (size_t k = 0; k < COUNT_OF(all_ways); k++)
			for (size_t n = 0; n < COUNT_OF(rows); n++)
				if (all_ways[i].id_len == all_ways[k].id_len)
					check(&rows[n], &all_ways[i], &all_ways[k], TREE);
	print_message("%zu rows\n", COUNT_OF(rows));
}

/* Of `git add -N` no commit has anything (git reset -N): in the new one it is no name, in the old one it was none. */
static void what_is_only_intended(void **state)
{
	static const struct row rows[] = {
		{ "a ik k", "a ik", W "k", "--read ./k ", NULL, NULL, NULL },
		{ "a ik", "a", W "ik", NULL, NULL, NULL, NULL },
		{ "ik", "", W "ik", NULL, NULL, NULL, NULL },
		{ "a em", "a", W "em", "--read ./em ", NULL, NULL, NULL }, /* the twin: not in the work tree */
	};
	static const struct row becomes = { "a ik", "a ik", W "ik", "--read ./ik ", NULL, NULL, NULL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_ways); i++)
		for (size_t n = 0; n < COUNT_OF(rows); n++)
			if (all_ways[i].version > 2)
				check(&rows[n], &all_ways[i], &all_ways[i], TREE);
	check(&becomes, &(struct how){ 2, 20 }, &(struct how){ 3, 20 }, TREE); /* version 2 knows no such names */
	check(&becomes, &(struct how){ 2, 32 }, &(struct how){ 4, 32 }, TREE);
}

#define WT ".git/worktrees/w/index"
#define MODULE ".git/modules/m/index"

static void where_the_work_tree_is(void **state)
{
	static const struct row rows[] = {
		/* a repository in the tree */
		{ "k", "a", W "s/k", "--read ./s/k", "s/.git/index", NULL, NULL },
		{ "k", "a", W "k", NULL, "s/.git/index", NULL, NULL },
		{ "t/k", "a", W "t/k", NULL, "s/.git/index", NULL, NULL },
		{ "k", "a", W "s", "--read ./s ", "s/.git/index", NULL, NULL },
		/* another tree */
		{ "k", "a", "/else/k", NULL, NULL, NULL, NULL },
		{ "k", "a", "/else/k", "--read /else/k shows", NULL, NULL, "[core]\n\tworktree = /else\n" },
		{ "k", "a", "/else/k " W "k", "--read ./k shows", NULL, NULL, "[core]\n\tbare = false\n" },
		{ "k", "a", W "k", "--read .../k", NULL, NULL, "[core]\n\tworktree = /else\n" }, /* it may be a link */
		{ "k", "a", W "k", "--read .../k", NULL, NULL, "[core\n" },                      /* nobody knows */
		{ "k", "a", W "k", "--read .../k", NULL, NULL, "[core]\n\tworktree\n" },
		{ "k", "a", W "x", NULL, NULL, NULL, "[core\n" },
		/* worktrees */
		{ "k", "a", "/else/w/k", "--read /else/w/k", WT, "/else/w/.git\n", NULL },
		{ "k", "a", W "w/k", "--read ./w/k", WT, TREE "/w/.git", NULL },
		{ "k", "a", W "w/k", "--read ./w/k", WT, "../../../w/.git\n", NULL },
		{ "k", "a", W "k", "--read .../k", WT, TREE "/w/.git\n", NULL }, /* it may have been moved */
		{ "k", "a", W "k", "--read .../k", WT, TREE "/w\n", NULL },      /* nobody knows */
		{ "k", "a", W "k", "--read .../k", WT, "/.git", NULL },
		{ "k", "a", W "x", NULL, WT, TREE "/w\n", NULL },
		/* submodules */
		{ "k", "a", W "m/k", "--read ./m/k", MODULE, NULL, "[core]\n\tworktree = ../../../m\n" },
		{ "k", "a", W "k", "--read .../k", MODULE, NULL, "[core]\n\tworktree = ../../../m\n" },
		/* of which no place is known */
		{ "k", "a", W "y/k", "--read .../k", "x.git/index", NULL, "" },
		{ "t/k", "a", W "y/t/k", "--read .../t/k", "x.git/index", NULL, "" },
		{ "t/k", "a", W "y/t", "--read .../t/k", "x.git/index", NULL, "" },
		{ "t/k", "a", W "y/k", NULL, "x.git/index", NULL, "" },
		{ "T/k a", "a", W "y/t/K", "--read .../T/k", "x.git/index", NULL, "" },
		{ "k", "a", W "y/xk", NULL, "x.git/index", NULL, "" },
		{ "t/", "a", W "y/t/k", "--read .../t/ ", "x.git/index", NULL, "" }, /* of a sparse one */
		{ "t/", "a", W "y/t", "--read .../t/ ", "x.git/index", NULL, "" },
		{ "s/t/", "a", W "y/S/t/u/k", "--read .../s/t/ ", "x.git/index", NULL, "" },
		{ "t/", "a", W "t/k", "--read .../t/ ", WT, TREE "/w/.git\n", NULL },
		{ "t/", "a", W "y/k", NULL, "x.git/index", NULL, "" },
		{ "t/", "a", W "yt/k", NULL, "x.git/index", NULL, "" },
		{ "s/t/", "a", W "y/t/k", NULL, "x.git/index", NULL, "" },
		{ "k", "a", W "k", "--read .../k", "index", NULL, "" }, /* the tree is the repository */
	};
	static const struct row at_the_root[] = {
		{ "k", "a", "/k", "--read /k ", NULL, NULL, NULL },
		{ "t/k", "a", "/t", "--read /t ", NULL, NULL, NULL },
		{ "t/k", "a", "/x", NULL, NULL, NULL, NULL },
		{ "k", "a", "/r/k", "--read /r/k ", "r/.git/index", NULL, NULL },
	};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(rows); n++)
		check(&rows[n], &all_ways[0], &all_ways[0], TREE);
	for (size_t n = 0; n < COUNT_OF(at_the_root); n++)
		check(&at_the_root[n], &all_ways[0], &all_ways[0], "/");
	print_message("%zu rows\n", COUNT_OF(rows) + COUNT_OF(at_the_root));
}

static void what_cannot_be_read(void **state)
{
	static const struct {
		const char *old, *now, *hidden, *why;
		size_t old_len, now_len; /* 0: of the text */
	} rows[] = {
		{ NULL, "nonsense", W "a", "it cannot be read (it ends", 0, 0 },
		{ NULL, "nonsense", W "k", NULL, 0, 0 }, /* there was nothing to lose */
		{ "nonsense", "DIRC", W "k", "what was there cannot be read", 0, 0 },
		{ "nonsense", "DIRC", "/else/k", NULL, 0, 0 },
		{ "nonsense", "nonsense", W "k", NULL, 0, 0 }, /* as it was */
		{ NULL, "", W "a", "it cannot be read (too large)", 0, JUDGE_INDEX_MAX + 1 },
		{ "", NULL, W "k", "what was there cannot be read (too large)", JUDGE_INDEX_MAX + 1, 0 },
		{ "", "", W "k", "what was there cannot be read (too large)", JUDGE_INDEX_MAX + 1,
		  JUDGE_INDEX_MAX + 1 }, /* the same so far: what follows was cut */
		{ "", "", "/else/k", NULL, JUDGE_INDEX_MAX + 1, JUDGE_INDEX_MAX + 1 },
		{ "", NULL, "/else/k", NULL, JUDGE_INDEX_MAX + 1, 0 },
		{ NULL, "", W "a", "it cannot be read (it does not begin", 0, JUDGE_INDEX_MAX },
	};
	auto_buf good = { .max = 65536 };
	auto_free uint8_t *big = calloc(1, JUDGE_INDEX_MAX + 1);
	char hidden[4096];

	(void)state;
	assert_non_null(big);
	put_index(&good, &all_ways[0], "a");
	end_index(&good, &all_ways[0]);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct judge_case c = { .kind = JUDGE_GIT_INDEX, .had_old = true, .tree = TREE, .path = ".git/index" };
		struct judge_verdict v;

		c.old = rows[i].old == NULL   ? (const void *)good.data
			: rows[i].old_len > 0 ? (const void *)big
					      : rows[i].old;
		c.old_len = rows[i].old == NULL   ? good.len
			    : rows[i].old_len > 0 ? rows[i].old_len
						  : strlen(rows[i].old);
		c.now = rows[i].now == NULL   ? (const void *)good.data
			: rows[i].now_len > 0 ? (const void *)big
					      : rows[i].now;
		c.now_len = rows[i].now == NULL   ? good.len
			    : rows[i].now_len > 0 ? rows[i].now_len
						  : strlen(rows[i].now);
		c.hidden_len = as_list(rows[i].hidden, hidden);
		c.hidden = hidden;
		judge(&c, &v);
		if (v.inert != (rows[i].why == NULL) || (rows[i].why != NULL && strstr(v.why, rows[i].why) == NULL))
			fail_msg("row %zu: '%s', expected '%s'", i, v.why, rows[i].why != NULL ? rows[i].why : "inert");
	}
}

/* A configuration that is not read to its end may say anything. */
static void a_long_configuration(void **state)
{
	auto_free char *config = malloc(JUDGE_CONTENT_MAX + 2);
	struct row row = { "k", "a", W "k", "--read ./k", NULL, NULL, NULL };

	(void)state;
	assert_non_null(config);
	memset(config, '\n', JUDGE_CONTENT_MAX + 1);
	row.config = config;
	config[JUDGE_CONTENT_MAX] = 0;
	check(&row, &all_ways[0], &all_ways[0], TREE);
	config[JUDGE_CONTENT_MAX] = '\n';
	config[JUDGE_CONTENT_MAX + 1] = 0;
	row.why = "--read .../k";
	check(&row, &all_ways[0], &all_ways[0], TREE);
}

/* Far more than a person has, within the time that the role has. */
static void many_names(void **state)
{
	enum { NAMES = 400000, HIDDEN = 60000 };
	auto_buf old = { .max = JUDGE_INDEX_MAX }, now = { .max = JUDGE_INDEX_MAX },
		 hidden = { .max = JUDGE_HIDDEN_MAX };
	const struct how how = { 2, 20 };
	struct judge_case c = { .kind = JUDGE_GIT_INDEX, .had_old = true, .tree = TREE, .path = ".git/index" };
	struct judge_verdict v;
	char name[64];

	(void)state;
	put_head(&old, 2, NAMES);
	for (int i = 0; i < NAMES; i++) {
		(void)snprintf(name, sizeof name, "d%07d/key", i);
		put_entry(&old, &how, "", name, 0, 7);
	}
	end_index(&old, &how);
	put_index(&now, &how, "a");
	end_index(&now, &how);
	for (int i = 0; i < HIDDEN; i++)
		buf_printf(&hidden, TREE "/d%07d/key%c", i, 0);
	assert_false(old.failed || now.failed || hidden.failed);
	c.old = old.data;
	c.old_len = old.len;
	c.now = now.data;
	c.now_len = now.len;
	c.hidden = (const char *)hidden.data;
	c.hidden_len = hidden.len;
	judge(&c, &v);
	assert_string_equal(v.why,
			    "names that git could not see are gone from it; --read ./d0000000/key --read ./d0000001/key"
			    " --read ./d0000002/key and 59997 more shows them");
	c.path = "x.git/index";
	judge(&c, &v);
	assert_non_null(strstr(v.why, "too many names are gone"));
}

static void what_is_asked(void **state)
{
	static const struct {
		const char *about, *hidden;
		size_t n;
		int r;
	} rows[] = {
		{ "two", "/a\0/b", 6, 0 },
		{ "none", "", 0, 0 },
		{ "the same twice", "/a\0/a", 6, -AMBIT_INTERNAL },
		{ "out of order", "/b\0/a", 6, -AMBIT_INTERNAL },
		{ "without case", "/a\0/B\0/c", 9, 0 },
		{ "of two cases", "/A\0/a\0/b", 9, 0 },
		{ "out of order by case", "/a\0/A", 6, -AMBIT_INTERNAL },
		{ "without its end", "/a", 2, -AMBIT_INTERNAL },
		{ "an empty one", "/a\0", 4, -AMBIT_INTERNAL },
		{ "relative", "a", 2, -AMBIT_INTERNAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct judge_case c = {
			.kind = JUDGE_GIT_INDEX, .had_old = true, .old = "o", .old_len = 1, .now = "n", .now_len = 1
		};
		struct judge_case back = { .hidden_len = 0 };
		struct judge_reader r;
		struct judge_batch b;
		uint32_t n;

		c.tree = TREE;
		c.path = ".git/index";
		c.gitdir = "g\n";
		c.gitdir_len = 2;
		c.config = "cc\n";
		c.config_len = 3;
		judge_batch_init(&b, rows[i].hidden, rows[i].n);
		if (judge_batch_put(&b, &c) != rows[i].r)
			fail_msg("%s", rows[i].about);
		if (rows[i].r == 0) {
			assert_int_equal(judge_batch_put(&b, &c), 0); /* of both the same is hidden */
			assert_true(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n) &&
				    judge_reader_next(&r, &back) && judge_reader_next(&r, &back));
			assert_true(judge_reader_done(&r));
			assert_true(back.hidden_len == rows[i].n && back.gitdir_len == 2 && back.config_len == 3);
			assert_memory_equal(back.config, "cc\n", 3);
			assert_memory_equal(back.hidden, rows[i].hidden, rows[i].n);
			if (rows[i].n > 0) { /* the list is checked on the other side as well */
				b.bytes.data[12 + rows[i].n - 1] = 'x';
				assert_false(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n));
			}
		}
		judge_batch_finish(&b);
		c.kind = JUDGE_GIT_WORD; /* which has nothing beside it */
		judge_batch_init(&b, "", 0);
		assert_int_equal(judge_batch_put(&b, &c), -AMBIT_INTERNAL);
		judge_batch_finish(&b);
	}
}

/* The two largest, with all that may go with them, are one batch; more of an index is cut, and stays too long. */
static void the_largest_batch(void **state)
{
	auto_free uint8_t *big = calloc(1, JUDGE_INDEX_MAX + 10);
	auto_free char *hidden = calloc(1, JUDGE_HIDDEN_MAX);
	struct judge_case c = { .kind = JUDGE_GIT_INDEX, .had_old = true, .tree = TREE, .path = ".git/index" }, back;
	struct judge_reader r;
	struct judge_batch b;
	uint32_t n;

	(void)state;
	assert_true(big != NULL && hidden != NULL);
	for (size_t i = 0; i + 16 <= JUDGE_HIDDEN_MAX; i += 16)
		(void)snprintf(hidden + i, 16, "/%014zu", i);
	c.old = c.now = big;
	c.old_len = c.now_len = JUDGE_INDEX_MAX + 10;
	c.config = c.gitdir = (const char *)big;
	c.config_len = c.gitdir_len = JUDGE_CONTENT_MAX + 10;
	judge_batch_init(&b, hidden, JUDGE_HIDDEN_MAX);
	assert_int_equal(judge_batch_put(&b, &c), 0);
	assert_int_equal(judge_batch_put(&b, &c), -AMBIT_LIMIT);
	assert_true(judge_reader_init(&r, b.bytes.data, b.bytes.len, &n) && judge_reader_next(&r, &back));
	assert_true(judge_reader_done(&r));
	assert_int_equal(back.old_len, JUDGE_INDEX_MAX + 1);
	assert_int_equal(back.now_len, JUDGE_INDEX_MAX + 1);
	assert_int_equal(back.config_len, JUDGE_CONTENT_MAX + 1);
	judge_batch_finish(&b);
	c.old_len = c.now_len = c.config_len = c.gitdir_len = 100;
	judge_batch_init(&b, hidden, JUDGE_HIDDEN_MAX);
	for (size_t i = 0; i < JUDGE_CASES_MAX; i++)
		assert_int_equal(judge_batch_put(&b, &c), 0); /* however much is hidden, thousands are one batch */
	assert_int_equal(judge_batch_put(&b, &c), -AMBIT_LIMIT);
	judge_batch_finish(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_all_versions),
		cmocka_unit_test(names_that_git_would_not_take),
		cmocka_unit_test(bytes_that_are_no_index),
		cmocka_unit_test(names_that_are_too_long),
		cmocka_unit_test(extensions),
		cmocka_unit_test(an_empty_name),
		cmocka_unit_test(what_is_lost),
		cmocka_unit_test(what_is_only_intended),
		cmocka_unit_test(where_the_work_tree_is),
		cmocka_unit_test(what_cannot_be_read),
		cmocka_unit_test(many_names),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(the_largest_batch),
		cmocka_unit_test(every_byte_missing_or_changed),
		cmocka_unit_test(a_long_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
