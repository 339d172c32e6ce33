#include "cli/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approve/visible.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/cli.h"
#include "core/endpoint.h"
#include "lib/summary_stage.h"

#define SHOWN_LINE_MAX 4000 /* of a line: what is longer is cut, and that is said */
#define COMMAND_MAX 60      /* of a command, in the list */
#define JSON_MAX (8u << 20)

void questions_all_finish(struct questions_all *a)
{
	for (size_t i = 0; i < a->n; i++)
		buf_finish(&a->list[i].shown);
	free(a->list);
}

/* ---- what waits ---- */

static int add(void *of, const struct keeper_row *row)
{
	struct questions_all *a = of;
	struct question *grown;

	if ((row->ask.state == ASK_WAITS) == a->answered)
		return 0;
	grown = realloc(a->list, (a->n + 1) * sizeof *grown);
	if (grown == NULL)
		return -AMBIT_MEMORY;
	a->list = grown;
	a->list[a->n] = (struct question){ .told = row->ask };
	buf_init(&a->list[a->n].shown, KEEPER_SHOWN_MAX);
	authority_id_text('a', row->ask.id, a->list[a->n].id);
	a->n++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct question *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* Whether the digest is that of what is shown. */
static bool is_whole(const struct question *q)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 sum;

	sha256_init(&sum);
	sha256_add(&sum, q->shown.data, q->shown.len);
	sha256_end(&sum, digest);
	return memcmp(digest, q->told.digest, sizeof digest) == 0;
}

static int read_shown(struct keeper *k, struct question *q, struct err *e)
{
	auto_fd int fd = -1;
	int r = keeper_shown(k, q->told.ref, &fd, e);

	if (r < 0)
		return r == -AMBIT_NOT_FOUND ? 0 : r; /* it says nothing; or was answered just now */
	if (fd_read_into(fd, &q->shown) < 0 || !is_whole(q))
		buf_reset(&q->shown); /* then it shows nothing, and can be denied; the others are none the worse */
	return 0;
}

int questions_find(struct keeper **ret_k, struct questions_all *ret, struct err *e)
{
	char place[4096];
	int r = keeper_find(place, sizeof place, e);

	if (r == -AMBIT_NOT_FOUND)
		return 0;
	r = r < 0 ? r : keeper_open(NULL, NULL, ret_k, e);
	if (r < 0)
		return r;
	r = keeper_list(*ret_k, KEEPER_ASKS, add, ret, e);
	if (r == -AMBIT_MEMORY)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	for (size_t i = 0; i < ret->n && r >= 0; i++) {
		keeper_realm(*ret_k, ret->list[i].realm);
		r = read_shown(*ret_k, &ret->list[i], e);
	}
	if (ret->n > 1)
		qsort(ret->list, ret->n, sizeof *ret->list, by_id);
	return r;
}

int questions_pick(const struct questions_all *a, const char *which, struct question **ret, struct err *e)
{
	const bool last = strcmp(which, "last") == 0;
	char shown[80];

	*ret = NULL;
	for (size_t i = 0; i < a->n; i++) {
		if (!last && strncmp(a->list[i].id, which, strlen(which)) != 0)
			continue;
		if (*ret != NULL && !last)
			return err_set(e, AMBIT_CONFLICT, "write more of it", "several questions begin with '%s'",
				       text_escape(shown, sizeof shown, which, strlen(which)));
		*ret = &a->list[i];
	}
	if (*ret != NULL)
		return 0;
	return err_set(e, AMBIT_NOT_FOUND,
		       "`ambit approve` lists what waits, and --answers what you said; what is too old waits no more",
		       "no question '%s' waits", text_escape(shown, sizeof shown, which, strlen(which)));
}

/* ---- showing ---- */

struct span question_line(const struct question *q, const char *word)
{
	const char *at = (const char *)q->shown.data, *end = at + q->shown.len;
	const size_t n = strlen(word);

	while (at != NULL && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const size_t len = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);

		if (len == 0)
			break; /* the head ends */
		if (len > n + 1 && memcmp(at, word, n) == 0 && memcmp(at + n, ": ", 2) == 0)
			return (struct span){ .at = at + n + 2, .len = len - n - 2 };
		at = stop == NULL ? end : stop + 1;
	}
	return (struct span){ .at = "", .len = 0 };
}

bool question_is_commit(const struct question *q)
{
	return span_equal(question_line(q, "what"), span_of("commit"));
}

#define WRITE_BYTES                                                                                                    \
	(1u << 20) /* lines are written when there are so many bytes of them: notes can make much of little */

#define LINES_SEEN 20 /* with a prompt, on a small terminal: of more, the head has left it, */
#define LINES_AGAIN 8 /* of which so many say what it is about */

