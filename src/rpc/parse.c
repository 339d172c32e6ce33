#include "rpc/parse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int wrong_at(struct mistake *m, size_t at, int rc)
{
	(void)snprintf(m->place, sizeof m->place, "byte %zu", at); /* fits */
	return rc;
}

struct measure {
	unsigned depth, values;
	bool in_string, escaped;
};

static void measure_string(struct measure *s, char c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->in_string = false;
}

static void measure_one(struct measure *s, char c)
{
	switch (c) {
	case '"': s->in_string = true; break;
	case '[':
	case '{':
		s->depth++;
		s->values++;
		break;
	case ']':
	case '}': s->depth -= s->depth > 0; break;
	case ',':
	case ':': s->values++; break;
	default: break;
	}
}

/* Before anything is allocated for it: of text that is no JSON it does not matter what is counted. */
static int check_size(const char *text, size_t n, unsigned depth, unsigned values, struct mistake *m)
{
	struct measure s = { .depth = 0 };

	for (size_t i = 0; i < n; i++) {
		if (s.in_string)
			measure_string(&s, text[i]);
		else
			measure_one(&s, text[i]);
		if (s.depth > depth)
			return wrong_at(m, i,
					err_set(&m->err, AMBIT_LIMIT, "no method takes anything as deep",
						"JSON that is deeper than %u", depth));
		if (s.values > values)
			return wrong_at(m, i,
					err_set(&m->err, AMBIT_LIMIT, "no method takes as many",
						"JSON of more than %u values", values));
	}
	return 0;
}

json_t *parse_json(const char *text, size_t n, struct mistake *m)
{
	return parse_json_within(text, n, PARSE_DEPTH_MAX, PARSE_VALUES_MAX, m);
}

json_t *parse_json_within(const char *text, size_t n, unsigned depth, unsigned values, struct mistake *m)
{
	char why[160];
	json_error_t told;
	json_t *json;

	memset(m, 0, sizeof *m);
	if (check_size(text, n, depth, values, m) < 0)
		return NULL;
	json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &told);
	if (json != NULL)
		return json;
	(void)text_escape(why, sizeof why, told.text, strlen(told.text)); /* it may name bytes of the line */
	(void)wrong_at(
		m, told.position > 0 ? (size_t)told.position : 0,
		err_why(&m->err,
			err_set(&m->err, AMBIT_MALFORMED, "one JSON object in one line, in UTF-8, and no name twice",
				"a line that is not JSON as it is taken here"),
			"%s", why));
	return NULL;
}
