/* What comes of a call: content for whoever reads, and the same as data. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/text.h"
#include "core/outcome.h"
#include "mcp/mcp.h"

#define PUT_MARGIN 4096 /* of what comes behind a value */

/* ---- what files have ---- */

/* As much of the n bytes as an answer has, ending with a whole character. */
static size_t read_some(struct mcp *m, int fd, uint64_t n, size_t most, bool *ret_cut)
{
	const size_t wanted = n < most ? (size_t)n : most;
	const ssize_t got = fd < 0 || wanted == 0 ? 0 : pread(fd, m->page, wanted, 0);

	_Static_assert(MCP_STDERR_MAX <= MCP_STDOUT_MAX, "both have the room of the larger one");
	if (got <= 0)
		return 0;
	*ret_cut = *ret_cut || (uint64_t)got < n;
	return chunk_whole(m->page, (size_t)got, (uint64_t)got == n);
}

/* A document of JSON that a program in the cell wrote: data, whatever it says. NULL: it is none. */
static json_t *read_json(int fd, uint64_t n, size_t most)
{
	auto_buf bytes = { .max = most };
	size_t values = 0;
	uint8_t *room;

	if (fd < 0 || n == 0 || n > most)
		return NULL;
	room = buf_room(&bytes, (size_t)n);
	if (room == NULL || pread(fd, room, (size_t)n, 0) != (ssize_t)n)
		return NULL;
	for (size_t i = 0; i < n; i++)
		values += room[i] == ',' || room[i] == ':' || room[i] == '[';
	return values > MCP_RESULT_VALUES ? NULL
					  : json_loadb((const char *)room, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
}

/* False: it is longer than what there is room for, and so is left out. A number may be told with more digits than it was written with. */
static bool put_json(struct json *j, const json_t *v)
{
	char *text = v == NULL ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	const size_t n = text == NULL ? 0 : strlen(text);
	const bool fits = n + PUT_MARGIN < j->out->max - j->out->len;

	if (text == NULL || !fits)
		json_put_null(j);
	else
		json_put_made(j, text, n);
	free(text);
	return fits && (v == NULL || text != NULL);
}

static void put_bytes_of(struct json *j, const char *key, const void *bytes, size_t n)
{
	(void)json_put_key(j, key);
	if (text_is_utf8(bytes, n, NULL))
		say_text(j, bytes, n);
	else
		json_put_bytes(j, bytes, n);
}

/* ---- an event ---- */

/* Why it did not go well, a line for each reason. */
static void say_end(const struct mcp *m, struct buf *text, const struct event_row *row)
{
	const struct event_outcome *o = &row->outcome;
	char shown[1200];

	if (o->cause == CAUSE_LIMIT)
		buf_printf(text, "[ended by the limit %s]\n", limit_word(o->limit));
	else if (o->cause == CAUSE_EXITED && row->exit_status != 0)
		buf_printf(text, "[exit status %u]\n", row->exit_status);
	else if (o->cause == CAUSE_CANARY)
		buf_printf(text, "[ended by the rule of the person who runs this]\n");
	else if (o->cause == CAUSE_KILLED)
		buf_printf(text, "[ended by a person, or with its session]\n");
	if (row->state == EVENT_INTERRUPTED)
		buf_printf(text, "[interrupted: the session's process, or the machine, ended]\n");
	if (row->message[0] != 0)
		buf_printf(text, "[%s]\n", text_show(shown, sizeof shown, row->message, strlen(row->message)));
	if (row->hint[0] != 0)
		buf_printf(text, "[hint: %s]\n", text_show(shown, sizeof shown, row->hint, strlen(row->hint)));
	if (o->workspace == WORKSPACE_KEPT && (m->begin.tools & TOOL_BIT(TOOL_COMMIT)) == 0)
		buf_printf(text, "[its changes are kept until a person takes them over: ambit commit %s]\n",
			   row->event);
	else if (o->workspace == WORKSPACE_KEPT)
		buf_printf(text, "[its changes are kept, and not taken over: `diff` with n %llu shows them]\n",
			   (unsigned long long)row->n);
	else if (o->workspace == WORKSPACE_STAGED)
		buf_printf(text, "[its changes wait for a person's review: ambit diff %s, ambit commit %s]\n",
			   row->event, row->event);
}

static void put_display(struct json *j, const struct call *c, const json_t *display, size_t i)
{
	const char *mime = json_string_value(json_object_get(display, "mime"));
	const json_t *data = json_object_get(display, "data");
	char uri[96];

	if (mime == NULL || !json_is_string(data))
		return;
	json_put_object(j);
	if (strncmp(mime, "image/", 6) == 0 && strcmp(mime, "image/svg+xml") != 0) {
		json_put_word(json_put_key(j, "type"), "image");
		say_text(json_put_key(j, "data"), json_string_value(data), json_string_length(data));
		say_text(json_put_key(j, "mimeType"), mime, strlen(mime));
	} else {
		(void)snprintf(uri, sizeof uri, "ambit://event/%llu/display/%zu", (unsigned long long)c->n, i);
		json_put_word(json_put_key(j, "type"), "resource");
		json_put_object(json_put_key(j, "resource"));
		json_put_word(json_put_key(j, "uri"), uri);
		say_text(json_put_key(j, "mimeType"), mime, strlen(mime));
		say_text(json_put_key(j, "text"), json_string_value(data), json_string_length(data));
		json_put_object_end(j);
	}
	json_put_object_end(j);
}

static void put_displays(struct json *j, const struct call *c, const json_t *result)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(result, "displays"), i, one) put_display(j, c, one, i);
}

