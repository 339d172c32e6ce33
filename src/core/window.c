#include "core/window.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 80

bool window_is_none(const struct window *w)
{
	return w->from == w->to;
}

static bool is_zone_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
	       c == '-';
}

static bool is_zone(const char *zone)
{
	const size_t n = strnlen(zone, WINDOW_ZONE_MAX);

	if (n == 0 || n == WINDOW_ZONE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const bool within = i > 0 && i + 1 < n && zone[i - 1] != '/';

		if (!is_zone_character(zone[i]) && !(zone[i] == '/' && within))
			return false;
	}
	return true;
}

bool window_is_well_formed(const struct window *w)
{
	if (w->from == 0 && w->to == 0)
		return w->zone[0] == 0;
	return w->from != w->to && w->from < WINDOW_DAY && w->to < WINDOW_DAY && is_zone(w->zone);
}

static bool read_digits(const char *text, uint32_t most, uint32_t *ret)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret = (uint32_t)((text[0] - '0') * 10 + (text[1] - '0'));
	return *ret <= most;
}

/* "HH:MM" and what is to follow. */
static bool read_minute(const char *text, char end, uint16_t *ret)
{
	uint32_t hour, minute;

	if (!read_digits(text, 23, &hour) || text[2] != ':' || !read_digits(text + 3, 59, &minute) || text[5] != end)
		return false;
	*ret = (uint16_t)(hour * 60 + minute); /* below 1440 */
	return true;
}

int window_take(const char *text, struct window *ret, struct err *e)
{
	struct window w = { .from = 0 };
	char shown[SHOWN_MAX];

	if (strnlen(text, 12) == 12 && read_minute(text, '-', &w.from) && read_minute(text + 6, ' ', &w.to) &&
	    text_copy(w.zone, sizeof w.zone, text + 12) && !window_is_none(&w) && window_is_well_formed(&w)) {
		*ret = w;
		return 0;
	}
	text_escape(shown, sizeof shown, text, strlen(text));
	return err_set(e, AMBIT_MALFORMED, "write two times of day and a time zone: 09:00-18:00 Europe/Berlin",
		       "between: '%s' is not a value", shown);
}

void window_put(const struct window *w, char ret[WINDOW_TEXT_MAX])
{
	ret[0] = 0;
	if (!window_is_none(w))
		(void)snprintf(ret, WINDOW_TEXT_MAX, "%02u:%02u-%02u:%02u %s", w->from / 60u % 100, w->from % 60u,
			       w->to / 60u % 100, w->to % 60u, w->zone); /* fits */
}

bool window_has(const struct window *w, uint32_t minute)
{
	if (window_is_none(w))
		return true;
	if (minute >= WINDOW_DAY)
		return false;
	return w->from < w->to ? minute >= w->from && minute < w->to : minute >= w->from || minute < w->to;
}

static uint32_t length(const struct window *w)
{
	return (WINDOW_DAY + (uint32_t)w->to - w->from) % WINDOW_DAY;
}

bool window_is_within(const struct window *inner, const struct window *outer)
{
	if (window_is_none(outer))
		return true;
	if (window_is_none(inner) || strcmp(inner->zone, outer->zone) != 0)
		return false;
	return (WINDOW_DAY + (uint32_t)inner->from - outer->from) % WINDOW_DAY + length(inner) <= length(outer);
}

void window_encode(const struct window *w, struct buf *out)
{
	buf_put_u16(out, w->from);
	buf_put_u16(out, w->to);
	buf_put_text(out, w->zone, sizeof w->zone);
}

void window_decode(struct rbuf *in, struct window *ret)
{
	struct window w = { .from = rbuf_u16(in) };

	w.to = rbuf_u16(in);
	rbuf_text(in, w.zone, sizeof w.zone);
	if (!window_is_well_formed(&w))
		in->failed = true;
	*ret = w;
}
