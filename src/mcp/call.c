/* Calls of tools, from what was asked to the event that does it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/num.h"
#include "base/text.h"
#include "core/kind.h"
#include "mcp/mcp.h"
#include "rpc/make_values.h"

#define ARGV_MAX 16 /* of a program of ours, with its NULL */

/* ---- places ---- */

uint32_t call_next_number(struct mcp *m)
{
	if (++m->last_number == 0) /* which is nobody's */
		m->last_number = 1;
	return m->last_number;
}

struct call *call_new(struct mcp *m, const struct asked *a, struct mistake *why)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		struct call *c = &m->calls[i];

		if (c->state != CALL_FREE)
			continue;
		*c = (struct call){ .state = CALL_TAKEN,
				    .era = a->era,
				    .tool = TOOL_COUNT,
				    .number = call_next_number(m),
				    .file = { -1, -1, -1 },
				    .input_fd = -1 };
		memcpy(c->id, a->id, sizeof c->id);
		memcpy(c->token, a->token, sizeof c->token);
		memcpy(c->key, a->key, sizeof c->key);
		return c;
	}
	(void)err_set(&why->err, AMBIT_LIMIT, "wait for some of the answers", "%d calls are not answered yet",
		      MCP_CALLS_MAX);
	return NULL;
}

void call_free(struct call *c)
{
	for (size_t i = 0; i < 3; i++)
		fd_close(&c->file[i]);
	fd_close(&c->input_fd);
	buf_finish(&c->input);
	buf_finish(&c->rows);
	buf_finish(&c->run);
	c->state = CALL_FREE;
}

static struct call *call_of_id(struct mcp *m, const char *id)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state != CALL_FREE && strcmp(m->calls[i].id, id) == 0)
			return &m->calls[i];
	return NULL;
}

bool call_is_taken(const struct mcp *m, const char *id)
{
	return id[0] != 0 && call_of_id((struct mcp *)(uintptr_t)m, id) != NULL;
}

/* ---- what is run ---- */

static const char *text_of(const json_t *arguments, const char *key)
{
	return json_string_value(json_object_get(arguments, key));
}

static uint64_t count_of(const json_t *arguments, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(arguments, key));
}

/* The words of a run, which borrow from the arguments, from `room`, and from what lives as long. */
struct words {
	const char *argv[ARGV_MAX];
	size_t n;
	char room[4][4352];
	size_t used;
};

static void add(struct words *w, const char *word)
{
	if (w->n + 1 < ARGV_MAX)
		w->argv[w->n++] = word;
}

/* A path never looks like a flag. */
static void add_path(struct words *w, const char *path)
{
	char *room = w->room[w->used];

	if (path == NULL) {
		add(w, ".");
		return;
	}
	if (path[0] != '-') {
		add(w, path);
		return;
	}
	(void)snprintf(room, sizeof w->room[0], "./%s", path); /* fits: paths are bounded */
	w->used++;
	add(w, room);
}

static void add_count(struct words *w, uint64_t count)
{
	(void)snprintf(w->room[w->used], sizeof w->room[0], "%llu", (unsigned long long)count);
	add(w, w->room[w->used++]);
}

static void add_read(struct words *w, const json_t *a)
{
	const uint64_t from = count_of(a, "from"), lines = count_of(a, "lines");

	add_path(w, text_of(a, "path"));
	if (from == 0 && lines == 0)
		return;
	add_count(w, from > 0 ? from : 1);
	if (lines > 0)
		add_count(w, lines);
}

static void add_edit(struct words *w, const json_t *a)
{
	add_path(w, text_of(a, "path"));
	add_count(w, json_string_length(json_object_get(a, "old")));
	add_count(w, json_string_length(json_object_get(a, "new")));
	if (json_is_true(json_object_get(a, "all")))
		add(w, "--all");
}

static void add_search(struct words *w, const json_t *a)
{
	if (json_is_true(json_object_get(a, "fixed")))
		add(w, "--fixed");
	if (json_is_true(json_object_get(a, "ignore_case")))
		add(w, "--ignore-case");
	if (text_of(a, "glob") != NULL) {
		add(w, "--glob");
		add(w, text_of(a, "glob"));
	}
	if (count_of(a, "max") > 0) {
		add(w, "--max");
		add_count(w, count_of(a, "max"));
	}
	add(w, "--");
	add(w, text_of(a, "pattern"));
	add_path(w, text_of(a, "path"));
}

