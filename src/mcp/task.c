/* Calls that go on without anybody who waits: the event is written down, so its name is all that is needed to ask for it again. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "mcp/mcp.h"

#define BECOMES_MS 5000 /* MODERN: who takes tasks waits so long for a result */
#define WAITS_MS 1000   /* for its end, when it is asked for: who polls does so less often */
#define POLL_MS 1000

/* ---- names ---- */

/* "e_....N" */
static bool take_name(const json_t *name, char ret_event[ID_TEXT_MAX], uint64_t *ret_n)
{
	const char *text = json_string_value(name);

	if (text == NULL || strlen(text) <= ID_LEN + 1 || text[ID_LEN] != '.' || !id_is('e', text, ID_LEN))
		return false;
	memcpy(ret_event, text, ID_LEN);
	ret_event[ID_LEN] = 0;
	return parse_u64(text + ID_LEN + 1, 1, 1000000000, ret_n);
}

/* Members of an object: of the newer revision with its words. */
static void put_task(struct json *j, const struct call *c, const char *status)
{
	char name[ID_TEXT_MAX + 16];

	(void)snprintf(name, sizeof name, "%s.%llu", c->event, (unsigned long long)c->n);
	json_put_word(json_put_key(j, "taskId"), name);
	json_put_word(json_put_key(j, "status"), status);
	json_put_ms(json_put_key(j, "createdAt"), id_ms(c->event));
	json_put_ms(json_put_key(j, "lastUpdatedAt"), c->row.ended_ms != 0 ? c->row.ended_ms : clock_unix_ms());
	json_put_null(json_put_key(j, c->era == ERA_MODERN ? "ttlMs" : "ttl"));
	json_put_count(json_put_key(j, c->era == ERA_MODERN ? "pollIntervalMs" : "pollInterval"), POLL_MS);
}

static const char *status_of(const struct event_row *row)
{
	if (row->state != EVENT_OVER)
		return row->state == EVENT_INTERRUPTED ? "failed" : "working";
	return row->outcome.cause == CAUSE_KILLED ? "cancelled" : "completed";
}

/* ---- a call becomes one ---- */

void task_may(struct call *c, bool wanted)
{
	if (c->tool > TOOL_SHELL)
		return;
	c->task = wanted ? TASK_WANTED : TASK_MAY;
	c->until_ms = clock_ms() + (wanted ? 0 : BECOMES_MS);
}

static void answer_made(struct mcp *m, const struct call *c)
{
	struct json j;

	say_result(&j, &m->out, c->id);
	if (c->era == ERA_MODERN) {
		json_put_word(json_put_key(&j, "resultType"), "task");
		put_task(&j, c, "working");
	} else {
		json_put_object(json_put_key(&j, "task"));
		put_task(&j, c, "working");
		json_put_object_end(&j);
	}
	say_result_end(&j);
}

static void answer_working(struct mcp *m, const struct call *c)
{
	struct json j;

	say_result(&j, &m->out, c->id);
	say_kind(&j, c->era);
	put_task(&j, c, "working");
	say_result_end(&j);
}

static bool is_due(const struct call *c)
{
	return c->task != TASK_NONE && c->task != TASK_RESULT && c->state == CALL_RUNS && !c->cancelled &&
	       c->input_fd < 0 && c->input_number == 0;
}

void task_tell(struct mcp *m, uint64_t now_ms)
{
	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		struct call *c = &m->calls[i];

		if (!is_due(c) || now_ms < c->until_ms)
			continue;
		if (c->task == TASK_MAY || c->task == TASK_WANTED)
			answer_made(m, c);
		else
			answer_working(m, c);
		call_free(c); /* the event goes on */
	}
}

int task_timeout(const struct mcp *m, uint64_t now_ms)
{
	int least = -1;

	for (size_t i = 0; i < MCP_CALLS_MAX; i++) {
		const struct call *c = &m->calls[i];
		const int wait = c->until_ms > now_ms ? (int)(c->until_ms - now_ms) : 0; /* seconds */

		if (is_due(c) && (least < 0 || wait < least))
			least = wait;
	}
	return least;
}

/* ---- asking for one ---- */

int task_ask(struct mcp *m, const struct asked *a, enum task what, struct mistake *why)
{
	char event[ID_TEXT_MAX];
	struct call *c;
	uint64_t n;

	(void)snprintf(why->place, sizeof why->place, "/params/taskId");
	if (!take_name(json_object_get(a->params, "taskId"), event, &n))
		return err_set(&why->err, AMBIT_USAGE, NULL, "there is no such task");
	why->place[0] = 0;
	c = call_new(m, a, why);
	if (c == NULL)
		return -AMBIT_LIMIT;
	c->task = what;
	c->until_ms = clock_ms() + WAITS_MS;
	c->n = n;
	memcpy(c->event, event, sizeof c->event);
	c->state = CALL_FILES;
	if (what == TASK_CANCEL)
		(void)call_ask(m, c, WIRE_SESSION_CANCEL, call_next_number(m),
			       0); /* of one that is over it is too late */
	if (c->state == CALL_FILES)
		(void)call_ask(m, c, WIRE_SESSION_FOLLOW, c->number, 2);
	return 0;
}

/* What it was by its kind; false: it is another event than it was said to be. */
bool task_is(struct call *c)
{
	static const enum tool tools[KIND_COUNT] = {
		[KIND_RUN] = TOOL_RUN, [KIND_PYTHON] = TOOL_PYTHON, [KIND_NODE] = TOOL_NODE, [KIND_SHELL] = TOOL_SHELL
	};

	c->tool = tools[event_kind_of(c->row.flags)];
	return strcmp(c->row.event, c->event) == 0;
}

void task_answer_status(struct mcp *m, const struct call *c)
{
	struct json j;

	say_result(&j, &m->out, c->id);
	say_kind(&j, c->era);
	if (c->task != TASK_CANCEL || c->era == ERA_LEGACY)
		put_task(&j, c, status_of(&c->row));
	say_result_end(&j);
}

/* Around a result that has been asked for by its task: what stands before it, and behind. */
void task_put_before(struct json *j, const struct call *c)
{
	if (c->task != TASK_GET)
		return;
	put_task(j, c, status_of(&c->row));
	json_put_object(json_put_key(j, "result"));
}

void task_put_behind(struct json *j, const struct call *c)
{
	char name[ID_TEXT_MAX + 16];

	if (c->task == TASK_GET)
		json_put_object_end(j);
	if (c->task != TASK_RESULT)
		return;
	(void)snprintf(name, sizeof name, "%s.%llu", c->event, (unsigned long long)c->n);
	json_put_object(json_put_key(j, "_meta"));
	json_put_object(json_put_key(j, "io.modelcontextprotocol/related-task"));
	json_put_word(json_put_key(j, "taskId"), name);
	json_put_object_end(j);
	json_put_object_end(j);
}
