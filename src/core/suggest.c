/* The grant that would have allowed a request, written for a policy file and for a shell. Both must read back as
 * exactly this object: test_flags.c sends them through the parser and through a real shell. */
#include "core/grant.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* A text that grows until it is full; then it is "" for good: half a grant would be another grant. */
struct out {
	char *dst;
	size_t size;
	size_t len;
	bool full;
};

static void out_bytes(struct out *o, const char *bytes, size_t n)
{
	if (o->full || n >= o->size - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->dst + o->len, bytes, n);
	o->len += n;
}

static void out_text(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

static void out_hex(struct out *o, const char *prefix, unsigned int width, uint32_t value)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%s%0*x", prefix, (int)width, value); /* fits: 2 + 8 digits */
	out_text(o, text);
}

static void out_end(struct out *o)
{
	if (o->size > 0)
		o->dst[o->full ? 0 : o->len] = 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Means itself in a policy file (not first), in a grant's text and in a shell. */
static bool is_plain(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || (c != 0 && strchr("/.+-=@%:", c) != NULL);
}

static bool all_plain(const char *s)
{
	for (; *s != 0; s++)
		if (!is_plain(*s))
			return false;
	return true;
}

/* One code point of well-formed UTF-8. */
static size_t utf8_take(const char *s, uint32_t *ret)
{
	const unsigned char first = (unsigned char)s[0];
	const size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	*ret = n == 1 ? first : first & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*ret = *ret << 6 | ((unsigned char)s[i] & 0x3fu);
	return n;
}

/* What must not stand in a line as it is: controls, what changes the direction of text, what YAML's reader refuses. */
static bool is_hidden(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || (cp >= 0x2000 && cp < 0x2070) ||
	       cp == 0xfeff || (cp >= 0xfff0 && cp <= 0xffff) || (cp >= 0xe0000 && cp < 0xe0080);
}

static bool has_hidden(const char *s)
{
	while (*s != 0) {
		uint32_t cp;

		s += utf8_take(s, &cp);
		if (is_hidden(cp))
			return true;
	}
	return false;
}

/* ---- for a policy file ---- */

static bool is_yaml_plain(const char *s)
{
	/* words that other readers of YAML take for a truth or a nothing */
	static const char *const reserved[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };

	if ((s[0] != '/' && !is_letter(s[0])) || !all_plain(s) || s[strlen(s) - 1] == ':') /* a key, at the end */
		return false;
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (strcasecmp(s, reserved[i]) == 0)
			return false;
	return true;
}

static void out_yaml_point(struct out *o, const char *s, size_t n, uint32_t cp)
{
	if (cp == '"' || cp == '\\')
		out_text(o, "\\");
	if (!is_hidden(cp))
		out_bytes(o, s, n);
	else if (cp < 0x100)
		out_hex(o, "\\x", 2, cp);
	else if (cp < 0x10000)
		out_hex(o, "\\u", 4, cp);
	else
		out_hex(o, "\\U", 8, cp);
}

static void out_yaml(struct out *o, const char *s, const char *tail)
{
	if (is_yaml_plain(s) && tail[0] == 0) {
		out_text(o, s);
		return;
	}
	out_text(o, "\"");
	while (*s != 0) {
		uint32_t cp;
		const size_t n = utf8_take(s, &cp);

		out_yaml_point(o, s, n, cp);
		s += n;
	}
	out_text(o, tail);
	out_text(o, "\"");
}

/* ---- for a shell ---- */

/* Whether the object would be read as more than an object: brackets and quotes at its start, blanks at its end, or a
 * blank before what may be a qualifier or a second object. */
static bool needs_quotes(const char *s)
{
	const size_t n = strlen(s);
	const size_t word = strcspn(s, " \t\n\r");

	if (n == 0 || s[0] == '[' || s[0] == '"' || s[0] == '\'' || word == 0)
		return true;
	return word < n && (strchr(" \t\n\r", s[n - 1]) != NULL || strpbrk(s + word, "=/~.[\"'") != NULL);
}

enum shell_style { SHELL_BARE, SHELL_QUOTED, SHELL_ESCAPED };

static void out_shell_byte(struct out *o, enum shell_style style, char c)
{
	const unsigned char u = (unsigned char)c;

	if (style == SHELL_QUOTED && c == '\'')
		out_text(o, "'\\''");
	else if (style == SHELL_ESCAPED && (u < 0x20 || u >= 0x7f))
		out_hex(o, "\\x", 2, u);
	else if (style == SHELL_ESCAPED && (c == '\'' || c == '\\'))
		out_bytes(o, (const char[]){ '\\', c }, 2);
	else
		out_bytes(o, &c, 1);
}

static void out_shell(struct out *o, const char *s, const char *tail)
{
	const bool text = text_is_utf8(s, strlen(s), NULL);
	const bool quoted = needs_quotes(s);
	const enum shell_style style = !text || has_hidden(s)                    ? SHELL_ESCAPED
				       : quoted || tail[0] != 0 || !all_plain(s) ? SHELL_QUOTED
										 : SHELL_BARE;

	if (style != SHELL_BARE)
		out_text(o, style == SHELL_ESCAPED ? "$'" : "'");
	if (quoted)
		out_text(o, "\"");
	for (; *s != 0; s++) {
		if (quoted && *s == '"')
			out_text(o, "\"");
		out_shell_byte(o, style, *s);
	}
	out_text(o, tail);
	if (quoted)
		out_text(o, "\"");
	if (style != SHELL_BARE)
		out_text(o, "'");
}

/* A final `?` is the mark of an optional path, and only the last one is: a name that ends in one gets a second. */
static const char *tail_of(const struct grant_request *want)
{
	const enum grant_object_kind kind = verb_object(want->verb);
	const size_t n = strlen(want->object);

	return n > 0 && want->object[n - 1] == '?' && (kind == OBJECT_PATH || kind == OBJECT_PROGRAM) ? "?" : "";
}

void grant_suggest(const struct grant_request *want, char *ret_line, size_t line_size, char *ret_flag, size_t flag_size)
{
	struct out line = { .dst = ret_line, .size = line_size };
	struct out flag = { .dst = ret_flag, .size = flag_size };
	const bool none = verb_object(want->verb) == OBJECT_NONE;

	out_text(&line, verb_word(want->verb));
	out_text(&line, ": ");
	if (none)
		out_text(&line, "true");
	else if (text_is_utf8(want->object, strlen(want->object), NULL))
		out_yaml(&line, want->object, tail_of(want));
	else
		line.full = true; /* YAML has no way to say these bytes */
	out_end(&line);

	out_text(&flag, "--");
	out_text(&flag, verb_word(want->verb));
	if (!none) {
		out_text(&flag, " ");
		out_shell(&flag, want->object, tail_of(want));
	}
	out_end(&flag);
}
