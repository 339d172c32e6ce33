#include "profile/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "profile/call.h"

struct name {
	uint64_t hash;
	size_t at; /* in texts */
};

struct names {
	const uint8_t *key;
	uint32_t max, n;
	uint32_t *slots; /* 2 * max, a power of two; 0: free, else a number and one */
	struct name *all;
	struct buf texts;
};

struct names *names_create(const uint8_t *key, uint32_t max)
{
	struct names *n = calloc(1, sizeof *n);
	uint32_t none;

	if (n == NULL)
		return NULL;
	*n = (struct names){ .key = key, .max = max };
	n->slots = calloc((size_t)max * 2, sizeof *n->slots);
	n->all = calloc(max, sizeof *n->all);
	buf_init(&n->texts, (size_t)max * 1024);
	if (n->slots == NULL || n->all == NULL || !names_take(n, "", 0, &none)) {
		names_destroy(n);
		return NULL;
	}
	return n;
}

void names_destroy(struct names *n)
{
	if (n == NULL)
		return;
	free(n->slots);
	free(n->all);
	buf_finish(&n->texts);
	free(n);
}

const char *names_text(const struct names *n, uint32_t name)
{
	return (const char *)n->texts.data + n->all[name].at;
}

uint32_t names_count(const struct names *n)
{
	return n->n;
}

bool names_take(struct names *n, const char *text, size_t len, uint32_t *ret)
{
	const uint64_t hash = call_hash(n->key, 0, 0, 0, text, len);
	uint32_t *slot;

	for (uint32_t i = (uint32_t)hash;; i++) {
		slot = &n->slots[i & (n->max * 2 - 1)];
		if (*slot == 0)
			break;
		if (n->all[*slot - 1].hash == hash) {
			*ret = *slot - 1;
			return true;
		}
	}
	if (n->n == n->max)
		return false;
	n->all[n->n] = (struct name){ .hash = hash, .at = n->texts.len };
	buf_put(&n->texts, text, len);
	buf_put_u8(&n->texts, 0);
	if (n->texts.failed)
		return false;
	*ret = n->n;
	*slot = ++n->n;
	return true;
}