/* The value, where nothing printed says it, and the exception, where nothing else does. */
static void say_value(struct buf *text, const json_t *result)
{
	const json_t *value = json_object_get(json_object_get(result, "value"), "text");

	if (json_is_string(value)) {
		buf_put(text, json_string_value(value), json_string_length(value));
		buf_put_u8(text, '\n');
	}
}

static bool has_failed(const struct event_row *row)
{
	return row->state != EVENT_OVER || row->exit_status != 0;
}

static void say_stream(struct buf *text, const char *head, const void *bytes, size_t n)
{
	if (n == 0)
		return;
	buf_put(text, head, strlen(head));
	buf_put(text, bytes, n);
	if (((const char *)bytes)[n - 1] != '\n')
		buf_put_u8(text, '\n');
}

static void put_row(struct json *j, const struct call *c)
{
	const struct event_row *row = &c->row;

	json_put_word(json_put_key(j, "event"), c->event);
	json_put_count(json_put_key(j, "n"), c->n);
	json_put_count(json_put_key(j, "exit_status"), row->exit_status);
	json_put_word(json_put_key(j, "cause"),
		      row->state == EVENT_OVER ? cause_word(row->outcome.cause) : "interrupted");
	json_put_word(json_put_key(j, "workspace"),
		      row->state == EVENT_OVER ? workspace_word(row->outcome.workspace) : "kept");
	if (row->code != 0)
		json_put_word(json_put_key(j, "code"), err_code_name((int)row->code));
}

static void say_question(struct buf *text, const struct call *c, const json_t *record)
{
	char question[ID_TEXT_MAX];

	if (question_of(record, &c->row, question))
		buf_printf(text, "[a person is asked: %s. They answer by `ambit approve %s`, outside; %s]\n", question,
			   question,
			   c->row.outcome.workspace == WORKSPACE_KEPT ? "a yes takes the changes over"
								      : "after a yes call it again");
}

/* The structured part is made first: content has texts of it. */
static void answer_run(struct mcp *m, struct call *c, const json_t *record)
{
	const bool code = c->tool != TOOL_RUN;
	json_t *result = code && c->row.state == EVENT_OVER ? read_json(c->file[2], c->row.result_bytes, MCP_RESULT_MAX)
							    : NULL;
	auto_buf data = { .max = MCP_OUT_MAX / 2 }, text = { .max = MCP_OUT_MAX / 4 }, denied = { .max = 64u << 10 };
	struct json d, j;
	bool cut = false, whole = true;
	size_t n;

	json_begin(&d, &data);
	json_put_object(&d);
	put_row(&d, c);
	n = read_some(m, c->file[0], c->row.out_bytes, MCP_STDOUT_MAX, &cut);
	put_bytes_of(&d, "stdout", m->page, n);
	say_stream(&text, "", m->page, n);
	n = read_some(m, c->file[1], c->row.err_bytes, MCP_STDERR_MAX, &cut);
	put_bytes_of(&d, "stderr", m->page, n);
	say_value(&text, result);
	say_stream(&text, "[standard error]\n", m->page, n);
	json_put_bool(json_put_key(&d, "truncated"), cut);
	denied_put(record, json_put_key(&d, "denied"), &denied);
	if (code) {
		whole = put_json(json_put_key(&d, "value"), json_object_get(result, "value"));
		whole = put_json(json_put_key(&d, "error"), json_object_get(result, "error")) && whole;
	}
	json_put_object_end(&d);
	if (!whole || (result == NULL && c->row.result_bytes > 0))
		buf_printf(&text, "[its result is too long, or none: ambit://event/%llu/result has it]\n",
			   (unsigned long long)c->n);
	if (cut)
		buf_printf(&text, "[there is more: ambit://event/%llu/stdout and /stderr have it]\n",
			   (unsigned long long)c->n);
	say_end(m, &text, &c->row);
	say_question(&text, c, record);
	buf_put(&text, denied.data, denied.len);
	say_result(&j, &m->out, c->id);
	if (c->task != TASK_RESULT)
		say_kind(&j, c->era);
	task_put_before(&j, c);
	json_put_array(json_put_key(&j, "content"));
	say_content_text(&j, text.data, text.len);
	put_displays(&j, c, result);
	json_put_array_end(&j);
	json_put_made(json_put_key(&j, "structuredContent"), data.data, data.len);
	json_put_bool(json_put_key(&j, "isError"), has_failed(&c->row));
	task_put_behind(&j, c);
	say_result_end(&j);
	json_decref(result);
}

