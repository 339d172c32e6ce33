#include "relay/termfilter.h"

#include <assert.h>
#include <string.h>

enum state { GROUND, ESCAPE, ESCAPE_MORE, CSI, STRING, PALETTE };

enum {
	BEL = 0x07,
	BS = 0x08,
	HT = 0x09,
	LF = 0x0a,
	VT = 0x0b,
	FF = 0x0c,
	CR = 0x0d,
	SO = 0x0e,
	SI = 0x0f,
	CAN = 0x18,
	SUB = 0x1a,
	ESC = 0x1b,
	DEL = 0x7f,
};

/* What can be changed for good, and what takes it back, in the order of the reset. The screen's own (origin, sides,
 * margins, alternate) depend on each other and are put together by hand in put_screen_reset. SGR and the charset
 * come last: leaving the alternate screen brings back the ones saved on entering it. */
#define CHANGES(X)                                                                                                     \
	X(SYNC, "\033[?2026l")                                                                                         \
	X(MOUSE, "\033[?9;1000;1002;1003;1005;1006;1015;1016l")                                                        \
	X(FOCUS, "\033[?1004l")                                                                                        \
	X(PASTE, "\033[?2004l")                                                                                        \
	X(KEYS, "\033[>4m")                                                                                            \
	X(CURSOR_KEYS, "\033[?1l")                                                                                     \
	X(KEYPAD, "\033>\033[?66l")                                                                                    \
	X(INSERT, "\033[4l")                                                                                           \
	X(WRAP, "\033[?7h")                                                                                            \
	X(REVERSE, "\033[?5l")                                                                                         \
	X(TABS, "\033[?5W")                                                                                            \
	X(ORIGIN, "\033[?6l")                                                                                          \
	X(SIDES, "\033[?69l")                                                                                          \
	X(MARGINS, "\033[r")                                                                                           \
	X(ALTERNATE, "\033[?1049l\033[32766;1H")                                                                       \
	X(STYLE, "\033[0 q")                                                                                           \
	X(CURSOR, "\033[?25h")                                                                                         \
	X(CHARSET, "\017\033(B\033)B")                                                                                 \
	X(SGR, "\033[0;10m")

enum change_index {
#define CHANGE_INDEX(name, reset) INDEX_##name,
	CHANGES(CHANGE_INDEX)
#undef CHANGE_INDEX
};

enum change {
	CHANGE_NONE = 0,
#define CHANGE_BIT(name, reset) CHANGE_##name = 1 << INDEX_##name,
	CHANGES(CHANGE_BIT)
#undef CHANGE_BIT
};

static const struct {
	uint32_t change;
	const char *reset;
} changes[] = {
#define CHANGE_ROW(name, reset) { CHANGE_##name, reset },
	CHANGES(CHANGE_ROW)
#undef CHANGE_ROW
};

#define CHANGE_RESET(name, reset) reset
static const char reset_all[] = CHANGES(CHANGE_RESET);
#undef CHANGE_RESET
/* The most that one byte gives is the reset that stands for ESC c, with the frame of put_screen_reset around it. */
static_assert(sizeof reset_all + 64 <= TERMFILTER_PIECE_MAX, "a reset fits into a piece");

/* CSI sequences that pass: prefix, intermediate (0: none), final, parameters at most, and what must hold of them. */
enum rule_check {
	ANY,
	UP_TO,      /* the first parameter is at most `bound` */
	EXACTLY,    /* the first parameter is `bound` */
	ANSI_MODES, /* each parameter is a mode of the table, others are left out */
	DEC_MODES,
	COLOURS, /* ':' may stand between parameters */
	MARGIN_LINES,
};

