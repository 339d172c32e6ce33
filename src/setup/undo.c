/* What Ambit put into a configuration is taken out of it, whatever else was changed there meanwhile. What that is, the file as it was before says. */
#include <string.h>

#include "setup/change.h"
#include "setup/edit.h"
#include "setup/servers.h"

struct work {
	const struct setup_ask *ask;
	const struct tree *now, *was;
	struct edits edits;
	struct setup_told *told;
};

static bool is_same(const struct node *a, const struct node *b)
{
	return a != NULL && b != NULL && a->kind == NODE_STRING && b->kind == NODE_STRING &&
	       a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
}

/* The lines of a table of TOML go, and one empty line before them. */
static void drop_table(struct edits *d, const struct node *table)
{
	const char *bytes = d->tree->bytes;
	size_t from = table->start;

	if (from > 0 && bytes[from - 1] == '\n') {
		size_t at = from - 1;

		if (at > 0 && bytes[at - 1] == '\r')
			at--;
		if (at == 0 || bytes[at - 1] == '\n')
			from = at;
	}
	edits_drop(d, from, table->end);
}

/* The servers of the same project as they were. */
static const struct node *were(const struct work *w, const struct node *project)
{
	const struct node *of = w->was->root;

	if (project != NULL)
		of = node_member_of(node_member(of, "projects"), project->key, project->key_len);
	return node_member(of, setup_about(w->ask->client)->servers);
}

static void drop_args(struct work *w, const struct node *args)
{
	const struct tree *t = w->now;
	size_t from = args->key_start;
	const char *line;

	if (args->parent->shape == SHAPE_BRACKETS) {
		edits_take(&w->edits, args);
		return;
	}
	line = memchr(t->bytes + args->end, '\n', t->len - args->end);
	while (from > 0 && (t->bytes[from - 1] == ' ' || t->bytes[from - 1] == '\t'))
		from--;
	edits_drop(&w->edits, from, line != NULL ? (size_t)(line - t->bytes) + 1 : t->len);
}

static void unwrap(struct work *w, const struct node *server, const struct node *old)
{
	const struct node *args = node_member(server, "args"), *inner = server_inner(server),
			  *command = node_member(server, "command");
	const struct node *was = node_member(old, "command");

	edits_add(&w->edits, command->start, command->end - command->start, w->was->bytes + was->start,
		  was->end - was->start);
	if (inner->next != NULL)
		edits_drop(&w->edits, args->first->start, inner->next->start);
	else if (node_member(old, "args") != NULL)
		edits_drop(&w->edits, args->start + 1, args->end - 1);
	else
		drop_args(w, args);
	note_node(w->told, w->now, NOTE_UNWRAPPED, server);
	w->told->changes++;
}

/* What was made for it and is empty now goes, too. */
static void take_server(struct work *w, const struct node *server, const struct node *old_servers)
{
	if (server->shape != SHAPE_BRACKETS)
		drop_table(&w->edits, server);
	else if (old_servers == NULL && server->parent->n_members == 1 && server->parent->shape == SHAPE_BRACKETS)
		edits_take(&w->edits, server->parent);
	else
		edits_take(&w->edits, server);
	note_node(w->told, w->now, NOTE_REMOVED, server);
	w->told->changes++;
}

static int each(void *of, const struct node *servers, const struct node *project)
{
	struct work *w = of;
	const struct node *old_servers = were(w, project);

	for (const struct node *s = servers->first; s != NULL; s = s->next) {
		const struct node *old = node_member_of(old_servers, s->key, s->key_len);

		if (old == NULL && project == NULL && s->key_len == 5 && memcmp(s->key, "ambit", 5) == 0 &&
		    server_is_ours(s) && !server_is_guarded(s))
			take_server(w, s, old_servers);
		else if (server_is_guarded(s) && !server_is_guarded(old) &&
			 is_same(server_inner(s), node_member(old, "command")))
			unwrap(w, s, old);
	}
	return 0;
}

/* The version that a file of Cursor's has by us: before the hooks, if these are ours, too, and else at the end. Elsewhere somebody put it, and it stays. */
static const struct node *version_of_ours(const struct work *w)
{
	const struct node *version = node_member(w->now->root, "version");

	return setup_about(w->ask->client)->hook == HOOK_CURSOR && version != NULL &&
			       node_member(w->was->root, "version") == NULL && version->end - version->start == 1 &&
			       w->now->bytes[version->start] == '1'
		       ? version
		       : NULL;
}

