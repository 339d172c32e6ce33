#include "rpc/say.h"

#include <string.h>
#include <sys/wait.h>

#include "session/link.h"

static void put(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text));
}

void say_result(struct json *j, struct buf *out, const char *id)
{
	put(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	put(out, id);
	put(out, ",\"result\":");
	json_begin(j, out);
	json_put_object(j);
}

static void end(struct json *j)
{
	json_put_object_end(j);
	put(j->out, "}\n");
}

void say_result_end(struct json *j)
{
	end(j);
}

static int number_of(const struct err *e, int number)
{
	const int of_code = err_code_rpc((int)e->code);

	if (number != 0)
		return number;
	return e->code == AMBIT_MALFORMED || e->code == AMBIT_UNKNOWN ? SAY_PARAMS : of_code;
}

static void put_text(struct json *j, const char *key, const char *text)
{
	json_put_name(json_put_key(j, key), text[0] != 0 ? text : NULL);
}

/* Behind code and message, which stand where the caller's form has them. */
static void put_details(struct json *j, const struct err *e)
{
	put_text(j, "hint", e->hint);
	put_text(j, "why", e->why);
	if (e->sys_errno > 0)
		json_put_count(json_put_key(j, "sys_errno"), (uint64_t)e->sys_errno);
}

void say_error(struct buf *out, const char *id, const struct mistake *m, int number)
{
	struct json j;

	put(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	put(out, id == NULL ? "null" : id);
	buf_printf(out, ",\"error\":{\"code\":%d,", number_of(&m->err, number));
	json_begin(&j, out);
	json_put_name(json_put_key(&j, "message"), m->err.msg);
	json_put_object(json_put_key(&j, "data"));
	json_put_word(json_put_key(&j, "code"), err_code_name((int)m->err.code));
	put_details(&j, &m->err);
	if (m->place[0] != 0)
		json_put_name(json_put_key(&j, "place"), m->place);
	json_put_object_end(&j);
	put(out, "}}\n");
}

void say_note(struct json *j, struct buf *out, enum note n)
{
	put(out, "{\"jsonrpc\":\"2.0\",\"method\":\"");
	put(out, note_word(n));
	put(out, "\",\"params\":");
	json_begin(j, out);
	json_put_object(j);
}

void say_note_end(struct json *j)
{
	end(j);
}

void say_why(struct json *j, const struct err *e)
{
	json_put_object(json_put_key(j, "error"));
	json_put_word(json_put_key(j, "code"), err_code_name((int)e->code));
	json_put_name(json_put_key(j, "message"), e->msg);
	put_details(j, e);
	json_put_object_end(j);
}

/* ---- rows ---- */

void say_session(struct json *j, const struct session_row *r)
{
	static const char *const states[SESSION_STATE_COUNT] = { NULL, "idle", "busy", "ended", "broken" };

	json_put_word(json_put_key(j, "session"), r->session);
	json_put_word(json_put_key(j, "state"), states[r->state]);
	json_put_ms(json_put_key(j, "made"), r->made_ms);
	json_put_count(json_put_key(j, "events"), r->events);
	json_put_count(json_put_key(j, "running"), r->running);
	json_put_name(json_put_key(j, "agent"), r->agent[0] != 0 ? r->agent : NULL);
	json_put_name(json_put_key(j, "workspace"), r->workspace);
}

static void put_used(struct json *j, const struct event_usage *u)
{
	json_put_object(json_put_key(j, "usage"));
	json_put_count(json_put_key(j, "wall_ms"), u->wall_ms);
	json_put_count(json_put_key(j, "cpu_user_ms"), u->cpu_user_ms);
	json_put_count(json_put_key(j, "cpu_system_ms"), u->cpu_system_ms);
	json_put_count(json_put_key(j, "memory_peak_bytes"), u->memory_peak_bytes);
	json_put_count(json_put_key(j, "tasks_peak"), u->tasks_peak);
	json_put_count(json_put_key(j, "written_bytes"), u->written_bytes);
	json_put_object_end(j);
}

static void put_or_null(struct json *j, const char *key, bool is, uint64_t value)
{
	(void)json_put_key(j, key);
	if (is)
		json_put_count(j, value);
	else
		json_put_null(j);
}

/* As in the record (doc/RECORD.md), as far as both have it. */
static void put_outcome(struct json *j, const struct event_row *r)
{
	const struct event_outcome *o = &r->outcome;
	const bool exited = o->cause == CAUSE_EXITED;

	(void)json_put_key(j, "outcome");
	if (r->state != EVENT_OVER) {
		json_put_null(j);
		return;
	}
	json_put_object(j);
	put_or_null(j, "exit", exited && WIFEXITED(o->status), (uint64_t)WEXITSTATUS(o->status));
	put_or_null(j, "signal", exited && WIFSIGNALED(o->status), (uint64_t)WTERMSIG(o->status));
	json_put_word(json_put_key(j, "cause"), cause_word(o->cause));
	json_put_word(json_put_key(j, "limit"), o->cause == CAUSE_LIMIT ? limit_word(o->limit) : NULL);
	json_put_word(json_put_key(j, "workspace"), workspace_word(o->workspace));
	put_used(j, &o->usage);
	json_put_object_end(j);
}

static void put_labels(struct json *j, const struct event_row *r)
{
	(void)json_put_key(j, "labels");
	if (r->state >= EVENT_OVER)
		labels_put_json(j, &r->labels);
	else
		json_put_null(j);
}

void say_event(struct json *j, const struct event_row *r)
{
	static const char *const states[EVENT_STATE_COUNT] = { NULL, "taken", "runs", "over", "interrupted" };

	json_put_count(json_put_key(j, "n"), r->n);
	json_put_word(json_put_key(j, "event"), r->event);
	json_put_word(json_put_key(j, "state"), states[r->state]);
	json_put_word(json_put_key(j, "kind"), kind_word(event_kind_of(r->flags)));
	json_put_name(json_put_key(j, "command"), r->command);
	json_put_bool(json_put_key(j, "background"), (r->flags & EVENT_BACKGROUND) != 0);
	json_put_bool(json_put_key(j, "kernel"), (r->flags & EVENT_KERNEL) != 0);
	json_put_bool(json_put_key(j, "input"), (r->flags & EVENT_INPUT) != 0);
	json_put_bool(json_put_key(j, "terminal"), (r->flags & EVENT_TERMINAL) != 0);
	json_put_bool(json_put_key(j, "pruned"), (r->flags & EVENT_PRUNED) != 0);
	json_put_ms(json_put_key(j, "taken"), r->taken_ms);
	json_put_ms(json_put_key(j, "begun"), r->begun_ms);
	json_put_ms(json_put_key(j, "ended"), r->ended_ms);
	json_put_count(json_put_key(j, "stdout_bytes"), r->out_bytes);
	json_put_count(json_put_key(j, "stderr_bytes"), r->err_bytes);
	json_put_count(json_put_key(j, "result_bytes"), r->result_bytes);
	put_or_null(j, "exit_status", r->state == EVENT_OVER, r->exit_status);
	json_put_bool(json_put_key(j, "denied"), r->denied != 0);
	json_put_bool(json_put_key(j, "unusual"), (r->flags & EVENT_UNUSUAL) != 0);
	json_put_bool(json_put_key(j, "held"), (r->flags & EVENT_HELD) != 0);
	put_outcome(j, r);
	put_labels(j, r);
	json_put_word(json_put_key(j, "code"), r->code != 0 ? err_code_name((int)r->code) : NULL);
	json_put_name(json_put_key(j, "message"), r->message[0] != 0 ? r->message : NULL);
	json_put_name(json_put_key(j, "hint"), r->hint[0] != 0 ? r->hint : NULL);
}