/* All of it, or its head alone; *n: how many lines. */
static int put_shown(struct buf *out, const struct question *q, bool head, size_t *n)
{
	const char *at = (const char *)q->shown.data, *end = at + q->shown.len;
	int r = 0;

	for (*n = 0; at != NULL && at < end && r == 0 && (!head || (*at != '\n' && *n < LINES_AGAIN)); ++*n) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const size_t len = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);
		struct visible v;

		buf_printf(out, "  | ");
		visible_put(out, (struct span){ .at = at, .len = len }, SHOWN_LINE_MAX, &v);
		buf_printf(out, "\n");
		visible_put_notes(out, &v);
		at = stop == NULL ? end : stop + 1;
		if (out->len < WRITE_BYTES)
			continue;
		r = cli_write(out->data, out->len);
		buf_reset(out);
	}
	return r;
}

static void put_digest(struct buf *out, const struct question *q)
{
	buf_put_hex(out, q->told.digest, AUTHORITY_DIGEST);
}

int question_show(const struct question *q)
{
	auto_buf out = { .max = 0 };
	size_t lines, again;
	int r;

	buf_init(&out, 2 * WRITE_BYTES);
	buf_printf(&out, "%s asks:\n", q->id);
	r = put_shown(&out, q, false, &lines);
	if (r == 0 && lines > LINES_SEEN) {
		buf_printf(&out, "these are %zu lines, and the first ones:\n", lines);
		r = put_shown(&out, q, true, &again);
	}
	if (r != 0)
		return r;
	buf_printf(&out, "digest: ");
	put_digest(&out, q);
	buf_printf(&out, "\n");
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}

static const char *said(const struct question *q)
{
	if (q->told.state == ASK_APPROVED)
		return q->told.session ? "yes, as often as it is asked" : "yes, once";
	return q->told.stop ? "no, to all of it" : "no";
}

static void list_one(const struct question *q)
{
	const struct span what = question_line(q, "what"),
			  event = question_line(q, question_is_commit(q) ? "event" : "to"),
			  command = question_line(q, "command");
	const uint64_t now = clock_unix_ms(), made = id_ms(q->id);
	char ago[32], left[32], of[64], at[2 * ENDPOINT_TEXT_MAX], shown[4 * COMMAND_MAX];

	summary_time_left(now > made ? (now - made) * 1000000 : 0, ago, sizeof ago);
	summary_time_left(q->told.until_ms > now ? (q->told.until_ms - now) * 1000000 : 0, left, sizeof left);
	(void)printf("%s  %s %s, ", q->id, text_show(of, sizeof of, what.at, what.len),
		     text_show(at, sizeof at, event.at, event.len));
	if (q->told.state == ASK_WAITS)
		(void)printf("asked %s ago, for %s more: ", ago, left);
	else
		(void)printf("%s, for %s more: ", said(q), left);
	(void)printf("%s\n", text_show(shown, sizeof shown, command.at, command.len));
}

static void put_span(struct json *j, const char *key, struct span s)
{
	if (s.len > 0)
		json_put_bytes(json_put_key(j, key), s.at, s.len);
}

static void put_json(struct json *j, const struct question *q, bool whole)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "approval"), q->id);
	put_span(j, "what", question_line(q, "what"));
	put_span(j, "event", question_line(q, "event"));
	put_span(j, "to", question_line(q, "to"));
	put_span(j, "agent", question_line(q, "agent"));
	put_span(j, "command", question_line(q, "command"));
	json_put_hex(json_put_key(j, "digest"), q->told.digest, AUTHORITY_DIGEST);
	json_put_ms(json_put_key(j, "asked"), id_ms(q->id));
	json_put_ms(json_put_key(j, "until"), q->told.until_ms);
	if (whole)
		json_put_bytes(json_put_key(j, "shown"), q->shown.data != NULL ? (const char *)q->shown.data : "",
			       q->shown.len);
	json_put_object_end(j);
}

int questions_list_json(const struct questions_all *a, const struct question *only)
{
	auto_buf out = { .max = 0 };
	struct json j;

	buf_init(&out, JSON_MAX);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_array(json_put_key(&j, "questions"));
	for (size_t i = 0; i < a->n; i++)
		if (only == NULL || only == &a->list[i])
			put_json(&j, &a->list[i], only != NULL);
	json_put_array_end(&j);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}

int questions_list(const struct questions_all *a)
{
	for (size_t i = 0; i < a->n; i++)
		list_one(&a->list[i]);
	if (a->n == 0)
		(void)printf(a->answered ? "none of your answers holds\n" : "nothing waits for you\n");
	else if (!a->answered)
		(void)printf("`ambit approve %s` shows one, and asks you\n", a->n == 1 ? a->list[0].id : "ID");
	return cli_flush();
}