static const struct rule {
	char prefix, intermediate, final;
	uint8_t params;
	enum rule_check check;
	uint16_t bound;
	uint32_t change;
	bool answers;
} rules[] = {
	{ 0, 0, '@', 1, ANY, 0, 0, false }, /* ICH */
	{ 0, 0, 'A', 1, ANY, 0, 0, false }, /* cursor up, down, right, left */
	{ 0, 0, 'B', 1, ANY, 0, 0, false },
	{ 0, 0, 'C', 1, ANY, 0, 0, false },
	{ 0, 0, 'D', 1, ANY, 0, 0, false },
	{ 0, 0, 'E', 1, ANY, 0, 0, false }, /* next and previous line */
	{ 0, 0, 'F', 1, ANY, 0, 0, false },
	{ 0, 0, 'G', 1, ANY, 0, 0, false },   /* column */
	{ 0, 0, 'H', 2, ANY, 0, 0, false },   /* position */
	{ 0, 0, 'I', 1, ANY, 0, 0, false },   /* tab forward */
	{ 0, 0, 'J', 1, UP_TO, 2, 0, false }, /* erase the screen; 3 is the lines scrolled away */
	{ 0, 0, 'K', 1, UP_TO, 2, 0, false }, /* erase the line */
	{ 0, 0, 'L', 1, ANY, 0, 0, false },   /* insert and delete lines, characters */
	{ 0, 0, 'M', 1, ANY, 0, 0, false },
	{ 0, 0, 'P', 1, ANY, 0, 0, false },
	{ 0, 0, 'S', 1, ANY, 0, 0, false }, /* scroll */
	{ 0, 0, 'T', 1, ANY, 0, 0, false }, /* with five parameters it is mouse tracking that blocks the terminal */
	{ 0, 0, 'X', 1, ANY, 0, 0, false }, /* ECH */
	{ 0, 0, 'Z', 1, ANY, 0, 0, false }, /* tab back */
	{ 0, 0, '`', 1, ANY, 0, 0, false }, /* column and line, absolute and relative */
	{ 0, 0, 'a', 1, ANY, 0, 0, false },
	{ 0, 0, 'b', 1, ANY, 0, 0, false }, /* repeat the last character */
	{ 0, 0, 'd', 1, ANY, 0, 0, false },
	{ 0, 0, 'e', 1, ANY, 0, 0, false },
	{ 0, 0, 'f', 2, ANY, 0, 0, false },
	{ 0, 0, 'g', 1, UP_TO, 3, CHANGE_TABS, false },
	{ '?', 0, 'W', 1, EXACTLY, 5, 0, false }, /* a tab stop in every eighth column, as a terminal starts */
	{ 0, 0, 'h', TERMFILTER_PARAMS_MAX, ANSI_MODES, 0, 0, false },
	{ 0, 0, 'l', TERMFILTER_PARAMS_MAX, ANSI_MODES, 0, 0, false },
	{ '?', 0, 'h', TERMFILTER_PARAMS_MAX, DEC_MODES, 0, 0, false },
	{ '?', 0, 'l', TERMFILTER_PARAMS_MAX, DEC_MODES, 0, 0, false },
	{ 0, 0, 'm', TERMFILTER_PARAMS_MAX, COLOURS, 0, CHANGE_SGR, false },
	{ '>', 0, 'm', 2, EXACTLY, 4, CHANGE_KEYS, false }, /* how modified keys are sent: vim */
	{ 0, 0, 'r', 2, MARGIN_LINES, 0, 0, false },
	{ 0, 0, 's', 2, ANY, 0, 0, false }, /* save the cursor; with mode 69 the side margins */
	{ 0, 0, 'u', 0, ANY, 0, 0, false },
	{ 0, '!', 'p', 0, ANY, 0, CHANGE_WRAP | CHANGE_STYLE, false }, /* soft reset */
	{ 0, ' ', 'q', 1, UP_TO, 6, CHANGE_STYLE, false },
	{ 0, 0, 'c', 1, UP_TO, 0, 0, true }, /* what are you: full-screen programs wait for it */
	{ '>', 0, 'c', 1, UP_TO, 0, 0, true },
	{ 0, 0, 'n', 1, EXACTLY, 6, 0, true }, /* where is the cursor; 5 is the relay's own, see the header */
};

static const struct mode {
	uint16_t number;
	bool dec;
	uint32_t change;
	bool answers; /* when set, the terminal sends bytes by itself */
} modes[] = {
	{ 4, false, CHANGE_INSERT, false },
	{ 34, false, CHANGE_CURSOR, false }, /* cursor visibility of screen and tmux; not 12 (echo), 2 (keyboard), 20 */
	{ 1, true, CHANGE_CURSOR_KEYS, false },
	{ 5, true, CHANGE_REVERSE, false },
	{ 6, true, CHANGE_ORIGIN, false },
	{ 7, true, CHANGE_WRAP, false },
	{ 9, true, CHANGE_MOUSE, true },
	{ 12, true, CHANGE_STYLE, false },
	{ 25, true, CHANGE_CURSOR, false },
	{ 47, true, CHANGE_ALTERNATE, false },
	{ 66, true, CHANGE_KEYPAD, false },
	{ 69, true, CHANGE_SIDES, false },
	{ 1000, true, CHANGE_MOUSE, true }, /* not 1001: it waits for an answer of the program */
	{ 1002, true, CHANGE_MOUSE, true },
	{ 1003, true, CHANGE_MOUSE, true },
	{ 1004, true, CHANGE_FOCUS, true },
	{ 1005, true, CHANGE_MOUSE, true },
	{ 1006, true, CHANGE_MOUSE, true },
	{ 1015, true, CHANGE_MOUSE, true },
	{ 1016, true, CHANGE_MOUSE, true },
	{ 1047, true, CHANGE_ALTERNATE, false },
	{ 1048, true, CHANGE_NONE, false }, /* save the cursor */
	{ 1049, true, CHANGE_ALTERNATE, false },
	{ 2004, true, CHANGE_PASTE, false },
	{ 2026, true, CHANGE_SYNC, false },
};