/* Our own program, which does in the cell what the tool says. */
static void add_files(const struct mcp *m, struct words *w, enum tool t, const json_t *a)
{
	add(w, m->begin.files);
	add(w, tool_name(t));
	if (t == TOOL_READ) {
		add_read(w, a);
	} else if (t == TOOL_WRITE) {
		add_path(w, text_of(a, "path"));
	} else if (t == TOOL_EDIT) {
		add_edit(w, a);
	} else if (t == TOOL_LIST) {
		add_path(w, text_of(a, "path"));
		if (count_of(a, "depth") > 0)
			add_count(w, count_of(a, "depth"));
	} else {
		add_search(w, a);
	}
}

static bool is_code(enum tool t)
{
	return t == TOOL_PYTHON || t == TOOL_NODE || t == TOOL_SHELL;
}

/* Standard input of the event, copied: what was said does not outlive the turn. */
static int take_input(struct call *c, const json_t *a, struct mistake *why)
{
	static const char *const keys[TOOL_COUNT][2] = {
		[TOOL_RUN] = { "input", NULL },   [TOOL_PYTHON] = { "input", NULL }, [TOOL_NODE] = { "input", NULL },
		[TOOL_SHELL] = { "input", NULL }, [TOOL_WRITE] = { "text", NULL },   [TOOL_EDIT] = { "old", "new" }
	};

	buf_init(&c->input, 2u << 20);
	for (size_t i = 0; i < 2 && keys[c->tool][i] != NULL; i++) {
		const json_t *v = json_object_get(a, keys[c->tool][i]);

		c->has_input = c->has_input || v != NULL;
		if (v != NULL)
			buf_put(&c->input, json_string_value(v), json_string_length(v));
	}
	return c->input.failed ? err_set(&why->err, AMBIT_MEMORY, NULL, "no memory for the input") : 0;
}

static int send_run(struct mcp *m, struct call *c, const struct buf *run, struct err *e)
{
	uint8_t room[16];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	link_number_put(&body, &(struct link_number){ .request = c->number });
	return port_send_parts(&m->session, WIRE_SESSION_PART, run, WIRE_SESSION_RUN, &body, e);
}

/* It is kept as long as it may have to be sent again. */
static int begin_run(struct mcp *m, struct call *c, const struct run *run, struct mistake *why)
{
	int r;

	buf_init(&c->run, RUN_BYTES_MAX);
	run_put(&c->run, run);
	if (c->run.failed)
		return err_set(&why->err, AMBIT_LIMIT, "pass less at once: by `input`, or by a file",
			       "the call is too long");
	r = send_run(m, c, &c->run, &why->err);
	if (!c->elicits || c->era == ERA_MODERN)
		buf_finish(&c->run);
	return r;
}

int call_again(struct mcp *m, struct call *c, struct err *e)
{
	for (size_t i = 0; i < 3; i++)
		fd_close(&c->file[i]);
	c->state = CALL_TAKEN;
	c->number = call_next_number(m);
	c->again = true;
	c->input_at = 0;
	return send_run(m, c, &c->run, e);
}

static int run_words(struct mcp *m, struct call *c, const json_t *a, struct run *run, struct mistake *why)
{
	static struct words w; /* seventeen kilobytes, and one thread */

	w.n = w.used = 0;
	if (is_code(c->tool)) {
		add(&w, tool_name(c->tool));
		add(&w, text_of(a, "code"));
		run->flags |= (uint32_t)kind_of_word(tool_name(c->tool)) << EVENT_KIND_SHIFT;
	} else {
		add_files(m, &w, c->tool, a);
	}
	w.argv[w.n] = NULL;
	run->argv = (char **)(uintptr_t)w.argv; /* only written out */
	return begin_run(m, c, run, why);
}

/* A key stands for what was sent with it, of which input is no part: so its digest goes with that, as a variable that reaches no program, since none was granted. */
static char **with_digest(char **env, const struct call *c)
{
	char name[32 + DIGEST_HEX];
	char **more;
	size_t n = 0;

	while (env != NULL && env[n] != NULL)
		n++;
	more = env == NULL ? NULL : realloc(env, (n + 2) * sizeof *env);
	if (more == NULL) {
		make_list_free(env);
		return NULL;
	}
	(void)snprintf(name, sizeof name, "AMBIT_CALL_SHA256=%s", c->digest); /* fits */
	more[n] = strdup(name);
	more[n + 1] = NULL;
	if (more[n] != NULL)
		return more;
	make_list_free(more);
	return NULL;
}

