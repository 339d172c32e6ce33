/* Any bytes as the answer of the policy role: what is accepted is encoded again as it came, and what came as older policies are written in the ledger
 * is, once it is written as it is now. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "fuzz.h"
#include "policy/policy.h"

enum { VERSION_AT = 5 }; /* behind the length and the kind of answer: the lower byte of the encoding's version */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free struct policy *p = calloc(1, sizeof *p);
	struct policy_mistake m;
	auto_buf out = { .max = 0 };

	buf_init(&out, POLICY_ANSWER_MAX);
	promise(p != NULL);
	if (policy_answer_decode(data, size, p, &m) < 0) {
		promise(text_is_utf8(m.err.msg, strlen(m.err.msg), NULL) && strchr(m.err.msg, '\033') == NULL);
		return 0;
	}
	policy_answer_encode(p, &out);
	promise(!out.failed && out.len > VERSION_AT);
	if (data[VERSION_AT] != out.data[VERSION_AT]) {
		promise(data[VERSION_AT] < out.data[VERSION_AT]);
		return LLVMFuzzerTestOneInput(out.data, out.len);
	}
	promise(out.len == size && memcmp(out.data, data, size) == 0);
	return 0;
}
