#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ambit/codes.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "diff/hunks.h"
#include "diff/show.h"
#include "diff/writer.h"
#include "prop.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WORK (UINT64_C(1) << 31)

/* -- memory that runs out ------------------------------------------------------------------------------------------- */

static uint64_t allocations_left = UINT64_MAX;

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool may_allocate(void)
{
	if (allocations_left == UINT64_MAX)
		return true;
	if (allocations_left == 0)
		return false;
	allocations_left--;
	return true;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return may_allocate() ? __real_realloc(p, size) : NULL;
}

/* -- helpers -------------------------------------------------------------------------------------------------------- */

static int sink_buf(void *of, const void *bytes, size_t n)
{
	struct buf *b = of;

	buf_put(b, bytes, n);
	return b->failed ? -1 : 0;
}

static ssize_t read_rbuf(void *of, void *bytes, size_t n)
{
	struct rbuf *r = of;
	const size_t left = rbuf_left(r), now = n < left ? n : left;

	memcpy(bytes, rbuf_bytes(r, now), now);
	return (ssize_t)now;
}

static struct text text_of(const char *s)
{
	return (struct text){ (const uint8_t *)s, strlen(s) };
}

/* What the role writes for an input. */
static int shown(const struct buf *input, struct buf *ret_text, struct err *e)
{
	struct rbuf in;

	rbuf_init(&in, input->data, input->len);
	return show_changes((struct diff_source){ read_rbuf, &in }, (struct sink){ sink_buf, ret_text }, e);
}

/* All that was written to fd. */
static void take_written(int fd, struct buf *ret)
{
	uint8_t step[4096];

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (ssize_t n; (n = fd_read_all(fd, step, sizeof step)) > 0;)
		buf_put(ret, step, (size_t)n);
	assert_false(ret->failed);
}

static struct change change_of(uint8_t kind, const char *path)
{
	struct change c = { .kind = kind, .type = CHANGE_FILE, .path = path, .from = "", .reason = "" };

	c.mode_old = kind == CHANGE_ADDED ? 0 : 0644;
	c.mode_new = kind == CHANGE_DELETED ? 0 : 0644;
	return c;
}

/* One modified file. */
static void one_change(const struct diff_options *o, const void *old, size_t old_n, const void *new, size_t new_n,
		       struct buf *ret)
{
	auto_fd int fd = memfd_create("input", MFD_CLOEXEC);
	const struct change c = change_of(CHANGE_MODIFIED, "f");
	struct diff_writer w;

	diff_writer_init(&w, fd, o);
	diff_writer_change(&w, &c);
	diff_writer_bytes(&w, CHANGE_FILE, old, old_n);
	diff_writer_bytes(&w, CHANGE_FILE, new, new_n);
	assert_int_equal(diff_writer_end(&w, NULL), 0);
	diff_writer_finish(&w);
	take_written(fd, ret);
}

/* -- the difference of two texts ------------------------------------------------------------------------------------ */

