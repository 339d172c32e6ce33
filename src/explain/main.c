/* ambit-explain [learn]: reads a record from descriptor 0, writes readable text (with `learn` a policy) to descriptor 1,
 * ends. Nothing else: it is run in a cell with an empty root, because a record may have been written by anybody.
 * Exit status: 0; 1 the record is none or cannot be read, and descriptor 1 has one line that says why, without a newline;
 * 2 wrong usage. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/text.h"
#include "explain/explain.h"
#include "explain/learn.h"
#include "explain/promise.h"
#include "explain/reader.h"

#define OUT_MAX (24u << 20) /* more than both texts can be: they are cut and counted */
#define READ_STEP (1u << 20)

/* All of descriptor 0, one byte more than a record may have at most. */
static int read_record(struct buf *in, struct err *e)
{
	buf_init(in, READER_BYTES_MAX + 1);
	for (;;) {
		static uint8_t step[READ_STEP];
		const size_t room = in->max - in->len < sizeof step ? in->max - in->len : sizeof step;
		const ssize_t n = fd_read_all(STDIN_FILENO, step, room);

		if (n < 0)
			return err_sys(e, AMBIT_SYSTEM, (int)-n, NULL, "cannot read the record");
		buf_put(in, step, (size_t)n);
		if (in->failed)
			return err_set(e, AMBIT_MEMORY, NULL, "the record is too large to be explained");
		if ((size_t)n < sizeof step || in->len == in->max)
			return 0;
	}
}

static int learn(const struct event_result *r, struct buf *out, struct err *e)
{
	struct learned l;
	const int rc = learned_from(r, &l, e);

	if (rc == 0)
		learn_write(&l, r, out);
	learned_finish(&l);
	return rc;
}

static int answer(bool to_learn, struct buf *out, struct err *e)
{
	struct told told;
	auto_buf in = { .data = NULL };
	int rc = read_record(&in, e);

	if (rc < 0)
		return rc;
	rc = reader_read(in.data, in.len, &told, e);
	buf_finish(&in); /* the tree has it all */
	if (rc == 0 && to_learn)
		rc = learn(&told.result, out, e);
	else if (rc == 0)
		explain_write(&told, out);
	told_finish(&told);
	return rc == 0 && out->failed ? err_set(e, AMBIT_MEMORY, NULL, "the explanation is too long") : rc;
}

/* Without the hint: whoever shows it knows where the record came from, and what to do. */
static void complain(const struct err *e)
{
	char line[ERR_LINE_MAX], text[2 * ERR_LINE_MAX];

	err_line(e, line);
	(void)text_escape(text, sizeof text, line, strlen(line));
	(void)fd_write_all(STDOUT_FILENO, text, strlen(text)); /* the status says it too */
}

/* Keys of a record are hashed; who knows the seed can make them collide. */
static void seed_hashes(void)
{
	size_t seed = 0;

	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed && seed != 0)
		json_object_seed(seed);
}

int main(int argc, char **argv)
{
	const bool to_learn = argc == 2 && strcmp(argv[1], "learn") == 0;
	struct err e = { .code = AMBIT_OK };
	auto_buf out = { .data = NULL };

	if (argc > 2 || (argc == 2 && !to_learn && strcmp(argv[1], "explain") != 0))
		return 2;
	seed_hashes();
	buf_init(&out, OUT_MAX);
	if (promise_keep(&e) < 0 || answer(to_learn, &out, &e) < 0) {
		complain(&e);
		return 1;
	}
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
