#include "setup/call.h"

#include <string.h>

#include "base/num.h"

static bool is_true(const struct node *n)
{
	return n != NULL && n->kind == NODE_BARE && n->text_len == 4 && memcmp(n->text, "true", 4) == 0;
}

static bool take_timeout(const struct node *n, uint64_t *ret)
{
	char text[24];

	if (n == NULL || n->kind != NODE_BARE || n->text_len >= sizeof text)
		return false;
	memcpy(text, n->text, n->text_len);
	text[n->text_len] = 0;
	return parse_u64(text, 0, UINT64_C(1) << 40, ret);
}

static int take(const struct tree *t, struct buf *out, struct setup_told *ret, struct err *e)
{
	const struct node *input = node_member(t->root, "tool_input"), *command = node_member(input, "command");
	const struct node *description = node_member(input, "description");

	if (node_member(t->root, "tool_name") == NULL)
		return err_set(e, AMBIT_MALFORMED,
			       "it is started by the client, with what it is about to do on standard input",
			       "this names no tool (tool_name)");
	if (!node_is_text(node_member(t->root, "tool_name"), "Bash"))
		return 0;
	if (command == NULL || command->kind != NODE_STRING)
		return err_set(e, AMBIT_MALFORMED, NULL, "this has no command (tool_input.command)");
	ret->is_shell = true;
	ret->background = is_true(node_member(input, "run_in_background"));
	ret->has_timeout = take_timeout(node_member(input, "timeout"), &ret->timeout_ms);
	ret->has_description = description != NULL && description->kind == NODE_STRING;
	buf_put(out, command->text, command->text_len);
	if (ret->has_description)
		buf_put(out, description->text, description->text_len);
	ret->text = out->data;
	ret->text_len = (uint32_t)command->text_len;
	ret->description = out->data + command->text_len;
	ret->description_len = ret->has_description ? (uint32_t)description->text_len : 0;
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory to read it") : 0;
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
	r = r < 0 ? r : take(&t, out, ret, e);
	tree_finish(&t);
	return r;
}