static void hunks_as_git_writes_them(void **state)
{
	static const struct {
		const char *old, *new, *text;
		uint32_t context;
	} rows[] = {
		{ "a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n", 3 },
		{ "", "b\nc\n", "@@ -0,0 +1,2 @@\n+b\n+c\n", 3 },
		{ "a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n", 3 },
		{ "a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n", 3 },
		{ "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n", 3 },
		{ "x\na", "y\na", "@@ -1,2 +1,2 @@\n-x\n+y\n a\n\\ No newline at end of file\n", 3 },
		{ "1\n2\n3\n4\n5\n", "1\n2\n4\n5\n", "@@ -2,3 +2,2 @@\n 2\n-3\n 4\n", 1 },
		{ "1\n2\n3\n", "1\n3\n", "@@ -2 +1,0 @@\n-2\n", 0 },
		{ "1\n2\n", "1\n9\n2\n", "@@ -1,0 +2 @@\n+9\n", 0 },
		/* contexts that touch are one hunk, one line more and they are two */
		{ "a\n1\n2\nb\n", "A\n1\n2\nB\n", "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n-b\n+B\n", 1 },
		{ "a\n1\n2\n3\nb\n", "A\n1\n2\n3\nB\n", "@@ -1,2 +1,2 @@\n-a\n+A\n 1\n@@ -4,2 +4,2 @@ a\n 3\n-b\n+B\n",
		  1 },
		{ "f()\n 1\n 2\n 3\n", "f()\n 1\n 2\n 4\n", "@@ -4 +4 @@ f()\n- 3\n+ 4\n", 0 },
		{ "a\rb\r\n", "c\r\n", "@@ -1 +1 @@\n-a\\x0db\r\n+c\r\n", 3 },
		{ "\t\033[m\n", "\xff\xe2\x80\xae\\\n", "@@ -1 +1 @@\n-\t\\x1b[m\n+\\xff\\u{202e}\\\n", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct text old = text_of(rows[i].old), new = text_of(rows[i].new);
		auto_buf got = { .max = 1u << 20 };
		uint64_t work = WORK;
		struct script s;
		static struct out o;

		assert_int_equal(script_make(&old, &new, &work, &s), 0);
		out_init(&o, (struct sink){ sink_buf, &got }, false, 0);
		assert_true(hunks_write(&o, &old, &new, &s, rows[i].context, ""));
		assert_true(out_flush(&o));
		script_finish(&s);
		if (strcmp(buf_cstr(&got), rows[i].text) != 0)
			fail_msg("row %zu:\n%s--- expected:\n%s", i, buf_cstr(&got), rows[i].text);
	}
}

static void blocks_lie_where_they_read_best(void **state)
{
	static const struct {
		const char *name, *old, *new;
		uint32_t at, n; /* of the only block, on the new side */
	} rows[] = {
		{ "a function among functions", "int a(void)\n{\n}\n\nint z(void)\n{\n}\n",
		  "int a(void)\n{\n}\n\nint m(void)\n{\n}\n\nint z(void)\n{\n}\n", 4, 4 },
		{ "one at the end", "a {\n  x\n}\n", "a {\n  x\n}\nb {\n  x\n}\n", 3, 3 },
		{ "a case with its body", "s\n  c 1:\n    x\n    y\n  c 3:\n    x\n    y\n",
		  "s\n  c 1:\n    x\n    y\n  c 2:\n    x\n    y\n  c 3:\n    x\n    y\n", 4, 3 },
		{ "equal lines: the last", "a\na\nb\n", "a\na\na\nb\n", 2, 1 },
		{ "a paragraph", "one\n\nthree\n", "one\n\ntwo\n\nthree\n", 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct text old = text_of(rows[i].old), new = text_of(rows[i].new);
		uint64_t work = WORK;
		struct script s;

		assert_int_equal(script_make(&old, &new, &work, &s), 0);
		if (s.n != 1 || s.blocks[0].old_n != 0 || s.blocks[0].new_at != rows[i].at ||
		    s.blocks[0].new_n != rows[i].n)
			fail_msg("%s: %zu blocks, the first at %u, %u lines", rows[i].name, s.n, s.blocks[0].new_at,
				 s.blocks[0].new_n);
		script_finish(&s);
	}
}

/* Lines of a text, for the models. */
struct model {
	const uint8_t *line[512];
	size_t len[512];
	size_t n;
};

static void model_of(const struct text *t, struct model *m)
{
	m->n = 0;
	for (size_t at = 0, end; at < t->len; at = end) {
		end = text_line_end(t, at);
		assert_true(m->n < COUNT_OF(m->line));
		m->line[m->n] = t->data + at;
		m->len[m->n++] = end - at;
	}
}

static bool same_line(const struct model *a, size_t i, const struct model *b, size_t j)
{
	return a->len[i] == b->len[j] && memcmp(a->line[i], b->line[j], a->len[i]) == 0;
}

/* The longest common subsequence, by the table of the textbook. */
static size_t longest_common(const struct model *a, const struct model *b)
{
	static size_t table[513][513];

	for (size_t i = 0; i <= a->n; i++)
		for (size_t j = 0; j <= b->n; j++) {
			const size_t up = i > 0 ? table[i - 1][j] : 0, left = j > 0 ? table[i][j - 1] : 0;

			table[i][j] = up > left ? up : left;
			if (i > 0 && j > 0 && same_line(a, i - 1, b, j - 1))
				table[i][j] = table[i - 1][j - 1] + 1;
			if (i == 0 || j == 0)
				table[i][j] = 0;
		}
	return table[a->n][b->n];
}

/* Between the blocks both sides have the same lines, and nothing is left over. */
static const char *check_blocks(const struct model *a, const struct model *b, const struct script *s)
{
	size_t i = 0, j = 0, deleted = 0, added = 0;

	for (size_t k = 0; k <= s->n; k++) {
		const struct block end = { (uint32_t)a->n, 0, (uint32_t)b->n, 0 };
		const struct block *at = k < s->n ? &s->blocks[k] : &end;

		for (; i < at->old_at; i++, j++)
			if (j >= b->n || !same_line(a, i, b, j))
				return "a line that differs lies outside the blocks";
		if (j != at->new_at)
			return "a block begins elsewhere on the new side";
		if (k < s->n && at->old_n + at->new_n == 0)
			return "a block is empty";
		i += at->old_n;
		j += at->new_n;
		deleted += at->old_n;
		added += at->new_n;
	}
	if (i != a->n || j != b->n)
		return "the blocks reach beyond the end";
	return deleted == s->deleted && added == s->added ? NULL : "the counts are wrong";
}

static size_t random_text(struct prop *p, char *dst, uint32_t lines, uint32_t kinds)
{
	size_t n = 0;

	for (uint32_t i = 0; i < lines; i++)
		n += (size_t)sprintf(dst + n, "%*s%u\n", (int)prop_below(p, 2), "", prop_below(p, kinds));
	return n > 0 && prop_below(p, 4) == 0 ? n - 1 : n; /* now and then without its last newline */
}

/* A copy with some lines gone, new or moved: what people do. */
static size_t edited(struct prop *p, const struct text *old, char *dst)
{
	size_t n = 0;

	for (size_t at = 0, end; at < old->len; at = end) {
		end = text_line_end(old, at);
		if (prop_below(p, 8) == 0)
			n += (size_t)sprintf(dst + n, "%u\n", prop_below(p, 5));
		if (prop_below(p, 8) == 0)
			continue;
		memcpy(dst + n, old->data + at, end - at);
		n += end - at;
	}
	return n;
}

static void check_pair(struct prop *p, const struct text *old, const struct text *new, uint64_t work)
{
	static struct model a, b;
	struct script s;
	const char *wrong;
	const bool whole = work == WORK;

	model_of(old, &a);
	model_of(new, &b);
	assert_int_equal(script_make(old, new, &work, &s), 0);
	wrong = check_blocks(&a, &b, &s);
	if (wrong == NULL && whole && s.deleted + s.added != a.n + b.n - 2 * longest_common(&a, &b))
		wrong = "not minimal";
	if (wrong == NULL && whole && s.coarse)
		wrong = "coarse without need";
	if (wrong != NULL)
		prop_fail(p, "%s; old:\n%.*s\nnew:\n%.*s", wrong, (int)old->len, old->data, (int)new->len, new->data);
	script_finish(&s);
}

/* The property test: the blocks make the new text of the old one, and are as few lines as the model's. */
static void blocks_are_right_and_minimal(void **state)
{
	static char old_room[4096], new_room[8192];

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(3000); round++) {
		struct prop p = prop_round(round);
		const uint32_t kinds = 1 + prop_below(&p, 12);
		const struct text old = { (uint8_t *)old_room, random_text(&p, old_room, prop_below(&p, 60), kinds) };
		const bool unlike = prop_below(&p, 3) == 0;
		const struct text new = { (uint8_t *)new_room,
					  unlike ? random_text(&p, new_room, prop_below(&p, 60), kinds)
						 : edited(&p, &old, new_room) };

		check_pair(&p, &old, &new, WORK);
		check_pair(&p, &old, &new, prop_below(&p, 20000));
	}
}

/* Longer than the margin on both ends, so that the arrays begin inside the texts. */
static void blocks_are_right_far_from_the_ends(void **state)
{
	static char old_room[8192], new_room[16384];

	(void)state;
	for (uint64_t round = 0; round < prop_rounds(200); round++) {
		struct prop p = prop_round(round);
		const size_t head = random_text(&p, old_room, 150, 3);
		size_t old_n, new_n;

		old_room[head - 1] = '\n';
		memcpy(new_room, old_room, head);
		old_n = head + random_text(&p, old_room + head, prop_below(&p, 20), 3);
		new_n = head + random_text(&p, new_room + head, prop_below(&p, 20), 3);
		old_room[old_n - 1] = new_room[new_n - 1] = '\n';
		memcpy(old_room + old_n, old_room, head);
		memcpy(new_room + new_n, old_room, head);
		check_pair(&p, &(struct text){ (uint8_t *)old_room, old_n + head },
			   &(struct text){ (uint8_t *)new_room, new_n + head }, WORK);
	}
}

/* Beyond MYERS_EXACT the search is cut short again and again; the result is right all the same. */
static void long_searches_end_and_are_right(void **state)
{
	static const uint32_t kinds[] = { 2, 3, 1000, 100000 };
	static char room[2][1u << 20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct prop p = prop_round(i);
		const struct text old = { (uint8_t *)room[0], random_text(&p, room[0], 20000, kinds[i]) };
		const struct text new = { (uint8_t *)room[1], random_text(&p, room[1], 20000, kinds[i]) };
		uint64_t work = WORK;
		size_t x = 0, y = 0;
		struct script s;

		assert_int_equal(script_make(&old, &new, &work, &s), 0);
		assert_true(WORK - work <= SCRIPT_WORK_FILE + SCRIPT_WORK_LINE * 40000);
		for (size_t k = 0; k <= s.n; k++) { /* byte by byte, since there are too many lines for the model */
			const struct block *b = &s.blocks[k];
			uint32_t line = k == 0 ? 0 : s.blocks[k - 1].old_at + s.blocks[k - 1].old_n;

			for (; x < old.len && (k == s.n || line < b->old_at); line++) {
				const size_t n = text_line_end(&old, x) - x;

				assert_true(n <= new.len - y);
				assert_memory_equal(old.data + x, new.data + y, n);
				x += n;
				y += n;
			}
			for (uint32_t n = k < s.n ? b->old_n : 0; n > 0; n--)
				x = text_line_end(&old, x);
			for (uint32_t n = k < s.n ? b->new_n : 0; n > 0; n--)
				y = text_line_end(&new, y);
		}
		assert_true(x == old.len && y == new.len);
		script_finish(&s);
	}
}

/* Texts that would take half a minute: the work ends, and the caller has the rest of his. */
static void one_file_takes_no_more_than_its_share(void **state)
{
	static char room[2][1u << 20];
	struct prop p = prop_round(0);
	uint64_t work = WORK;
	struct script s;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof room[0]; i++)
		room[i & 1][i / 2] = i / 2 % 2 == 1 ? '\n' : (char)('a' + prop_below(&p, 3));
	assert_int_equal(script_make(&(struct text){ (uint8_t *)room[0], sizeof room[0] },
				     &(struct text){ (uint8_t *)room[1], sizeof room[1] }, &work, &s),
			 0);
	assert_true(s.coarse);
	assert_true(WORK - work >= SCRIPT_WORK_FILE);
	assert_true(WORK - work <= SCRIPT_WORK_FILE + SCRIPT_WORK_LINE * (uint64_t)sizeof room[0]);
	script_finish(&s);
}

