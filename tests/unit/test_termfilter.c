#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <regex.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "relay/termfilter.h"

#define OUT_MAX (1u << 20)
#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define BYTES(s) s, sizeof(s) - 1
#define SEEDS 20000
/* The modes that the header speaks of, for the checker. */
#define MODE "1|5|6|7|9|12|25|47|66|69|1000|1002|1003|1004|1005|1006|1015|1016|1047|1048|1049|2004|2026"
#define BAD "\xef\xbf\xbd" /* U+FFFD */

/* ---- rows ---- */

struct row {
	const char *name;
	const char *in;
	size_t in_len;
	const char *out; /* NULL: as in */
};

static void filter_whole(struct termfilter *f, const void *in, size_t n, struct buf *out)
{
	assert_int_equal(termfilter_run(f, in, n, out), n);
	termfilter_end(f, out);
	assert_false(out->failed);
}

static void show_difference(const char *name, const void *expected, size_t expected_len, const struct buf *got)
{
	char a[2048], b[2048];

	fail_msg("%s\nexpected: %s\n     got: %s", name, text_escape(a, sizeof a, expected, expected_len),
		 text_escape(b, sizeof b, got->data, got->len));
}

static void expect_bytes(const char *name, const void *expected, size_t n, const struct buf *got)
{
	if (got->len != n || (n > 0 && memcmp(got->data, expected, n) != 0))
		show_difference(name, expected, n, got);
}

static void check_rows(const struct row *rows, size_t n, enum termfilter_mode mode, unsigned options)
{
	for (size_t i = 0; i < n; i++) {
		const char *out = rows[i].out == NULL ? rows[i].in : rows[i].out;
		struct termfilter f;
		auto_buf got = { .max = 0 };

		buf_init(&got, OUT_MAX);
		termfilter_init(&f, mode, options);
		filter_whole(&f, rows[i].in, rows[i].in_len, &got);
		expect_bytes(rows[i].name, out, strlen(out), &got);
	}
}

static void what_programs_need_passes(void **state)
{
	static const struct row rows[] = {
		{ "ASCII", BYTES("hello, world ~"), NULL },
		{ "UTF-8",
		  BYTES("caf\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf"), NULL },
		{ "C0 controls", BYTES("\a\b\t\n\v\f\r\016\017"), NULL },
		{ "colours",
		  BYTES("\033[m\033[0m\033[1;31;42m\033[38;5;208m\033[48;2;1;2;3m\033[4:3m\033[58:2::1:2:3m"), NULL },
		{ "movement",
		  BYTES("\033[A\033[2B\033[3C\033[4D\033[E\033[F\033[7G\033[H\033[2;3H\033[2;3f\033[3d\033[3`\033[a\033[e"),
		  NULL },
		{ "as far as it goes", BYTES("\033[999;999H\033[32766C"), NULL },
		{ "erase", BYTES("\033[J\033[0J\033[1J\033[2J\033[K\033[1K\033[2K\033[5X"), NULL },
		{ "insert and delete", BYTES("\033[@\033[2L\033[2M\033[2P\033[4h\033[4l"), NULL },
		{ "scroll", BYTES("\033[S\033[2T\033[2;20r\033[r\033D\033M\033E"), NULL },
		{ "repeat", BYTES("-\033[79b"), NULL },
		{ "tabs", BYTES("\033H\033[g\033[3g\033[2I\033[Z\033[?5W"), NULL },
		{ "side margins", BYTES("\033[?69h\033[2;40s\033[?69l"), NULL },
		{ "save and restore", BYTES("\0337\0338\033[s\033[u\033[?1048h\033[?1048l"), NULL },
		{ "alternate screens", BYTES("\033[?47h\033[?47l\033[?1047h\033[?1047l\033[?1049h\033[?1049l"), NULL },
		{ "bracketed paste", BYTES("\033[?2004h\033[?2004l"), NULL },
		{ "mouse",
		  BYTES("\033[?9h\033[?1000h\033[?1002h\033[?1003h\033[?1005h\033[?1006h\033[?1015h\033[?1016h"),
		  NULL },
		{ "mouse, together", BYTES("\033[?1006;1000h\033[?1006;1000l"), NULL },
		{ "focus", BYTES("\033[?1004h\033[?1004l"), NULL },
		{ "cursor", BYTES("\033[?25l\033[?12;25h\033[?12l\033[34h\033[34l\033[0 q\033[6 q\033[ q"), NULL },
		{ "keypad", BYTES("\033=\033>\033[?1h\033[?1l\033[?66h\033[?66l"), NULL },
		{ "wrap, origin, reverse", BYTES("\033[?7l\033[?7h\033[?6h\033[?6l\033[?5h\033[?5l"), NULL },
		{ "synchronised update", BYTES("\033[?2026h\033[?2026l"), NULL },
		{ "charsets", BYTES("\033(0qqq\033(B\033)0\016x\017\033(A"), NULL },
		{ "soft reset", BYTES("\033[!p"), NULL },
		{ "modified keys", BYTES("\033[>4;2m\033[>4;m\033[>4m"), NULL },
		{ "questions programs wait for", BYTES("\033[c\033[0c\033[>c\033[>0c\033[6n"), NULL },
		{ "control inside a sequence", BYTES("\033[3\n1m"), "\n\033[31m" },
		{ "DEL inside a sequence", BYTES("\033[3\1771m"), "\033[31m" },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PTY, 0);
}

