#include "octets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const char *all, *at;
	uint8_t *out;
	size_t room, n;
};

static void refuse(const struct writer *w, const char *why)
{
	(void)fprintf(stderr, "octets: %s at %zu of: %s\n", why, (size_t)(w->at - w->all), w->all);
	abort();
}

static void put(struct writer *w, uint8_t byte)
{
	if (w->n == w->room)
		refuse(w, "no room");
	w->out[w->n++] = byte;
}

static uint8_t hex(struct writer *w)
{
	char pair[3] = "";
	char *end;
	unsigned long v;

	memcpy(pair, w->at, strnlen(w->at, 2));
	v = strtoul(pair, &end, 16);
	if (end != pair + 2 || !isxdigit((unsigned char)pair[0]))
		refuse(w, "no byte");
	w->at += 2;
	return (uint8_t)v;
}

static void vector(struct writer *w);

static void repeat(struct writer *w, size_t times)
{
	uint8_t byte;

	w->at = strchr(w->at, '*') + 1;
	byte = hex(w);
	for (size_t i = 0; i < times; i++)
		put(w, byte);
}

static void characters(struct writer *w)
{
	for (w->at++; *w->at != '\''; w->at++) {
		if (*w->at == 0)
			refuse(w, "no end");
		put(w, (uint8_t)*w->at);
	}
	w->at++;
}

static void sequence(struct writer *w)
{
	for (; *w->at != 0 && *w->at != ']';) {
		const size_t digits = strspn(w->at, "0123456789");

		if (*w->at == ' ')
			w->at++;
		else if (*w->at == '\'')
			characters(w);
		else if (*w->at == '[')
			vector(w);
		else if (digits > 0 && w->at[digits] == '*')
			repeat(w, strtoul(w->at, NULL, 10));
		else
			put(w, hex(w));
	}
}

static void vector(struct writer *w)
{
	const size_t width = (size_t)(w->at[1] - '0');
	size_t start, n;

	if (width < 1 || width > 3)
		refuse(w, "no width");
	w->at += 2;
	for (size_t i = 0; i < width; i++)
		put(w, 0);
	start = w->n;
	sequence(w);
	n = w->n - start;
	if (*w->at != ']' || n >> (8 * width) != 0)
		refuse(w, "no vector");
	w->at++;
	for (size_t i = 1; i <= width; i++, n >>= 8)
		w->out[start - i] = (uint8_t)n;
}

size_t octets(const char *text, uint8_t *ret, size_t room)
{
	struct writer w = { .all = text, .at = text, .out = ret, .room = room };

	sequence(&w);
	if (*w.at != 0)
		refuse(&w, "no start of a vector");
	return w.n;
}
