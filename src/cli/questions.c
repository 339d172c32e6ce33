#include "cli/questions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/question.h"
#include "cli/question_away.h"
#include "cli/question_line.h"
#include "lib/approve.h"

#define SESSION_MS (UINT64_C(24) * 3600 * 1000)
#define NEVER_MS (UINT64_C(30) * 24 * 3600 * 1000)

static void close_keeper(struct keeper **k)
{
	keeper_close(*k);
}

#define auto_keeper __attribute__((cleanup(close_keeper))) struct keeper

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

/* What is typed at the terminal once it is asked, and nothing that came by a pipe, or was typed (or answered by the terminal itself) while it was shown. */
static enum question_answer ask_terminal(bool again)
{
	auto_fd int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char line[64];
	ssize_t n;

	if (fd < 0 || tcflush(fd, TCIFLUSH) < 0)
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

struct keys {
	unsigned n; /* that can sign */
	char name[APPROVE_NAME_MAX];
};

static int count_key(void *of, const struct approve_key *key)
{
	struct keys *found = of;

	if (key->kind != 0 && found->n++ == 0)
		(void)text_copy(found->name, sizeof found->name, key->name); /* of the same size */
	return 0;
}

static int choose_key(const struct questions *q, char ret[APPROVE_NAME_MAX], struct err *e)
{
	struct keys found = { .n = 0 };
	int r;

	if (q->key != NULL)
		return text_copy(ret, APPROVE_NAME_MAX, q->key)
			       ? 0
			       : err_set(e, AMBIT_NOT_FOUND, "`ambit approve --keys` lists them",
					 "no key has that name");
	r = approve_keys(count_key, &found, e);
	if (r == 0 && found.n > 1)
		return err_set(e, AMBIT_USAGE, "--key NAME; `ambit approve --keys` lists them",
			       "you have %u keys: which is to sign it?", found.n);
	if (r == 0 && found.n == 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit approve --enroll` makes one",
			       "you have no key to sign your answer");
	memcpy(ret, found.name, sizeof found.name); /* of the same size */
	return r;
}

static uint64_t until_of(const struct questions *q, const struct question *asked, enum question_answer answer)
{
	if (q->until_ms != 0)
		return q->until_ms;
	if (answer == QUESTION_SESSION)
		return clock_unix_ms() + SESSION_MS;
	return answer == QUESTION_NEVER ? clock_unix_ms() + NEVER_MS : asked->told.until_ms;
}

static int sign(const struct questions *q, const struct question *asked, enum question_answer answer,
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
	memcpy(s.realm, asked->realm, sizeof s.realm);
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
	const struct span event = question_line(asked, "event");
	char id[ID_TEXT_MAX];
	char command[] = "commit";
	char *argv[] = { command, id, NULL };

	if (!question_is_commit(asked)) {
		(void)printf("run it again: what was asked for is allowed\n");
		return cli_flush();
	}
	if (event.len >= sizeof id)
		return 0;
	memcpy(id, event.at, event.len);
	id[event.len] = 0;
	return id_is('e', id, event.len) ? cli_stage_short(2, argv) : 0;
}

/* yes: it says so. */
static int give(struct keeper *k, const struct question *asked, const struct keeper_signed *by, bool yes, struct err *e)
{
	struct keeper_answer told;
	int r = keeper_sign(k, by, &told, e);

	if (r < 0)
		return r;
	if (told.verdict != AUTHORITY_ALLOWED)
		return refused_by((enum authority_why)told.why, e);
	(void)printf("%s: %s, signed by %s\n", asked->id, yes ? "yes" : "no", by->key);
	r = cli_flush();
	return r != 0 || !yes ? r : go_on(asked);
}

static bool is_digest(const struct question *q, const char *text)
{
	char own[2 * AUTHORITY_DIGEST + 1];

	hex_write(q->told.digest, AUTHORITY_DIGEST, own);
	return strcmp(own, text) == 0;
}

/* What is said to it: by the words of the command, or on the terminal, where it is shown. UNSAID: nothing was; 0. */
static int hear(const struct questions *q, const struct question *asked, enum question_answer *ret, struct err *e)
{
	int r;

	*ret = q->answer;
	if (asked->shown.len == 0 && *ret != QUESTION_NO && *ret != QUESTION_NEVER)
		return err_set(e, AMBIT_MALFORMED, "--deny --digest, with that of `ambit approve --json`, answers it",
			       "%s does not show what it asks", asked->id);
	if (*ret == QUESTION_SESSION && question_is_commit(asked))
		return err_set(e, AMBIT_USAGE, "--grant once",
			       "no two events have the same changes: each is asked for by itself");
	if (*ret != QUESTION_UNSAID && q->digest == NULL)
		return err_set(e, AMBIT_USAGE, "--digest, with what --show says at its end",
			       "an answer without a look: which digest did you see?");
	if (q->digest != NULL && !is_digest(asked, q->digest))
		return err_set(e, AMBIT_CONFLICT, "--show shows it", "%s asks about something else than that digest",
			       asked->id);
	if (*ret != QUESTION_UNSAID)
		return 0;
	r = question_show(asked);
	*ret = r != 0 ? QUESTION_UNSAID : ask_terminal(!question_is_commit(asked));
	if (*ret == QUESTION_UNSAID)
		(void)fprintf(stderr, "ambit: %s still waits\n", asked->id);
	return 0;
}

static bool is_yes(enum question_answer answer)
{
	return answer == QUESTION_ONCE || answer == QUESTION_SESSION;
}

static int answer(const struct questions *q, struct keeper *k, const struct question *asked, struct err *e)
{
	struct keeper_signed by = { .ask = 0 };
	enum question_answer said;
	int r = hear(q, asked, &said, e);

	if (r < 0 || said == QUESTION_UNSAID)
		return r < 0 ? r : 1;
	r = sign(q, asked, said, &by, e);
	return r < 0 ? r : give(k, asked, &by, is_yes(said), e);
}

/* ---- on another machine ---- */

static int sign_away(const struct questions *q, struct err *e)
{
	struct keeper_signed by = { .ask = 0 };
	struct question asked;
	enum question_answer said = QUESTION_UNSAID;
	int r = question_read(q->sign, &asked, e);

	if (r == 0 && q->shows)
		r = question_show(&asked);
	else if (r == 0)
		r = hear(q, &asked, &said, e);
	if (r == 0 && said != QUESTION_UNSAID)
		r = sign(q, &asked, said, &by, e);
	if (r == 0 && said != QUESTION_UNSAID)
		r = answer_print(&by);
	else if (r == 0 && !q->shows)
		r = 1;
	buf_finish(&asked.shown);
	return r;
}

static int take_back_home(const struct questions *q, struct keeper *k, const struct questions_all *all, struct err *e)
{
	struct keeper_signed by;
	struct statement said;
	struct question *asked;
	int r = answer_read(q->take, &by, &said, e);

	r = r < 0 ? r : questions_pick(all, said.approval, &asked, e);
	if (r < 0)
		return r;
	if (q->key != NULL && !text_copy(by.key, sizeof by.key, q->key))
		return err_set(e, AMBIT_NOT_FOUND, "`ambit approve --keys` lists them", "no key has that name");
	by.ask = asked->told.ref;
	return give(k, asked, &by, said.answer == STATEMENT_GRANT, e);
}

/* As if it had not been answered: a yes that was not used counts no more, and after a no it is asked again. */
static int forget(struct keeper *k, const struct question *asked, struct err *e)
{
	const struct authority_request q = {
		.op = AUTHORITY_FORGET, .ask = asked->told.ref, .object = "", .terms = ""
	};
	struct keeper_answer told;
	const int r = keeper_step(k, &q, &told, e);

	if (r < 0)
		return r;
	if (told.verdict != AUTHORITY_ALLOWED)
		return refused_by((enum authority_why)told.why, e);
	(void)printf("%s: your answer is taken back\n", asked->id);
	return cli_flush();
}

bool questions_wait(void)
{
	auto_keeper *k = NULL;
	auto_questions all = { .n = 0 };

	return questions_find(&k, &all, NULL) >= 0 && all.n > 0;
}

int questions_run(const struct questions *q, struct err *e)
{
	auto_keeper *k = NULL;
	auto_questions all = { .answered = q->answers || q->takes_back };
	struct question *asked = NULL;
	int r = q->sign != NULL ? 0 : questions_find(&k, &all, e);

	if (r == 0 && q->which != NULL)
		r = questions_pick(&all, q->which, &asked, e);
	if (r < 0)
		return r;
	if (q->sign != NULL)
		return sign_away(q, e);
	if (q->take != NULL)
		return take_back_home(q, k, &all, e);
	if (q->line && asked != NULL)
		return question_line_print(asked, q->json, e);
	if (q->json && q->answer == QUESTION_UNSAID)
		return questions_list_json(&all, asked);
	if (asked == NULL)
		return questions_list(&all);
	if (q->takes_back)
		return forget(k, asked, e);
	if (q->exports)
		return question_print(asked);
	return q->shows ? question_show(asked) : answer(q, k, asked, e);
}
