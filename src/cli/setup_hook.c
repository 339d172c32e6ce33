/* Before a client runs a command it tells us on standard input, and what we answer runs in its place. What it says is read by ambit-setup; what it runs then is put together here, so that
 * who reads it can at most change what runs in the cell. Whatever fails, the command does not run: the status is 2. */
#include "cli/setup_hook.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/found.h"
#include "cli/setup_role.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:,@%+-"

/* One word of a shell. */
static void put_quoted(struct buf *out, const char *word, size_t n)
{
	bool plain = n > 0;

	for (size_t i = 0; i < n; i++)
		plain = plain && word[i] != 0 && strchr(PLAIN, word[i]) != NULL;
	if (plain) {
		buf_put(out, word, n);
		return;
	}
	buf_put(out, "'", 1);
	for (size_t i = 0; i < n; i++)
		if (word[i] == '\'')
			buf_put(out, "'\\''", 4);
		else
			buf_put(out, word + i, 1);
	buf_put(out, "'", 1);
}

static void put_words(struct buf *out, const struct setup_words *words)
{
	for (uint32_t i = 0; i < words->n; i++) {
		buf_put(out, " ", 1);
		put_quoted(out, words->word[i], strlen(words->word[i]));
	}
}

/* A client may have another PATH than a person's shell, and its shell a third: where we are in no place that all of them look in, the path says it. */
void setup_hook_program(char ret[PATH_MAX])
{
	static const char *const usual[] = { "/usr/bin/ambit", "/usr/local/bin/ambit", "/bin/ambit" };
	const ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);

	ret[n > 0 ? n : 0] = 0;
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (n <= 0 || strcmp(ret, usual[i]) == 0)
			(void)text_copy(ret, PATH_MAX, SETUP_PROGRAM); /* fits */
}

static void put_ambit(struct buf *out)
{
	char own[PATH_MAX];

	setup_hook_program(own);
	put_quoted(out, own, strlen(own));
}

void setup_hook_command(struct buf *out, enum setup_client c, const struct setup_words *run)
{
	put_ambit(out);
	buf_printf(out, " setup hook %s", setup_about(c)->word);
	if (run->n > 0)
		buf_put(out, " --", 3);
	put_words(out, run);
	buf_printf(out, " || exit %d", SETUP_HOOK_BLOCKS); /* also where there is no ambit */
}

/* Whether a word of `ambit run` names an agent, or may: an event has one. A policy is not read here; of the presets one has it. */
static bool names_agent(const char *word)
{
	static const char *const options[] = { "--agent", "--session", "--policy" };

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		const size_t n = strlen(options[i]);

		if (strncmp(word, options[i], n) == 0 && (word[n] == 0 || word[n] == '='))
			return true;
	}
	return strcmp(word, "claude-code") == 0 || strcmp(word, "--preset=claude-code") == 0;
}

/* A conversation of a client is an agent of its own (what it has learned is labelled apart), unless the person named one. */
static void put_agent(struct buf *out, enum setup_client c, const struct setup_told *t, const struct setup_words *run)
{
	for (uint32_t i = 0; i < run->n; i++)
		if (names_agent(run->word[i]))
			return;
	if (t->session[0] != 0)
		buf_printf(out, " --agent %s.%s", setup_about(c)->word, t->session);
}

static void put_in_cell(struct buf *out, enum setup_client c, const struct setup_told *t, const struct setup_words *run)
{
	put_ambit(out);
	buf_printf(out, " run");
	if (run->n == 0)
		buf_printf(out, " --preset agent");
	put_agent(out, c, t, run);
	put_words(out, run);
	buf_printf(out, " -- bash -c ");
	put_quoted(out, (const char *)t->text, t->text_len);
}

/* What replaces the call's input has to have all of it. */
static void put_input(struct json *j, const struct setup_told *t, const struct buf *command)
{
	json_put_object(j);
	json_put_bytes(json_put_key(j, "command"), command->data, command->len);
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		if (!t->field[f].is_there)
			continue;
		json_put_key(j, setup_field_about(f)->name);
		switch (setup_field_about(f)->kind) {
		case FIELD_TEXT: json_put_bytes(j, t->field[f].text, t->field[f].len); break;
		case FIELD_COUNT: json_put_count(j, t->field[f].count); break;
		case FIELD_FLAG: json_put_bool(j, true); break;
		}
	}
	json_put_object_end(j);
}