static void attacks_do_not_pass(void **state)
{
	static const struct row rows[] = {
		{ "clipboard, set", BYTES("a\033]52;c;cm0gLXJmIH4=\ab"), "ab" },
		{ "clipboard, ask", BYTES("a\033]52;c;?\033\\b"), "ab" },
		{ "title", BYTES("a\033]0;root@prod\ab"), "ab" },
		{ "title, ST", BYTES("a\033]2;x\033\\b"), "ab" },
		{ "icon name", BYTES("a\033]1;x\ab"), "ab" },
		{ "title of screen", BYTES("a\033kRun\033\\b"), "ab" },
		{ "title report", BYTES("a\033[21tb\033[20tc"), "abc" },
		{ "title stack", BYTES("a\033[22;0;0tb\033[23;0;0tc"), "abc" },
		{ "window: move, resize, minimise", BYTES("\033[3;0;0t\033[8;1;1t\033[2t"), "" },
		{ "window: sizes", BYTES("\033[11t\033[13t\033[14t\033[18t\033[19t"), "" },
		{ "colour, ask", BYTES("\033]4;1;?\a\033]10;?\a\033]11;?\033\\"), "" },
		{ "colour, set", BYTES("\033]4;0;#000000\a\033]10;#000000\a\033]104\a"), "" },
		{ "palette of the Linux console", BYTES("\033]P0ffffffafter\033]Rafter"), "afterafter" },
		{ "hyperlink keeps its text", BYTES("\033]8;;ssh://x\033\\text\033]8;;\033\\"), "text" },
		{ "working directory", BYTES("\033]7;file:///etc\033\\"), "" },
		{ "notification", BYTES("\033]9;hi\a\033]777;notify;a;b\a\033]99;;x\033\\"), "" },
		{ "prompt marks and command line", BYTES("\033]133;A\a\033]633;E;rm\a"), "" },
		{ "files and variables of iTerm", BYTES("\033]1337;File=name=eA==:AAAA\a"), "" },
		{ "DECRQSS", BYTES("\033P$qm\033\\"), "" },
		{ "XTGETTCAP", BYTES("\033P+q436f\033\\"), "" },
		{ "DECUDK: keys that type", BYTES("\033P0;1|17/726d0d\033\\"), "" },
		{ "sixel", BYTES("\033Pq#0;2;0;0;0~~\033\\"), "" },
		{ "kitty graphics", BYTES("\033_Ga=T,t=f;L2V0Yy9wYXNzd2Q=\033\\"), "" },
		{ "PM and SOS", BYTES("\033^x\033\\\033Xy\033\\z"), "z" },
		{ "tmux passthrough", BYTES("\033Ptmux;\033\033]52;c;eA==\a\033\\z"), "z" },
		{ "screen passthrough", BYTES("\033P\033]52;c;eA==\a\033\\z"), "z" },
		{ "BEL does not end a DCS", BYTES("\033Pa\ab\033\\z\033_a\ab\033\\"), "z" },
		{ "DSR 5, the fence's own", BYTES("\033[5n"), "" },
		{ "DSR 5, among others", BYTES("\033[5;6n\033[6;5n"), "" },
		{ "DSR, private", BYTES("\033[?6n\033[?15n\033[?26n\033[?996n"), "" },
		{ "DA3", BYTES("\033[=c"), "" },
		{ "DA with a number", BYTES("\033[1c\033[>1c"), "" },
		{ "DECID", BYTES("\033Z"), "" },
		{ "DECRQM", BYTES("\033[?2026$p\033[4$p"), "" },
		{ "DECREQTPARM", BYTES("\033[x\033[1x"), "" },
		{ "XTVERSION", BYTES("\033[>q\033[>0q"), "" },
		{ "kitty keyboard", BYTES("\033[?u\033[>1u\033[=1;1u\033[<u"), "" },
		{ "XTQMODKEYS", BYTES("\033[?4m"), "" },
		{ "other key resources", BYTES("\033[>1;2m\033[>m\033[>4n"), "" },
		{ "XTSMGRAPHICS", BYTES("\033[?1;1;0S"), "" },
		{ "DECRQCRA: the screen read back", BYTES("\033[1;1;1;1;1;1*y"), "" },
		{ "DECRQPSR", BYTES("\033[1$w\033[2$w"), "" },
		{ "ENQ", BYTES("a\005b"), "ab" },
		{ "print", BYTES("\033[i\033[5i\033[?5i\033[4i"), "" },
		{ "keyboard lock, echo, new line", BYTES("\033[2h\033[12l\033[20h"), "" },
		{ "VT52 mode", BYTES("\033[?2l"), "" },
		{ "132 columns", BYTES("\033[?40h\033[?3h"), "" },
		{ "highlight tracking blocks the terminal", BYTES("\033[?1001h\033[1;2;3;4;5T"), "" },
		{ "in-band sizes, colour reports", BYTES("\033[?2048h\033[?2031h"), "" },
		{ "known modes among unknown ones", BYTES("\033[?1001;25;2048;7h"), "\033[?25;7h" },
		{ "saved modes", BYTES("\033[?1000s\033[?1000r"), "" },
		{ "scrollback", BYTES("\033[3J\033[H"), "\033[H" },
		{ "full reset becomes a mild one", BYTES("\033c"), "\033[H\033[2J" },
		{ "full reset takes back", BYTES("\033[?1000h\033c"),
		  "\033[?1000h\033[?9;1000;1002;1003;1005;1006;1015;1016l\033[H\033[2J" },
		{ "leave UTF-8", BYTES("\033%@\033%Gx"), "x" },
		{ "8-bit controls", BYTES("\033 Gx\033 Fx"), "xx" },
		{ "conformance level", BYTES("\033[61\"p"), "" },
		{ "lock shifts, other sets", BYTES("\033n\033o\033~\033}\033|\033N\033*0\033+0"), "" },
		{ "charset that is none of three", BYTES("\033(!x\033((0y\033(<z"), "yz" },
		{ "double size, test pattern", BYTES("\033#8\033#3"), "" },
		{ "memory lock", BYTES("\033l\033m"), "" },
		{ "C1 CSI, raw",
		  BYTES("a\x9b"
			"21tb"),
		  "a" BAD "21tb" },
		{ "C1 OSC, raw",
		  BYTES("\x9d"
			"52;c;x\x9c"),
		  BAD "52;c;x" BAD },
		{ "C1 CSI in UTF-8",
		  BYTES("a\xc2\x9b"
			"21tb"),
		  "a21tb" },
		{ "C1 DCS, APC in UTF-8", BYTES("\xc2\x90$qm\xc2\x9c\xc2\x9f"), "$qm" },
		{ "C1 inside a sequence",
		  BYTES("\033[\x9b"
			"5n"),
		  BAD "5n" },
		{ "C1 inside ESC",
		  BYTES("\033\x9b"
			"5n"),
		  BAD "5n" },
		{ "NUL and others", BYTES("a\0\001\003\004\006\020\021\023\024\034\037\177b"), "ab" },
		{ "sequence cut by CAN", BYTES("\033[5\030n\033]0;x\032y"), "ny" },
		{ "sequence cut by ESC", BYTES("\033[5\033[6n"), "\033[6n" },
		{ "string cut by a sequence", BYTES("\033]0;x\033[31my"), "\033[31my" },
		{ "control in a question", BYTES("\033[5\nn\033[>\rq"), "\n\r" },
		{ "leading zeroes", BYTES("\033[005n\033[0021t"), "" },
		{ "private mark in the wrong place", BYTES("\033[5?n\033[1?25h\033[?>c\033[??25h"), "" },
		{ "two intermediates", BYTES("\033[! p\033[!!p"), "" },
		{ "parameter after intermediate", BYTES("\033[!1p\033[ 1q"), "" },
		{ "colon where none belongs", BYTES("\033[6:1n\033[?25:1h\033[2:3H"), "" },
		{ "too many for the rule", BYTES("\033[1;2A\033[1;2;3H\033[1u\033[1!p\033[7 q"), "" },
		{ "unterminated at the end", BYTES("a\033]52;c;x"), "a" },
		{ "half a sequence at the end", BYTES("a\033[3"), "a" },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PTY, 0);
}

