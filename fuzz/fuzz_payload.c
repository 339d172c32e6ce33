/* Any bytes as rows of the auditor, as a name beside the log, and as an entry with a payload: what is taken is written again as it came. */
#include <string.h>

#include "audit/payload.h"
#include "fuzz.h"
#include "ledger/result.h"

static void rows(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = AUDIT_ROW_BYTES };
	struct audit_row row;
	struct rbuf r;
	size_t at = 0;

	rbuf_init(&r, data, size);
	for (; audit_row_decode(&r, &row); at = r.at) {
		promise(r.at == at + AUDIT_ROW_BYTES && row.payload.size <= PAYLOAD_MAX);
		buf_reset(&again);
		audit_row_encode(&row, &again);
		promise(memcmp(again.data + 64, row.event, ID_LEN) == 0 &&
			memcmp(again.data, data + at, 64 + ID_LEN) == 0);
	}
}

static void name(const uint8_t *data, size_t size)
{
	uint8_t digest[SHA256_BYTES];
	char again[PAYLOAD_NAME_MAX];

	if (!payload_name_take(data, size, digest))
		return;
	payload_name(digest, again);
	promise(strlen(again) == size && memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry entry;
	struct payload p;

	rows(data, size);
	name(data, size);
	if (entry_take(data, size, &entry, NULL) == 0 && payload_of(&entry, &p) == 1)
		promise(entry.type == ENTRY_RESULT && p.size <= PAYLOAD_MAX);
	return 0;
}
