#include "http/two_fields.h"

#include <string.h>

void two_fields_init(struct two_fields *f, const struct memory *memory)
{
	f->n = 0;
	f->over = f->bad = false;
	f->cost = 0;
	buf_init_of(&f->text, TWO_TEXT_MAX, memory);
}

void two_fields_finish(struct two_fields *f)
{
	buf_finish(&f->text);
	f->n = 0;
}

void two_fields_reset(struct two_fields *f)
{
	if (f->text.memory != NULL)
		buf_finish(&f->text);
	buf_reset(&f->text);
	f->n = 0;
	f->over = f->bad = false;
	f->cost = 0;
}

size_t two_fields_held(const struct two_fields *f)
{
	return f != NULL ? sizeof *f + f->text.cap : 0;
}

/* After one has failed, or did not fit, nothing of it is used. */
static struct two_field *next(struct two_fields *f)
{
	f->over |= f->n == TWO_FIELDS_MAX || f->text.failed;
	return f->over ? NULL : &f->at[f->n];
}

void two_fields_put(struct two_fields *f, const struct http_text *name, const struct http_text *value, bool hidden)
{
	struct two_field *to = next(f);
	const uint32_t at = (uint32_t)f->text.len; /* below TWO_TEXT_MAX */

	if (to == NULL)
		return;
	buf_put(&f->text, name->at, name->n);
	buf_put(&f->text, value->at, value->n);
	f->over |= f->text.failed;
	if (f->over)
		return;
	/* Both fit the text. */
	to->name = at;
	to->name_n = (uint32_t)name->n;
	to->value = at + to->name_n;
	to->value_n = (uint32_t)value->n;
	to->hidden = hidden;
	f->cost += name->n + value->n + TWO_FIELD_COST;
	f->n++;
}

void two_fields_begin(struct two_fields *f, const struct http_text *name)
{
	struct two_field *to = next(f);

	if (to == NULL)
		return;
	to->name = (uint32_t)f->text.len;
	to->name_n = (uint32_t)name->n; /* a word, or of a text that fits */
	buf_put(&f->text, name->at, name->n);
	to->value = (uint32_t)f->text.len;
}

void two_fields_end(struct two_fields *f, bool hidden)
{
	struct two_field *to = next(f);

	if (to == NULL)
		return;
	to->value_n = (uint32_t)f->text.len - to->value;
	to->hidden = hidden;
	f->cost += (size_t)to->name_n + to->value_n + TWO_FIELD_COST;
	f->n++;
}

void two_fields_put_word(struct two_fields *f, const char *name, const char *value)
{
	const struct http_text n = { .at = name, .n = strlen(name) };
	const struct http_text v = { .at = value, .n = strlen(value) };

	two_fields_put(f, &n, &v, false);
}

struct http_text two_fields_name(const struct two_fields *f, uint32_t i)
{
	return (struct http_text){ .at = (const char *)f->text.data + f->at[i].name, .n = f->at[i].name_n };
}

struct http_text two_fields_value(const struct two_fields *f, uint32_t i)
{
	return (struct http_text){ .at = (const char *)f->text.data + f->at[i].value, .n = f->at[i].value_n };
}

uint32_t two_fields_find(const struct two_fields *f, const char *name)
{
	const size_t n = strlen(name);
	uint32_t i = 0;

	while (i < f->n && (f->at[i].name_n != n || memcmp(f->text.data + f->at[i].name, name, n) != 0))
		i++;
	return i;
}

bool two_fields_list(const struct two_fields *f, nghttp2_nv ret[TWO_FIELDS_MAX])
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct two_field *from = &f->at[i];

		ret[i].name = f->text.data + from->name;
		ret[i].namelen = from->name_n;
		ret[i].value = f->text.data + from->value;
		ret[i].valuelen = from->value_n;
		ret[i].flags = from->hidden ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
	}
	return !f->over && !f->text.failed;
}
