#include "cli/question_away.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/timestamp.h"
#include "cli/cli.h"

#define FIRST_LINE "ambit question 1"
#define FILE_MAX (KEEPER_SHOWN_MAX + 1024)

int question_print(const struct question *q)
{
	auto_buf out = { .max = 0 };
	char until[TIMESTAMP_LEN + 1];

	buf_init(&out, FILE_MAX);
	(void)timestamp_write(q->told.until_ms, until);
	buf_printf(&out, FIRST_LINE "\nrealm: ");
	buf_put_hex(&out, q->realm, sizeof q->realm);
	buf_printf(&out, "\napproval: %s\nuntil: %s\nbytes: %zu\n\n", q->id, until, q->shown.len);
	buf_put(&out, q->shown.data, q->shown.len);
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}

int answer_print(const struct keeper_signed *by)
{
	auto_buf out = { .max = 0 };

	buf_init(&out, 4096);
	buf_printf(&out, "%skey: %s\nsignature: ", by->statement, by->key);
	base64_put(&out, by->signature.bytes, by->signature.n);
	buf_printf(&out, "\n");
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}

static int read_file(const char *path, struct buf *ret, struct err *e)
{
	const bool is_input = strcmp(path, "-") == 0;
	auto_fd int fd = is_input ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (!is_input && fd < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, "check the path", "cannot open %s", path);
	r = fd_read_into(is_input ? STDIN_FILENO : fd, ret);
	if (r == -EFBIG)
		return err_set(e, AMBIT_LIMIT, NULL, "%s is too long to be a question or an answer", path);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read %s", path) : 0;
}

/* ---- reading ---- */

struct reading {
	struct lines lines;
	const char *path, *what;
};

static int wrong(const struct reading *r, struct err *e)
{
	return err_set(e, AMBIT_MALFORMED, "is it the whole file, as it was written?", "%s, line %zu: this is no %s",
		       r->path, r->lines.number, r->what);
}

/* What stands behind the word in the next line. */
static bool take(struct reading *r, const char *word, struct span *ret)
{
	return lines_next(&r->lines, ret) && span_skip(ret, word);
}

static bool copy(char *to, size_t size, struct span s)
{
	if (s.len >= size || memchr(s.at, 0, s.len) != NULL)
		return false;
	memcpy(to, s.at, s.len);
	to[s.len] = 0;
	return true;
}

static bool take_hex(struct span s, uint8_t *ret, size_t n)
{
	static const char digits[16] = {
		'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
	};

	if (s.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *high = memchr(digits, s.at[2 * i], sizeof digits),
			   *low = memchr(digits, s.at[2 * i + 1], sizeof digits);

		if (high == NULL || low == NULL)
			return false;
		ret[i] = (uint8_t)((high - digits) << 4 | (low - digits)); /* two digits */
	}
	return true;
}

int question_read(const char *path, struct question *ret, struct err *e)
{
	auto_buf file = { .max = 0 };
	struct reading r = { .path = path, .what = "question" };
	struct span line;
	struct sha256 sum;
	uint64_t bytes = 0;
	int failed;

	memset(ret, 0, sizeof *ret);
	buf_init(&ret->shown, KEEPER_SHOWN_MAX);
	buf_init(&file, FILE_MAX);
	failed = read_file(path, &file, e);
	if (failed < 0)
		return failed;
	r.lines.left = span_bytes(file.data, file.len);
	if (!take(&r, FIRST_LINE, &line) || line.len != 0 || !take(&r, "realm: ", &line) ||
	    !take_hex(line, ret->realm, sizeof ret->realm) || !take(&r, "approval: ", &line) ||
	    !copy(ret->id, sizeof ret->id, line) || !id_is('a', ret->id, line.len) || !take(&r, "until: ", &line) ||
	    !timestamp_read(line.at, line.len, &ret->told.until_ms) || !take(&r, "bytes: ", &line) ||
	    !span_decimal(line, KEEPER_SHOWN_MAX, &bytes) || !lines_next(&r.lines, &line) || line.len != 0 ||
	    r.lines.left.len != bytes)
		return wrong(&r, e);
	buf_put(&ret->shown, r.lines.left.at, r.lines.left.len);
	if (ret->shown.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what is asked");
	sha256_init(&sum);
	sha256_add(&sum, ret->shown.data, ret->shown.len);
	sha256_end(&sum, ret->told.digest);
	return 0;
}

int answer_read(const char *path, struct keeper_signed *ret, struct statement *ret_said, struct err *e)
{
	auto_buf file = { .max = 0 }, signature = { .max = 0 };
	struct reading r = { .path = path, .what = "answer" };
	struct span all, line;
	const char *end;
	int failed;

	memset(ret, 0, sizeof *ret);
	buf_init(&file, 4096);
	buf_init(&signature, sizeof ret->signature.bytes);
	failed = read_file(path, &file, e);
	if (failed < 0)
		return failed;
	all = span_bytes(file.data, file.len);
	end = all.len > 0 ? memmem(all.at, all.len, "\nkey: ", 6) : NULL;
	if (end == NULL)
		return wrong(&r, e);
	line = (struct span){ .at = all.at, .len = (size_t)(end + 1 - all.at) };
	failed = statement_take(line, ret_said, e);
	if (failed < 0)
		return err_context(e, failed, "%s", path);
	r.lines.left = (struct span){ .at = end + 1, .len = all.len - line.len };
	if (!copy(ret->statement, sizeof ret->statement, line) || !take(&r, "key: ", &line) ||
	    !copy(ret->key, sizeof ret->key, line) || !approve_name_is_good(ret->key) ||
	    !take(&r, "signature: ", &line) || !base64_take(&signature, line.at, line.len) || r.lines.left.len != 0)
		return wrong(&r, e);
	ret->signature.n = (uint32_t)signature.len; /* no more than its room */
	memcpy(ret->signature.bytes, signature.data, signature.len);
	return 0;
}