/* One CSI sequence taken apart. */
struct sequence {
	char prefix, intermediate, final;
	bool colons;
	size_t n;
	uint16_t param[TERMFILTER_PARAMS_MAX];
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

void termfilter_init(struct termfilter *f, enum termfilter_mode mode, unsigned options)
{
	*f = (struct termfilter){ .mode = mode, .options = options, .state = GROUND };
}

static bool has(const struct termfilter *f, enum termfilter_option o)
{
	return (f->options & o) != 0;
}

static void put_text(struct buf *out, const char *s)
{
	buf_put(out, s, strlen(s));
}

/* ---- characters ---- */

static void put_replacement(struct termfilter *f, struct buf *out)
{
	put_text(out, has(f, TERMFILTER_ASCII) ? "?" : "\xef\xbf\xbd");
}

/* Characters that show a reader another order than the bytes have, or hide text: marks and overrides of direction,
 * and tags. Joiners stay: words and pictures of many languages need them. */
static bool misleads(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || (c >= 0xe0000 && c <= 0xe007f);
}

static uint32_t decoded(const struct termfilter *f)
{
	static const uint8_t lead_mask[] = { 0, 0, 0x1f, 0x0f, 0x07 };
	uint32_t c = f->utf8[0] & lead_mask[f->utf8_want];

	for (size_t i = 1; i < f->utf8_want; i++)
		c = c << 6 | (f->utf8[i] & 0x3f);
	return c;
}

static void put_character(struct termfilter *f, struct buf *out)
{
	const uint32_t c = decoded(f);

	if (c < 0xa0)
		return; /* C1: terminals obey them in UTF-8 as well */
	if (has(f, TERMFILTER_ASCII) || (f->mode == TERMFILTER_PLAIN && misleads(c)))
		put_replacement(f, out);
	else
		buf_put(out, f->utf8, f->utf8_want);
}

static void cut_character(struct termfilter *f, struct buf *out)
{
	if (f->utf8_want != 0)
		put_replacement(f, out);
	f->utf8_want = 0;
}

/* RFC 3629: how long a character is that starts with b; 0 if none does. */
static uint8_t length_from_lead(uint8_t b)
{
	if (b >= 0xc2 && b <= 0xdf)
		return 2;
	if (b >= 0xe0 && b <= 0xef)
		return 3;
	return b >= 0xf0 && b <= 0xf4 ? 4 : 0;
}

/* The same table's second byte: it tells overlong forms, surrogates and numbers beyond U+10FFFF. */
static bool continues(const struct termfilter *f, uint8_t b)
{
	uint8_t least = 0x80, most = 0xbf;

	if (f->utf8_have == 1 && f->utf8[0] == 0xe0)
		least = 0xa0;
	if (f->utf8_have == 1 && f->utf8[0] == 0xed)
		most = 0x9f;
	if (f->utf8_have == 1 && f->utf8[0] == 0xf0)
		least = 0x90;
	if (f->utf8_have == 1 && f->utf8[0] == 0xf4)
		most = 0x8f;
	return b >= least && b <= most;
}

static void step_character(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (f->utf8_want != 0 && continues(f, b)) {
		f->utf8[f->utf8_have++] = b;
		if (f->utf8_have == f->utf8_want) {
			put_character(f, out);
			f->utf8_want = 0;
		}
		return;
	}
	cut_character(f, out);
	f->utf8_want = length_from_lead(b);
	f->utf8[0] = b;
	f->utf8_have = 1;
	if (f->utf8_want == 0)
		put_replacement(f, out);
}

/* ---- controls ---- */

static void plain_control(struct termfilter *f, uint8_t b, struct buf *out)
{
	const bool ended = f->after_cr && b == LF; /* the CR was the line's end already */

	f->after_cr = b == CR;
	if (b == HT)
		buf_put_u8(out, b);
	else if ((b == LF && !ended) || b == CR)
		buf_put_u8(out, LF);
}

static void control(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (f->mode == TERMFILTER_PLAIN) {
		plain_control(f, b, out);
		return;
	}
	if (b < BEL || b > SI)
		return;
	if (b == SO)
		f->changed |= CHANGE_CHARSET;
	buf_put_u8(out, b);
}

static void step_ground(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (b >= 0x80) {
		f->after_cr = false;
		step_character(f, b, out);
		return;
	}
	cut_character(f, out);
	if (b < 0x20) {
		control(f, b, out);
		return;
	}
	f->after_cr = false;
	if (b != DEL)
		buf_put_u8(out, b);
}

/* ---- the reset ---- */

static void put_changes(uint32_t which, struct buf *out)
{
	for (size_t i = 0; i < COUNT(changes); i++)
		if ((changes[i].change & which) != 0)
			put_text(out, changes[i].reset);
}

/* Origin, sides and margins move the cursor when they are taken back. On the alternate screen nobody will see; on the
 * main one it is saved and comes back, or, since DECRC brings the origin mode back too, goes to the last line. */
static void put_screen_reset(const struct termfilter *f, struct buf *out)
{
	const uint32_t region = f->changed & (CHANGE_ORIGIN | CHANGE_SIDES | CHANGE_MARGINS);
	const bool keep = f->alternate == 0 && (region & CHANGE_ORIGIN) == 0;

	if (region != 0) {
		if (keep)
			put_text(out, "\0337");
		put_changes(region | CHANGE_MARGINS, out);
		if (keep)
			put_text(out, "\0338");
		else if (f->alternate == 0)
			put_text(out, "\033[32766;1H");
	}
	if (f->alternate != 0)
		buf_printf(out, "\033[?%ul", (unsigned)f->alternate);
}

void termfilter_reset(struct termfilter *f, struct buf *out)
{
	put_changes(f->changed & (CHANGE_ORIGIN - 1), out);
	put_screen_reset(f, out);
	put_changes(f->changed & ~(uint32_t)(2 * CHANGE_ALTERNATE - 1), out);
	f->changed = 0;
	f->alternate = 0;
}

const char *termfilter_reset_all(void)
{
	return reset_all;
}

/* ---- sequences ---- */

/* The decimal number at s[*at], none being 0. False if it is too big. */
static bool take_number(const char *s, size_t n, size_t *at, uint16_t *ret)
{
	uint32_t v = 0;

	while (*at < n && s[*at] >= '0' && s[*at] <= '9') {
		v = v * 10 + (uint32_t)(s[(*at)++] - '0');
		if (v > TERMFILTER_NUMBER_MAX)
			return false;
	}
	*ret = (uint16_t)v;
	return true;
}

static bool take_params(const char *s, size_t n, size_t *at, struct sequence *q)
{
	if (*at >= n || s[*at] < '0' || s[*at] > ';')
		return true; /* none */
	for (;;) {
		if (q->n == TERMFILTER_PARAMS_MAX || !take_number(s, n, at, &q->param[q->n]))
			return false;
		q->n++;
		if (*at >= n || (s[*at] != ';' && s[*at] != ':'))
			return true;
		q->colons |= s[(*at)++] == ':';
	}
}

/* Takes the collected bytes apart; false if they are not of the form of ECMA-48, or out of bounds. */
static bool parse_sequence(const struct termfilter *f, char final, struct sequence *q)
{
	const char *s = f->seq;
	size_t at = 0;

	*q = (struct sequence){ .final = final };
	if (at < f->seq_len && s[at] >= '<' && s[at] <= '?')
		q->prefix = s[at++];
	if (!take_params(s, f->seq_len, &at, q))
		return false;
	if (at < f->seq_len && s[at] >= ' ' && s[at] <= '/')
		q->intermediate = s[at++];
	return at == f->seq_len;
}

static const struct rule *find_rule(const struct sequence *q)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i].prefix == q->prefix && rules[i].intermediate == q->intermediate &&
		    rules[i].final == q->final)
			return &rules[i];
	return NULL;
}

