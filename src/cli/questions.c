#include "cli/questions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "approve/visible.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/cli.h"
#include "lib/approve.h"
#include "lib/authority.h"
#include "lib/summary_stage.h"

#define SHOWN_LINE_MAX 4000 /* of a line: what is longer is cut, and that is said */
#define COMMAND_MAX 60      /* of a command, in the list */
#define SESSION_MS (UINT64_C(24) * 3600 * 1000)
#define NEVER_MS (UINT64_C(30) * 24 * 3600 * 1000)
#define JSON_MAX (8u << 20)

struct question {
	char id[ID_TEXT_MAX];
	struct authority_ask_told told;
	struct buf shown; /* owned: what the authority has of it; empty: nothing */
};

struct all {
	struct question *list; /* owned, and what each has */
	size_t n;
};

static void all_finish(struct all *a)
{
	for (size_t i = 0; i < a->n; i++)
		buf_finish(&a->list[i].shown);
	free(a->list);
}

#define auto_all __attribute__((cleanup(all_finish))) struct all
#define auto_keeper __attribute__((cleanup(close_keeper))) struct keeper

static void close_keeper(struct keeper **k)
{
	keeper_close(*k);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- what waits ---- */

static int add(void *of, const struct keeper_row *row)
{
	struct all *a = of;
	struct question *grown;

	if (row->ask.state != ASK_WAITS)
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

static int read_shown(struct keeper *k, struct question *q, struct err *e)
{
	auto_fd int fd = -1;
	int r = keeper_shown(k, q->told.ref, &fd, e);

	if (r < 0)
		return r == -AMBIT_NOT_FOUND ? 0 : r; /* it says nothing; or was answered just now */
	r = fd_read_into(fd, &q->shown);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read what %s asks", q->id) : 0;
}

/* Nothing is made or started for a look. */
static int find_all(struct keeper **ret_k, struct all *ret, struct err *e)
{
	char place[4096];
	int r = keeper_find(place, sizeof place, e);

	if (r == -AMBIT_NOT_FOUND)
		return 0;
	r = r < 0 ? r : keeper_open(NULL, ret_k, e);
	if (r < 0)
		return r;
	r = keeper_list(*ret_k, KEEPER_ASKS, add, ret, e);
	if (r == -AMBIT_MEMORY)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	for (size_t i = 0; i < ret->n && r >= 0; i++)
		r = read_shown(*ret_k, &ret->list[i], e);
	if (ret->n > 1)
		qsort(ret->list, ret->n, sizeof *ret->list, by_id);
	return r;
}

static int pick(const struct all *a, const char *which, struct question **ret, struct err *e)
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
		       "`ambit approve` lists what waits; what was answered, or is too old, waits no more",
		       "no question '%s' waits", text_escape(shown, sizeof shown, which, strlen(which)));
}

/* ---- showing ---- */

/* What stands behind `word: ` in the head of what is shown; empty: nothing does. */
static struct span line_of(const struct question *q, const char *word)
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

static bool is_commit(const struct question *q)
{
	return span_equal(line_of(q, "what"), span_of("commit"));
}

static void put_shown(struct buf *out, const struct question *q)
{
	const char *at = (const char *)q->shown.data, *end = at + q->shown.len;

	while (at != NULL && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const size_t len = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);
		struct visible v;

		buf_printf(out, "  | ");
		visible_put(out, (struct span){ .at = at, .len = len }, SHOWN_LINE_MAX, &v);
		buf_printf(out, "\n");
		visible_put_notes(out, &v);
		at = stop == NULL ? end : stop + 1;
	}
}

static void put_digest(struct buf *out, const struct question *q)
{
	for (size_t i = 0; i < AUTHORITY_DIGEST; i++)
		buf_printf(out, "%02x", q->told.digest[i]);
}

static int show(const struct question *q)
{
	auto_buf out = { .max = 0 };

	buf_init(&out, 32u << 20);
	buf_printf(&out, "%s asks:\n", q->id);
	put_shown(&out, q);
	buf_printf(&out, "digest: ");
	put_digest(&out, q);
	buf_printf(&out, "\n");
	return out.failed ? EXIT_REFUSED : cli_write(out.data, out.len);
}

