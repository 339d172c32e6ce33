/* ambit-judge: reads a batch of protected files from descriptor 0 (input.h), writes what it thinks of each to descriptor 1
 * (answer.h), ends. Nothing else: it is run in a cell with an empty root, because the files may have been written by anybody.
 * Exit status: 0 an answer was written; 1 none could be, and then nothing of the batch is inert. */
#include <stdint.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "judge/answer.h"
#include "judge/input.h"
#include "judge/promise.h"

static int answer(const uint8_t *bytes, size_t n, struct buf *out)
{
	struct judge_reader reader;
	struct judge_verdict v;
	struct judge_case c;
	uint32_t count;

	if (!judge_reader_init(&reader, bytes, n, &count))
		return -AMBIT_PROTOCOL;
	judge_answer_begin(out, count);
	while (reader.left > 0) {
		if (!judge_reader_next(&reader, &c))
			return -AMBIT_PROTOCOL;
		judge(&c, &v);
		judge_answer_put(out, &v);
	}
	return judge_reader_done(&reader) && !out->failed ? 0 : -AMBIT_PROTOCOL;
}

int main(void)
{
	static uint8_t
		bytes[JUDGE_BATCH_MAX + 1]; /* one more shows that there is more; what is not reached is never made */
	auto_buf out = { .data = NULL };
	ssize_t n;

	buf_init(&out, JUDGE_ANSWER_MAX);
	if (promise_keep(NULL) < 0)
		return 1;
	n = fd_read_all(STDIN_FILENO, bytes, sizeof bytes);
	if (n < 0 || answer(bytes, (size_t)n, &out) < 0)
		return 1;
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
