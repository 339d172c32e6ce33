#include "setup/change.h"

#include <stdio.h>
#include <string.h>

#include "setup/edit.h"
#include "setup/servers.h"

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define NAME_MAX_GATE 64 /* of a server, as grants name it */

struct work {
	const struct setup_ask *ask;
	const struct tree *tree;
	struct edits edits;
	struct setup_told *told;
	struct err *e;
};

static int refuse(struct work *w, const struct node *at, const char *hint, const char *what)
{
	const size_t byte = at == NULL ? 0 : at->key_end > 0 ? at->key_start : at->start;
	const struct spot s = spot_of(w->tree->bytes, w->tree->len, byte);

	return err_set(w->e, AMBIT_MALFORMED, hint, "line %zu, column %zu: %s", s.line, s.column, what);
}

/* ---- a server behind the gate ---- */

/* What it is called in grants: letters that names of grants have. */
static void gate_name(const struct node *server, char ret[NAME_MAX_GATE + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < server->key_len && n < NAME_MAX_GATE; i++)
		ret[n++] = strchr(NAME_LETTERS, server->key[i]) != NULL ? server->key[i] : '-';
	ret[n] = 0;
	if (n == 0 || ret[0] == '.')
		(void)snprintf(ret, NAME_MAX_GATE + 1, "server"); /* fits */
}

