#include "account/tally.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

int tally_init(struct tally *t, size_t max, size_t text_max)
{
	*t = (struct tally){ .max = max };
	t->text_max = text_max;
	buf_init(&t->text, text_max + TALLY_NAMES_MAX);
	t->rows = calloc(max, sizeof *t->rows);
	t->heads = calloc(max, sizeof *t->heads);
	return t->rows == NULL || t->heads == NULL ? -ENOMEM : 0;
}

void tally_finish(struct tally *t)
{
	free(t->rows);
	free(t->heads);
	buf_finish(&t->text);
	*t = (struct tally){ .n = 0 };
}

/* Keyed, since who chooses the names could else choose such as all fall together; by the sixteen bytes that the kernel gives to each program. */
static uint32_t *head_of(struct tally *t, const uint8_t *bytes, size_t n)
{
	static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == sizeof(uint64_t), "AT_RANDOM");
	const uint8_t *key =
		(const uint8_t *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr): that is its type */
	uint64_t hash;

	(void)crypto_shorthash((uint8_t *)&hash, bytes, n, key);
	return &t->heads[hash % t->max];
}

/* The names one behind the other at the end of the text. False: there is no room for them. */
static bool put_names(struct tally *t, const char *const names[], size_t n_names)
{
	const size_t before = t->text.len;

	for (size_t i = 0; i < n_names; i++)
		buf_put(&t->text, names[i], strlen(names[i]) + 1);
	if (!t->text.failed)
		return true;
	t->text.failed = false;
	t->text.len = before;
	return false;
}

static struct tally_row *find(struct tally *t, uint32_t head, const uint8_t *bytes, size_t n)
{
	while (head != 0) {
		struct tally_row *row = &t->rows[head - 1];

		if (row->len == n && memcmp(t->text.data + row->at, bytes, n) == 0)
			return row;
		head = row->next;
	}
	return NULL;
}

struct tally_row *tally_at(struct tally *t, const char *const names[], size_t n_names)
{
	const size_t at = t->text.len;
	struct tally_row *row;
	uint32_t *head;

	if (!put_names(t, names, n_names)) {
		t->over++;
		return NULL;
	}
	head = head_of(t, t->text.data + at, t->text.len - at);
	row = find(t, *head, t->text.data + at, t->text.len - at);
	if (row == NULL && t->n < t->max && t->text.len <= t->text_max) {
		row = &t->rows[t->n++];
		*row = (struct tally_row){ .at = (uint32_t)at, .len = (uint32_t)(t->text.len - at), .next = *head };
		*head = (uint32_t)t->n;
		return row;
	}
	t->text.len = at; /* it stands there already, or never will */
	t->over += row == NULL ? 1 : 0;
	return row;
}

const char *tally_name(const struct tally *t, const struct tally_row *row, size_t i)
{
	const char *name = (const char *)t->text.data + row->at, *const end = name + row->len;

	for (; i > 0 && name < end; i--)
		name += strlen(name) + 1;
	return name < end ? name : "";
}

static int compare(const void *a, const void *b, void *by)
{
	const struct tally_row *x = a, *y = b;
	const size_t i = *(const size_t *)by;

	if (x->n[i] != y->n[i])
		return x->n[i] > y->n[i] ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

void tally_sort(struct tally *t, size_t by)
{
	if (t->n > 0)
		qsort_r(t->rows, t->n, sizeof *t->rows, compare, &by);
}