static const struct mode *find_mode(bool dec, uint16_t number)
{
	for (size_t i = 0; i < COUNT(modes); i++)
		if (modes[i].dec == dec && modes[i].number == number)
			return &modes[i];
	return NULL;
}

static void note_mode(struct termfilter *f, const struct mode *m, bool set)
{
	if (m->change == CHANGE_ALTERNATE)
		f->alternate = set ? m->number : 0;
	else if (m->change == CHANGE_ORIGIN && !set)
		f->changed &= ~(uint32_t)CHANGE_ORIGIN; /* its reset moves the cursor: only while it is on */
	else
		f->changed |= m->change;
	f->answers |= set && m->answers;
}

static void put_modes(struct termfilter *f, const struct sequence *q, bool dec, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < q->n; i++) {
		const struct mode *m = find_mode(dec, q->param[i]);

		if (m == NULL || (m->answers && q->final == 'h' && has(f, TERMFILTER_MUTE)))
			continue;
		put_text(out, any ? ";" : dec ? "\033[?" : "\033[");
		buf_printf(out, "%u", (unsigned)m->number);
		note_mode(f, m, q->final == 'h');
		any = true;
	}
	if (any)
		buf_put_u8(out, (uint8_t)q->final);
}

static void put_sequence(const struct termfilter *f, char final, struct buf *out)
{
	put_text(out, "\033[");
	buf_put(out, f->seq, f->seq_len);
	buf_put_u8(out, (uint8_t) final);
}

