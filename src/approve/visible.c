#include "approve/visible.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PIECE 16 /* of one character */

enum script { NONE, LATIN, GREEK, CYRILLIC, EAST_ASIAN, OTHER, SCRIPTS };

static const char *const script_names[SCRIPTS] = { "", "Latin", "Greek", "Cyrillic", "East Asian", "other" };

/* What is shown as it is beside printable ASCII. */
static const struct {
	uint32_t first, last;
	enum script script;
} letters[] = {
	{ 0x00c0, 0x00d6, LATIN },      { 0x00d8, 0x00f6, LATIN },      { 0x00f8, 0x017f, LATIN },
	{ 0x0386, 0x0386, GREEK },      { 0x0388, 0x038a, GREEK },      { 0x038c, 0x038c, GREEK },
	{ 0x038e, 0x03a1, GREEK },      { 0x03a3, 0x03e1, GREEK },      { 0x0400, 0x0481, CYRILLIC },
	{ 0x048a, 0x04ff, CYRILLIC },   { 0x3041, 0x3096, EAST_ASIAN }, { 0x30a1, 0x30fa, EAST_ASIAN },
	{ 0x4e00, 0x9fef, EAST_ASIAN }, { 0xac00, 0xd7a3, EAST_ASIAN },
};

static const struct {
	uint32_t first, last;
	char as;
	uint8_t step;
} looks[] = {
#define LOOKS(first, last, as, step) { (first), (last), (as), (step) },
#include "approve/confusables.def"
#undef LOOKS
};

/* Nothing of a word's end: what is not seen, or is drawn over the letter before. */
static const struct {
	uint32_t first, last;
} within[] = {
	{ 0x00ad, 0x00ad }, { 0x0300, 0x036f }, { 0x061c, 0x061c },   { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x202a, 0x202e },
	{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static bool is_ascii_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static enum script script_of(uint32_t c)
{
	if (is_ascii_letter(c))
		return LATIN;
	for (size_t i = 0; i < COUNT_OF(letters); i++)
		if (c >= letters[i].first && c <= letters[i].last)
			return letters[i].script;
	return NONE;
}

/* 0: like nothing of ASCII. */
static char look_of(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(looks); i++)
		if (c >= looks[i].first && c <= looks[i].last)
			return (char)(looks[i].as + (int)(looks[i].step * (c - looks[i].first)));
	return 0;
}

static bool is_within_word(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(within); i++)
		if (c >= within[i].first && c <= within[i].last)
			return true;
	return false;
}

/* ---- words ---- */

static void add_script(struct visible_word *w, enum script script)
{
	if (script != NONE)
		w->scripts |= 1u << script;
}

static void end_word(struct visible_word *w, struct visible *v)
{
	if ((w->scripts & (w->scripts - 1)) != 0 && v->n_mixed++ == 0)
		v->mixed = *w;
	*w = (struct visible_word){ .n = 0 };
}

static void add_to_word(struct visible_word *w, const char *piece, size_t n)
{
	if (w->n_more > 0 || w->n + n >= sizeof w->text) {
		w->n_more++;
		return;
	}
	memcpy(w->text + w->n, piece, n);
	w->n += n;
	w->text[w->n] = 0;
}

/* as: what it looks like. */
static void follow_word(struct visible_word *w, uint32_t c, char as, const char *piece, size_t n, struct visible *v)
{
	const enum script script = script_of(c);
	const bool looks_so = is_ascii_letter((uint8_t)as) || is_digit((uint8_t)as);

	if (script == NONE && !looks_so && !is_digit(c) && !is_within_word(c)) {
		end_word(w, v);
		return;
	}
	add_script(w, script != NONE ? script : looks_so ? OTHER : NONE);
	add_to_word(w, piece, n);
}

/* ---- characters ---- */

static void note_look(struct visible *v, uint32_t c, char as)
{
	size_t i = 0;

	while (i < v->n_looks && v->looks[i].is != c)
		i++;
	if (i < v->n_looks)
		return;
	if (i == VISIBLE_LOOKS_MAX)
		v->n_looks_more++;
	else
		v->looks[v->n_looks++] = (struct visible_look){ .is = c, .as = as };
}

