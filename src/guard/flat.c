/* Arguments as the authority looks at them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/where_match.h"
#include "guard/guard.h"

#define PATH_MAX_BYTES 2048
#define TEXT_MOST 4096u /* of a text that is told whole */

struct flat {
	struct buf *out;
	struct call *items; /* borrowed; NULL: nobody wants them */
	struct err *e;
	unsigned n;
};

static int too_many(const struct flat *f)
{
	return err_set(f->e, AMBIT_LIMIT, "call it with fewer",
		       "more than %d arguments, with all within lists and objects", WHERE_ARGUMENTS_MAX);
}

/* Some servers look their arguments up without regard to case: what is judged must be what they find. */
static int check_names(const struct flat *f, const json_t *object)
{
	const char *a, *b;
	json_t *v, *w;

	if (json_object_size(object) > WHERE_ARGUMENTS_MAX) /* all are compared with all */
		return too_many(f);
	json_object_foreach((json_t *)(uintptr_t)object, a, v)
	{
		json_object_foreach((json_t *)(uintptr_t)object, b, w)
		{
			if (a != b && where_is_same_name(a, b))
				return err_set(f->e, AMBIT_MALFORMED, "give each argument one name",
					       "two arguments that differ by case alone: '%.64s' and '%.64s'", a, b);
		}
	}
	return 0;
}

static uint64_t characters(const char *text, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static void put_item(const struct flat *f, const char *path, const char *value, size_t n, enum value_kind is)
{
	if (f->items != NULL)
		call_argument(f->items, path, strlen(path), value, n, is, 0);
}

static int put_text(const struct flat *f, const char *path, const json_t *v)
{
	const char *text = json_string_value(v);
	const size_t n = json_string_length(v);
	char count[24];

	put_item(f, path, text, n, VALUE_TEXT);
	if (n <= TEXT_MOST) {
		where_put(f->out, path, WHERE_TEXT, text, n);
		return 0;
	}
	(void)snprintf(count, sizeof count, "%llu", (unsigned long long)characters(text, n));
	where_put(f->out, path, WHERE_LONG, count, strlen(count));
	return 0;
}

char *flat_number(const json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

	for (size_t digits = 15; json_is_real(v) && text != NULL && digits < 17; digits++) {
		char *shorter = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(digits));

		if (shorter != NULL && strtod(shorter, NULL) == json_real_value(v)) {
			free(text);
			return shorter;
		}
		free(shorter);
	}
	return text;
}

static int put_number(const struct flat *f, const char *path, const json_t *v)
{
	auto_free char *text = flat_number(v);

	if (text == NULL)
		return err_set(f->e, AMBIT_MEMORY, NULL, "no memory for the arguments");
	put_item(f, path, text, strlen(text), VALUE_NUMBER);
	where_put(f->out, path, WHERE_NUMBER, text, strlen(text));
	return 0;
}

static int put_value(struct flat *f, struct buf *path, const json_t *v);

static int put_object(struct flat *f, struct buf *path, const json_t *object)
{
	const size_t length = path->len;
	const char *key;
	json_t *v;
	int r = check_names(f, object);

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		if (r < 0)
			return r;
		if (path->len > 0)
			buf_put_u8(path, '.');
		where_put_name(path, key, strlen(key));
		if (path->failed)
			return err_set(f->e, AMBIT_LIMIT, NULL, "names of arguments that are too long together");
		r = put_value(f, path, v);
		path->len = length;
	}
	return r;
}

static int put_list(struct flat *f, struct buf *path, const json_t *list)
{
	json_t *v;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
	{
		r = put_value(f, path, v);
		if (r < 0)
			return r;
	}
	return r;
}

static int put_value(struct flat *f, struct buf *path, const json_t *v)
{
	if (json_is_object(v))
		return put_object(f, path, v);
	if (json_is_array(v))
		return put_list(f, path, v);
	if (json_is_null(v))
		return 0;
	if (++f->n > WHERE_ARGUMENTS_MAX)
		return too_many(f);
	if (buf_cstr(path) == NULL)
		return err_set(f->e, AMBIT_LIMIT, NULL, "names of arguments that are too long together");
	if (json_is_string(v))
		return put_text(f, (const char *)path->data, v);
	if (json_is_boolean(v)) {
		const char *word = json_is_true(v) ? "true" : "false";

		put_item(f, (const char *)path->data, word, strlen(word), VALUE_SWITCH);
		where_put(f->out, (const char *)path->data, WHERE_BOOL, word, strlen(word));
		return 0;
	}
	return put_number(f, (const char *)path->data, v);
}

int flat_put(struct buf *out, const char *prefix, const json_t *value, struct call *items, struct err *e)
{
	struct flat f = { .out = out, .items = items, .e = e };
	char room[PATH_MAX_BYTES];
	struct buf path;
	int r;

	buf_init_in(&path, room, sizeof room);
	if (prefix != NULL)
		where_put_name(&path, prefix, strlen(prefix));
	r = value == NULL ? 0 : put_value(&f, &path, value);
	if (r == 0 && (out->failed || out->len > WHERE_BYTES_MAX))
		return err_set(e, AMBIT_LIMIT, "pass long texts by a file",
			       "arguments of more than %u bytes, long texts not counted", WHERE_BYTES_MAX);
	return r;
}