static bool rule_allows(const struct rule *r, const struct sequence *q)
{
	if (q->n > r->params || (q->colons && r->check != COLOURS))
		return false;
	switch (r->check) {
	case UP_TO: return q->param[0] <= r->bound;
	case EXACTLY: return q->param[0] == r->bound;
	case ANY:
	case ANSI_MODES:
	case DEC_MODES:
	case COLOURS:
	case MARGIN_LINES: return true;
	}
	return false;
}

/* Without parameters the margins are the screen again, and the reset need not move the cursor for them. */
static void note_margins(struct termfilter *f, const struct sequence *q)
{
	if (q->n == 0)
		f->changed &= ~(uint32_t)CHANGE_MARGINS;
	else
		f->changed |= CHANGE_MARGINS;
}

static void dispatch_csi(struct termfilter *f, char final, struct buf *out)
{
	struct sequence q;
	const struct rule *r;

	if (f->cut || !parse_sequence(f, final, &q))
		return;
	r = find_rule(&q);
	if (r == NULL || !rule_allows(r, &q) || (f->mode == TERMFILTER_PLAIN && r->check != COLOURS) ||
	    (r->answers && has(f, TERMFILTER_MUTE)))
		return;
	if (r->check == ANSI_MODES || r->check == DEC_MODES) {
		put_modes(f, &q, r->check == DEC_MODES, out);
		return;
	}
	if (r->check == MARGIN_LINES)
		note_margins(f, &q);
	f->changed |= r->change;
	f->answers |= r->answers;
	put_sequence(f, final, out);
}

/* ESC and one byte. */
static void dispatch_escape(struct termfilter *f, char final, struct buf *out)
{
	if (f->mode == TERMFILTER_PLAIN)
		return;
	switch (final) {
	case '7': /* DECSC, DECRC */
	case '8':
	case 'D': /* IND, NEL, RI */
	case 'E':
	case 'M': break;
	case 'H': /* HTS */ f->changed |= CHANGE_TABS; break;
	case '=':
	case '>': f->changed |= CHANGE_KEYPAD; break;
	case 'c':
		termfilter_reset(f, out);
		put_text(out, "\033[H\033[2J");
		return;
	default: return;
	}
	buf_put_u8(out, ESC);
	buf_put_u8(out, (uint8_t) final);
}

/* ESC, intermediates, final: only G0 and G1 become ASCII, British or line drawing. The other two sets could not be
 * reached, and the Linux console prints the end of their designation. */
static void dispatch_charset(struct termfilter *f, char final, struct buf *out)
{
	if (f->mode == TERMFILTER_PLAIN || f->seq_len != 1 || (f->seq[0] != '(' && f->seq[0] != ')') ||
	    (final != 'A' && final != 'B' && final != '0'))
		return;
	f->changed |= CHANGE_CHARSET;
	buf_put_u8(out, ESC);
	buf_put_u8(out, (uint8_t)f->seq[0]);
	buf_put_u8(out, (uint8_t) final);
}

static void collect(struct termfilter *f, uint8_t b)
{
	if (f->seq_len < TERMFILTER_SEQUENCE_MAX) {
		f->seq[f->seq_len++] = (char)b;
		return;
	}
	f->cut = true;
	if (++f->swallowed >= TERMFILTER_STRING_MAX)
		f->state = GROUND;
}

