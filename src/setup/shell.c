/* What concerns the shell of a client: the hook that it asks before a command, and the sandbox that it puts around it. */
#include <stdio.h>
#include <string.h>

#include "setup/servers.h"
#include "setup/work.h"

/* ---- the hook ---- */

/* Cursor's has no groups; failClosed: where the hook fails, is too slow or answers nothing, the command does not run. */
static void put_flat(struct pen *p, const struct work *w)
{
	pen_open(p, '{');
	pen_key(p, "command");
	pen_text(p->out, w->ask->hook, strlen(w->ask->hook));
	pen_key(p, "matcher");
	pen_text(p->out, "Shell", 5);
	pen_key(p, "failClosed");
	buf_printf(p->out, "true");
	pen_close(p, '}');
}

static void put_group(struct pen *p, const void *of)
{
	const struct work *w = of;

	if (setup_about(w->ask->client)->hook == HOOK_CURSOR) {
		put_flat(p, w);
		return;
	}
	pen_open(p, '{');
	pen_key(p, "matcher");
	pen_text(p->out, "Bash", 4);
	pen_key(p, "hooks");
	pen_open(p, '[');
	pen_next(p);
	pen_open(p, '{');
	pen_key(p, "type");
	pen_text(p->out, "command", 7);
	pen_key(p, "command");
	pen_text(p->out, w->ask->hook, strlen(w->ask->hook));
	pen_close(p, '}');
	pen_close(p, ']');
	pen_close(p, '}');
}

static void put_groups(struct pen *p, const void *of)
{
	pen_open(p, '[');
	pen_next(p);
	put_group(p, of);
	pen_close(p, ']');
}

/* The version of a file of Cursor's, which obeys none without; and, where there are no hooks yet, these behind it. */
static void put_version(struct pen *p, const void *of)
{
	const struct work *w = of;

	buf_printf(p->out, "1");
	if (node_member(w->tree->root, "hooks") != NULL)
		return;
	p->comma = true;
	pen_key(p, "hooks");
	pen_open(p, '{');
	pen_key(p, hook_list(w->ask->client));
	put_groups(p, of);
	pen_close(p, '}');
}

static int add_hook_table(struct work *w, const struct node *hooks)
{
	const struct node *groups = node_member(hooks, "PreToolUse");
	auto_buf lines = { .max = 0 };

	if ((hooks != NULL &&
	     (hooks->kind != NODE_OBJECT || hooks->shape == SHAPE_BRACKETS || hooks->shape == SHAPE_DOTTED)) ||
	    (groups != NULL && groups->shape != SHAPE_LIST))
		return work_refuse(w, hooks, "write them as [[hooks.PreToolUse]]",
				   "these hooks are written in a way in which none can be added");
	buf_init(&lines, 1u << 20);
	buf_printf(
		&lines,
		"[[hooks.PreToolUse]]\nmatcher = \"^Bash$\"\n\n[[hooks.PreToolUse.hooks]]\ntype = \"command\"\ncommand = ");
	pen_text(&lines, w->ask->hook, strlen(w->ask->hook));
	buf_put(&lines, "\n", 1);
	work_append_lines(w, &lines);
	return 0;
}

/* What the person forbade by the words of a command is not found in the words that run it in a cell. */
static void look_for_rules(struct work *w)
{
	static const char *const lists[] = { "deny", "ask" };
	const struct node *permissions = node_member(w->tree->root, "permissions");

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		const struct node *list = node_member(permissions, lists[i]);

		for (const struct node *at = list != NULL && list->kind == NODE_ARRAY ? list->first : NULL; at != NULL;
		     at = at->next)
			if (at->kind == NODE_STRING && strncmp(at->text, "Bash(", 5) == 0) {
				char name[32];

				(void)snprintf(name, sizeof name, "permissions.%s", lists[i]); /* fits */
				note_add(w->told, NOTE_RULES, spot_of(w->tree->bytes, w->tree->len, at->start).line,
					 name, strlen(name));
				break;
			}
	}
}

static void note_hook(struct work *w)
{
	const struct setup_about *about = setup_about(w->ask->client);

	note_add(w->told, NOTE_HOOKED, 0, about->title, strlen(about->title));
	if (about->hook == HOOK_CODEX)
		note_add(w->told, NOTE_TRUST, 0, about->title, strlen(about->title));
	if (about->hook == HOOK_CURSOR)
		note_add(w->told, NOTE_SANDBOX_CURSOR, 0, about->title, strlen(about->title));
	look_for_rules(w);
}

