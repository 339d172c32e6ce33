#include "core/canary.h"

#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "core/grant.h"

#define HEAD "ambit canaries 1"
#define FIELDS 7

static const char *const words[CANARY_KINDS] = { "aws", "ssh", "env", "token", "file" };

const char *canary_word(uint32_t kind)
{
	return kind < CANARY_KINDS ? words[kind] : NULL;
}

enum canary_kind canary_kind_of(const char *word)
{
	enum canary_kind k = 0;

	while (k < CANARY_KINDS && strcmp(words[k], word) != 0)
		k++;
	return k;
}

bool canary_is_path(const char *path)
{
	if (!path_is_normal(path) || path[1] == 0 || strlen(path) >= CANARY_PATH_MAX)
		return false;
	for (const char *at = path; *at != 0; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return true;
}

uint32_t canaries_find(const struct canaries *c, const char *path)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (strcmp(c->list[i].path, path) == 0)
			return i;
	return CANARIES_MAX;
}

#define SSH_HEAD "b3BlbnNzaC1rZXktdjE" /* "openssh-key-v1": how each key begins is no secret */

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_secret(const char *word, size_t n)
{
	bool letter = false, digit = false;

	for (size_t i = 0; i < n; i++) {
		letter = letter || is_letter(word[i]);
		digit = digit || is_digit(word[i]);
	}
	return n >= CANARY_WORD_MIN && n <= CANARY_WORD_MAX && letter && digit &&
	       (n < sizeof SSH_HEAD - 1 || memcmp(word, SSH_HEAD, sizeof SSH_HEAD - 1) != 0);
}

size_t canary_word_next(const char *text, size_t n, size_t *at)
{
	while (*at < n) {
		size_t length = 0;

		while (*at + length < n && (is_letter(text[*at + length]) || is_digit(text[*at + length])))
			length++;
		*at += length;
		if (is_secret(text + *at - length, length))
			return length;
		*at += length == 0;
	}
	return 0;
}

void canaries_write(const struct canaries *c, struct buf *out)
{
	buf_printf(out, HEAD "\n");
	for (uint32_t i = 0; i < c->n; i++) {
		const struct canary *a = &c->list[i];
		char sum[2 * SHA256_BYTES + 1];

		hex_write(a->sha256, SHA256_BYTES, sum);
		buf_printf(out, "%s %llu %llu %llu %llu %s %s\n", canary_word(a->kind), (unsigned long long)a->device,
			   (unsigned long long)a->inode, (unsigned long long)a->size, (unsigned long long)a->made_ms,
			   sum, a->path);
	}
}

/* Cuts line at its first FIELDS - 1 blanks; the path may have more of them. */
static bool cut(char *line, char *ret[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		ret[i] = line;
		if (i + 1 < FIELDS && (line = strchr(line, ' ')) == NULL)
			return false;
		if (i + 1 < FIELDS)
			*line++ = 0;
	}
	return true;
}

/* As it is written, and in no other way. */
static bool take_number(const char *text, uint64_t max, uint64_t *ret)
{
	return (text[0] != '0' || text[1] == 0) && parse_u64(text, 0, max, ret);
}

static bool take_sum(const char *text, uint8_t ret[SHA256_BYTES])
{
	if (strlen(text) != (size_t)2 * SHA256_BYTES || strspn(text, "0123456789abcdef") != strlen(text))
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++)
		ret[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return true;
}

static const char *take_line(char *line, struct canary *ret)
{
	char *field[FIELDS];

	if (!cut(line, field))
		return "a field is missing";
	ret->kind = canary_kind_of(field[0]);
	if (ret->kind == CANARY_KINDS)
		return "no such kind";
	if (!take_number(field[1], UINT64_MAX, &ret->device) || !take_number(field[2], UINT64_MAX, &ret->inode) ||
	    !take_number(field[3], CANARY_SIZE_MAX, &ret->size) || !take_number(field[4], UINT64_MAX, &ret->made_ms))
		return "not a number, or out of range";
	if (!take_sum(field[5], ret->sha256))
		return "not a digest";
	if (!canary_is_path(field[6]))
		return "not a path";
	(void)text_copy(ret->path, sizeof ret->path, field[6]); /* just checked */
	return NULL;
}

static int refuse(struct err *e, uint32_t line, const char *why)
{
	return err_why(e,
		       err_set(e, AMBIT_MALFORMED, "place them anew: `ambit canary add`, after the list was removed",
			       "the list of canaries, line %u, is not well-formed", line),
		       "%s", why);
}

static int take(const char *line, size_t n, uint32_t number, struct canaries *ret, struct err *e)
{
	char copy[CANARY_PATH_MAX + 256];
	const char *why;

	if (n >= sizeof copy || memchr(line, 0, n) != NULL)
		return refuse(e, number, "too long, or not a text");
	memcpy(copy, line, n);
	copy[n] = 0;
	if (number == 1)
		return strcmp(copy, HEAD) == 0 ? 0 : refuse(e, 1, "it does not begin with \"" HEAD "\"");
	if (ret->n == CANARIES_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "the list of canaries, line %u: there are at most %d", number,
			       CANARIES_MAX);
	why = take_line(copy, &ret->list[ret->n]);
	if (why == NULL && canaries_find(ret, ret->list[ret->n].path) != CANARIES_MAX)
		why = "a path that is there already";
	if (why != NULL)
		return refuse(e, number, why);
	ret->n++;
	return 0;
}

int canaries_read(const char *text, size_t n, struct canaries *ret, struct err *e)
{
	uint32_t number = 0;
	int r = 0;

	ret->n = 0;
	for (size_t at = 0; at < n && r == 0;) {
		const char *end = memchr(text + at, '\n', n - at);

		number++;
		if (end == NULL)
			return refuse(e, number, "it is cut off");
		r = take(text + at, (size_t)(end - (text + at)), number, ret, e);
		at = (size_t)(end - text) + 1;
	}
	return r == 0 && number == 0 ? refuse(e, 1, "it is empty") : r;
}
