/* A file of known hosts, of any bytes: what is taken is a key that can be told, and none that is revoked; and any list, as an agent would give it. */
#include <string.h>

#include "fuzz.h"
#include "sign/known.h"
#include "sign/prove.h"
#include "sign/talk.h"

static struct known known;
static struct sign_key keys[SIGN_KEYS_MAX];

static void look(const struct sign_key *k)
{
	const struct span blob = span_bytes(k->blob, k->n);
	struct prover p;

	promise(k->n <= SIGN_BLOB_MAX && algorithm_of_key(blob) != ALGORITHM_NONE);
	if (prover_init(&p, blob))
		promise(!prover_checks(&p, blob, algorithm_of_key(blob), blob, blob));
	prover_finish(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n;

	memset(&known, 0, sizeof known);
	(void)known_read(&known, span_bytes(data, size), "open.test");
	known_settle(&known);
	promise(known.n <= KNOWN_MAX && known.n_revoked <= KNOWN_MAX);
	for (uint32_t i = 0; i < known.n; i++)
		look(&known.key[i]);
	(void)talk_take_list(span_bytes(data, size), keys, &n);
	promise(n <= SIGN_KEYS_MAX);
	for (uint32_t i = 0; i < n; i++)
		look(&keys[i]);
	return 0;
}
