#include "cli/reader.h"

#include <string.h>

#include "base/text.h"
#include "lib/parser.h"

/* Lines of plain text: everything else is shown as what it is. */
static void harmless(const struct buf *in, struct buf *out)
{
	char line[8192];
	size_t at = 0;

	while (at < in->len) {
		const uint8_t *end = memchr(in->data + at, '\n', in->len - at);
		const size_t n = end != NULL ? (size_t)(end - (in->data + at)) : in->len - at;

		(void)text_show(line, sizeof line, in->data + at, n);
		buf_put(out, line, strlen(line));
		buf_put(out, "\n", 1);
		at += n + 1;
	}
}

static int refused(int status, const struct buf *raw, struct err *e)
{
	if (status == EXPLAIN_CHANGED)
		return err_set(e, AMBIT_CONFLICT, NULL, "it is not what was recorded");
	if (status == EXPLAIN_NONE)
		return err_set(
			e, AMBIT_NOT_FOUND,
			"a command's is kept by `--observe full`, the default; of a call `ambit explain` names its server's event",
			"%.*s", (int)raw->len, (const char *)raw->data);
	return err_set(e, AMBIT_MALFORMED, "a record is what `ambit run --record FILE` writes", "%.*s", (int)raw->len,
		       (const char *)raw->data);
}

int reader_run_raw(int record_fd, const char *mode, struct buf *ret, struct err *e)
{
	/* a record of 128 MB needs several times as much once it is a tree */
	const struct parser_ask ask = {
		.role = "ambit-explain", .mode = mode, .input_fd = record_fd, .memory_bytes = UINT64_C(2) << 30
	};
	int status, r = parser_run(&ask, ret, &status, e);

	return r < 0 ? r : status != EXPLAIN_DONE ? refused(status, ret, e) : 0;
}

int reader_run(int record_fd, const char *mode, struct buf *ret_text, struct err *e)
{
	auto_buf raw = { .max = READER_TEXT_MAX / 8 };
	const int r = reader_run_raw(record_fd, mode, &raw, e);

	if (r == 0)
		harmless(&raw, ret_text);
	return r;
}