static void no_work_is_one_block(void **state)
{
	const struct text old = text_of("same\na\nb\nc\nend\n"), new = text_of("same\nb\nc\nd\nend\n");
	uint64_t work = 0;
	struct script s;

	(void)state;
	assert_int_equal(script_make(&old, &new, &work, &s), 0);
	assert_true(s.coarse);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.blocks[0].old_at, 1);
	assert_int_equal(s.blocks[0].old_n, 3);
	assert_int_equal(s.blocks[0].new_n, 3);
	script_finish(&s);
}

static void a_line_too_many_is_one_block(void **state)
{
	static char old_room[2 * (SCRIPT_LINES_MAX + 1) + 2], new_room[4];
	uint64_t work = WORK;

	(void)state;
	for (size_t i = 0; i < sizeof old_room; i++)
		old_room[i] = i % 2 == 1 ? '\n' : 'a';
	memcpy(new_room, "b\na", 3);
	for (size_t more = 0; more < 2; more++) {
		const struct text old = { (uint8_t *)old_room, 2 * ((size_t)SCRIPT_LINES_MAX + more) };
		const struct text new = { (uint8_t *)new_room, 3 };
		struct script s;

		assert_int_equal(script_make(&old, &new, &work, &s), 0);
		assert_int_equal(s.coarse, more);
		script_finish(&s);
	}
}