static void begin(struct termfilter *f, enum state state)
{
	f->state = (uint8_t)state;
	f->seq_len = 0;
	f->cut = false;
	f->swallowed = 0;
}

static void begin_string(struct termfilter *f, bool osc)
{
	begin(f, STRING);
	f->osc = osc;
}

static void step_escape(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (b < 0x30) {
		f->state = ESCAPE_MORE;
		collect(f, b);
		return;
	}
	f->state = GROUND;
	switch (b) {
	case '[': begin(f, CSI); break;
	case ']': /* OSC */ begin_string(f, true); break;
	case 'k': /* the title of screen and tmux */
	case 'P': /* DCS */
	case 'X': /* SOS */
	case '^': /* PM */
	case '_': /* APC */ begin_string(f, false); break;
	default: dispatch_escape(f, (char)b, out);
	}
}

static void step_escape_more(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (b < 0x30) {
		collect(f, b);
		return;
	}
	f->state = GROUND;
	if (!f->cut)
		dispatch_charset(f, (char)b, out);
}

static void step_csi(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (b < 0x40) {
		collect(f, b);
		return;
	}
	f->state = GROUND;
	dispatch_csi(f, (char)b, out);
}

/* What is inside a string is nobody's business; only its end matters. BEL ends an OSC. The Linux console has two "strings" that have
 * none: ESC ] R, and ESC ] P with seven hexadecimal digits. */
static void step_string(struct termfilter *f, uint8_t b)
{
	const bool first = f->swallowed == 0 && f->osc;

	f->swallowed++;
	if ((b == BEL && f->osc) || (first && b == 'R') || f->swallowed >= TERMFILTER_STRING_MAX) {
		f->state = GROUND;
	} else if (first && b == 'P') {
		f->state = PALETTE;
		f->hex_left = 7;
	}
}

static bool is_hex(uint8_t b)
{
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F');
}

static void step_palette(struct termfilter *f, uint8_t b)
{
	if (!is_hex(b)) {
		f->state = STRING; /* a string after all */
		step_string(f, b);
	} else if (--f->hex_left == 0) {
		f->state = GROUND;
	}
}

/* Inside ESC and CSI sequences terminals obey controls at once, and bytes beyond ASCII have no place. */
static bool step_inside(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (f->state != ESCAPE && f->state != ESCAPE_MORE && f->state != CSI)
		return false;
	if (b >= 0x80) {
		f->state = GROUND;
		return false;
	}
	if (b < 0x20)
		control(f, b, out);
	return b < 0x20 || b == DEL;
}

static void step(struct termfilter *f, uint8_t b, struct buf *out)
{
	if (b == ESC || b == CAN || b == SUB) { /* end whatever there is, strings too */
		cut_character(f, out);
		begin(f, b == ESC ? ESCAPE : GROUND);
		return;
	}
	if (step_inside(f, b, out))
		return;
	switch ((enum state)f->state) {
	case GROUND: step_ground(f, b, out); break;
	case ESCAPE: step_escape(f, b, out); break;
	case ESCAPE_MORE: step_escape_more(f, b, out); break;
	case CSI: step_csi(f, b, out); break;
	case STRING: step_string(f, b); break;
	case PALETTE: step_palette(f, b); break;
	}
}

/* How many bytes from here on are plain letters, at most n: the fast way through for what most output is. */
static size_t letters(const struct termfilter *f, const uint8_t *s, size_t n)
{
	size_t i = 0;

	if (f->state != GROUND || f->utf8_want != 0)
		return 0;
	while (i < n && s[i] >= 0x20 && s[i] < DEL)
		i++;
	return i;
}

size_t termfilter_run(struct termfilter *f, const void *bytes, size_t n, struct buf *out)
{
	const uint8_t *s = bytes;
	size_t at = 0;

	while (at < n && !out->failed && out->max - out->len >= TERMFILTER_PIECE_MAX) {
		const size_t left = n - at, room = out->max - out->len;
		const size_t run = letters(f, s + at, left < room ? left : room);

		if (run > 0) {
			buf_put(out, s + at, run);
			f->after_cr = false;
			at += run;
		} else {
			step(f, s[at++], out);
		}
	}
	return at;
}

void termfilter_end(struct termfilter *f, struct buf *out)
{
	cut_character(f, out);
	begin(f, GROUND);
}