static void bad_utf8_is_replaced(void **state)
{
	static const struct row rows[] = {
		{ "overlong", BYTES("\xc0\xaf\xe0\x80\xaf"), BAD BAD BAD BAD BAD },
		{ "overlong ESC", BYTES("\xc0\x9b[5n"), BAD BAD "[5n" },
		{ "overlong C1",
		  BYTES("\xe0\x82\x9b"
			"5n"),
		  BAD BAD BAD "5n" },
		{ "surrogate", BYTES("\xed\xa0\x80"), BAD BAD BAD },
		{ "beyond Unicode", BYTES("\xf4\x90\x80\x80\xf5"), BAD BAD BAD BAD BAD },
		{ "four bytes, overlong", BYTES("\xf0\x8f\xbf\xbf"), BAD BAD BAD BAD },
		{ "lead without rest", BYTES("\xe2\x82x"), BAD "x" },
		{ "lead before a sequence", BYTES("\xe2\x82\033[m"), BAD "\033[m" },
		{ "lead before a control", BYTES("\xc3\n"), BAD "\n" },
		{ "lead before a lead", BYTES("\xc3\xc3\xa9"), BAD "\xc3\xa9" },
		{ "half a character at the end", BYTES("a\xf0\x9f\x98"), "a" BAD },
		{ "Latin-1", BYTES("caf\xe9 \xff"), "caf" BAD " " BAD },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PTY, 0);
}

