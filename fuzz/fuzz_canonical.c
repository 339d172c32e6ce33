/* Any bytes as canonical JSON: taken exactly where another reader takes them and writes the same bytes again, with the same
 * values found within. Readers of bytes that were not checked stay within them. */
#include "fuzz.h"
#include "json_again.h"
#include "ledger/canonical.h"

static void look_around(const uint8_t *data, size_t size)
{
	const struct canonical_value v = { .at = data, .n = size };
	struct canonical_value found;
	uint64_t count;
	size_t at = 0;
	char text[16];

	if (canonical_find(v, "a", &found))
		promise(found.n > 0 && found.at > data && found.at + found.n <= data + size);
	while (canonical_item(v, &at, &found))
		promise(found.n > 0 && found.at > data && found.at + found.n <= data + size);
	if (canonical_count(v, &count))
		promise(count <= CANONICAL_COUNT_MAX);
	(void)canonical_string(v, text, sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct canonical_flaw flaw = { .why = NULL };
	const int rc = canonical_check(data, size, &flaw);

	promise((rc == 0) == json_again_same(data, size));
	if (rc == 0)
		promise(json_again_agrees(data, size));
	else
		promise(flaw.at <= size && flaw.why != NULL);
	look_around(data, size);
	return 0;
}