/* box: that of the hooks; it goes with what was made for it and is empty now. */
static void take_hooks(struct work *w, const struct node *box)
{
	const struct node *version = version_of_ours(w);

	edits_take_run(&w->edits, version != NULL && version->next == box ? version : box, box);
}

static void take_hook(struct work *w)
{
	const struct node *group = hook_of_ours(w->now, w->ask->client);
	const struct node *old_hooks = node_member(w->was->root, "hooks"), *hooks, *list, *version;
	const struct node *old = node_member(old_hooks, hook_list(w->ask->client));

	if (group == NULL || hook_of_ours(w->was, w->ask->client) != NULL)
		return;
	hooks = node_member(group, "hooks");
	list = group->parent;
	note_add(w->told, NOTE_REMOVED, 0, "the hook", 8);
	w->told->changes++;
	if (group->shape == SHAPE_HEADER) { /* two tables, one below the other */
		drop_table(&w->edits, hooks->first);
		drop_table(&w->edits, group);
		return;
	}
	if (hooks != NULL && hooks->n_members > 1) { /* others came into the same group: ours alone goes */
		for (const struct node *h = hooks->first; h != NULL; h = h->next)
			if (hook_is_ours(h)) {
				edits_take(&w->edits, h);
				break;
			}
		return;
	}
	if (old == NULL && list->n_members == 1 && old_hooks == NULL && list->parent->n_members == 1) {
		take_hooks(w, list->parent);
		return;
	}
	edits_take(&w->edits, old == NULL && list->n_members == 1 ? list : group);
	version = version_of_ours(w);
	if (old_hooks != NULL && version != NULL && version->next == NULL)
		edits_take(&w->edits, version);
}

/* ---- the sandbox ---- */

static const struct node *deep(const struct tree *t, const char *a, const char *b)
{
	const struct node *n = node_member(t->root, a);

	return b == NULL ? n : node_member(n, b);
}

static void restore(struct work *w, const char *a, const char *b, const char *ours)
{
	const struct node *now = deep(w->now, a, b), *was = deep(w->was, a, b);
	const char *title = setup_about(w->ask->client)->title, *line;
	const size_t n = strlen(ours);

	if (now == NULL || now->end - now->start != n || memcmp(w->now->bytes + now->start, ours, n) != 0)
		return;
	if (was != NULL && was->end - was->start == n && memcmp(w->was->bytes + was->start, ours, n) == 0)
		return;
	if (was != NULL) {
		edits_add(&w->edits, now->start, n, w->was->bytes + was->start, was->end - was->start);
	} else if (w->now->form == FORM_TOML) {
		line = memchr(w->now->bytes + now->end, '\n', w->now->len - now->end);
		edits_drop(&w->edits, now->key_start, line != NULL ? (size_t)(line - w->now->bytes) + 1 : w->now->len);
	} else {
		return; /* it is not we who put it there */
	}
	note_add(w->told, NOTE_SANDBOX_ON, 0, title, strlen(title));
	w->told->changes++;
}

static void restore_sandbox(struct work *w)
{
	switch (w->ask->client) {
	case SETUP_CLAUDE_CODE: restore(w, "sandbox", "enabled", "false"); break;
	case SETUP_CODEX: restore(w, "sandbox_mode", NULL, "\"danger-full-access\""); break;
	case SETUP_GEMINI:
		restore(w, "tools", "sandbox", "false");
		restore(w, "sandbox", NULL, "false");
		break;
	case SETUP_CURSOR:
	case SETUP_VSCODE:
	case SETUP_CLAUDE_DESKTOP:
	case SETUP_CLIENTS: break;
	}
}

int change_undo(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e)
{
	const enum setup_form form = setup_about(a->client)->form;
	struct tree now, was = { .root = NULL };
	struct work w = { .ask = a, .now = &now, .was = &was, .told = ret };
	int r = tree_read(&now, form, (const char *)a->text, a->text_len, e);

	edits_init(&w.edits, &now);
	if (r == 0 && tree_read(&was, form, (const char *)a->before, a->before_len, NULL) < 0)
		tree_finish(
			&was); /* nothing was in it, or nothing that could be read: then nothing was changed in it */
	if (r == 0) {
		(void)servers_each(&now, a->client, each, &w);
		take_hook(&w);
		restore_sandbox(&w);
	}
	if (r == 0 && ret->changes > 0)
		r = edits_apply(&w.edits, out, e);
	if (r == 0 && ret->changes > 0)
		r = change_check(form, out, e);
	edits_finish(&w.edits);
	tree_finish(&now);
	tree_finish(&was);
	ret->text = out->data;
	ret->text_len = r == 0 && ret->changes > 0 ? (uint32_t)out->len : 0;
	return r;
}