int shell_hook(struct work *w)
{
	const bool has_version = setup_about(w->ask->client)->hook != HOOK_CURSOR ||
				 node_member(w->tree->root, "version") != NULL;
	const char *const path[] = { "hooks", hook_list(w->ask->client), NULL };
	const struct node *hooks = node_member(w->tree->root, "hooks"), *groups = node_member(hooks, path[1]);
	int r = 0;

	if (hook_of_ours(w->tree, w->ask->client) != NULL) {
		note_add(w->told, NOTE_OURS, 0, "the hook", 8);
		return 0;
	}
	if (!has_version)
		edits_place(&w->edits, w->tree->root, "version", put_version, w);
	if (!has_version && hooks == NULL)
		r = 0;
	else if (w->tree->form == FORM_TOML)
		r = add_hook_table(w, hooks);
	else if (groups != NULL && groups->kind == NODE_ARRAY)
		edits_place(&w->edits, groups, NULL, put_group, w);
	else
		r = work_put_at(w, w->tree->root, path, put_groups, w);
	if (r < 0)
		return r;
	note_hook(w);
	w->told->changes++;
	return 0;
}

/* ---- a sandbox of the client's own ---- */

static bool is_on(const struct node *n)
{
	return n != NULL &&
	       (n->kind == NODE_STRING ? n->text_len > 0 && !node_is_text(n, "false")
				       : n->kind == NODE_BARE && n->text_len == 4 && memcmp(n->text, "true", 4) == 0);
}

static void turn_off(struct work *w, const struct node *n, const char *value)
{
	const char *title = setup_about(w->ask->client)->title;

	edits_add(&w->edits, n->start, n->end - n->start, value, strlen(value));
	note_add(w->told, NOTE_SANDBOX_OFF, 0, title, strlen(title));
	w->told->changes++;
}

/* Codex has one unless it is told that it has none. */
static void codex_sandbox(struct work *w)
{
	static const char off[] = "\"danger-full-access\"";
	const struct node *mode = node_member(w->tree->root, "sandbox_mode");
	const char *title = setup_about(w->ask->client)->title;
	auto_buf line = { .max = 256 };

	if (node_is_text(mode, "danger-full-access"))
		return;
	if ((w->ask->what & SETUP_OFF) == 0) {
		note_add(w->told, NOTE_SANDBOX_CODEX,
			 mode == NULL ? 0 : spot_of(w->tree->bytes, w->tree->len, mode->start).line, "sandbox_mode",
			 12);
		return;
	}
	if (mode != NULL) {
		turn_off(w, mode, off);
		return;
	}
	buf_printf(&line, "sandbox_mode = %s%s", off,
		   w->edits.newline); /* before everything: behind a [table] it would be that one's */
	edits_add(&w->edits, w->tree->root->start, 0, line.data, line.len);
	note_add(w->told, NOTE_SANDBOX_OFF, 0, title, strlen(title));
	w->told->changes++;
}

static void json_sandbox(struct work *w, const struct node *n, enum setup_note_id id, const char *name)
{
	if (!is_on(n))
		return;
	if ((w->ask->what & SETUP_OFF) != 0)
		turn_off(w, n, "false");
	else
		note_add(w->told, id, spot_of(w->tree->bytes, w->tree->len, n->start).line, name, strlen(name));
}

void shell_sandbox(struct work *w)
{
	const struct node *root = w->tree->root;

	switch (w->ask->client) {
	case SETUP_CLAUDE_CODE:
		json_sandbox(w, node_member(node_member(root, "sandbox"), "enabled"), NOTE_SANDBOX_CLAUDE,
			     "sandbox.enabled");
		break;
	case SETUP_CODEX: codex_sandbox(w); break;
	case SETUP_GEMINI:
		json_sandbox(w, node_member(node_member(root, "tools"), "sandbox"), NOTE_SANDBOX_GEMINI,
			     "tools.sandbox");
		json_sandbox(w, node_member(root, "sandbox"), NOTE_SANDBOX_GEMINI,
			     "sandbox"); /* as it was written before */
		break;
	case SETUP_CURSOR:
	case SETUP_VSCODE:
	case SETUP_CLAUDE_DESKTOP:
	case SETUP_CLIENTS: break;
	}
}
