#include "export/written.h"

#include "base/fnv.h"

#define SET_SHIFT 58 /* the upper 6 bits of the hash, since a set looks at the lower ones */

_Static_assert(UINT64_MAX >> SET_SHIFT == WRITTEN_SETS - 1, "a set for each value of the upper bits");

bool written_take(struct written *w, const void *trace, size_t n)
{
	struct seen *set = &w->sets[fnv(FNV_BASIS, trace, n) >> SET_SHIFT];

	if (seen_has(set, trace, n) || seen_is_full(set))
		return false;
	seen_add(set, trace, n);
	return true;
}