static void plain_passes_only_text_and_colours(void **state)
{
	static const struct row rows[] = {
		{ "text", BYTES("a\tb\nc \xc3\xa9"), NULL },
		{ "colours", BYTES("\033[1;31mred\033[m"), NULL },
		{ "movement", BYTES("a\033[2J\033[H\033[A\033[1;1Hb\0337\0338\033Mc"), "abc" },
		{ "modes", BYTES("\033[?1049h\033[?25l\033=\033(0\033[4h\033[>4;2m"), "" },
		{ "questions", BYTES("\033[c\033[6n\033[>c"), "" },
		{ "full reset", BYTES("a\033cb"), "ab" },
		{ "strings", BYTES("\033]52;c;x\aa"), "a" },
		{ "CR LF", BYTES("a\r\nb\r\n"), "a\nb\n" },
		{ "CR would overwrite", BYTES("real\rfake"), "real\nfake" },
		{ "CR, sequence, LF", BYTES("a\r\033[m\nb"), "a\n\033[mb" },
		{ "CR CR LF LF", BYTES("a\r\r\n\nb"), "a\n\n\nb" },
		{ "other controls", BYTES("a\b\a\v\f\016\017b"), "ab" },
		{ "direction",
		  BYTES("a\xe2\x80\xae"
			"b\xe2\x81\xa6"
			"c\xd8\x9c"),
		  "a" BAD "b" BAD "c" BAD },
		{ "tags", BYTES("\xf3\xa0\x81\xa1"), BAD },
		{ "joiners stay", BYTES("\xe2\x80\x8d"), NULL },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PLAIN, 0);
}

static void ascii_terminals_get_ascii(void **state)
{
	static const struct row rows[] = {
		{ "a letter whose second byte is CSI",
		  BYTES("\xc5\x9b"
			"5n"),
		  "?5n" },
		{ "others", BYTES("caf\xc3\xa9 \xff \xe2\x9c\x93 \xc2\x9b"), "caf? ? ? " },
		{ "sequences", BYTES("\033[31m\033[5n"), "\033[31m" },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PTY, TERMFILTER_ASCII);
}

static void a_mute_terminal_is_asked_nothing(void **state)
{
	static const struct row rows[] = {
		{ "questions", BYTES("\033[c\033[>c\033[6n"), "" },
		{ "modes that speak", BYTES("\033[?1000h\033[?1004h\033[?1006;25;1003h"), "\033[?25h" },
		{ "their end", BYTES("\033[?1000l\033[?1004l"), NULL },
		{ "the rest", BYTES("\033[31m\033[?1049h\033[H"), NULL },
	};

	(void)state;
	check_rows(rows, COUNT(rows), TERMFILTER_PTY, TERMFILTER_MUTE);
}

/* ---- limits ---- */

static void repeat(struct buf *b, const char *s, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_put(b, s, strlen(s));
}

/* before, then `times` times what, then after; gives what comes out. */
static void filter_repeated(const char *before, const char *what, size_t times, const char *after, struct buf *ret)
{
	struct termfilter f;
	auto_buf in = { .max = 0 };

	buf_init(&in, 4 * OUT_MAX);
	buf_init(ret, OUT_MAX);
	repeat(&in, before, 1);
	repeat(&in, what, times);
	repeat(&in, after, 1);
	assert_false(in.failed);
	termfilter_init(&f, TERMFILTER_PTY, 0);
	filter_whole(&f, in.data, in.len, ret);
}