static void list_one(const struct question *q)
{
	const struct span what = line_of(q, "what"), event = line_of(q, "event"), command = line_of(q, "command");
	const uint64_t now = now_ms(), made = id_ms(q->id);
	char ago[32], left[32], shown[4 * COMMAND_MAX];

	summary_time_left(now > made ? (now - made) * 1000000 : 0, ago, sizeof ago);
	summary_time_left(q->told.until_ms > now ? (q->told.until_ms - now) * 1000000 : 0, left, sizeof left);
	(void)printf("%s  %.*s %.*s, asked %s ago, for %s more: %s\n", q->id, (int)what.len, what.at, (int)event.len,
		     event.at, ago, left, text_show(shown, sizeof shown, command.at, command.len));
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
	put_span(j, "what", line_of(q, "what"));
	put_span(j, "event", line_of(q, "event"));
	put_span(j, "agent", line_of(q, "agent"));
	put_span(j, "command", line_of(q, "command"));
	json_put_hex(json_put_key(j, "digest"), q->told.digest, AUTHORITY_DIGEST);
	json_put_ms(json_put_key(j, "asked"), id_ms(q->id));
	json_put_ms(json_put_key(j, "until"), q->told.until_ms);
	if (whole)
		json_put_bytes(json_put_key(j, "shown"), q->shown.data != NULL ? (const char *)q->shown.data : "",
			       q->shown.len);
	json_put_object_end(j);
}

static int list_json(const struct all *a, const struct question *only)
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

static int list(const struct all *a)
{
	for (size_t i = 0; i < a->n; i++)
		list_one(&a->list[i]);
	if (a->n == 0)
		(void)printf("nothing waits for you\n");
	else
		(void)printf("`ambit approve %s` shows one, and asks you\n", a->n == 1 ? a->list[0].id : "ID");
	return cli_flush();
}

/* ---- answering ---- */

static enum question_answer answer_of(const char *line)
{
	static const struct {
		const char *word;
		enum question_answer answer;
	} words[] = { { "y", QUESTION_ONCE }, { "yes", QUESTION_ONCE }, { "s", QUESTION_SESSION },
		      { "n", QUESTION_NO },   { "no", QUESTION_NO },    { "never", QUESTION_NEVER } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(line, words[i].word) == 0)
			return words[i].answer;
	return QUESTION_UNSAID;
}

/* What stands on the terminal, and nothing that came by a pipe. */
static enum question_answer ask_terminal(bool again)
{
	auto_fd int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char line[64];
	ssize_t n;

	if (fd < 0)
		return QUESTION_UNSAID;
	if (dprintf(fd, "Allow it? y: yes, %sn: no, never: no, and ask no more; anything else leaves it: ",
		    again ? "s: yes, and the same as often as it is asked for a day, " : "") < 0)
		return QUESTION_UNSAID;
	n = read(fd, line, sizeof line - 1);
	if (n <= 0 || line[n - 1] != '\n')
		return QUESTION_UNSAID;
	line[n - 1] = 0;
	return answer_of(line) == QUESTION_SESSION && !again ? QUESTION_UNSAID : answer_of(line);
}

static int count_key(void *of, const struct approve_key *key)
{
	struct approve_key *found = of;

	if (key->kind == 0)
		return 0;
	if (found->kind != 0)
		return 1;
	*found = *key;
	return 0;
}

