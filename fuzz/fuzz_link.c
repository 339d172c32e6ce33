/* Any bytes as the body of an entry that links two logs: what is taken and written again is the same body. */
#include <string.h>

#include "fuzz.h"
#include "ledger/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct entry entry = { .type = ENTRY_KEY, .body = { .at = data, .n = size } };
	auto_buf out = { .max = LINK_BODY_MAX };
	struct canonical_flaw flaw;
	struct link link;
	const int r = link_of(&entry, &link);

	promise(r == 1 || r == -AMBIT_MALFORMED);
	if (r != 1 || canonical_check(data, size, &flaw) <
			      0) /* readers stay within what was not checked, and may find something */
		return 0;
	link_put(&out, &link);
	promise(!out.failed && out.len == size && memcmp(out.data, data, size) == 0);
	return 0;
}
