#include "dial/known.h"

#include <string.h>

uint32_t known_place(struct known_names *k, const struct host_name *name)
{
	uint32_t oldest = 0;
	bool found = false;

	for (uint32_t i = 0; i < KNOWN_MAX; i++) {
		const struct known_name *n = &k->at[i];

		if (strcmp(n->name.text, name->text) == 0)
			return i;
		if (n->waiting == 0 && !n->asked && (!found || n->when_ms < k->at[oldest].when_ms)) {
			oldest = i;
			found = true;
		}
	}
	k->at[oldest] = (struct known_name){ .name = *name };
	return oldest;
}

bool known_is_fresh(const struct known_name *n, uint64_t now_ms)
{
	return n->when_ms != 0 && now_ms - n->when_ms < KNOWN_FRESH_MS;
}