static void answer_task(struct mcp *m, struct call *c, const json_t *record)
{
	struct mistake why = { .place = "/params/taskId" };

	(void)err_set(&why.err, AMBIT_USAGE, NULL, "there is no such task");
	if (!task_is(c))
		say_error(&m->out, c->id, &why, SAY_PARAMS);
	else if (c->task == TASK_STATUS || c->task == TASK_CANCEL)
		task_answer_status(m, c);
	else
		answer_run(m, c, record);
}

/* ---- a file ---- */

static const char *word_of(const json_t *v, const char *key)
{
	const char *text = json_string_value(json_object_get(v, key));

	return text != NULL ? text : "";
}

/* One that is not UTF-8 as a person sees it: no\xfftext. */
static void say_name(struct buf *text, const json_t *v, const char *key)
{
	const json_t *b64 = json_object_get(json_object_get(v, key), "b64");
	auto_buf name = { .max = PATH_MAX };
	char shown[4 * PATH_MAX];

	if (!json_is_string(b64))
		buf_printf(text, "%s", word_of(v, key));
	else if (base64_take(&name, json_string_value(b64), json_string_length(b64)))
		buf_printf(text, "%s", text_escape(shown, sizeof shown, (const char *)name.data, name.len));
}

static void say_entries(struct buf *text, const json_t *told)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(told, "entries"), i, one)
	{
		const char *kind = word_of(one, "kind");

		say_name(text, one, "path");
		buf_printf(text, "%s\n", strcmp(kind, "directory") == 0 ? "/" : strcmp(kind, "link") == 0 ? "@" : "");
	}
}

static void say_matches(struct buf *text, const json_t *told)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(told, "matches"), i, one)
	{
		say_name(text, one, "path");
		buf_printf(text, ":%lld:%s\n", (long long)json_integer_value(json_object_get(one, "line")),
			   word_of(one, "text"));
	}
	if (json_array_size(json_object_get(told, "matches")) == 0)
		buf_printf(text, "[nothing matches]\n");
}

static void say_file(struct buf *text, enum tool t, const json_t *told)
{
	const json_t *content = json_object_get(told, "text");

	if (t == TOOL_READ && json_is_string(json_object_get(told, "base64")))
		buf_printf(text, "[%s of %lld bytes, which is more than an answer has]", word_of(told, "media_type"),
			   (long long)json_integer_value(json_object_get(told, "bytes")));
	else if (t == TOOL_READ && json_is_string(content))
		buf_put(text, json_string_value(content), json_string_length(content));
	else if (t == TOOL_WRITE)
		buf_printf(text, "%s %s: %lld bytes\n",
			   json_is_true(json_object_get(told, "created")) ? "made" : "replaced", word_of(told, "path"),
			   (long long)json_integer_value(json_object_get(told, "bytes")));
	else if (t == TOOL_EDIT)
		buf_printf(text, "replaced %lld in %s, at line %lld\n",
			   (long long)json_integer_value(json_object_get(told, "replaced")), word_of(told, "path"),
			   (long long)json_integer_value(json_object_get(told, "line")));
	else if (t == TOOL_LIST)
		say_entries(text, told);
	else if (t == TOOL_SEARCH)
		say_matches(text, told);
	if (json_is_true(json_object_get(told, "truncated")))
		buf_printf(text, "%s[there is more]\n", t == TOOL_READ ? "\n" : "");
}