/* Codex and Cursor take an input of ours with the word allow alone; what the person's own rules refuse they refuse all the same. */
static void put_answer(struct buf *out, enum setup_hook hook, const struct setup_told *t, const struct buf *command)
{
	struct json j;

	json_begin(&j, out);
	json_put_object(&j);
	if (hook == HOOK_CURSOR) {
		json_put_word(json_put_key(&j, "permission"), "allow");
		put_input(json_put_key(&j, "updated_input"), t, command);
	} else {
		json_put_object(json_put_key(&j, "hookSpecificOutput"));
		json_put_word(json_put_key(&j, "hookEventName"), "PreToolUse");
		if (hook == HOOK_CODEX)
			json_put_word(json_put_key(&j, "permissionDecision"), "allow");
		put_input(json_put_key(&j, "updatedInput"), t, command);
		json_put_object_end(&j);
	}
	json_put_object_end(&j);
	buf_put(out, "\n", 1);
}

static int answer(enum setup_client c, const struct setup_words *run, struct err *e)
{
	static struct setup_told told;
	auto_buf said = { .max = SETUP_HOOK_MAX + 1 }, room = { .max = 0 }, command = { .max = 0 }, out = { .max = 0 };
	struct setup_ask ask = { .op = SETUP_CALL, .client = c };
	int r = fd_read_into(STDIN_FILENO, &said);

	if (r < 0)
		return err_sys(e, r == -EFBIG ? AMBIT_LIMIT : AMBIT_SYSTEM, -r, NULL,
			       "cannot read what the client is about to do");
	ask.text = said.data;
	ask.text_len = (uint32_t)said.len;
	r = setup_role_ask(&ask, &room, &told, e);
	if (r < 0)
		return r;
	if (!told.is_shell) /* so who took the reader over has nothing run bare by saying so */
		return err_set(e, AMBIT_USAGE,
			       "the matcher of this hook is its shell alone, as `ambit setup` writes it",
			       "this is no call of the client's shell");
	buf_init(&command, 8 * SETUP_HOOK_MAX);
	buf_init(&out, 64 * SETUP_HOOK_MAX);
	put_in_cell(&command, c, &told, run);
	put_answer(&out, setup_about(c)->hook, &told, &command);
	if (command.failed || out.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the command");
	r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot answer the client") : 0;
}

/* Cursor shows an agent nothing of standard error: what it is to know stands in the answer. The status blocks, too. */
static void say_denied(const struct err *e)
{
	auto_buf out = { .max = 8192 };
	char line[ERR_LINE_MAX];
	struct json j;

	err_line(e, line);
	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "permission"), "deny");
	json_put_bytes(json_put_key(&j, "user_message"), line, strlen(line));
	json_put_object_end(&j);
	buf_put(&out, "\n", 1);
	if (!out.failed)
		(void)fd_write_all(STDOUT_FILENO, out.data, out.len); /* the status says it */
}

int setup_hook_run(int argc, char **argv)
{
	const enum setup_client c = argc > 0 ? setup_client_of(argv[0]) : SETUP_CLIENTS;
	struct setup_words run = { .n = 0 };
	struct err e = { .code = AMBIT_OK };
	int r = 0;

	if (c == SETUP_CLIENTS || setup_about(c)->hook == HOOK_NONE || (argc > 1 && strcmp(argv[1], "--") != 0) ||
	    argc - 2 > SETUP_WORDS_MAX)
		r = err_set(&e, AMBIT_USAGE, "see `ambit setup --help`",
			    "ambit setup hook CLIENT [-- OPTIONS of ambit run]");
	for (int i = 2; r == 0 && i < argc; i++)
		run.word[run.n++] = argv[i];
	r = r < 0 ? r : answer(c, &run, &e);
	if (r < 0 && c != SETUP_CLIENTS && setup_about(c)->hook == HOOK_CURSOR)
		say_denied(&e);
	if (r < 0)
		(void)found_refuse(false, &e);
	return r < 0 ? SETUP_HOOK_BLOCKS : 0;
}
