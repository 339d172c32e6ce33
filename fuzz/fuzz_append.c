/* Any bytes as what a client asks the ledger to append: what is taken are entries of one event, numbered from where the log stands, and
 * none of the ledger's own; what is refused leaves the client as it was. */
#include <string.h>

#include "fuzz.h"
#include "ledger/append.h"

static void check_taken(const struct append *a, const struct append_client *c)
{
	uint32_t from = 0;
	size_t results = 0;

	promise(a->n > 0 && a->n <= APPEND_ENTRIES_MAX && a->ends[a->n - 1] == a->made.len);
	for (unsigned i = 0; i < a->n; i++) {
		struct entry entry;

		promise(entry_take(a->made.data + from, a->ends[i] - from, &entry, NULL) == 0);
		promise(entry.seq == 7 + i && entry.event[0] != 0 && strcmp(entry.event, c->event) == 0);
		promise(entry.type != ENTRY_CRASH && entry.type != ENTRY_PRUNE && entry.type != ENTRY_KEY);
		from = a->ends[i];
		results += entry.type == ENTRY_RESULT;
	}
	promise(a->results.len % SHA256_BYTES == 0 && a->results.len / SHA256_BYTES <= results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct append a;
	const struct entry stamp = { .seq = 7, .boot = "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21" };
	struct append_client client = { .runs = false }, before;

	buf_init(&a.made, APPEND_MADE_MAX);
	buf_init(&a.results, APPEND_RESULTS_MAX);
	for (unsigned i = 0; i < 2; i++) { /* the second time it is a client that told of something */
		struct err e = { .code = AMBIT_OK };
		struct rbuf r;
		int rc;

		before = client;
		rbuf_init(&r, data, size);
		rc = append_take(&a, &client, &stamp, &r, &e);
		promise(rc == 0 ||
			(rc == -(int)e.code && e.msg[0] != 0 && memcmp(&before, &client, sizeof client) == 0));
		if (rc == 0)
			check_taken(&a, &client);
	}
	buf_finish(&a.made);
	buf_finish(&a.results);
	return 0;
}
