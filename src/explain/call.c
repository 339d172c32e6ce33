#include "explain/call.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/tool.h"
#include "explain/json_take.h"

#define SHOWN_MAX 1000
#define VALUE_SHOWN 400
#define ARGUMENTS_SHOWN 40
#define NAME_BYTES (16u << 10)

bool call_is(const json_t *record)
{
	const char *kind = json_string_value(json_object_get(record, "kind"));

	return kind != NULL && strcmp(kind, "tool") == 0;
}

static void put_name(struct buf *out, const char *name, size_t most)
{
	char shown[SHOWN_MAX];

	if (name != NULL)
		buf_printf(out, "%s",
			   text_escape(shown, most < sizeof shown ? most : sizeof shown, name, strlen(name)));
}

static void put_line(struct buf *out, const char *head, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(out, "  %s: ", head);
	put_name(out, text, SHOWN_MAX);
	buf_printf(out, "\n");
}

static void put_argument(struct take *t, const json_t *from, struct buf *out)
{
	static const char *const kinds[] = { "text", "number", "bool", "long" };
	auto_free char *name = take_name(t, json_object_get(from, "name"), "name", false, NAME_BYTES);
	auto_free char *value = take_name(t, json_object_get(from, "value"), "value", false, NAME_BYTES);
	const size_t kind = take_word(t, from, "kind", kinds, sizeof kinds / sizeof kinds[0]);

	buf_printf(out, "  ");
	put_name(out, name, VALUE_SHOWN);
	buf_printf(out, kind == 3 ? " = a text of " : " = ");
	put_name(out, value, VALUE_SHOWN);
	buf_printf(out, kind == 3 ? " characters\n" : "\n");
}

static void put_asked(struct take *t, const json_t *record, char **ret_tool, struct buf *out)
{
	const json_t *asked = take_object(t, record, "asked");
	const json_t *list;
	uint8_t digest[32];
	auto_free char *workdir = NULL;

	t->in = "asked";
	*ret_tool = take_name(t, json_object_get(asked, "tool"), "tool", false, TOOL_OBJECT_MAX);
	workdir = take_name(t, json_object_get(asked, "workdir"), "workdir", false, NAME_BYTES);
	list = take_array(t, asked, "arguments", 256);
	buf_printf(out, "Asked\n  tool ");
	put_name(out, *ret_tool, SHOWN_MAX);
	buf_printf(out, "\n");
	for (size_t i = 0; t->rc == 0 && i < json_array_size(list); i++)
		if (i < ARGUMENTS_SHOWN)
			put_argument(t, json_array_get(list, i), out);
	if (json_array_size(list) > ARGUMENTS_SHOWN)
		buf_printf(out, "  and %zu more\n", json_array_size(list) - ARGUMENTS_SHOWN);
	(void)take_hex(t, asked, "sha256", digest, sizeof digest);
	buf_printf(out, "  all of it: %" PRIu64 " bytes\n", take_count(t, asked, "size_bytes", INT64_MAX));
	put_line(out, "in", workdir);
	t->in = "";
}

static void put_grant(struct take *t, const json_t *decision, struct buf *out)
{
	const json_t *from = json_object_get(decision, "grant");
	auto_free char *object = NULL, *terms = NULL;

	if (!json_is_object(from)) {
		buf_printf(out, "  by: no grant covers it\n");
		return;
	}
	object = take_name(t, json_object_get(from, "object"), "object", false, TOOL_OBJECT_MAX);
	terms = take_name(t, json_object_get(from, "terms"), "terms", true, TERMS_TEXT_MAX);
	buf_printf(out, "  by: tool: ");
	put_name(out, object, SHOWN_MAX);
	buf_printf(out, terms != NULL ? " " : "");
	put_name(out, terms, SHOWN_MAX);
	buf_printf(out, "\n");
}