static int run(struct mcp *m, struct call *c, const json_t *a, struct mistake *why)
{
	struct run run = { .flags = c->has_input ? EVENT_INPUT : 0 };
	char **env = make_environment(json_object_get(a, "env"));
	char **argv = c->tool == TOOL_RUN ? make_list(json_object_get(a, "argv")) : NULL;
	int r;

	if (c->has_input && c->key[0] != 0)
		env = with_digest(env, c);
	run.env = env;
	run.argv = argv;
	memcpy(run.key, c->key, sizeof run.key);
	if (count_of(a, "timeout") > 0)
		(void)snprintf(run.limits, sizeof run.limits, "wall=%llus", (unsigned long long)count_of(a, "timeout"));
	if (env == NULL || (c->tool == TOOL_RUN && argv == NULL))
		r = err_set(&why->err, AMBIT_MEMORY, NULL, "no memory for the call");
	else
		r = c->tool == TOOL_RUN ? begin_run(m, c, &run, why) : run_words(m, c, a, &run, why);
	make_list_free(env);
	make_list_free(argv);
	return r;
}

/* ---- what the command line does ---- */

static int ask_owner(struct mcp *m, struct call *c, const json_t *a, struct mistake *why)
{
	const struct mcp_ask ask = { .request = c->number,
				     .deed = c->tool == TOOL_DIFF     ? MCP_DIFF
					     : c->tool == TOOL_COMMIT ? MCP_COMMIT
								      : MCP_DISCARD,
				     .n = count_of(a, "n") };
	uint8_t room[16];
	struct buf body;

	if (ask.n == 0) {
		(void)snprintf(why->place, sizeof why->place, "/arguments/n");
		return err_set(&why->err, AMBIT_USAGE, NULL, "numbers of events begin with 1");
	}
	c->n = ask.n;
	c->state = CALL_ASKED;
	buf_init_in(&body, room, sizeof room);
	mcp_ask_put(&body, &ask);
	return port_send(&m->owner, WIRE_MCP_ASK, &body, &why->err);
}

static void answer_session(struct mcp *m, const struct asked *a)
{
	struct json j;

	say_result(&j, &m->out, a->id);
	say_kind(&j, a->era);
	json_put_array(json_put_key(&j, "content"));
	say_content_text(&j, m->about.data, m->about.len);
	json_put_array_end(&j);
	json_put_made(json_put_key(&j, "structuredContent"), m->about.data, m->about.len);
	json_put_bool(json_put_key(&j, "isError"), false);
	say_result_end(&j);
}

/* ---- a call ---- */

static int find_tool(const struct mcp *m, const json_t *name, enum tool *ret, struct mistake *why)
{
	const char *words[TOOL_COUNT];
	char hint[NEAREST_HINT_MAX];
	size_t n = 0;

	*ret = json_is_string(name) ? tool_of_name(json_string_value(name), json_string_length(name)) : TOOL_COUNT;
	if (*ret < TOOL_COUNT && (m->begin.tools & TOOL_BIT(*ret)) != 0)
		return 0;
	for (unsigned t = 0; t < TOOL_COUNT; t++)
		if ((m->begin.tools & TOOL_BIT(t)) != 0)
			words[n++] = tool_name(t);
	(void)snprintf(why->place, sizeof why->place, "/params/name");
	if (!json_is_string(name))
		return err_set(&why->err, AMBIT_USAGE, NULL, "no tool is named");
	return err_set(&why->err, AMBIT_UNKNOWN,
		       nearest_hint(hint, "", word_nearest(json_string_value(name), words, n), "tools/list has them"),
		       "no tool '%.64s'", json_string_value(name));
}

/* Of what was asked for: the same tool with the same arguments, in whatever order they stand. */
static int digest_of(enum tool t, const json_t *arguments, char ret[DIGEST_HEX], struct mistake *why)
{
	char *text = arguments == NULL ? strdup("{}") : json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;

	if (text == NULL)
		return err_set(&why->err, AMBIT_MEMORY, NULL, "no memory for the call");
	sha256_init(&s);
	sha256_add(&s, tool_name(t), strlen(tool_name(t)) + 1);
	sha256_add(&s, text, strlen(text));
	sha256_end(&s, digest);
	hex_write(digest, sizeof digest, ret);
	free(text);
	return 0;
}

static int check_call(const struct asked *a, struct mistake *why)
{
	static const char *const known[] = { "_meta", "name", "arguments", "inputResponses", "requestState" };
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)a->params, key, value)
	{
		bool is = a->era == ERA_LEGACY && strcmp(key, "task") == 0;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			is = is || strcmp(known[i], key) == 0;
		(void)snprintf(why->place, sizeof why->place, "/params/%.80s", key);
		if (!is)
			return err_set(&why->err, AMBIT_USAGE, "arguments of the tool stand in `arguments`",
				       "tools/call takes no parameter '%.64s'", key);
		if (strcmp(key, "arguments") == 0 && !json_is_object(value))
			return err_set(&why->err, AMBIT_USAGE, NULL, "the arguments are not an object");
		if (strcmp(key, "task") == 0 && !json_is_object(value))
			return err_set(&why->err, AMBIT_USAGE, NULL, "the task is not an object");
	}
	why->place[0] = 0;
	return 0;
}