/* -- names ---------------------------------------------------------------------------------------------------------- */

static void names_as_git_writes_them(void **state)
{
	static const struct {
		const char *tree, *path, *text;
	} rows[] = {
		{ "", "a/b", "a/a/b" },
		{ "srv", "b c", "a/srv/b c" },
		{ "", "caf\xc3\xa9", "a/caf\xc3\xa9" },
		{ "", "\xc3\xa9\t", "\"a/\xc3\xa9\\t\"" },
		{ "", "a\"b", "\"a/a\\\"b\"" },
		{ "", "a\\b", "\"a/a\\\\b\"" },
		{ "", "\n\033]0;x\007", "\"a/\\n\\033]0;x\\a\"" },
		{ "", "\a\b\t\n\v\f\r", "\"a/\\a\\b\\t\\n\\v\\f\\r\"" },
		{ "", "\177", "\"a/\\177\"" },
		{ "", "\xe2\x80\xae", "\"a/\\342\\200\\256\"" },
		{ "t\n", "\xff", "\"a/t\\n/\\377\"" },
		{ "", "", "a/." },
		{ "t", "", "a/t" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf name = { .max = NAME_MAX_BYTES };

		name_put(&name, "a/", rows[i].tree, rows[i].path);
		assert_string_equal(buf_cstr(&name), rows[i].text);
	}
}

static void the_longest_names_are_whole(void **state)
{
	static char tree[CHANGE_PATH_MAX], path[CHANGE_PATH_MAX];
	auto_buf name = { .max = 2 * NAME_MAX_BYTES };

	(void)state;
	memset(tree, '\001', sizeof tree - 1);
	memset(path, '\001', sizeof path - 1);
	name_put(&name, "a/", tree, path);
	assert_false(name.failed);
	assert_int_equal(name.len, 2 + 2 + 1 + 2 * 4 * (CHANGE_PATH_MAX - 1));
}

/* -- the input ------------------------------------------------------------------------------------------------------ */

struct read_back {
	struct diff_options options;
	struct diff_reader *reader;
	struct diff_change change;
	struct rbuf in;
};

static int open_back(struct read_back *b, const void *bytes, size_t n, struct err *e)
{
	memset(b, 0, sizeof *b);
	diff_change_init(&b->change);
	rbuf_init(&b->in, bytes, n);
	return diff_reader_create((struct diff_source){ read_rbuf, &b->in }, &b->options, &b->reader, e);
}

static void close_back(struct read_back *b)
{
	diff_reader_destroy(b->reader);
	diff_change_finish(&b->change);
}

/* A write of several changes, some longer than a piece. */
static void write_several(int fd)
{
	static uint8_t large[3 * DIFF_PIECE_MAX + 7];
	static struct diff_writer w;
	struct diff_options o;
	struct change c = change_of(CHANGE_MODIFIED, "large");

	diff_options_init(&o);
	o.n_trees = 2;
	o.tree[1] = "srv/data";
	o.colour = true;
	memset(large, 'x', sizeof large);
	diff_writer_init(&w, fd, &o);
	diff_writer_change(&w, &c);
	diff_writer_bytes(&w, CHANGE_FILE, large, sizeof large);
	diff_writer_bytes(&w, CHANGE_FILE, "", 0);
	c = change_of(CHANGE_RENAMED, "new");
	c.from = "old";
	c.tree = 1;
	diff_writer_change(&w, &c);
	diff_writer_unchanged(&w, CHANGE_FILE);
	diff_writer_unchanged(&w, CHANGE_FILE);
	c = change_of(CHANGE_ADDED, "fifo");
	c.type = CHANGE_FIFO;
	diff_writer_change(&w, &c);
	diff_writer_absent(&w);
	diff_writer_omitted(&w, CHANGE_FIFO, DIFF_NOT_REGULAR);
	assert_int_equal(diff_writer_end(&w, NULL), 0);
	diff_writer_finish(&w);
}

static void what_is_written_is_read(void **state)
{
	auto_fd int fd = memfd_create("input", MFD_CLOEXEC);
	auto_buf bytes = { .max = 1u << 20 };
	static struct read_back b;
	struct err e;

	(void)state;
	write_several(fd);
	take_written(fd, &bytes);
	assert_int_equal(open_back(&b, bytes.data, bytes.len, &e), 0);
	assert_true(b.options.colour && b.options.n_trees == 2);
	assert_string_equal(b.options.tree[1], "srv/data");
	assert_int_equal(diff_reader_next(b.reader, &b.change, &e), 1);
	assert_string_equal(b.change.change.path, "large");
	assert_int_equal(b.change.old.bytes.len, 3 * DIFF_PIECE_MAX + 7);
	assert_int_equal(b.change.new.state, DIFF_BYTES);
	assert_int_equal(b.change.new.bytes.len, 0);
	assert_int_equal(diff_reader_next(b.reader, &b.change, &e), 1);
	assert_string_equal(b.change.change.from, "old");
	assert_int_equal(b.change.new.state, DIFF_UNCHANGED);
	assert_int_equal(diff_reader_next(b.reader, &b.change, &e), 1);
	assert_int_equal(b.change.old.state, DIFF_ABSENT);
	assert_int_equal(b.change.new.why, DIFF_NOT_REGULAR);
	assert_int_equal(diff_reader_next(b.reader, &b.change, &e), 0);
	close_back(&b);
}

/* Every prefix of an input is refused, and so is one byte more. */
static void an_input_is_whole_or_refused(void **state)
{
	auto_buf bytes = { .max = 1u << 20 };
	struct diff_options o;

	(void)state;
	diff_options_init(&o);
	one_change(&o, "a\n", 2, "b\n", 2, &bytes);
	buf_put_u8(&bytes, 0);
	for (size_t n = 0; n <= bytes.len; n++) {
		const struct buf part = { .data = bytes.data, .len = n };
		auto_buf text = { .max = 1u << 20 };
		struct err e = { .code = AMBIT_OK };
		const int rc = shown(&part, &text, &e);

		if (rc != (n == bytes.len - 1 ? 0 : -AMBIT_MALFORMED))
			fail_msg("%zu of %zu bytes: %d %s", n, bytes.len, rc, e.msg);
		if (rc < 0)
			assert_non_null(strstr(e.msg, "byte "));
	}
}

static void options_out_of_range_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint8_t form, colour;
		uint32_t context;
		uint16_t width, n_trees;
		const char *tree;
		int code;
	} rows[] = {
		{ "good", DIFF_PATCH, 1, 3, 80, 1, "", 0 },
		{ "form 0", 0, 0, 3, 80, 1, "", -AMBIT_MALFORMED },
		{ "binary", DIFF_BINARY, 0, 3, 80, 1, "", 0 },
		{ "form 5", 5, 0, 3, 80, 1, "", -AMBIT_MALFORMED },
		{ "colour 2", DIFF_PATCH, 2, 3, 80, 1, "", -AMBIT_MALFORMED },
		{ "most context", DIFF_PATCH, 0, DIFF_CONTEXT_MAX, 80, 1, "", 0 },
		{ "more context", DIFF_PATCH, 0, DIFF_CONTEXT_MAX + 1, 80, 1, "", -AMBIT_MALFORMED },
		{ "least width", DIFF_STAT, 0, 3, DIFF_WIDTH_MIN, 1, "", 0 },
		{ "less width", DIFF_STAT, 0, 3, DIFF_WIDTH_MIN - 1, 1, "", -AMBIT_MALFORMED },
		{ "most width", DIFF_STAT, 0, 3, DIFF_WIDTH_MAX, 1, "", 0 },
		{ "more width", DIFF_STAT, 0, 3, DIFF_WIDTH_MAX + 1, 1, "", -AMBIT_MALFORMED },
		{ "no tree", DIFF_PATCH, 0, 3, 80, 0, "", -AMBIT_MALFORMED },
		{ "a tree above", DIFF_PATCH, 0, 3, 80, 1, "..", -AMBIT_MALFORMED },
		{ "a tree from the root", DIFF_PATCH, 0, 3, 80, 1, "/srv", -AMBIT_MALFORMED },
		{ "most trees", DIFF_PATCH, 0, 3, 80, DIFF_TREES_MAX, "t", 0 },
		{ "more trees", DIFF_PATCH, 0, 3, 80, DIFF_TREES_MAX + 1, "t", -AMBIT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_buf in = { .max = 4096 }, text = { .max = 4096 };
		int rc;

		buf_put_u32(&in, DIFF_MAGIC);
		buf_put_u16(&in, DIFF_VERSION);
		buf_put_u8(&in, rows[i].form);
		buf_put_u8(&in, rows[i].colour);
		buf_put_u32(&in, rows[i].context);
		buf_put_u16(&in, rows[i].width);
		buf_put_u64(&in, 0);
		buf_put_u16(&in, rows[i].n_trees);
		for (size_t k = 0; k < rows[i].n_trees; k++)
			buf_put_str(&in, rows[i].tree);
		buf_put_u8(&in, 0);
		rc = shown(&in, &text, NULL);
		if (rc != rows[i].code)
			fail_msg("%s: %d", rows[i].name, rc);
	}
}

