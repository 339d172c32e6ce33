#include "http/brings.h"

#include <string.h>

#include "base/num.h"
#include "http/form.h"

/* Of any of them: which one a server takes is its own affair. */
static bool says_form(const struct http_request *q)
{
	for (uint32_t i = 0; i < q->n_fields; i++) {
		struct http_text type = q->fields[i].value;

		type.n = type.n < sizeof FORM_TYPE - 1 ? type.n : sizeof FORM_TYPE - 1;
		if (http_name_means(&q->fields[i].name, "content-type") && http_text_is(&type, FORM_TYPE))
			return true;
	}
	return false;
}

void brings_begin(struct brings *b, const struct http_request *q, bool is_written)
{
	*b = (struct brings){ .is_form = !is_written && says_form(q) };
	credential_scan_init(&b->tokens);
}

/* What is left out before a name takes no room, of which a name could be pushed out. */
static void put(struct brings *b, char c)
{
	if (b->n < TERMS_NAME_MAX && (b->n > 0 || judge_begins_name(c)))
		b->name[b->n++] = c;
}

static void take_escape(struct brings *b, uint8_t byte)
{
	const int digit = hex_digit((char)byte);

	if (b->escape++ == 1) {
		b->high = digit < 0 ? 0 : (uint8_t)digit;
		return;
	}
	b->escape = 0;
	put(b, (char)(b->high << 4 | (digit < 0 ? 0 : digit)));
}

/* Of one that is cut off a bracket may have ended what is meant; else it is none that is looked for. */
static const char *judge_name(const struct brings *b, const struct judge *j)
{
	const struct http_text name = { .at = b->name, .n = b->n };
	struct judge_meaning m;

	m = judge_name_means(j, &name);
	if (m.another && j->terms.n_rules > 0)
		return "its body is a form that may mean another method";
	if (m.in_place != NULL || (m.credential && j->terms.credentials != TERMS_PASS))
		return "its body is a form with a credential that is not the grant's";
	return NULL;
}

/* Some servers take a semicolon for what parts parameters, too. */
static const char *take_byte(struct brings *b, const struct judge *j, uint8_t byte)
{
	const bool ends = byte == '&' || byte == ';';
	const char *wrong = NULL;

	if (!ends && b->in_value)
		return NULL;
	if (!ends && byte != '=') {
		if (b->escape > 0)
			take_escape(b, byte);
		else if (byte == '%')
			b->escape = 1;
		else
			put(b, byte == '+' ? ' ' : (char)byte);
		return NULL;
	}
	if (!b->in_value && byte == '=')
		wrong = judge_name(b, j);
	b->in_value = !ends;
	b->escape = b->n = 0;
	return wrong;
}

const char *brings_run(struct brings *b, const struct judge *j, const uint8_t *bytes, size_t n)
{
	const char *wrong = NULL;

	if (j->terms.credentials != TERMS_PASS && credential_scan_run(&b->tokens, bytes, n) != NULL)
		return "its body has a credential in it that is not the grant's";
	for (size_t i = 0; b->is_form && i < n && wrong == NULL; i++)
		wrong = take_byte(b, j, bytes[i]);
	return wrong;
}