/* A blank is one that is seen: between two characters that are none. */
static bool is_seen(const uint8_t *s, size_t at, size_t n)
{
	return at > 0 && at + 1 < n && s[at - 1] != ' ' && s[at + 1] != ' ';
}

/* How many bytes piece has; *ret_took: how many of the text's. c and as are of the character. */
static size_t show_one(struct span text, size_t at, char piece[PIECE], size_t *ret_took, uint32_t *c, char *as)
{
	const uint8_t *s = (const uint8_t *)text.at;

	*c = 0;
	*as = 0;
	*ret_took = text_decode(s + at, text.len - at, c);
	if (*ret_took == 0) {
		*ret_took = 1;
		return (size_t)snprintf(piece, PIECE, "\\x%02X", s[at]);
	}
	*as = look_of(*c);
	if (*c == '\\')
		return (size_t)snprintf(piece, PIECE, "\\\\");
	if (*c == ' ' ? is_seen(s, at, text.len) : (*c > ' ' && *c < 0x7f) || (script_of(*c) != NONE && *as == 0)) {
		memcpy(piece, s + at, *ret_took);
		return *ret_took;
	}
	return (size_t)snprintf(piece, PIECE, "\\u{%X}", *c);
}

void visible_put(struct buf *out, struct span text, size_t most, struct visible *ret)
{
	struct visible_word word = { .n = 0 };
	size_t at = 0, shown = 0;

	*ret = (struct visible){ .n_written = 0 };
	while (at < text.len) {
		char piece[PIECE], as;
		uint32_t c;
		size_t took;
		const size_t n = show_one(text, at, piece, &took, &c, &as);

		if (shown + n > most)
			break;
		buf_put(out, piece, n);
		ret->n_written += n > 1 && piece[0] == '\\' && piece[1] != '\\';
		if (as != 0)
			note_look(ret, c, as);
		follow_word(&word, c, as, piece, n, ret);
		shown += n;
		at += took;
	}
	end_word(&word, ret);
	ret->n_cut = text.len - at;
	if (ret->n_cut > 0)
		buf_printf(out, "\\{%zu bytes more}", ret->n_cut);
}

/* ---- what is said of it ---- */

static void put_looks(struct buf *out, const struct visible *v)
{
	for (size_t i = 0; i < v->n_looks; i++)
		buf_printf(out, "%s\\u{%X} as '%c'", i == 0 ? "looks like ASCII and is not: " : ", ", v->looks[i].is,
			   v->looks[i].as);
	if (v->n_looks_more > 0)
		buf_printf(out, ", and others %zu times", v->n_looks_more);
	if (v->n_looks > 0)
		buf_put_u8(out, '\n');
}

static void put_mixed(struct buf *out, const struct visible *v)
{
	const char *between = "";

	if (v->n_mixed == 0)
		return;
	buf_printf(out, "words with letters of several scripts: %zu; the first is %s", v->n_mixed, v->mixed.text);
	if (v->mixed.n_more > 0)
		buf_printf(out, "\\{%zu characters more}", v->mixed.n_more);
	buf_printf(out, " (");
	for (int i = LATIN; i < SCRIPTS; i++)
		if ((v->mixed.scripts & 1u << i) != 0) {
			buf_printf(out, "%s%s", between, script_names[i]);
			between = ", ";
		}
	buf_printf(out, ")\n");
}

void visible_put_notes(struct buf *out, const struct visible *v)
{
	if (v->n_written > 0)
		buf_printf(out, "written out, since it cannot be seen or be told from others: %zu character%s\n",
			   v->n_written, text_plural(v->n_written));
	put_looks(out, v);
	put_mixed(out, v);
	if (v->n_cut > 0)
		buf_printf(out, "not shown: %zu byte%s\n", v->n_cut, text_plural(v->n_cut));
}