static void put_why(struct take *t, const json_t *decision, struct buf *out)
{
	const json_t *from = json_object_get(decision, "error");
	auto_free char *message = NULL, *hint = NULL;

	if (!json_is_object(from))
		return;
	message = take_name(t, json_object_get(from, "message"), "message", false, ERR_MSG_MAX);
	hint = take_name(t, json_object_get(from, "hint"), "hint", true, ERR_HINT_MAX);
	put_line(out, "what", message);
	put_line(out, "hint", hint);
}

static void put_decision(struct take *t, const json_t *record, struct buf *out)
{
	static const char *const verdicts[] = { "allowed", "denied", "asked" };
	static const char *const said[] = { "Allowed", "Denied", "Denied: a person is asked first" };
	const json_t *decision = take_object(t, record, "decision");
	const char *question;
	size_t verdict;

	t->in = "decision";
	verdict = take_word(t, decision, "verdict", verdicts, 3);
	buf_printf(out, "\n%s\n", said[verdict < 3 ? verdict : 1]);
	put_grant(t, decision, out);
	question = take_text(t, decision, "question", true);
	put_line(out, "question", question);
	put_why(t, decision, out);
	t->in = "";
}

/* What was like nothing before, and why. */
static void put_usual(struct take *t, const json_t *record, struct buf *out)
{
	const json_t *usual = json_object_get(record, "usual"), *reasons;
	const json_t *error = json_object_get(usual, "error");

	if (!json_is_object(usual))
		return;
	t->in = "usual";
	if (json_is_object(error)) {
		auto_free char *message = take_name(t, json_object_get(error, "message"), "message", false,
						    ERR_MSG_MAX);

		buf_printf(out, "\nNot held against what is usual\n");
		put_line(out, "why", message);
	} else if (json_is_true(json_object_get(usual, "unusual"))) {
		reasons = take_array(t, usual, "reasons", 3);
		buf_printf(out, "\nUnusual%s\n",
			   json_is_true(json_object_get(usual, "young")) ? ", in a profile that is young" : "");
		for (size_t i = 0; t->rc == 0 && i < json_array_size(reasons); i++) {
			const json_t *text = json_object_get(json_array_get(reasons, i), "text");
			auto_free char *reason = take_name(t, text, "text", false, SHOWN_MAX);

			put_line(out, "why", reason);
		}
	}
	t->in = "";
}

static void put_answer(struct take *t, const json_t *record, struct buf *out)
{
	static const char *const ends[] = { "done", "failed", "error", "cancelled", "lost", "withheld" };
	static const char *const said[] = {
		"it was done",
		"the tool said that it failed",
		"the server answered by an error",
		"it was cancelled",
		"lost: the server or the gate ended before the answer",
		"it was done, and the answer withheld: the policy calls something in it secret, or it is too long"
	};
	const json_t *answer = json_object_get(record, "answer");
	size_t end;

	if (!json_is_object(answer))
		return;
	t->in = "answer";
	end = take_word(t, answer, "end", ends, 6);
	buf_printf(out, "\nEnded\n  %s\n  its answer: %" PRIu64 " bytes\n", said[end < 6 ? end : 4],
		   take_count(t, answer, "size_bytes", INT64_MAX));
	t->in = "";
}

static void put_times(struct take *t, const json_t *record, struct buf *out)
{
	const json_t *times = take_object(t, record, "times");
	uint64_t asked, ended;

	t->in = "times";
	asked = take_time(t, times, "asked");
	ended = take_time(t, times, "ended");
	if (ended >= asked)
		buf_printf(out, "  after %" PRIu64 " ms\n", (ended - asked) / 1000000);
	t->in = "";
}

int call_write(const json_t *record, struct buf *out, struct err *e)
{
	struct take t = { .e = e, .in = "", .index = SIZE_MAX };
	auto_free char *tool = NULL;
	const char *server;

	put_asked(&t, record, &tool, out);
	server = take_text(&t, record, "server", false);
	buf_printf(out, "  of the server in ");
	put_name(out, server, SHOWN_MAX);
	buf_printf(out, " (ambit explain)\n");
	put_decision(&t, record, out);
	put_usual(&t, record, out);
	put_answer(&t, record, out);
	put_times(&t, record, out);
	return t.rc;
}
