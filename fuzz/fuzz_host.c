/* Any bytes as a name of a host, and as a pattern: what is taken is of the letters that there are, taken again as the same, never both, and none
 * that could be read as an address. */
#include <string.h>

#include "core/address.h"
#include "core/host.h"
#include "fuzz.h"

static bool is_of_letters(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == 0;
}

static void name(const struct host_name *n)
{
	const size_t len = strlen(n->text);
	struct host_name again;
	struct address at;

	promise(len > 0 && len <= HOST_NAME_MAX_LEN && is_of_letters(n->text) && n->text[len - 1] != '.');
	promise(host_take(n->text, len, &again) && strcmp(again.text, n->text) == 0);
	promise(!host_is_number(n->text, len) && !address_take(n->text, len, &at));
}

static void pattern(const struct host_name *p)
{
	const size_t len = strlen(p->text);
	struct host_name again, below;

	promise(len <= HOST_NAME_MAX_LEN && strncmp(p->text, "*.", 2) == 0 && is_of_letters(p->text + 1));
	promise(host_pattern_take(p->text, len, &again) && strcmp(again.text, p->text) == 0);
	promise(host_take(p->text + 2, len - 2, &below)); /* what stands after the star, */
	promise(!host_matches(p, below.text));            /* which it does not mean, */
	again.text[0] = 'a';                              /* but one below it, */
	promise(host_take(again.text, len, &below) && host_matches(p, below.text));
	if (len + 2 > HOST_NAME_MAX_LEN)
		return;
	memmove(again.text + 2, again.text, len + 1); /* and not two */
	memcpy(again.text, "b.", 2);
	promise(host_take(again.text, len + 2, &below) && !host_matches(p, below.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host_name one, many;
	const bool is_name = host_take((const char *)data, size, &one);
	const bool is_pattern = host_pattern_take((const char *)data, size, &many);

	promise(!is_name || !is_pattern);
	if (is_name)
		name(&one);
	if (is_pattern)
		pattern(&many);
	return 0;
}
