/* Any bytes as a proof: what is taken is written again as it came. */
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "fuzz.h"
#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf out = { .max = PROOF_MAX };
	struct err e = { .code = AMBIT_OK };
	struct proof p;
	size_t n;

	if (proof_parse(span_bytes(data, size), &p, &e) < 0) {
		promise(e.code == AMBIT_MALFORMED && text_is_utf8(e.msg, strlen(e.msg), NULL));
		promise(strncmp(e.msg, "byte ", 5) == 0 || strncmp(e.msg, "line ", 5) == 0 ||
			strncmp(e.msg, "checkpoint from line ", 21) == 0);
		return 0;
	}
	promise(p.index < p.checkpoint.size && p.n_hashes <= PROOF_HASHES_MAX);
	promise(p.extra.len == 0 || base64_is(p.extra.at, p.extra.len, &n));
	promise(proof_put(&out, &p, &e) == 0);
	promise(span_equal(span_bytes(out.data, out.len), span_bytes(data, size)));
	return 0;
}