static void sides_fit_the_kind(void **state)
{
	enum { NO = DIFF_ABSENT, YES = DIFF_BYTES, LEFT = DIFF_OMITTED, SAME = DIFF_UNCHANGED };
	static const struct {
		uint8_t kind, old, old_type, new, new_type, type;
		bool good;
	} rows[] = {
		{ CHANGE_ADDED, NO, 0, YES, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_ADDED, NO, 0, LEFT, CHANGE_FIFO, CHANGE_FIFO, true },
		{ CHANGE_ADDED, NO, 0, YES, CHANGE_FIFO, CHANGE_FIFO, false },
		{ CHANGE_ADDED, YES, CHANGE_FILE, YES, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_ADDED, NO, 0, NO, 0, CHANGE_FILE, false },
		{ CHANGE_ADDED, NO, 0, SAME, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_ADDED, NO, 0, YES, CHANGE_FILE, CHANGE_SYMLINK, false },
		{ CHANGE_ADDED, NO, CHANGE_FILE, YES, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_DELETED, YES, CHANGE_FILE, NO, 0, CHANGE_FILE, true },
		{ CHANGE_DELETED, YES, CHANGE_FILE, YES, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_DELETED, YES, CHANGE_FILE, NO, 0, CHANGE_SYMLINK, false },
		{ CHANGE_DELETED, SAME, CHANGE_FILE, NO, 0, CHANGE_FILE, false },
		{ CHANGE_MODIFIED, YES, CHANGE_FILE, YES, CHANGE_SYMLINK, CHANGE_SYMLINK, true },
		{ CHANGE_MODIFIED, YES, CHANGE_FILE, NO, 0, CHANGE_FILE, false },
		{ CHANGE_MODIFIED, SAME, CHANGE_FILE, SAME, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_MODE, SAME, CHANGE_FILE, SAME, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_MODE, SAME, CHANGE_FILE, YES, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_MODE, SAME, CHANGE_SYMLINK, SAME, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_RENAMED, YES, CHANGE_FILE, LEFT, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_RENAMED, NO, 0, YES, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_LINK, NO, 0, SAME, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_LINK, NO, 0, YES, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_LINK, YES, CHANGE_FILE, YES, CHANGE_FILE, CHANGE_FILE, true },
		{ CHANGE_LINK, YES, CHANGE_FILE, SAME, CHANGE_FILE, CHANGE_FILE, false },
		{ CHANGE_LINK, YES, CHANGE_FILE, NO, 0, CHANGE_FILE, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct change c = { .kind = rows[i].kind, .type = rows[i].type };
		struct diff_side old = { .state = rows[i].old, .type = rows[i].old_type };
		struct diff_side new = { .state = rows[i].new, .type = rows[i].new_type };

		old.why = old.state == LEFT ? DIFF_TOO_LARGE : 0;
		new.why = new.state == LEFT ? DIFF_TOO_LARGE : 0;
		if (diff_sides_are_good(&c, &old, &new) != rows[i].good)
			fail_msg("row %zu", i);
	}
}

/* Reads back one change of which the new side was the file `fd`. */
static void write_and_read(int fd, struct read_back *b, struct buf *bytes)
{
	auto_fd int in = memfd_create("input", MFD_CLOEXEC);
	const struct change c = change_of(CHANGE_ADDED, "f");
	static struct diff_writer w;
	struct diff_options o;
	struct err e;

	diff_options_init(&o);
	diff_writer_init(&w, in, &o);
	diff_writer_change(&w, &c);
	diff_writer_absent(&w);
	diff_writer_file(&w, CHANGE_FILE, fd);
	assert_int_equal(diff_writer_end(&w, NULL), 0);
	diff_writer_finish(&w);
	take_written(in, bytes);
	assert_int_equal(open_back(b, bytes->data, bytes->len, &e), 0);
	if (diff_reader_next(b->reader, &b->change, &e) != 1)
		fail_msg("%s", e.msg);
	assert_int_equal(diff_reader_next(b->reader, &b->change, &e), 0);
}

static void a_file_is_written_up_to_its_limit(void **state)
{
	static const struct {
		off_t size;
		uint8_t state, why;
	} rows[] = {
		{ 0, DIFF_BYTES, DIFF_WHY_NONE },
		{ DIFF_PIECE_MAX, DIFF_BYTES, DIFF_WHY_NONE },
		{ DIFF_CONTENT_MAX, DIFF_BYTES, DIFF_WHY_NONE },
		{ DIFF_CONTENT_MAX + 1, DIFF_OMITTED, DIFF_TOO_LARGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		auto_fd int fd = memfd_create("file", MFD_CLOEXEC);
		auto_buf bytes = { .max = 2 * (size_t)DIFF_CONTENT_MAX };
		static struct read_back b;

		assert_int_equal(ftruncate(fd, rows[i].size), 0);
		write_and_read(fd, &b, &bytes);
		assert_int_equal(b.change.new.state, rows[i].state);
		assert_int_equal(b.change.new.why, rows[i].why);
		assert_int_equal(b.change.new.bytes.len, rows[i].state == DIFF_BYTES ? rows[i].size : 0);
		close_back(&b);
	}
}

static void a_file_that_cannot_be_read_is_omitted(void **state)
{
	auto_buf bytes = { .max = 1u << 20 };
	static struct read_back b;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0); /* pread: ESPIPE */
	write_and_read(pipe_fds[0], &b, &bytes);
	assert_int_equal(b.change.new.state, DIFF_OMITTED);
	assert_int_equal(b.change.new.why, DIFF_UNREADABLE);
	close_back(&b);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

/* A content of one byte more than the limit, made by hand: the writer would not. */
static void a_content_over_the_limit_is_refused(void **state)
{
	static const uint8_t piece[DIFF_PIECE_MAX];

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		auto_buf in = { .max = 2 * (size_t)DIFF_CONTENT_MAX }, text = { .max = 1u << 20 };
		const struct change c = change_of(CHANGE_ADDED, "f");
		auto_buf encoded = { .max = DIFF_CHANGE_BYTES_MAX };
		struct diff_options o;

		diff_options_init(&o);
		diff_options_encode(&in, &o);
		change_encode(&encoded, &c);
		buf_put_u8(&in, 1);
		buf_put_bytes(&in, encoded.data, encoded.len);
		buf_put(&in, "\0\0\0\1\1\0", 6);
		for (size_t i = 0; i < DIFF_CONTENT_MAX / DIFF_PIECE_MAX; i++)
			buf_put_bytes(&in, piece, sizeof piece);
		if (more > 0)
			buf_put_bytes(&in, piece, 1);
		buf_put_u32(&in, 0);
		buf_put_u8(&in, 0);
		assert_int_equal(shown(&in, &text, NULL), more > 0 ? -AMBIT_MALFORMED : 0);
	}
}

/* -- as a whole ----------------------------------------------------------------------------------------------------- */

static void a_full_output_is_cut_and_says_so(void **state)
{
	static char old[200000], new[200000];
	auto_buf in = { .max = 1u << 20 }, text = { .max = 1u << 20 };
	struct diff_options o;

	(void)state;
	for (size_t i = 0; i < sizeof old; i++) {
		old[i] = i % 10 == 9 ? '\n' : 'o';
		new[i] = i % 10 == 9 ? '\n' : 'n';
	}
	diff_options_init(&o);
	o.output_max = 50000;
	one_change(&o, old, sizeof old, new, sizeof new, &in);
	assert_int_equal(shown(&in, &text, NULL), 0);
	assert_true(text.len > 50000 && text.len < 51000);
	assert_non_null(strstr(buf_cstr(&text),
			       "\n@@ -1 +1 @@ the rest of this file is not shown: the difference is too long\n"));
}

/* The nth allocation fails, until none does: an error each time, and never a text that passes for whole. */
static void memory_may_end_anywhere(void **state)
{
	static const uint8_t forms[] = { DIFF_PATCH, DIFF_STAT };

	(void)state;
	for (size_t f = 0; f < COUNT_OF(forms); f++) {
		auto_buf in = { .max = 1u << 20 };
		struct diff_options o;
		auto_buf whole = { .max = 4096 };
		int rc = -1;

		diff_options_init(&o);
		o.form = forms[f];
		one_change(&o, "a\nb\nc\n", 6, "a\nx\nc\n", 6, &in);
		assert_int_equal(shown(&in, &whole, NULL), 0);
		for (uint64_t n = 0; rc != 0; n++) {
			char room[4096];
			struct buf text;

			buf_init_in(&text, room, sizeof room);
			allocations_left = n;
			rc = shown(&in, &text, NULL);
			allocations_left = UINT64_MAX;
			if (rc != 0 && rc != -AMBIT_MEMORY && rc != -AMBIT_SYSTEM)
				fail_msg("allocation %" PRIu64 ": %d", n, rc);
			assert_true(n < 1000);
			if (rc == 0)
				assert_string_equal(buf_cstr(&text), buf_cstr(&whole));
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hunks_as_git_writes_them),
		cmocka_unit_test(blocks_lie_where_they_read_best),
		cmocka_unit_test(blocks_are_right_and_minimal),
		cmocka_unit_test(blocks_are_right_far_from_the_ends),
		cmocka_unit_test(long_searches_end_and_are_right),
		cmocka_unit_test(one_file_takes_no_more_than_its_share),
		cmocka_unit_test(no_work_is_one_block),
		cmocka_unit_test(a_line_too_many_is_one_block),
		cmocka_unit_test(names_as_git_writes_them),
		cmocka_unit_test(the_longest_names_are_whole),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(an_input_is_whole_or_refused),
		cmocka_unit_test(options_out_of_range_are_refused),
		cmocka_unit_test(sides_fit_the_kind),
		cmocka_unit_test(a_file_is_written_up_to_its_limit),
		cmocka_unit_test(a_file_that_cannot_be_read_is_omitted),
		cmocka_unit_test(a_content_over_the_limit_is_refused),
		cmocka_unit_test(a_full_output_is_cut_and_says_so),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
