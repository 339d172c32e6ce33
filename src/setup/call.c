#include "setup/call.h"

#include <string.h>

#include "base/num.h"

static bool is_true(const struct node *n)
{
	return n->kind == NODE_BARE && n->text_len == 4 && memcmp(n->text, "true", 4) == 0;
}

static bool take_count(const struct node *n, uint64_t *ret)
{
	char text[24];

	if (n->kind != NODE_BARE || n->text_len >= sizeof text)
		return false;
	memcpy(text, n->text, n->text_len);
	text[n->text_len] = 0;
	return parse_u64(text, 0, UINT64_C(1) << 40, ret);
}

/* Texts lie one behind the other in out, the command first: where each is is known when all are there. */
static void take_field(const struct node *n, enum setup_field f, struct buf *out, struct setup_told *ret)
{
	switch (setup_field_about(f)->kind) {
	case FIELD_TEXT:
		ret->field[f].is_there = n->kind == NODE_STRING;
		if (ret->field[f].is_there) {
			ret->field[f].len = (uint32_t)n->text_len;
			buf_put(out, n->text, n->text_len);
		}
		break;
	case FIELD_COUNT: ret->field[f].is_there = take_count(n, &ret->field[f].count); break;
	case FIELD_FLAG: ret->field[f].is_there = is_true(n); break;
	}
}

static void take_session(const struct node *root, struct setup_told *ret)
{
	const struct node *n = node_member(root, "session_id");

	if (n == NULL)
		n = node_member(root, "conversation_id");
	if (n != NULL && n->kind == NODE_STRING && setup_is_session(n->text, n->text_len)) {
		memcpy(ret->session, n->text, n->text_len);
		ret->session[n->text_len] = 0;
	}
}

static int take(const struct tree *t, const char *shell, struct buf *out, struct setup_told *ret, struct err *e)
{
	const struct node *input = node_member(t->root, "tool_input"), *command = node_member(input, "command");
	size_t at;

	if (node_member(t->root, "tool_name") == NULL)
		return err_set(e, AMBIT_MALFORMED,
			       "it is started by the client, with what it is about to do on standard input",
			       "this names no tool (tool_name)");
	if (!node_is_text(node_member(t->root, "tool_name"), shell))
		return 0;
	if (command == NULL || command->kind != NODE_STRING)
		return err_set(e, AMBIT_MALFORMED, NULL, "this has no command (tool_input.command)");
	ret->is_shell = true;
	take_session(t->root, ret);
	buf_put(out, command->text, command->text_len);
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		const struct node *n = node_member(input, setup_field_about(f)->name);

		if (n != NULL)
			take_field(n, f, out, ret);
	}
	if (out->failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to read it");
	ret->text = out->data;
	ret->text_len = (uint32_t)command->text_len;
	at = command->text_len;
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		ret->field[f].text = out->data + at;
		at += ret->field[f].len;
	}
	return 0;
}

int call_read(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e)
{
	struct tree t;
	int r = a->text_len > SETUP_HOOK_MAX
			? err_set(e, AMBIT_LIMIT, NULL, "what the client said of its tool has more than %u KB",
				  SETUP_HOOK_MAX >> 10)
			: 0;

	if (r < 0)
		return r;
	r = tree_read(&t, FORM_JSON, (const char *)a->text, a->text_len, e);
	r = r < 0 ? r : take(&t, setup_about(a->client)->hook == HOOK_CURSOR ? "Shell" : "Bash", out, ret, e);
	tree_finish(&t);
	return r;
}
