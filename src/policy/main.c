/* ambit-policy: reads a policy from descriptor 0, writes one answer to descriptor 1, ends. Nothing else: it is run in
 * a cell with an empty root, because what it reads may have been written by anybody.
 * Exit status: 0 an answer was written, whatever it says; 1 none could be. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "policy/promise.h"
#include "policy/yaml.h"

static int read_policy(uint8_t *bytes, struct policy *ret, struct policy_mistake *m)
{
	const ssize_t n = fd_read_all(STDIN_FILENO, bytes, POLICY_FILE_MAX + 1); /* one more shows that there is more */

	if (n < 0)
		return err_sys(&m->err, AMBIT_SYSTEM, (int)-n, NULL, "cannot read the policy");
	return policy_parse_yaml(bytes, (size_t)n, ret, m);
}

static void answer(struct buf *out)
{
	auto_free uint8_t *bytes = malloc(POLICY_FILE_MAX + 1);
	auto_free struct policy *p = calloc(1, sizeof *p);
	struct policy_mistake m = { .line = 0 };

	if (promise_keep(&m.err) < 0) {
		policy_answer_encode_mistake(&m, out);
		return;
	}
	if (bytes == NULL || p == NULL)
		(void)err_set(&m.err, AMBIT_MEMORY, NULL, "out of memory");
	else if (read_policy(bytes, p, &m) == 0)
		policy_answer_encode(p, out);
	if (m.err.code != AMBIT_OK)
		policy_answer_encode_mistake(&m, out);
}

int main(void)
{
	auto_buf out = { .max = 0 };

	buf_init(&out, POLICY_ANSWER_MAX);
	answer(&out);
	return out.failed || out.len == 0 || fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
