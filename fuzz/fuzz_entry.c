/* Any bytes as an entry of the ledger, and as the body of one. What is taken is canonical, and is put as the same bytes; what is
 * put is taken. */
#include <string.h>

#include "fuzz.h"
#include "ledger/entry.h"

static void as_entry(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = ENTRY_MAX };
	struct canonical_flaw flaw;
	struct err e = { .code = AMBIT_OK };
	struct entry entry;
	const int rc = entry_take(data, size, &entry, &e);

	promise(rc == 0 || (e.msg[0] != 0 && rc == -(int)e.code));
	if (rc < 0)
		return;
	promise(canonical_check(data, size, &flaw) == 0);
	promise(entry_put(&entry, &out, &e) == 0 && out.len == size && memcmp(out.data, data, size) == 0);
}

static void as_body(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = ENTRY_MAX };
	struct canonical_flaw flaw;
	struct err e = { .code = AMBIT_OK };
	struct entry entry = { .type = ENTRY_START,
			       .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21",
			       .body = { .at = data, .n = size } };
	const int rc = entry_put(&entry, &out, &e);

	if (rc == 0) {
		promise(entry_take(out.data, out.len, &entry, &e) == 0);
		promise(entry.body.n == size && memcmp(entry.body.at, data, size) == 0 && data[0] == '{');
		promise(canonical_check(out.data, out.len, &flaw) == 0);
		return;
	}
	promise(out.len == 0 && e.msg[0] != 0 && rc == -(int)e.code);
	/* why not: it is none, of another type, or too deep or long for what stands around it */
	if (rc == -AMBIT_MALFORMED)
		promise(canonical_check(data, size, &flaw) < 0 || data[0] != '{');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_entry(data, size);
	as_body(data, size);
	return 0;
}
