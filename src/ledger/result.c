#include "ledger/result.h"

#include <string.h>

int payload_of(const struct entry *entry, struct payload *ret)
{
	struct payload p = { .size = 0 };
	struct canonical_value digest, size, version;
	char name[PAYLOAD_NAME_MAX];
	uint64_t number = 0;

	if (entry->type != ENTRY_RESULT || !canonical_find(entry->body, "digest", &digest))
		return 0;
	if (!canonical_string(digest, name, sizeof name) || !payload_name_take(name, strlen(name), p.digest) ||
	    !canonical_find(entry->body, "size", &size) || !canonical_count(size, &p.size) || p.size > PAYLOAD_MAX ||
	    !canonical_find(entry->body, "version", &version) || !canonical_count(version, &number) ||
	    number > UINT32_MAX)
		return -AMBIT_MALFORMED;
	p.version = (uint32_t)number;
	*ret = p;
	return 1;
}
