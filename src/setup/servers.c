#include "setup/servers.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void note_add(struct setup_told *t, enum setup_note_id id, size_t line, const char *name, size_t n)
{
	struct setup_note *at;

	if (t->n_notes == SETUP_NOTES_MAX) {
		t->notes[SETUP_NOTES_MAX - 1] = (struct setup_note){ .id = NOTE_OTHERS };
		return;
	}
	at = &t->notes[t->n_notes++];
	*at = (struct setup_note){ .id = (uint8_t)id, .line = line > UINT32_MAX ? 0 : (uint32_t)line };
	(void)text_escape(at->name, sizeof at->name, name, n);
}

void note_node(struct setup_told *t, const struct tree *tree, enum setup_note_id id, const struct node *n)
{
	note_add(t, id, spot_of(tree->bytes, tree->len, n->key_start).line, n->key, n->key_len);
}

int servers_each(const struct tree *t, enum setup_client c, servers_fn *fn, void *of)
{
	const char *word = setup_about(c)->servers;
	const struct node *servers = node_member(t->root, word);
	const struct node *projects = c == SETUP_CLAUDE_CODE ? node_member(t->root, "projects") : NULL;
	int r = servers != NULL && servers->kind == NODE_OBJECT ? fn(of, servers, NULL) : 0;

	for (const struct node *p = projects != NULL && projects->kind == NODE_OBJECT ? projects->first : NULL;
	     r == 0 && p != NULL; p = p->next) {
		servers = node_member(p, word);
		if (servers != NULL && servers->kind == NODE_OBJECT)
			r = fn(of, servers, p);
	}
	return r;
}

bool server_is_ours(const struct node *server)
{
	const struct node *command = node_member(server, "command");
	const char *name;

	if (command == NULL || command->kind != NODE_STRING)
		return false;
	name = strrchr(command->text, '/');
	return strcmp(name != NULL ? name + 1 : command->text, "ambit") == 0;
}

bool server_is_guarded(const struct node *server)
{
	const struct node *args = node_member(server, "args");

	return server_is_ours(server) && args != NULL && args->kind == NODE_ARRAY && node_is_text(args->first, "guard");
}

const struct node *server_inner(const struct node *server)
{
	const struct node *args = node_member(server, "args");

	for (const struct node *at = args != NULL ? args->first : NULL; at != NULL; at = at->next)
		if (node_is_text(at, "--"))
			return at->next;
	return NULL;
}

const char *hook_list(enum setup_client c)
{
	return setup_about(c)->hook == HOOK_CURSOR ? "preToolUse" : "PreToolUse";
}

bool hook_is_ours(const struct node *hook)
{
	const struct node *command = node_member(hook, "command");

	const char *at = command != NULL && command->kind == NODE_STRING ? strstr(command->text, " setup hook ") : NULL;
	const size_t own = strlen(SETUP_PROGRAM);
	size_t n = at != NULL ? (size_t)(at - command->text) : 0;

	if (n > 0 && at[-1] == '\'') /* a path in quotes */
		n--;
	return n >= own && memcmp(command->text + n - own, SETUP_PROGRAM, own) == 0 &&
	       (n == own || command->text[n - own - 1] == '/');
}

const struct node *hook_of_ours(const struct tree *t, enum setup_client c)
{
	const struct node *groups = node_member(node_member(t->root, "hooks"), hook_list(c));

	for (const struct node *g = groups != NULL && groups->kind == NODE_ARRAY ? groups->first : NULL; g != NULL;
	     g = g->next) {
		const struct node *hooks = node_member(g, "hooks");

		if (hook_is_ours(g))
			return g;
		for (const struct node *h = hooks != NULL && hooks->kind == NODE_ARRAY ? hooks->first : NULL; h != NULL;
		     h = h->next)
			if (hook_is_ours(h))
				return g;
	}
	return NULL;
}