static void answer_declined(struct mcp *m, const struct asked *a)
{
	struct mistake why = { .place = "" };

	(void)err_set(&why.err, AMBIT_DENIED, "go on without it, or ask what they want instead",
		      "the user did not accept: nothing was done");
	answer_refused(m, a->id, a->era, &why);
}

static int begin_call(struct mcp *m, const struct asked *a, enum tool t, const json_t *arguments, struct mistake *why)
{
	char digest[DIGEST_HEX] = "";
	bool again = false;
	struct call *c;
	int r = digest_of(t, arguments, digest, why);

	r = r < 0 ? r : person_returned(m, a->params, digest, &again, why);
	if (r > 0) {
		answer_declined(m, a);
		return 0;
	}
	c = r < 0 ? NULL : call_new(m, a, why);
	if (c == NULL)
		return r < 0 ? r : -AMBIT_LIMIT;
	c->tool = t;
	c->again = again;
	c->elicits = a->era == ERA_MODERN ? a->elicits : m->elicits;
	memcpy(c->digest, digest, sizeof c->digest);
	if (t == TOOL_DIFF || t == TOOL_COMMIT || t == TOOL_DISCARD) {
		r = ask_owner(m, c, arguments, why);
	} else {
		if (a->tasks || (a->era == ERA_LEGACY && json_object_get(a->params, "task") != NULL))
			task_may(c, a->era == ERA_LEGACY);
		r = take_input(c, arguments, why);
		r = r < 0 ? r : run(m, c, arguments, why);
	}
	if (r < 0) {
		answer_refused(m, a->id, a->era, why);
		call_free(c);
	}
	return 0;
}

int call_tool(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const json_t *arguments = json_object_get(a->params, "arguments");
	enum tool t;
	int r = check_call(a, why);

	r = r < 0 ? r : find_tool(m, json_object_get(a->params, "name"), &t, why);
	if (r < 0)
		return r;
	if (tool_check(t, arguments, why) < 0) {
		answer_refused(m, a->id, a->era, why);
		return 0;
	}
	if (m->open == OPEN_FAILED) {
		answer_refused(m, a->id, a->era, &(struct mistake){ .err = m->why_not });
		return 0;
	}
	if (t == TOOL_SESSION) {
		answer_session(m, a);
		return 0;
	}
	return begin_call(m, a, t, arguments, why);
}

/* ---- while it runs ---- */

int call_ask(struct mcp *m, struct call *c, enum wire_number what, uint32_t number, uint32_t a)
{
	const struct session_event v = { .request = number, .a = a, .n = c->n };
	uint8_t room[32];
	struct buf body;
	struct err e;
	int r;

	buf_init_in(&body, room, sizeof room);
	session_event_put(&body, &v);
	r = port_send(&m->session, what, &body, &e);
	if (r < 0)
		answer_failed(m, c, &e);
	return r;
}

/* It is written down. What it writes, and where its input goes, are asked for apart. */
void call_taken(struct mcp *m, struct call *c, const struct session_taken *t)
{
	c->n = t->n;
	m->latest = t->n > m->latest ? t->n : m->latest;
	memcpy(c->event, t->event, sizeof c->event);
	c->replayed = t->replayed != 0;
	c->state = CALL_FILES;
	c->number = call_next_number(m);
	if (c->cancelled && call_ask(m, c, WIRE_SESSION_CANCEL, call_next_number(m), 0) < 0)
		return;
	if (call_ask(m, c, WIRE_SESSION_FOLLOW, c->number, 2) < 0 || !c->has_input || c->replayed)
		return;
	c->input_number = call_next_number(m);
	(void)call_ask(m, c, WIRE_SESSION_FOLLOW, c->input_number, 1);
}