static void lengths_are_bounded(void **state)
{
	static const struct {
		const char *name, *before, *what;
		size_t times;
		const char *after;
		bool passes;     /* as it came */
		const char *out; /* otherwise */
	} rows[] = {
		{ "a sequence of the longest", "\033[", "0", TERMFILTER_SEQUENCE_MAX, "m", true, NULL },
		{ "one more", "\033[", "0", TERMFILTER_SEQUENCE_MAX + 1, "m", false, "" },
		{ "most parameters", "\033[", "1;", TERMFILTER_PARAMS_MAX - 1, "1mx", true, NULL },
		{ "one more", "\033[", "1;", TERMFILTER_PARAMS_MAX, "1mx", false, "x" },
		{ "largest number", "\033[", "32767", 1, "A", true, NULL },
		{ "one more", "\033[", "32768", 1, "A", false, "" },
		{ "a number that wraps", "\033[", "4294967302", 1, "n", false, "" },
		{ "a string of the longest, and its end", "\033]", "x", TERMFILTER_STRING_MAX - 1, "\ay", false, "y" },
		{ "one more is text again", "\033]", "x", TERMFILTER_STRING_MAX, "yz", false, "yz" },
		{ "not yet", "\033P", "x", TERMFILTER_STRING_MAX - 1, "yz", false, "z" },
		{ "an over-long sequence, not yet", "\033[", "0", TERMFILTER_SEQUENCE_MAX + TERMFILTER_STRING_MAX - 1,
		  "mz", false, "z" },
		{ "and text again", "\033[", "0", TERMFILTER_SEQUENCE_MAX + TERMFILTER_STRING_MAX, "mz", false, "mz" },
		{ "intermediates", "\033", "(", 2 * TERMFILTER_SEQUENCE_MAX, "0z", false, "z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_buf got, same;

		filter_repeated(rows[i].before, rows[i].what, rows[i].times, rows[i].after, &got);
		buf_init(&same, OUT_MAX);
		repeat(&same, rows[i].passes ? rows[i].before : rows[i].out, 1);
		repeat(&same, rows[i].what, rows[i].passes ? rows[i].times : 0);
		repeat(&same, rows[i].passes ? rows[i].after : "", 1);
		expect_bytes(rows[i].name, same.data, same.len, &got);
	}
}

static void stops_when_the_output_is_full(void **state)
{
	struct termfilter f;
	auto_buf out = { .max = 0 };

	(void)state;
	termfilter_init(&f, TERMFILTER_PTY, 0);
	buf_init(&out, TERMFILTER_PIECE_MAX);
	assert_int_equal(termfilter_run(&f, "\x80\x80", 2, &out), 1); /* one replacement leaves less than a piece */
	assert_int_equal(termfilter_run(&f, "\x80", 1, &out), 0);
	buf_reset(&out);
	assert_int_equal(termfilter_run(&f, "abc", 3, &out), 3);
	assert_false(out.failed);
}

/* ---- the reset ---- */

static void the_reset_takes_back_what_passed(void **state)
{
	static const struct row rows[] = {
		{ "text", BYTES("hello\r\n\a\033[2J\033[H"), "" },
		{ "colour", BYTES("\033[31m"), "\033[0;10m" },
		{ "charset", BYTES("\033(0"), "\017\033(B\033)B" },
		{ "shift", BYTES("\016"), "\017\033(B\033)B" },
		{ "mouse", BYTES("\033[?1003h"), "\033[?9;1000;1002;1003;1005;1006;1015;1016l" },
		{ "paste", BYTES("\033[?2004h"), "\033[?2004l" },
		{ "focus", BYTES("\033[?1004h"), "\033[?1004l" },
		{ "cursor", BYTES("\033[?25l"), "\033[?25h" },
		{ "cursor shape", BYTES("\033[5 q"), "\033[0 q" },
		{ "keypad", BYTES("\033="), "\033>\033[?66l" },
		{ "cursor keys", BYTES("\033[?1h"), "\033[?1l" },
		{ "modified keys", BYTES("\033[>4;2m"), "\033[>4m" },
		{ "wrap", BYTES("\033[?7l"), "\033[?7h" },
		{ "insert", BYTES("\033[4h"), "\033[4l" },
		{ "reverse", BYTES("\033[?5h"), "\033[?5l" },
		{ "update", BYTES("\033[?2026h"), "\033[?2026l" },
		{ "tabs", BYTES("\033[3g"), "\033[?5W" },
		{ "alternate screen", BYTES("\033[?1049h"), "\033[?1049l" },
		{ "older alternate screens", BYTES("\033[?1047h"), "\033[?1047l" },
		{ "alternate screen left", BYTES("\033[?1049h\033[?1049l"), "" },
		{ "margins keep the cursor", BYTES("\033[2;5r"), "\0337\033[r\0338" },
		{ "margins left", BYTES("\033[2;5r\033[r"), "" },
		{ "origin cannot keep it", BYTES("\033[?6h"), "\033[?6l\033[r\033[32766;1H" },
		{ "origin left", BYTES("\033[?6h\033[?6l"), "" },
		{ "side margins", BYTES("\033[?69h"), "\0337\033[?69l\033[r\0338" },
		{ "on the alternate screen nobody sees", BYTES("\033[?1049h\033[2;5r\033[31m"),
		  "\033[r\033[?1049l\033[0;10m" },
		{ "what did not pass", BYTES("\033]0;x\a\033[?1001h\033[5n\033[2h"), "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct termfilter f;
		auto_buf shown, reset;

		buf_init(&shown, OUT_MAX);
		buf_init(&reset, TERMFILTER_PIECE_MAX);
		termfilter_init(&f, TERMFILTER_PTY, 0);
		filter_whole(&f, rows[i].in, rows[i].in_len, &shown);
		termfilter_reset(&f, &reset);
		expect_bytes(rows[i].name, rows[i].out, strlen(rows[i].out), &reset);
		buf_reset(&reset);
		termfilter_reset(&f, &reset);
		assert_int_equal(reset.len, 0); /* once */
	}
}

static void the_reset_says_nothing_that_is_not_allowed(void **state)
{
	const char *all = termfilter_reset_all();
	struct termfilter f;
	auto_buf out = { .max = 0 };

	(void)state;
	buf_init(&out, OUT_MAX);
	termfilter_init(&f, TERMFILTER_PTY, 0);
	filter_whole(&f, all, strlen(all), &out);
	expect_bytes("all", all, strlen(all), &out);
	assert_null(strstr(all, "\033[2J"));
	assert_null(strstr(all, "\033[J"));
	assert_null(strstr(all, "\033c"));
}

static void answers_are_noted(void **state)
{
	static const struct {
		const char *in;
		bool answers;
	} rows[] = {
		{ "text \033[31m\033[?1049h\033[?2004h", false },
		{ "\033[c", true },
		{ "\033[>c", true },
		{ "\033[6n", true },
		{ "\033[?1000h", true },
		{ "\033[?1000l", false },
		{ "\033[?1004h", true },
		{ "\033[?25;1002h", true },
		{ "\033[5n\033[21t\033]11;?\a", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct termfilter f;
		auto_buf out = { .max = 0 };

		buf_init(&out, OUT_MAX);
		termfilter_init(&f, TERMFILTER_PTY, 0);
		filter_whole(&f, rows[i].in, strlen(rows[i].in), &out);
		if (f.answers != rows[i].answers)
			fail_msg("row %zu", i);
	}
}

/* ---- an independent checker: what may come out, as regular expressions over bytes ---- */

/* Each piece of output is one of these, from its beginning. Written from the header's text, not from the tables. */
static const char *const allowed_pieces[] = {
	"[\x20-\x7e]",
	"[\x07-\x0f]",
	"\xc2[\xa0-\xbf]",
	"[\xc3-\xdf][\x80-\xbf]",
	"\xe0[\xa0-\xbf][\x80-\xbf]",
	"[\xe1-\xec\xee\xef][\x80-\xbf][\x80-\xbf]",
	"\xed[\x80-\x9f][\x80-\xbf]",
	"\xf0[\x90-\xbf][\x80-\xbf][\x80-\xbf]",
	"[\xf1-\xf3][\x80-\xbf][\x80-\xbf][\x80-\xbf]",
	"\xf4[\x80-\x8f][\x80-\xbf][\x80-\xbf]",
	"\x1b[78DEMH=>]",
	"\x1b[()][AB0]",
	"\x1b\\[[0-9]*[@ABCDEFGILMPSTXZ`abde]",
	"\x1b\\[[0-9]*(;[0-9]*)?[Hfrs]",
	"\x1b\\[0*[012]?[JK]",
	"\x1b\\[0*[0123]?g",
	"\x1b\\[[0-9:;]*m",
	"\x1b\\[>0*4(;[0-9]*)?m",
	"\x1b\\[u",
	"\x1b\\[!p",
	"\x1b\\[0*[0-6]? q",
	"\x1b\\[>?0*c",
	"\x1b\\[0*6n",
	"\x1b\\[\\?0*5W",
	"\x1b\\[(4|34)(;(4|34))*[hl]",
	"\x1b\\[\\?(" MODE ")(;(" MODE "))*[hl]",
};

struct checker {
	regex_t pieces[COUNT(allowed_pieces)];
};

static void checker_init(struct checker *c)
{
	for (size_t i = 0; i < COUNT(allowed_pieces); i++) {
		char anchored[512];

		(void)snprintf(anchored, sizeof anchored, "^(%s)", allowed_pieces[i]);
		assert_int_equal(regcomp(&c->pieces[i], anchored, REG_EXTENDED), 0);
	}
}

static void checker_finish(struct checker *c)
{
	for (size_t i = 0; i < COUNT(allowed_pieces); i++)
		regfree(&c->pieces[i]);
}

/* The length of the piece at the beginning, 0 if it is none that is allowed. */
static size_t checker_piece(const struct checker *c, const char *s, size_t n)
{
	for (size_t i = 0; i < COUNT(allowed_pieces); i++) {
		regmatch_t m = { .rm_so = 0, .rm_eo = (regoff_t)n };

		if (regexec(&c->pieces[i], s, 1, &m, REG_STARTEND) == 0)
			return (size_t)m.rm_eo;
	}
	return 0;
}

/* The offset of what is not allowed, n if all is. */
static size_t checker_run(const struct checker *c, const void *bytes, size_t n)
{
	const char *s = bytes;
	size_t at = 0;

	while (at < n) {
		const size_t piece = checker_piece(c, s + at, n - at);

		if (piece == 0)
			return at;
		at += piece;
	}
	return n;
}

/* The same for a buffer. With a NUL behind it, since the sanitizer's regexec looks for one in spite of REG_STARTEND. */
static bool checker_accepts(const struct checker *c, struct buf *b)
{
	const char *s = buf_cstr(b);

	assert_non_null(s);
	return checker_run(c, s, b->len) == b->len;
}

static void the_checker_would_notice(void **state)
{
	static const char *const attacks[] = {
		"\033]0;x\a", "\033[5n", "\033[21t", "\033[3J",     "\xc2\x9b",       "\x9b",    "\005",
		"\033[?2l",   "\033P",   "\033c",    "\033[?1001h", "\033[?25;1001h", "\033[>q", "\033%@",
		"\033",       "\033[3",  "\xe2\x82", "\033[2h",     "\177",           "\033(",
	};
	struct checker c;

	(void)state;
	checker_init(&c);
	for (size_t i = 0; i < COUNT(attacks); i++)
		if (checker_run(&c, attacks[i], strlen(attacks[i])) == strlen(attacks[i]))
			fail_msg("row %zu", i);
	checker_finish(&c);
}

/* ---- properties, over random inputs made of telling fragments ---- */

static const char *const fragments[] = {
	"\033",
	"\033[",
	"\033]",
	"\033P",
	"\033_",
	"\033^",
	"\033X",
	"\033k",
	"\033\\",
	"\a",
	"\r",
	"\n",
	"\030",
	"\032",
	"[",
	"]",
	"?",
	">",
	"<",
	"=",
	"!",
	"$",
	"%",
	" ",
	"\"",
	"'",
	"(",
	")",
	"*",
	";",
	":",
	"0",
	"1",
	"2",
	"4",
	"5",
	"6",
	"12",
	"21",
	"25",
	"34",
	"52",
	"69",
	"999",
	"1000",
	"1001",
	"1006",
	"1049",
	"2004",
	"2026",
	"32767",
	"32768",
	"m",
	"n",
	"c",
	"t",
	"q",
	"p",
	"h",
	"l",
	"J",
	"K",
	"H",
	"r",
	"s",
	"u",
	"x",
	"i",
	"y",
	"W",
	"b",
	"A",
	"B",
	"R",
	"P",
	"Z",
	"7",
	"8",
	"k",
	"text ",
	"caf\xc3\xa9",
	"\xe2\x9c\x93",
	"\xf0\x9f\x98\x80",
	"\xc2\x9b",
	"\xc2\x9d",
	"\xc2",
	"\xe2",
	"\x9b",
	"\x9d",
	"\x90",
	"\x80",
	"\xff",
	"\xed\xa0\x80",
	"\005",
	"\016",
	"\017",
	"\177",
	"\x01",
	"\033[6n",
	"\033[5n",
	"\033[?1049h",
	"\033[?6h",
	"\033[2;5r",
	"\033c",
	"\033(0",
	"\033]52;c;eA==\a",
	"\033[1;31m",
};

/* A small generator of its own: the same numbers everywhere, so that a failing seed can become a row. */
static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void make_input(uint32_t seed, struct buf *ret)
{
	const size_t n = 1 + next(&seed) % 48;

	for (size_t i = 0; i < n; i++)
		repeat(ret, fragments[next(&seed) % COUNT(fragments)], 1);
	if (next(&seed) % 4 == 0)
		buf_put_u8(ret, 0);
}

/* The same, in pieces cut at random, and with little room in the output. */
static void filter_in_pieces(uint32_t seed, struct termfilter *f, const struct buf *in, struct buf *ret)
{
	size_t at = 0;
	auto_buf small = { .max = 0 };

	buf_init(&small, TERMFILTER_PIECE_MAX + 3);
	while (at < in->len) {
		const size_t left = in->len - at, want = 1 + next(&seed) % 5, n = want < left ? want : left;
		const size_t taken = termfilter_run(f, in->data + at, n, &small);

		at += taken;
		buf_put(ret, small.data, small.len);
		buf_reset(&small);
	}
	termfilter_end(f, ret);
}

static void check_seed(const struct checker *c, uint32_t seed, enum termfilter_mode mode)
{
	struct termfilter whole, cut, again;
	auto_buf in, out, pieces, twice;

	buf_init(&in, OUT_MAX);
	buf_init(&out, OUT_MAX);
	buf_init(&pieces, OUT_MAX);
	buf_init(&twice, OUT_MAX);
	make_input(seed, &in);
	termfilter_init(&whole, mode, 0);
	termfilter_init(&cut, mode, 0);
	termfilter_init(&again, mode, 0);
	filter_whole(&whole, in.data, in.len, &out);
	filter_in_pieces(seed, &cut, &in, &pieces);
	expect_bytes("in pieces", out.data, out.len, &pieces);
	assert_int_equal(whole.changed, cut.changed);
	assert_int_equal(whole.answers, cut.answers);
	filter_whole(&again, out.data, out.len, &twice);
	expect_bytes("filtered twice", out.data, out.len, &twice);
	termfilter_reset(&whole, &out);
	if (!checker_accepts(c, &out))
		show_difference("not allowed", in.data, in.len, &out);
}

static void any_cut_gives_the_same_and_only_what_is_allowed(void **state)
{
	struct checker c;

	(void)state;
	checker_init(&c);
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		check_seed(&c, seed * 2654435761u, TERMFILTER_PTY);
		check_seed(&c, seed * 2654435761u, TERMFILTER_PLAIN);
	}
	checker_finish(&c);
}

/* Each byte after each short beginning: no state lets one through. */
static void every_byte_in_every_state(void **state)
{
	static const char *const beginnings[] = {
		"",      "\033",   "\033[", "\033[?", "\033[>", "\033[5",   "\033[?25", "\033[!", "\033(", "\033 ",
		"\033]", "\033]P", "\033P", "\xc2",   "\xe0",   "\xe2\x82", "\xed",     "\xf0",   "\xf4",
	};
	struct checker c;

	(void)state;
	checker_init(&c);
	for (size_t i = 0; i < COUNT(beginnings); i++)
		for (unsigned byte = 0; byte < 256; byte++) {
			const uint8_t b = (uint8_t)byte;
			struct termfilter f;
			auto_buf out = { .max = 0 };

			buf_init(&out, OUT_MAX);
			termfilter_init(&f, TERMFILTER_PTY, 0);
			(void)termfilter_run(&f, beginnings[i], strlen(beginnings[i]), &out); /* there is room */
			(void)termfilter_run(&f, &b, 1, &out);
			termfilter_end(&f, &out);
			if (!checker_accepts(&c, &out))
				show_difference("not allowed", beginnings[i], strlen(beginnings[i]), &out);
		}
	checker_finish(&c);
}

/* ---- what real programs write: corpus/termfilter ---- */

static void read_file(const char *name, const char *suffix, struct buf *ret)
{
	char path[512];
	uint8_t chunk[4096];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s%s", CORPUS, name, suffix);
	f = fopen(path, "re");
	if (f == NULL)
		fail_msg("%s", path);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_put(ret, chunk, n);
	(void)fclose(f); /* was only read */
	assert_false(ret->failed);
}

/* \e, \a and \\ of a line in a list. */
static size_t unescape(char *s)
{
	size_t out = 0;

	for (size_t i = 0; s[i] != 0; i++) {
		char c = s[i];

		if (c == '\\') {
			i++;
			c = s[i] == 'e' ? '\033' : s[i] == 'a' ? '\a' : s[i];
		}
		s[out++] = c;
	}
	s[out] = 0;
	return out;
}

/* Takes each place of the sequence out; a listed sequence that is nowhere is a mistake in the list. */
static void remove_everywhere(const char *name, struct buf *b, const char *sequence, size_t n)
{
	auto_buf rest = { .max = 0 };
	uint8_t *at = b->data, *end = b->data + b->len, *hit;

	buf_init(&rest, OUT_MAX);
	if (memmem(at, b->len, sequence, n) == NULL)
		fail_msg("%s: a listed sequence is not there", name);
	while ((hit = memmem(at, (size_t)(end - at), sequence, n)) != NULL) {
		buf_put(&rest, at, (size_t)(hit - at));
		at = hit + n;
	}
	buf_put(&rest, at, (size_t)(end - at));
	buf_reset(b);
	buf_put(b, rest.data, rest.len);
}

static void real_programs_lose_only_what_is_listed(void **state)
{
	static const char *const names[] = { "vim", "top", "htop", "less", "bash", "tmux", "dialog" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct termfilter f;
		auto_buf raw, list, out;
		char *line, *rest;

		buf_init(&raw, OUT_MAX);
		buf_init(&list, OUT_MAX);
		buf_init(&out, OUT_MAX);
		read_file(names[i], ".raw", &raw);
		read_file(names[i], ".dropped", &list);
		assert_true(raw.len > 500);
		termfilter_init(&f, TERMFILTER_PTY, 0);
		filter_whole(&f, raw.data, raw.len, &out);
		buf_put_u8(&list, 0);
		rest = (char *)list.data;
		while ((line = strsep(&rest, "\n")) != NULL)
			if (*line != 0)
				remove_everywhere(names[i], &raw, line, unescape(line));
		expect_bytes(names[i], raw.data, raw.len, &out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_programs_need_passes),
		cmocka_unit_test(attacks_do_not_pass),
		cmocka_unit_test(bad_utf8_is_replaced),
		cmocka_unit_test(plain_passes_only_text_and_colours),
		cmocka_unit_test(ascii_terminals_get_ascii),
		cmocka_unit_test(a_mute_terminal_is_asked_nothing),
		cmocka_unit_test(lengths_are_bounded),
		cmocka_unit_test(stops_when_the_output_is_full),
		cmocka_unit_test(the_reset_takes_back_what_passed),
		cmocka_unit_test(the_reset_says_nothing_that_is_not_allowed),
		cmocka_unit_test(answers_are_noted),
		cmocka_unit_test(the_checker_would_notice),
		cmocka_unit_test(any_cut_gives_the_same_and_only_what_is_allowed),
		cmocka_unit_test(every_byte_in_every_state),
		cmocka_unit_test(real_programs_lose_only_what_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