static void put_binary(struct json *j, const json_t *told)
{
	const char *type = word_of(told, "media_type");
	const json_t *data = json_object_get(told, "base64");
	const bool image = strncmp(type, "image/", 6) == 0;

	json_put_object(j);
	json_put_word(json_put_key(j, "type"), image ? "image" : "resource");
	if (!image) {
		json_put_object(json_put_key(j, "resource"));
		json_put_word(json_put_key(j, "uri"), "ambit://read");
	}
	say_text(json_put_key(j, image ? "data" : "blob"), json_string_value(data), json_string_length(data));
	say_text(json_put_key(j, "mimeType"), type, strlen(type));
	if (!image)
		json_put_object_end(j);
	json_put_object_end(j);
}

/* A part of a picture is none: whoever reads has it as data, and is told so. */
static bool is_whole_binary(const json_t *told)
{
	return json_is_string(json_object_get(told, "base64")) && !json_is_true(json_object_get(told, "truncated"));
}

/* What our own program said, or (it was refused, or ended before) what became of the event. */
static void answer_files(struct mcp *m, struct call *c, const json_t *record)
{
	json_t *told = c->row.state == EVENT_OVER ? read_json(c->file[0], c->row.out_bytes, MCP_RESULT_MAX) : NULL;
	const bool failed = has_failed(&c->row) || !json_is_object(told);
	auto_buf text = { .max = MCP_OUT_MAX / 4 }, none = { .max = 64u << 10 };
	struct json j, d;

	json_begin(&d, &none);
	if (!failed) {
		say_file(&text, c->tool, told);
	} else {
		if (json_is_string(json_object_get(told, "message")))
			buf_printf(&text, "%s\n", word_of(told, "message"));
		if (json_is_string(json_object_get(told, "hint")))
			buf_printf(&text, "[hint: %s]\n", word_of(told, "hint"));
		if (told == NULL)
			say_end(m, &text, &c->row);
		say_question(&text, c, record);
		denied_put(record, &d, &text);
	}
	say_result(&j, &m->out, c->id);
	say_kind(&j, c->era);
	json_put_array(json_put_key(&j, "content"));
	if (!failed && is_whole_binary(told))
		put_binary(&j, told);
	else
		say_content_text(&j, text.data, text.len);
	json_put_array_end(&j);
	if (!failed)
		put_json(json_put_key(&j, "structuredContent"), told);
	json_put_bool(json_put_key(&j, "isError"), failed);
	say_result_end(&j);
	json_decref(told);
}

void answer_event(struct mcp *m, struct call *c, int record_fd)
{
	json_t *record = record_read(record_fd);
	bool waits = false;

	if (!c->cancelled && c->task >= TASK_GET) {
		answer_task(m, c, record);
	} else if (!c->cancelled && !person_ask(m, c, record, &waits)) {
		if (c->tool <= TOOL_SHELL)
			answer_run(m, c, record);
		else
			answer_files(m, c, record);
	}
	json_decref(record);
	if (!waits)
		call_free(c);
}

/* ---- what was kept ---- */

void answer_stage(struct mcp *m, struct call *c, uint32_t status, int fd)
{
	struct stat st = { .st_size = 0 };
	auto_buf data = { .max = MCP_OUT_MAX / 4 };
	struct json j, d;
	bool cut = false;
	size_t n = 0;

	if (!c->cancelled) {
		if (fstat(fd, &st) == 0 && st.st_size > 0)
			n = read_some(m, fd, (uint64_t)st.st_size, MCP_STDOUT_MAX, &cut);
		json_begin(&d, &data);
		json_put_object(&d);
		json_put_count(json_put_key(&d, "n"), c->n);
		say_text(json_put_key(&d, "text"), m->page, n);
		json_put_bool(json_put_key(&d, "truncated"), cut);
		json_put_object_end(&d);
		say_result(&j, &m->out, c->id);
		say_kind(&j, c->era);
		json_put_array(json_put_key(&j, "content"));
		say_content_text(&j, m->page, n);
		json_put_array_end(&j);
		json_put_made(json_put_key(&j, "structuredContent"), data.data, data.len);
		json_put_bool(json_put_key(&j, "isError"), status != 0);
		say_result_end(&j);
	}
	call_free(c);
}

/* ---- resources ---- */

