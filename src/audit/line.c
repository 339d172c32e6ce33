#include "audit/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"

#define BODY_MAX 400   /* bytes of all keys and values together */
#define VALUE_MAX 64   /* of one of them */
#define EVENT_SHOWN 14 /* "e_", the time, and two random characters: the beginning of an id that names it */

/* A text as it is meant, anything else as it is written. */
static void put_value(struct buf *out, struct canonical_value v)
{
	char text[4096], shown[VALUE_MAX];

	if (v.n > 0 && v.at[0] == '"' && canonical_string(v, text, sizeof text))
		buf_printf(out, "%s", text_escape(shown, sizeof shown, text, strlen(text)));
	else
		buf_printf(out, "%s", text_escape(shown, sizeof shown, v.at, v.n));
}

/* As if its members were the body's own: of what was connected they say how much. */
static bool is_laid_open(struct canonical_value key)
{
	return canonical_is(key, "\"meter\"") || canonical_is(key, "\"qualifiers\"");
}

static void put_members(struct buf *out, struct canonical_value body, size_t from, unsigned depth)
{
	struct canonical_value key, value;
	size_t at = 0;

	while (canonical_member(body, &at, &key, &value)) {
		if (out->len - from > BODY_MAX) {
			buf_printf(out, " ...");
			return;
		}
		if (canonical_is(value, "null") || (depth == 0 && canonical_is(key, "\"request\"")))
			continue; /* the bytes of a request are told by the other members */
		if (depth == 0 && is_laid_open(key)) {
			put_members(out, value, from, 1);
			continue;
		}
		buf_printf(out, " ");
		put_value(out, key);
		buf_printf(out, "=");
		put_value(out, value);
	}
}

void line_put(struct buf *out, const struct entry *entry, const char *remark)
{
	char wall[TIMESTAMP_LEN + 1];

	(void)timestamp_write(entry->wall_ms, wall); /* it was read as one */
	buf_printf(out, "%8" PRIu64 "  %s  %-10s  %-*.*s ", entry->seq, wall, entry_type_word(entry->type), EVENT_SHOWN,
		   EVENT_SHOWN, entry->event[0] != 0 ? entry->event : "-");
	put_members(out, entry->body, out->len, 0);
	if (remark != NULL)
		buf_printf(out, "  (%s)", remark);
	buf_printf(out, "\n");
}

void line_put_broken(struct buf *out, uint64_t index, const char *why)
{
	char shown[LINE_MAX_BYTES / 2];

	buf_printf(out, "%8" PRIu64 "  (no entry: %s)\n", index, text_escape(shown, sizeof shown, why, strlen(why)));
}
