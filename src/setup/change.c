#include "setup/change.h"

#include <stdio.h>
#include <string.h>

#include "setup/servers.h"
#include "setup/work.h"

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
#define NAME_MAX_GATE 64 /* of a server, as grants name it */

int work_refuse(struct work *w, const struct node *at, const char *hint, const char *what)
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

static const char *program(const struct work *w)
{
	return w->ask->program != NULL ? w->ask->program : SETUP_PROGRAM;
}

static void put_program(struct work *w, const struct node *command)
{
	auto_buf text = { .max = 8 * SETUP_WORD_MAX };

	pen_text(&text, program(w), strlen(program(w)));
	w->edits.failed = w->edits.failed || text.failed;
	edits_add(&w->edits, command->start, command->end - command->start, text.data, text.len);
}

static bool is_fetched(const struct node *command)
{
	static const char *const programs[] = { "npx", "bunx", "pnpx", "uvx", "pipx" };
	const char *slash = strrchr(command->text, '/'), *name = slash != NULL ? slash + 1 : command->text;

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (strcmp(name, programs[i]) == 0)
			return true;
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
		return work_refuse(w, server, "name its variables in a policy (env:)",
				   "this server would need too many arguments");
	put_program(w, command);
	if (args != NULL)
		edits_lead(&w->edits, args, &words);
	else
		add_args(w, server, &words);
	note_node(w->told, w->tree, NOTE_WRAPPED, server);
	if (is_fetched(command))
		note_node(w->told, w->tree, NOTE_FETCHED, server);
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

int work_put_at(struct work *w, const struct node *box, const char *const *path, pen_fn *value, const void *of)
{
	const struct inner i = { path + 1, value, of };
	const struct node *n = node_member(box, path[0]);

	if (n == NULL) {
		edits_place(&w->edits, box, path[0], put_inner, &i);
		return 0;
	}
	if (path[1] == NULL || n->kind != NODE_OBJECT)
		return work_refuse(w, n, NULL, "this should be an object: {...}");
	return work_put_at(w, n, path + 1, value, of);
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
	pen_text(p->out, program(w), strlen(program(w)));
	pen_key(p, "args");
	put_array(p->out, &words);
	pen_close(p, '}');
}

void work_append_lines(struct work *w, const struct buf *lines)
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
		return work_refuse(w, servers, "write its servers as [mcp_servers.NAME]",
				   "these servers are written in a way in which none can be added");
	(void)add_word(&words, "mcp");
	for (uint32_t i = 0; i < w->ask->mcp.n; i++)
		(void)add_word(&words, w->ask->mcp.word[i]);
	buf_init(&lines, 1u << 20);
	buf_printf(&lines, "[mcp_servers.ambit]\ncommand = ");
	pen_text(&lines, program(w), strlen(program(w)));
	buf_printf(&lines, "\nargs = ");
	put_array(&lines, &words);
	buf_put(&lines, "\n", 1);
	work_append_lines(w, &lines);
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
		r = work_put_at(w, w->tree->root, path, put_server, w);
	if (r < 0)
		return r;
	note_add(w->told, NOTE_ADDED, 0, "ambit", 5);
	w->told->changes++;
	return 0;
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
		shell_sandbox(w);
	if (r == 0 && (a->what & SETUP_ADD) != 0)
		r = add_server(w);
	if (r == 0 && (a->what & SETUP_HOOKS) != 0)
		r = shell_hook(w);
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