static int choose_key(const struct questions *q, char ret[APPROVE_NAME_MAX], struct err *e)
{
	struct approve_key found = { .kind = 0 };
	int r;

	if (q->key != NULL)
		return text_copy(ret, APPROVE_NAME_MAX, q->key)
			       ? 0
			       : err_set(e, AMBIT_NOT_FOUND, "`ambit approve --keys` lists them",
					 "no key has that name");
	r = approve_keys(count_key, &found, e);
	if (r > 0)
		return err_set(e, AMBIT_USAGE, "--key NAME", "you have several keys: which is to sign it?");
	if (r == 0 && found.kind == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit approve --enroll` makes one",
			       "you have no key to sign your answer");
	if (r == 0)
		(void)text_copy(ret, APPROVE_NAME_MAX, found.name); /* of the same size */
	return r;
}

static uint64_t until_of(const struct questions *q, const struct question *asked, enum question_answer answer)
{
	if (q->until_ms != 0)
		return q->until_ms;
	if (answer == QUESTION_SESSION)
		return now_ms() + SESSION_MS;
	return answer == QUESTION_NEVER ? now_ms() + NEVER_MS : asked->told.until_ms;
}

static int sign(const struct questions *q, struct keeper *k, const struct question *asked, enum question_answer answer,
		struct keeper_signed *ret, struct err *e)
{
	const bool yes = answer == QUESTION_ONCE || answer == QUESTION_SESSION;
	const bool all = answer == QUESTION_SESSION || answer == QUESTION_NEVER;
	struct statement s = { .answer = yes ? STATEMENT_GRANT : STATEMENT_DENY,
			       .scope = all ? STATEMENT_SESSION : STATEMENT_ONCE,
			       .until_ms = until_of(q, asked, answer) };
	struct buf text;
	int r = choose_key(q, ret->key, e);

	if (r == 0 && getrandom(s.nonce, sizeof s.nonce, 0) != sizeof s.nonce)
		r = err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes for the answer");
	keeper_realm(k, s.realm);
	(void)text_copy(s.approval, sizeof s.approval, asked->id); /* of the same size */
	memcpy(s.shown, asked->told.digest, sizeof s.shown);
	ret->ask = asked->told.ref;
	buf_init_in(&text, ret->statement, sizeof ret->statement - 1);
	statement_put(&text, &s);
	if (r == 0 && (text.failed || buf_cstr(&text) == NULL))
		r = err_set(e, AMBIT_INTERNAL, NULL, "the answer does not fit");
	return r < 0 ? r : approve_sign(&s, ret->key, q->password_fd, &ret->signature, e);
}

static int refused_by(enum authority_why why, struct err *e)
{
	const char *what = why == WHY_ANSWERED    ? "it was answered meanwhile"
			   : why == WHY_NOT_HELD  ? "it does not wait any more"
			   : why == WHY_MALFORMED ? "the answer would end before it begins"
						  : authority_why_word(why);

	return err_why(e, err_set(e, AMBIT_CONFLICT, "`ambit approve` lists what waits", "the answer was not taken"),
		       "%s", what);
}

/* What waited goes on: its own command says what became of it. */
static int go_on(const struct question *asked)
{
	const struct span event = line_of(asked, "event");
	char id[ID_TEXT_MAX];
	char command[] = "commit";
	char *argv[] = { command, id, NULL };

	if (!is_commit(asked) || event.len >= sizeof id)
		return 0;
	memcpy(id, event.at, event.len);
	id[event.len] = 0;
	return id_is('e', id, event.len) ? cli_stage_short(2, argv) : 0;
}

static int say(const struct questions *q, struct keeper *k, const struct question *asked, enum question_answer answer,
	       struct err *e)
{
	struct keeper_signed by = { .ask = 0 };
	struct keeper_answer told;
	int r = sign(q, k, asked, answer, &by, e);

	r = r < 0 ? r : keeper_sign(k, &by, &told, e);
	if (r < 0)
		return r;
	if (told.verdict != AUTHORITY_ALLOWED)
		return refused_by((enum authority_why)told.why, e);
	if (answer == QUESTION_NO || answer == QUESTION_NEVER) {
		(void)printf("%s: no, signed by %s\n", asked->id, by.key);
		return cli_flush();
	}
	(void)printf("%s: yes, signed by %s\n", asked->id, by.key);
	r = cli_flush();
	return r != 0 ? r : go_on(asked);
}

static bool is_digest(const struct question *q, const char *text)
{
	char own[2 * AUTHORITY_DIGEST + 1];

	for (size_t i = 0; i < AUTHORITY_DIGEST; i++)
		(void)snprintf(own + 2 * i, 3, "%02x", q->told.digest[i]);
	return strcmp(own, text) == 0;
}

static int answer(const struct questions *q, struct keeper *k, const struct question *asked, struct err *e)
{
	enum question_answer answer = q->answer;
	int r;

	if (answer == QUESTION_SESSION && is_commit(asked))
		return err_set(e, AMBIT_USAGE, "--grant once",
			       "no two events have the same changes: each is asked for by itself");
	if (answer != QUESTION_UNSAID && q->digest == NULL)
		return err_set(e, AMBIT_USAGE, "--digest, with what `ambit approve ID --show` says at its end",
			       "an answer without a look: which digest did you see?");
	if (q->digest != NULL && !is_digest(asked, q->digest))
		return err_set(e, AMBIT_CONFLICT, "`ambit approve ID --show` shows it",
			       "%s asks about something else than that digest", asked->id);
	if (answer == QUESTION_UNSAID) {
		r = show(asked);
		answer = r != 0 ? QUESTION_UNSAID : ask_terminal(!is_commit(asked));
	}
	if (answer == QUESTION_UNSAID) {
		(void)fprintf(stderr, "ambit: %s still waits\n", asked->id);
		return 1;
	}
	return say(q, k, asked, answer, e);
}

int questions_run(const struct questions *q, struct err *e)
{
	auto_keeper *k = NULL;
	auto_all all = { .n = 0 };
	struct question *asked = NULL;
	int r = find_all(&k, &all, e);

	if (r == 0 && q->which != NULL)
		r = pick(&all, q->which, &asked, e);
	if (r < 0)
		return r;
	if (q->json && q->answer == QUESTION_UNSAID)
		return list_json(&all, asked);
	if (asked == NULL)
		return list(&all);
	return q->shows ? show(asked) : answer(q, k, asked, e);
}