void answer_resource(struct mcp *m, struct call *c, int fd)
{
	auto_buf bytes = { .max = MCP_RESOURCE_MAX };
	struct stat st = { .st_size = 0 };
	struct json j;

	if (!c->cancelled) {
		const uint64_t size = fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
		const size_t wanted = size < MCP_RESOURCE_MAX ? (size_t)size : MCP_RESOURCE_MAX;
		uint8_t *room = wanted > 0 ? buf_room(&bytes, wanted) : NULL;
		const ssize_t got = room != NULL ? pread(fd, room, wanted, 0) : 0;
		const size_t n = got > 0 ? chunk_whole(room, (size_t)got, (uint64_t)got == size) : 0;

		say_result(&j, &m->out, c->id);
		say_kind(&j, c->era);
		say_fresh(&j, c->era, 0);
		json_put_array(json_put_key(&j, "contents"));
		json_put_object(&j);
		json_put_word(json_put_key(&j, "uri"), c->uri);
		json_put_word(json_put_key(&j, "mimeType"), c->mime);
		say_text(json_put_key(&j, "text"), room, n);
		if (n < size) {
			json_put_object(json_put_key(&j, "_meta"));
			json_put_bool(json_put_key(&j, "io.ambit/truncated"), true);
			json_put_object_end(&j);
		}
		json_put_object_end(&j);
		json_put_array_end(&j);
		say_result_end(&j);
	}
	call_free(c);
}

static const struct {
	const char *name, *title, *mime;
	bool kept; /* only of events whose changes are kept */
} views[] = { { "record", "Record", "application/json", false },
	      { "diff", "Changes that are not taken over", "text/x-diff", true } };

static struct call *listing_of(struct mcp *m)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++)
		if (m->calls[i].state == CALL_ROWS && m->calls[i].number == m->listing && m->listing != 0)
			return &m->calls[i];
	return NULL;
}

void answer_row(struct mcp *m, const struct event_row *row)
{
	struct call *c = listing_of(m);
	struct json j;
	char text[400];

	if (c == NULL || row->state != EVENT_OVER || (row->flags & EVENT_PRUNED) != 0 || c->n_rows >= 2 * MCP_ROWS_MAX)
		return;
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
		if (views[i].kept && row->outcome.workspace != WORKSPACE_KEPT &&
		    row->outcome.workspace != WORKSPACE_STAGED)
			continue;
		json_begin(&j, &c->rows);
		j.comma = c->n_rows++ > 0;
		json_put_object(&j);
		(void)snprintf(text, sizeof text, "ambit://event/%llu/%s", (unsigned long long)row->n, views[i].name);
		json_put_word(json_put_key(&j, "uri"), text);
		(void)snprintf(text, sizeof text, "event-%llu-%s", (unsigned long long)row->n, views[i].name);
		json_put_word(json_put_key(&j, "name"), text);
		(void)snprintf(text, sizeof text, "%s of event %llu: %s", views[i].title, (unsigned long long)row->n,
			       row->command);
		say_text(json_put_key(&j, "title"), text, strlen(text));
		json_put_word(json_put_key(&j, "mimeType"), views[i].mime);
		json_put_object_end(&j);
	}
}

void answer_rows(struct mcp *m)
{
	struct call *c = listing_of(m);
	struct json j;

	m->listing = 0;
	if (c == NULL)
		return;
	if (!c->cancelled) {
		say_result(&j, &m->out, c->id);
		say_kind(&j, c->era);
		say_fresh(&j, c->era, 0);
		json_put_array(json_put_key(&j, "resources"));
		json_put_made(&j, c->rows.data, c->rows.len);
		json_put_array_end(&j);
		say_result_end(&j);
	}
	call_free(c);
}

/* ---- what failed ---- */

/* Of what the model wrote, so that it can see its mistake and call again: an answer of the tool, and no error of the protocol. */
void answer_refused(struct mcp *m, const char *id, enum era era, const struct mistake *why)
{
	char text[1024];
	struct json j;
	const int n = snprintf(text, sizeof text, "%s%s%s%s%s", why->err.msg, why->place[0] != 0 ? "\nat: " : "",
			       why->place, why->err.hint[0] != 0 ? "\nhint: " : "", why->err.hint);

	say_result(&j, &m->out, id);
	say_kind(&j, era);
	json_put_array(json_put_key(&j, "content"));
	say_content_text(&j, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
	json_put_array_end(&j);
	json_put_bool(json_put_key(&j, "isError"), true);
	say_result_end(&j);
}

void answer_failed(struct mcp *m, struct call *c, const struct err *e)
{
	struct mistake why = { .err = *e };

	if (c->cancelled) {
		/* nobody waits for it */
	} else if (c->task >= TASK_GET) {
		say_error(&m->out, c->id, &why, SAY_PARAMS);
	} else if (c->tool < TOOL_COUNT) {
		answer_refused(m, c->id, c->era, &why);
	} else if (c->uri[0] != 0 && e->code == AMBIT_NOT_FOUND) {
		say_no_resource(&m->out, c->id, c->uri, &why);
	} else {
		say_error(&m->out, c->id, &why, say_number_of(e));
	}
	if (c->state == CALL_ROWS && m->listing == c->number)
		m->listing = 0;
	call_free(c);
}
