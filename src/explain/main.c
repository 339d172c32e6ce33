/* ambit-explain [MODE]: reads a record from descriptor 0, writes readable text (with `learn` or `learn-server` a policy) to descriptor 1,
 * ends. Nothing else: it is run in a cell with an empty root, because a record may have been written by anybody. ask.h has the modes.
 * Exit status: EXPLAIN_DONE; EXPLAIN_FAILED or EXPLAIN_NONE, and descriptor 1 has one line that says why, without a newline; EXPLAIN_CHANGED;
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
#include "core/id.h"
#include "explain/ask.h"
#include "explain/call.h"
#include "explain/explain.h"
#include "explain/learn.h"
#include "explain/promise.h"
#include "explain/reader.h"
#include "explain/traced.h"
#include "ledger/payload.h"
#include "lib/deeds.h"

#define OUT_MAX (24u << 20) /* more than both texts can be: they are cut and counted */
#define READ_STEP (1u << 20)

/* How it is to be read, of what was asked. */
struct mode {
	bool learns, of_server, traces, deeds, teaches;
	enum traced_how how; /* it traces */
	bool is_payload;
	uint8_t digest[SHA256_BYTES];
	const char *event; /* of which the record is; NULL: there is one */
};

/* All of descriptor 0, one byte more than a record may have at most. */
static int read_record(struct buf *in, size_t most, struct err *e)
{
	buf_init(in, most + 1);
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

static int learn(const struct event_result *r, bool of_server, struct buf *out, struct err *e)
{
	struct learned l;
	const int rc = learned_from(r, &l, e);

	if (rc == 0)
		learn_write(&l, r, of_server, out);
	learned_finish(&l);
	return rc;
}

static int trace(const struct told *told, enum traced_how how, struct buf *out, struct err *e)
{
	struct trace t;
	const int rc = traced_take(told, &t, e);

	if (rc == 0)
		traced_write(told, &t, how, out);
	trace_finish(&t);
	return rc;
}

/* In the ledger's record there is no output, and nobody kept how long it was. */
static int deeds(struct told *told, bool teaches, struct buf *out, struct err *e)
{
	const struct event_result *r = &told->result;
	struct deeds d;

	if (teaches && (r->cause != CAUSE_EXITED || r->usual.holds || r->n_canaries > 0))
		return err_set(e, AMBIT_DENIED, NULL,
			       r->n_canaries > 0 ? "it touched a canary, so it teaches nothing"
			       : r->usual.holds
				       ? "it was held, so it teaches nothing: `ambit profile release` says otherwise"
				       : "it did not end by itself, so it teaches nothing");
	if (deeds_of(r, &d) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what the event did");
	d.amounts[AMOUNT_OUTPUT_BYTES] = AMOUNT_UNKNOWN;
	deeds_encode(&d, out);
	deeds_finish(&d);
	return 0;
}

/* What is asked of a record that is one. */
static int tell(const struct mode *mode, struct told *told, struct buf *out, struct err *e)
{
	if (told->is_call && mode->traces)
		return err_set(e, AMBIT_NOT_FOUND, NULL,
			       "a call of a tool has no trace: what it asked of the kernel is its server's");
	if (told->is_call && mode->deeds)
		return err_set(e, AMBIT_USAGE, NULL, "a call of a tool is in the profile of its gate");
	if (mode->deeds)
		return deeds(told, mode->teaches, out, e);
	if (told->is_call)
		return mode->learns ? err_set(e, AMBIT_USAGE, NULL, "a call of a tool is no command to learn from")
				    : call_write(told->json, out, e);
	if (mode->traces)
		return trace(told, mode->how, out, e);
	if (mode->learns)
		return learn(&told->result, mode->of_server, out, e);
	explain_write(told, out);
	return 0;
}

static bool has_digest(const struct buf *in, const uint8_t want[SHA256_BYTES])
{
	uint8_t got[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, in->data, in->len);
	sha256_end(&s, got);
	return in->len >= PAYLOAD_SALT && memcmp(got, want, sizeof got) == 0;
}

/* Of several records, each a line as lib/record_call.h writes it, that of the event; else all of it. */
static void find_record(const char *event, const uint8_t **at, size_t *n)
{
	char begin[64];
	const int length = snprintf(begin, sizeof begin, "{\"v\":1,\"event\":\"%s\"", event); /* an id */
	const uint8_t *line = *at, *end = *at + *n;

	while (line < end) {
		const uint8_t *next = memchr(line, '\n', (size_t)(end - line));
		const size_t bytes = (size_t)((next != NULL ? next : end) - line);

		if (bytes > (size_t)length && memcmp(line, begin, (size_t)length) == 0) {
			*at = line;
			*n = bytes;
			return;
		}
		line += bytes + 1;
	}
}

/* Gives EXPLAIN_CHANGED, or as its neighbours 0 or a code. */
static int answer(const struct mode *mode, struct buf *out, struct err *e)
{
	const size_t salt = mode->is_payload ? PAYLOAD_SALT : 0;
	struct told told;
	auto_buf in = { .data = NULL };
	const uint8_t *at;
	size_t n;
	int rc = read_record(&in, READER_BYTES_MAX + salt, e);

	if (rc < 0)
		return rc;
	if (mode->is_payload && !has_digest(&in, mode->digest))
		return EXPLAIN_CHANGED;
	at = in.data + salt;
	n = in.len - salt;
	if (mode->event != NULL)
		find_record(mode->event, &at, &n);
	rc = reader_read(at, n, &told, e);
	buf_finish(&in); /* the tree has it all */
	rc = rc < 0 ? rc : tell(mode, &told, out, e);
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

static bool is_word(const char *at, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(at, word, n) == 0;
}

static bool read_how(const char *word, size_t n, struct mode *ret)
{
	static const char *const traces[] = { [TRACED_TEXT] = EXPLAIN_TRACE,
					      [TRACED_JSON] = EXPLAIN_TRACE_JSON,
					      [TRACED_LINE] = EXPLAIN_TRACE_LINE,
					      [TRACED_FACTS] = EXPLAIN_TRACE_FACTS,
					      [TRACED_LINES] = EXPLAIN_TRACE_LINES };

	for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++)
		if (is_word(word, n, traces[i])) {
			ret->traces = true;
			ret->how = (enum traced_how)i;
		}
	ret->teaches = is_word(word, n, EXPLAIN_LESSON);
	ret->deeds = ret->teaches || is_word(word, n, EXPLAIN_DEEDS);
	ret->of_server = is_word(word, n, EXPLAIN_SERVER);
	ret->learns = ret->of_server || is_word(word, n, "learn");
	return ret->traces || ret->learns || ret->deeds || is_word(word, n, "explain");
}

static bool read_payload(const char *word, struct mode *ret)
{
	const size_t n = strlen(EXPLAIN_PAYLOAD);
	const char *event = strchr(word + n, ':');

	ret->is_payload = true;
	ret->event = event != NULL ? event + 1 : NULL;
	return payload_name_take(word + n, strcspn(word + n, ":"), ret->digest) &&
	       (ret->event == NULL || id_is('e', ret->event, strlen(ret->event)));
}

static bool read_mode(const char *words, struct mode *ret)
{
	const size_t n = strcspn(words, " ");

	if (!read_how(words, n, ret))
		return false;
	return words[n] == 0 || (strncmp(words + n + 1, EXPLAIN_PAYLOAD, strlen(EXPLAIN_PAYLOAD)) == 0 &&
				 read_payload(words + n + 1, ret));
}

int main(int argc, char **argv)
{
	struct mode mode = { .learns = false };
	struct err e = { .code = AMBIT_OK };
	auto_buf out = { .data = NULL };
	int rc;

	if (argc > 2 || (argc == 2 && !read_mode(argv[1], &mode)))
		return 2;
	seed_hashes();
	buf_init(&out, OUT_MAX);
	rc = promise_keep(&e);
	rc = rc < 0 ? rc : answer(&mode, &out, &e);
	if (rc < 0)
		complain(&e);
	if (rc != 0)
		return rc == -AMBIT_NOT_FOUND ? EXPLAIN_NONE : rc < 0 ? EXPLAIN_FAILED : rc;
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
