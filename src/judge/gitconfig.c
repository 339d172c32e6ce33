#include "judge/gitconfig.h"

#include <string.h>

#define END (-1)

static int mistake(struct gitconfig *g, const char *what)
{
	if (g->mistake == NULL)
		g->mistake = what;
	return -1;
}

/* The next character as git sees it: CR LF is LF, and the file ends with a line feed. END behind that. */
static int next(struct gitconfig *g)
{
	uint8_t c;

	if (g->at >= g->n) {
		const bool ended = g->at > g->n;

		g->at = g->n + 1;
		return ended ? END : '\n';
	}
	c = g->bytes[g->at++];
	if (c == '\r' && g->at < g->n && g->bytes[g->at] == '\n') {
		g->at++;
		return '\n';
	}
	if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) {
		(void)mistake(g, "a control character");
		return '\n';
	}
	return c;
}

/* git's own idea of these, whatever the locale. */
static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key(int c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

static int lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* A NUL always fits behind it. */
static int put(struct gitconfig *g, char *dst, size_t size, size_t *len, int c)
{
	if (*len + 2 > size)
		return mistake(g, "a name or value that is too long");
	dst[(*len)++] = (char)c;
	dst[*len] = 0;
	return 0;
}

static int put_stem(struct gitconfig *g, int c)
{
	return put(g, g->stem, sizeof g->stem, &g->stem_len, c);
}

/* [section "subsection"], from the blank behind the section on. */
static int take_subsection(struct gitconfig *g, int c)
{
	while (c == ' ' || c == '\t')
		c = next(g);
	if (c != '"')
		return mistake(g, "a section that is not closed");
	if (put_stem(g, '.') < 0)
		return -1;
	for (;;) {
		c = next(g);
		if (c == '"')
			break;
		if (c == '\\')
			c = next(g);
		if (c == '\n' || c == END)
			return mistake(g, "a section that is not closed");
		if (put_stem(g, c) < 0)
			return -1;
	}
	return next(g) == ']' ? 0 : mistake(g, "a section that is not closed");
}

static int take_section(struct gitconfig *g)
{
	int rc = 0;

	g->stem_len = 0;
	for (;;) {
		const int c = next(g);

		if (c == ']')
			break;
		if (c == ' ' || c == '\t') {
			rc = take_subsection(g, c);
			break;
		}
		if (!is_key(c) && c != '.')
			return mistake(g, "no name of a section");
		if (put_stem(g, lower(c)) < 0)
			return -1;
	}
	if (rc < 0 || g->stem_len == 0 || g->stem[0] == '.')
		return mistake(g, "no name of a section");
	return put_stem(g, '.');
}

static int take_escape(struct gitconfig *g, struct gitconfig_entry *e, size_t *len)
{
	const int c = next(g);

	switch (c) {
	case '\n': return 0; /* the line goes on */
	case 't': return put(g, e->value, sizeof e->value, len, '\t');
	case '\\':
	case '"': return put(g, e->value, sizeof e->value, len, c);
	default: return mistake(g, "an escape that is none, or that makes a control character");
	}
}

/* Blanks between words: git has made them spaces or left them as they are, by its version; no rule here depends on it. */
static int put_blank(struct gitconfig *g, struct gitconfig_entry *e, size_t *len, size_t *blanks)
{
	for (; *blanks > 0; (*blanks)--)
		if (put(g, e->value, sizeof e->value, len, ' ') < 0)
			return -1;
	return 0;
}

static int take_value(struct gitconfig *g, struct gitconfig_entry *e)
{
	size_t len = 0, blanks = 0;
	bool quoted = false, comment = false;

	for (;;) {
		const int c = next(g);

		if (c == '\n' || c == END)
			return quoted ? mistake(g, "a quote that is not closed") : 0;
		if (comment)
			continue;
		if (is_blank(c) && !quoted) {
			blanks += len > 0;
			continue;
		}
		if (!quoted && (c == ';' || c == '#')) {
			comment = true;
			continue;
		}
		if (put_blank(g, e, &len, &blanks) < 0)
			return -1;
		if (c == '"')
			quoted = !quoted;
		else if ((c == '\\' ? take_escape(g, e, &len) : put(g, e->value, sizeof e->value, &len, c)) < 0)
			return -1;
	}
}

/* The parts of "section.subsection.key": up to the first dot, behind the last. */
static void divide(struct gitconfig_entry *e)
{
	const char *first = strchr(e->name, '.'), *last = strrchr(e->name, '.');

	e->section = e->name;
	e->section_len = (size_t)(first - e->name);
	e->subsection = last > first ? first + 1 : NULL;
	e->subsection_len = last > first ? (size_t)(last - first - 1) : 0;
	e->key = last + 1;
}

static int take_entry(struct gitconfig *g, int c, struct gitconfig_entry *e)
{
	size_t len = g->stem_len;

	if (len == 0)
		return mistake(g, "a key in no section");
	memcpy(e->name, g->stem, len + 1);
	e->offset = (uint32_t)(g->at - 1); /* within JUDGE_CONTENT_MAX */
	for (; is_key(c); c = next(g))
		if (put(g, e->name, sizeof e->name, &len, lower(c)) < 0)
			return -1;
	while (c == ' ' || c == '\t')
		c = next(g);
	e->value[0] = 0;
	e->has_value = c == '=';
	divide(e);
	if (c == '=')
		return take_value(g, e);
	return c == '\n' ? 0 : mistake(g, "neither a value nor the end of the line behind a key");
}

void gitconfig_init(struct gitconfig *g, const void *bytes, size_t n)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t line = 0;

	*g = (struct gitconfig){ .bytes = bytes, .n = n };
	if (n >= 3 && memcmp(bytes, mark, 3) == 0)
		g->at = 3;
	for (size_t i = 0; i < n; i++) {
		line = g->bytes[i] == '\n' ? 0 : line + 1;
		if (line > GITCONFIG_LINE_MAX && g->mistake == NULL) {
			g->at = i;
			g->mistake = "a line that is too long for older git";
		}
	}
}

int gitconfig_next(struct gitconfig *g, struct gitconfig_entry *ret)
{
	bool comment = false;

	while (g->mistake == NULL) {
		const int c = next(g);

		if (c == END || g->mistake != NULL)
			break;
		if (c == '\n')
			comment = false;
		else if (comment || is_blank(c))
			continue;
		else if (c == '#' || c == ';')
			comment = true;
		else if (c == '[')
			(void)take_section(g);
		else if (!is_letter(c))
			(void)mistake(g, "neither a section, a key nor a comment");
		else if (take_entry(g, c, ret) == 0 && g->mistake == NULL)
			return 1;
	}
	return g->mistake == NULL ? 0 : -1;
}
