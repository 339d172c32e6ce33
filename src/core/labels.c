#include "core/labels.h"

#include <string.h>

#include "base/text.h"
#include "core/authority.h"

_Static_assert(LABELS_TEXT_MAX == AUTHORITY_LABELS_MAX * FLOW_LABEL_MAX, "all of the authority's fit");

#define UNKNOWN "?"

void labels_set_unknown(struct labels *l)
{
	(void)text_copy(l->text, sizeof l->text, UNKNOWN); /* fits */
}

bool labels_are_unknown(const struct labels *l)
{
	return strcmp(l->text, UNKNOWN) == 0;
}

void labels_add(struct labels *l, const char *name)
{
	const size_t at = strlen(l->text), comma = at > 0 ? 1 : 0;

	if (labels_are_unknown(l))
		return;
	if (!flow_is_name(name) || !text_copy(l->text + at + comma, sizeof l->text - at - comma, name))
		labels_set_unknown(l);
	else if (comma != 0)
		l->text[at] = ',';
}

bool labels_next(const char **at, char ret[FLOW_LABEL_MAX])
{
	const size_t n = strcspn(*at, ",");

	if (n == 0 || n >= FLOW_LABEL_MAX || strcmp(*at, UNKNOWN) == 0)
		return false;
	memcpy(ret, *at, n);
	ret[n] = 0;
	*at += n + ((*at)[n] == ',');
	return true;
}

void labels_put_json(struct json *j, const struct labels *l)
{
	const char *at = l->text;
	char name[FLOW_LABEL_MAX];

	if (labels_are_unknown(l)) {
		json_put_null(j);
		return;
	}
	json_put_array(j);
	while (labels_next(&at, name))
		json_put_word(j, name);
	json_put_array_end(j);
}

void labels_put(struct buf *out, const struct labels *l)
{
	buf_put_str(out, l->text);
}

void labels_take(struct rbuf *in, struct labels *ret)
{
	struct labels again = { .text = "" };
	const char *at = ret->text;
	char name[FLOW_LABEL_MAX];

	rbuf_str(in, ret->text, sizeof ret->text);
	if (labels_are_unknown(ret))
		return;
	while (labels_next(&at, name))
		labels_add(&again, name);
	in->failed = in->failed || strcmp(again.text, ret->text) != 0;
}

int labels_take_given(const char *text, struct labels *ret, struct err *e)
{
	struct flow f = { .n_unless = 0 };
	const int r = text == NULL || text[0] == 0 ? 0 : flow_set_label(&f, text, e);

	if (r < 0)
		return r;
	ret->text[0] = 0;
	for (uint32_t i = 0; i < f.label.n; i++)
		labels_add(ret, f.label.names[i]);
	return 0;
}