/* What its program does not read any more is not missed. */
void call_write_input(struct mcp *m, struct call *c)
{
	while (c->input_at < c->input.len) {
		const ssize_t n = write(c->input_fd, c->input.data + c->input_at, c->input.len - c->input_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		c->input_at += (size_t)n;
	}
	fd_close(&c->input_fd);
	if (c->run.len == 0)
		buf_finish(&c->input);
	(void)call_ask(m, c, WIRE_SESSION_INPUT_END, call_next_number(m), 0);
}

/* Of who cancels one that was answered, or never asked, nothing is said. */
void call_cancel(struct mcp *m, const char *id)
{
	struct call *c = call_of_id(m, id);

	if (c == NULL || c->cancelled)
		return;
	c->cancelled = true;
	if (c->state == CALL_LISTENS || c->state == CALL_PERSON)
		call_free(c); /* what its user says of it then is of nothing */
	else if (c->state == CALL_FILES || c->state == CALL_RUNS)
		(void)call_ask(m, c, WIRE_SESSION_CANCEL, call_next_number(m), 0);
}

/* ---- progress ---- */

static bool has_progress(const struct call *c)
{
	return c->state == CALL_RUNS && c->token[0] != 0 && !c->cancelled && c->bytes > c->told_bytes;
}

void call_tell_progress(struct mcp *m, uint64_t now_ms)
{
	struct json j;
	char text[64];

	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		struct call *c = &m->calls[i];

		if (!has_progress(c) || now_ms < c->told_ms + MCP_PROGRESS_MS)
			continue;
		c->told_ms = now_ms;
		c->told_bytes = c->bytes;
		(void)snprintf(text, sizeof text, "%llu bytes of output", (unsigned long long)c->bytes);
		say_note(&j, &m->out, "notifications/progress");
		json_put_made(json_put_key(&j, "progressToken"), c->token, strlen(c->token));
		json_put_count(json_put_key(&j, "progress"), c->bytes);
		json_put_word(json_put_key(&j, "message"), text);
		say_note_end(&j);
		(void)call_ask(m, c, WIRE_SESSION_SEEN, 0, 0);
	}
}

int call_timeout(const struct mcp *m, uint64_t now_ms)
{
	int least = -1;

	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		const struct call *c = &m->calls[i];
		const uint64_t at = c->told_ms + MCP_PROGRESS_MS;
		const int wait = at > now_ms ? (int)(at - now_ms) : 0;

		if (has_progress(c) && (least < 0 || wait < least))
			least = wait;
	}
	return least;
}

/* ---- resources ---- */

int call_resource(struct mcp *m, const struct asked *a, const char *uri, uint64_t n, const char *name, const char *mime,
		  struct mistake *why)
{
	const bool record = strcmp(name, "record") == 0, result = strcmp(name, "result") == 0,
		   diff = strcmp(name, "diff") == 0;
	struct call *c = call_new(m, a, why);
	const struct session_event v = { .request = c != NULL ? c->number : 0,
					 .a = record   ? 0
					      : result ? 1
						       : 2,
					 .n = n };
	const struct mcp_ask ask = { .request = v.request, .deed = MCP_DIFF, .n = n };
	uint8_t room[32];
	struct buf body;
	int r;

	if (c == NULL)
		return -AMBIT_LIMIT;
	(void)text_copy(c->uri, sizeof c->uri, uri); /* measured */
	c->mime = mime;
	c->n = n;
	c->stream = strcmp(name, "stderr") == 0;
	c->state = CALL_ASKED;
	buf_init_in(&body, room, sizeof room);
	if (diff)
		mcp_ask_put(&body, &ask);
	else
		session_event_put(&body, &v);
	r = diff ? port_send(&m->owner, WIRE_MCP_ASK, &body, &why->err)
		 : port_send(&m->session, record || result ? WIRE_SESSION_RECORD : WIRE_SESSION_FOLLOW, &body,
			     &why->err);
	if (r < 0)
		call_free(c);
	return r;
}

/* The session's latest events. Rows do not say whose list they are of: one at a time. */
int call_resources(struct mcp *m, const struct asked *a, struct mistake *why)
{
	const uint64_t from = m->latest > MCP_ROWS_MAX ? m->latest - MCP_ROWS_MAX + 1 : 1;
	struct call *c;
	uint8_t room[32];
	struct buf body;
	int r;

	if (m->listing != 0)
		return err_set(&why->err, AMBIT_LIMIT, "wait for its answer",
			       "another list of resources is being told");
	c = call_new(m, a, why);
	if (c == NULL)
		return -AMBIT_LIMIT;
	c->state = CALL_ROWS;
	buf_init(&c->rows, MCP_OUT_MAX / 4);
	m->listing = c->number;
	buf_init_in(&body, room, sizeof room);
	session_event_put(&body, &(struct session_event){ .request = c->number, .b = MCP_ROWS_MAX, .n = from });
	r = port_send(&m->session, WIRE_SESSION_LIST, &body, &why->err);
	if (r < 0) {
		m->listing = 0;
		call_free(c);
	}
	return r;
}