static bool is_variable(const char *name, size_t n)
{
	if (n == 0 || n >= 256 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", name[i]) == NULL)
			return false;
	return true;
}

static bool add_word(struct setup_words *w, const char *word)
{
	if (w->n >= SETUP_WORDS_MAX)
		return false;
	w->word[w->n++] = word;
	return true;
}

static bool add_variable(struct work *w, const struct node *server, struct setup_words *to, const char *name, size_t n)
{
	if (is_variable(name, n))
		return add_word(to, "--env") && add_word(to, name);
	note_node(w->told, w->tree, NOTE_ENV_NAME, server);
	return true;
}

static bool add_variables(struct work *w, const struct node *server, struct setup_words *to)
{
	const struct node *env = node_member(server, "env"), *names = node_member(server, "env_vars");
	bool ok = true;

	for (const struct node *at = env != NULL && env->kind == NODE_OBJECT ? env->first : NULL; ok && at != NULL;
	     at = at->next)
		ok = add_variable(w, server, to, at->key, at->key_len);
	for (const struct node *at = names != NULL && names->kind == NODE_ARRAY ? names->first : NULL; ok && at != NULL;
	     at = at->next)
		if (at->kind == NODE_STRING)
			ok = add_variable(w, server, to, at->text, at->text_len);
	if (node_member(server, "envFile") != NULL)
		note_node(w->told, w->tree, NOTE_ENV_FILE, server);
	return ok;
}

static bool gate_words(struct work *w, const struct node *server, const char *name, struct setup_words *to)
{
	bool ok = add_word(to, "guard") && add_word(to, "--name") && add_word(to, name);

	if (w->ask->policy[0] != 0)
		ok = ok && add_word(to, "--policy") && add_word(to, w->ask->policy);
	for (uint32_t i = 0; ok && i < w->ask->guard.n; i++)
		ok = add_word(to, w->ask->guard.word[i]);
	ok = ok && add_variables(w, server, to);
	return ok && add_word(to, "--") && add_word(to, node_member(server, "command")->text);
}

/* Behind the line of a value: where the next line of a table of TOML begins, or the end of the file. */
static size_t behind_line(const struct tree *t, size_t at)
{
	const char *line = at < t->len ? memchr(t->bytes + at, '\n', t->len - at) : NULL;

	return line != NULL ? (size_t)(line - t->bytes) + 1 : t->len;
}

static void put_array(struct buf *out, const struct setup_words *words)
{
	buf_put(out, "[", 1);
	for (uint32_t i = 0; i < words->n; i++) {
		if (i > 0)
			buf_put(out, ", ", 2);
		pen_text(out, words->word[i], strlen(words->word[i]));
	}
	buf_put(out, "]", 1);
}

static void put_words(struct pen *p, const void *of)
{
	put_array(p->out, of);
}

/* `args`, where there is none yet. */
static void add_args(struct work *w, const struct node *server, const struct setup_words *words)
{
	const struct node *command = node_member(server, "command");
	const struct tree *t = w->tree;
	auto_buf line = { .max = 0 };
	const size_t at = behind_line(t, command->end);
	size_t indent = command->key_start;

	if (server->shape == SHAPE_BRACKETS) {
		edits_place(&w->edits, server, "args", put_words, words);
		return;
	}
	buf_init(&line, 1u << 20);
	while (indent > 0 && (t->bytes[indent - 1] == ' ' || t->bytes[indent - 1] == '\t'))
		indent--;
	if (t->bytes[at - 1] != '\n')
		buf_printf(&line, "%s", w->edits.newline);
	buf_put(&line, t->bytes + indent, command->key_start - indent);
	buf_printf(&line, "args = ");
	put_array(&line, words);
	buf_printf(&line, "%s", w->edits.newline);
	edits_add(&w->edits, at, 0, line.data, line.len);
}

static bool are_texts(const struct node *args)
{
	if (args == NULL)
		return true;
	for (const struct node *at = args->first; at != NULL; at = at->next)
		if (at->kind != NODE_STRING)
			return false;
	return args->kind == NODE_ARRAY && args->shape == SHAPE_BRACKETS;
}

static bool has_url(const struct node *server)
{
	return node_member(server, "url") != NULL || node_member(server, "httpUrl") != NULL ||
	       node_member(server, "serverUrl") != NULL;
}

/* Whether it can be, and is not: what hinders is told. */
static bool is_to_be_wrapped(struct work *w, const struct node *server)
{
	const struct node *command = node_member(server, "command"), *args = node_member(server, "args");
	enum setup_note_id id;

	if (server->kind != NODE_OBJECT)
		id = NOTE_NO_COMMAND;
	else if (command == NULL)
		id = has_url(server) ? NOTE_BY_URL : NOTE_NO_COMMAND;
	else if (command->kind != NODE_STRING || command->text_len == 0 || !are_texts(args))
		id = NOTE_ODD;
	else if (server_is_guarded(server))
		id = NOTE_ALREADY;
	else if (server_is_ours(server))
		id = NOTE_OURS;
	else if (args == NULL && strchr(command->text, ' ') != NULL && command->text[0] != '/')
		id = NOTE_SPACES;
	else if (command->is_dotted && args == NULL)
		id = NOTE_DOTTED;
	else
		return true;
	note_node(w->told, w->tree, id, server);
	return false;
}

static int wrap(struct work *w, const struct node *server)
{
	const struct node *command = node_member(server, "command"), *args = node_member(server, "args");
	struct setup_words words = { .n = 0 };
	char name[NAME_MAX_GATE + 1];

	if (!is_to_be_wrapped(w, server))
		return 0;
	gate_name(server, name);
	if (!gate_words(w, server, name, &words))
		return refuse(w, server, "name its variables in a policy (env:)",
			      "this server would need too many arguments");
	edits_add(&w->edits, command->start, command->end - command->start, "\"ambit\"", 7);
	if (args != NULL)
		edits_lead(&w->edits, args, &words);
	else
		add_args(w, server, &words);
	note_node(w->told, w->tree, NOTE_WRAPPED, server);
	w->told->changes++;
	return 0;
}

static int wrap_all(void *of, const struct node *servers, const struct node *project)
{
	struct work *w = of;
	int r = 0;

	(void)project;
	for (const struct node *s = servers->first; r == 0 && s != NULL; s = s->next)
		r = wrap(w, s);
	return r;
}

/* ---- the server `ambit`, and other things that are put in ---- */

struct inner { /* an object in an object, down to a value */
	const char *const *path;
	pen_fn *value;
	const void *of;
};

static void put_inner(struct pen *p, const void *of)
{
	const struct inner *i = of;
	const struct inner below = { i->path + 1, i->value, i->of };

	if (i->path[0] == NULL) {
		i->value(p, i->of);
		return;
	}
	pen_open(p, '{');
	pen_key(p, i->path[0]);
	put_inner(p, &below);
	pen_close(p, '}');
}

/* Of JSON, or in braces of TOML: what is missing on the way is made. */
static int put_at(struct work *w, const struct node *box, const char *const *path, pen_fn *value, const void *of)
{
	const struct inner i = { path + 1, value, of };
	const struct node *n = node_member(box, path[0]);

	if (n == NULL) {
		edits_place(&w->edits, box, path[0], put_inner, &i);
		return 0;
	}
	if (path[1] == NULL || n->kind != NODE_OBJECT)
		return refuse(w, n, NULL, "this should be an object: {...}");
	return put_at(w, n, path + 1, value, of);
}

static void put_server(struct pen *p, const void *of)
{
	const struct work *w = of;
	struct setup_words words = { .n = 0 };

	(void)add_word(&words, "mcp"); /* there is room */
	for (uint32_t i = 0; i < w->ask->mcp.n; i++)
		(void)add_word(&words, w->ask->mcp.word[i]); /* checked before */
	pen_open(p, '{');
	if (w->ask->client == SETUP_VSCODE) {
		pen_key(p, "type");
		pen_text(p->out, "stdio", 5);
	}
	pen_key(p, "command");
	pen_text(p->out, "ambit", 5);
	pen_key(p, "args");
	put_array(p->out, &words);
	pen_close(p, '}');
}

/* A table of its own at the end of a file of TOML. */
static void append_lines(struct work *w, const struct buf *lines)
{
	const struct tree *t = w->tree;
	auto_buf out = { .max = 0 };
	bool begun = w->edits.n > 0 && w->edits.list[w->edits.n - 1].at == t->len;

	buf_init(&out, 1u << 20);
	if (!begun && t->len > 0 && t->bytes[t->len - 1] != '\n')
		buf_printf(&out, "%s", w->edits.newline);
	if (t->len > 0 || begun)
		buf_printf(&out, "%s", w->edits.newline);
	for (size_t i = 0; i < lines->len; i++)
		if (lines->data[i] == '\n')
			buf_printf(&out, "%s", w->edits.newline);
		else
			buf_put(&out, lines->data + i, 1);
	w->edits.failed = w->edits.failed || out.failed || lines->failed;
	edits_add(&w->edits, t->len, 0, out.data, out.len);
}

static int add_table(struct work *w, const struct node *servers)
{
	struct setup_words words = { .n = 0 };
	auto_buf lines = { .max = 0 };

	if (servers != NULL && (servers->kind != NODE_OBJECT || servers->shape == SHAPE_DOTTED))
		return refuse(w, servers, "write its servers as [mcp_servers.NAME]",
			      "these servers are written in a way in which none can be added");
	(void)add_word(&words, "mcp");
	for (uint32_t i = 0; i < w->ask->mcp.n; i++)
		(void)add_word(&words, w->ask->mcp.word[i]);
	buf_init(&lines, 1u << 20);
	buf_printf(&lines, "[mcp_servers.ambit]\ncommand = \"ambit\"\nargs = ");
	put_array(&lines, &words);
	buf_put(&lines, "\n", 1);
	append_lines(w, &lines);
	return 0;
}

static int add_server(struct work *w)
{
	const char *word = setup_about(w->ask->client)->servers;
	const struct node *servers = node_member(w->tree->root, word), *there = node_member(servers, "ambit");
	const char *path[] = { word, "ambit", NULL };
	int r;

	if (there != NULL) {
		if (!server_is_ours(there) || server_is_guarded(there))
			note_node(w->told, w->tree, NOTE_TAKEN, there);
		else if ((w->ask->what & SETUP_WRAP) == 0)
			note_node(w->told, w->tree, NOTE_OURS, there);
		return 0;
	}
	if (w->tree->form == FORM_TOML && (servers == NULL || servers->shape != SHAPE_BRACKETS))
		r = add_table(w, servers);
	else
		r = put_at(w, w->tree->root, path, put_server, w);
	if (r < 0)
		return r;
	note_add(w->told, NOTE_ADDED, 0, "ambit", 5);
	w->told->changes++;
	return 0;
}

/* ---- the hook ---- */

static void put_group(struct pen *p, const void *of)
{
	const struct work *w = of;

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

static int add_hook_table(struct work *w, const struct node *hooks)
{
	const struct node *groups = node_member(hooks, "PreToolUse");
	auto_buf lines = { .max = 0 };

	if ((hooks != NULL &&
	     (hooks->kind != NODE_OBJECT || hooks->shape == SHAPE_BRACKETS || hooks->shape == SHAPE_DOTTED)) ||
	    (groups != NULL && groups->shape != SHAPE_LIST))
		return refuse(w, hooks, "write them as [[hooks.PreToolUse]]",
			      "these hooks are written in a way in which none can be added");
	buf_init(&lines, 1u << 20);
	buf_printf(
		&lines,
		"[[hooks.PreToolUse]]\nmatcher = \"^Bash$\"\n\n[[hooks.PreToolUse.hooks]]\ntype = \"command\"\ncommand = ");
	pen_text(&lines, w->ask->hook, strlen(w->ask->hook));
	buf_put(&lines, "\n", 1);
	append_lines(w, &lines);
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

static int add_hook(struct work *w)
{
	static const char *const path[] = { "hooks", "PreToolUse", NULL };
	const struct node *hooks = node_member(w->tree->root, "hooks"), *groups = node_member(hooks, "PreToolUse");
	const char *title = setup_about(w->ask->client)->title;
	int r = 0;

	if (hook_of_ours(w->tree) != NULL) {
		note_add(w->told, NOTE_OURS, 0, "the hook", 8);
		return 0;
	}
	if (w->tree->form == FORM_TOML)
		r = add_hook_table(w, hooks);
	else if (groups != NULL && groups->kind == NODE_ARRAY)
		edits_place(&w->edits, groups, NULL, put_group, w);
	else
		r = put_at(w, w->tree->root, path, put_groups, w);
	if (r < 0)
		return r;
	note_add(w->told, NOTE_HOOKED, 0, title, strlen(title));
	if (setup_about(w->ask->client)->hook == HOOK_CODEX)
		note_add(w->told, NOTE_TRUST, 0, title, strlen(title));
	look_for_rules(w);
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

static void look_for_sandbox(struct work *w)
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

/* ---- all of it ---- */

static bool is_empty(const struct setup_ask *a)
{
	size_t i = a->text_len >= 3 && memcmp(a->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < a->text_len && strchr(" \t\r\n", (char)a->text[i]) != NULL && a->text[i] != 0)
		i++;
	return i == a->text_len;
}

static int make(struct work *w)
{
	const struct setup_ask *a = w->ask;
	int r = 0;

	if ((a->what & SETUP_WRAP) != 0)
		r = servers_each(w->tree, a->client, wrap_all, w);
	if (r == 0 && (a->what & SETUP_SANDBOX) != 0)
		look_for_sandbox(w);
	if (r == 0 && (a->what & SETUP_ADD) != 0)
		r = add_server(w);
	if (r == 0 && (a->what & SETUP_HOOKS) != 0)
		r = add_hook(w);
	return r;
}

int change_check(enum setup_form form, const struct buf *text, struct err *e)
{
	struct tree t;
	struct err why = { .msg = "" };
	const int r = tree_read(&t, form, (const char *)text->data, text->len, &why);

	tree_finish(&t);
	return r == 0 ? 0
		      : err_why(e,
				err_set(e, AMBIT_CONFLICT, "change it by hand",
					"it is written in a way in which this change would break it"),
				"%s", why.msg);
}

int change_make(const struct setup_ask *a, struct buf *out, struct setup_told *ret, struct err *e)
{
	const enum setup_form form = setup_about(a->client)->form;
	const bool empty = is_empty(a) && form != FORM_TOML;
	struct tree tree;
	struct work w = { .ask = a, .tree = &tree, .told = ret, .e = e };
	int r = tree_read(&tree, form, empty ? "{}\n" : (const char *)a->text, empty ? 3 : a->text_len, e);

	edits_init(&w.edits, &tree);
	r = r < 0                             ? r
	    : a->mcp.n + 1 >= SETUP_WORDS_MAX ? err_set(e, AMBIT_LIMIT, NULL, "--mcp has too many words")
					      : make(&w);
	if (r == 0 && ret->changes > 0)
		r = edits_apply(&w.edits, out, e);
	if (r == 0 && ret->changes > 0)
		r = change_check(form, out, e);
	edits_finish(&w.edits);
	tree_finish(&tree);
	ret->text = out->data;
	ret->text_len = r == 0 && ret->changes > 0 ? (uint32_t)out->len : 0;
	return r;
}
