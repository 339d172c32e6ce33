#include "profile/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "profile/names.h"
#include "rpc/parse.h"

#define DEPTH_MAX 32
#define VALUES_MAX (1u << 16)
#define PATH_MAX_BYTES 2048
#define TOOL_MAX_BYTES 1024 /* models make up names, also empty ones */
#define MEMORY_MAX ((size_t)1 << 30)

#define TRY(call)                                                                                                      \
	do {                                                                                                           \
		const int rc_ = (call);                                                                                \
		if (rc_ != 0)                                                                                          \
			return rc_;                                                                                    \
	} while (0)

static void json_free(json_t **j)
{
	json_decref(*j);
}
#define auto_json __attribute__((cleanup(json_free))) json_t

/* Where the calls of a run go. */
struct sink {
	void (*each)(void *into, const struct call *c);
	void *into;
};

struct reading {
	const uint8_t *key;
	const struct sink *sink;
	struct call *call; /* owned by who began */
	struct prompt prompt;
	const json_t *src;
	size_t src_next;
	struct err *e;
};

static int wrong(struct reading *r, const char *what)
{
	return err_set(r->e, AMBIT_MALFORMED, "each line is one run, as doc/PROFILE-CALLS.md says", "%s", what);
}

/* --- values --- */

static const char *src_letters(const json_t *src, size_t i, const char **ret_path)
{
	const json_t *one = json_array_get(src, i);

	*ret_path = json_string_value(json_array_get(one, 0));
	return json_string_value(json_array_get(one, 1));
}

/* Of the next value at that path. */
static uint8_t src_of(struct reading *r, const char *path)
{
	const size_t n = json_array_size(r->src);

	for (size_t i = 0; i < n; i++) {
		const size_t at = (r->src_next + i) % n;
		const char *there, *letters = src_letters(r->src, at, &there);

		if (strcmp(there, path) != 0)
			continue;
		r->src_next = at + 1;
		if (strpbrk(letters, "PTI") == NULL)
			return strcmp(letters, "-") == 0 ? ITEM_OF_NOWHERE : 0;
		return (uint8_t)((strchr(letters, 'P') != NULL ? ITEM_OF_PROMPT : 0) |
				 (strpbrk(letters, "TI") != NULL ? ITEM_OF_ANSWER : 0));
	}
	return 0;
}

/* Short words of a prompt are in many values: of those prompt_names decides. */
#define PROMPT_SURE_MIN 4

static void take_value(struct reading *r, const char *path, size_t path_n, const json_t *v)
{
	char number[32];
	const uint8_t from = src_of(r, path);
	char plain[PATH_MAX_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < path_n; i++) /* lists do not show in the path of an item */
		if (path[i] != '[' && path[i] != ']')
			plain[n++] = path[i];
	if (json_is_string(v))
		call_argument(r->call, plain, n, json_string_value(v), json_string_length(v), VALUE_TEXT,
			      json_string_length(v) < PROMPT_SURE_MIN ? from & (uint8_t)~ITEM_OF_PROMPT : from);
	else if (json_is_boolean(v))
		call_argument(r->call, plain, n, json_is_true(v) ? "true" : "false", json_is_true(v) ? 4 : 5,
			      VALUE_SWITCH, from);
	else if (json_is_number(v)) {
		const int len = json_is_integer(v)
					? snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v))
					: snprintf(number, sizeof number, "%.15g", json_real_value(v));

		call_argument(r->call, plain, n, number, (size_t)len, VALUE_NUMBER,
			      len < PROMPT_SURE_MIN ? from & (uint8_t)~ITEM_OF_PROMPT : from);
	}
}

/* Depth is bounded by the parser. */
static int walk(struct reading *r, char path[PATH_MAX_BYTES], size_t path_n,
		const json_t *v) /* NOLINT(misc-no-recursion) */
{
	const char *name;
	json_t *member;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)(uintptr_t)v, name, member)
		{
			const int n = snprintf(path + path_n, PATH_MAX_BYTES - path_n, "%s%s", path_n > 0 ? "." : "",
					       name);

			if (n < 0 || (size_t)n >= PATH_MAX_BYTES - path_n)
				return wrong(r, "a name of an argument that is too long");
			TRY(walk(r, path, path_n + (size_t)n, member));
		}
		path[path_n] = 0;
		return 0;
	}
	if (json_is_array(v)) {
		if (path_n + 3 > PATH_MAX_BYTES)
			return wrong(r, "a name of an argument that is too long");
		memcpy(path + path_n, "[]", 3);
		json_array_foreach(v, i, member) TRY(walk(r, path, path_n + 2, member));
		path[path_n] = 0;
		return 0;
	}
	take_value(r, path, path_n, v);
	return 0;
}

/* --- calls --- */

static bool is_src(const json_t *src)
{
	const json_t *one;
	size_t i;

	if (src == NULL || json_is_null(src))
		return true;
	if (!json_is_array(src))
		return false;
	json_array_foreach(src, i, one)
	{
		const char *path;

		if (json_array_size(one) < 2 || json_array_size(one) > 3 || src_letters(src, i, &path) == NULL ||
		    path == NULL)
			return false;
	}
	return true;
}

static bool is_known_member(const char *name)
{
	static const char *const names[] = { "f", "a", "src", "inj_seen", "k" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int take_call(struct reading *r, json_t *one)
{
	const json_t *f = json_object_get(one, "f"), *a = json_object_get(one, "a");
	char path[PATH_MAX_BYTES] = "";
	const char *name;
	const json_t *member;

	if (!json_is_object(one))
		return wrong(r, "a call that is no object");
	json_object_foreach(one, name, member) if (!is_known_member(name)) return wrong(
		r, "a call with a member that is none of f, a, src, inj_seen, k");
	if (!json_is_string(f) || json_string_length(f) > TOOL_MAX_BYTES)
		return wrong(r, "a call without the name of its tool (f), or with one that is too long");
	if (!json_is_object(a) && !json_is_null(a))
		return wrong(r, "a call whose arguments (a) are no object");
	r->src = json_object_get(one, "src");
	r->src_next = 0;
	if (!is_src(r->src))
		return wrong(r, "a call whose src is no list of [path, letters, tools]");
	call_begin(r->call, r->key, &r->prompt, json_string_value(f), json_string_length(f), TOOL_UNTOLD);
	if (json_is_object(a))
		TRY(walk(r, path, 0, a));
	r->sink->each(r->sink->into, r->call);
	return 0;
}

static int take_calls(struct reading *r, const json_t *run, char *prompt_room)
{
	const json_t *calls = json_object_get(run, "calls"), *prompt = json_object_get(run, "prompt");
	json_t *one;
	size_t i;

	if (!json_is_array(calls) || json_array_size(calls) > EVENTS_CALLS_MAX)
		return wrong(r, "a run without a list of calls, or with more than 4096");
	if (json_is_string(prompt))
		r->prompt = (struct prompt){ .text = prompt_room,
					     .n = prompt_form(json_string_value(prompt), json_string_length(prompt),
							      prompt_room) };
	json_array_foreach(calls, i, one) TRY(take_call(r, one));
	return 0;
}

static int read_run(const uint8_t *key, struct span line, const struct sink *sink, json_t **ret, struct err *e)
{
	auto_free char *prompt = malloc(line.len + 1);
	auto_free struct call *call = malloc(sizeof *call);
	struct reading r = { .key = key, .sink = sink, .call = call, .e = e };
	struct mistake m;
	int rc;

	if (prompt == NULL || call == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "a run");
	*ret = parse_json_within(line.at, line.len, DEPTH_MAX, VALUES_MAX, &m);
	if (*ret == NULL) {
		if (e != NULL)
			*e = m.err;
		return err_context(e, -(int)m.err.code, "%s", m.place);
	}
	rc = json_is_object(*ret) ? take_calls(&r, *ret, prompt) : wrong(&r, "a line that is no object");
	if (rc != 0) {
		json_decref(*ret);
		*ret = NULL;
	}
	return rc;
}

/* --- runs --- */

struct keeping {
	struct events *ev;
	struct event *one;
};

static void keep_mark(struct keeping *k, const struct mark *m)
{
	struct mark *old = (struct mark *)(void *)k->ev->marks.data;

	for (size_t i = 0; i < k->one->n_marks; i++)
		if (old[k->one->mark + i].item == m->item) {
			mark_join(&old[k->one->mark + i], m->from);
			return;
		}
	if (k->one->n_marks == NOVELTY_MARKS_MAX) { /* the rest is one together: nothing hides behind many */
		struct mark *last = &old[k->one->mark + NOVELTY_MARKS_MAX - 1];

		last->item += m->item;
		last->kind = ITEM_MORE;
		last->from = 0;
		return;
	}
	buf_put(&k->ev->marks, m, sizeof *m);
	k->one->n_marks += !k->ev->marks.failed;
}

static void keep_call(void *into, const struct call *c)
{
	struct keeping *k = into;

	for (size_t i = 0; i < c->n; i++)
		keep_mark(k, &c->items[i].mark);
	buf_put(&k->ev->steps, &c->step, sizeof c->step);
	k->one->n_steps += !k->ev->steps.failed;
}

void events_family(const char *pipeline, char *ret)
{
	static const char *const same[][2] = { { "o", "gpt" },          { "openai", "gpt" },
					       { "chatgpt", "gpt" },    { "anthropic", "claude" },
					       { "google", "gemini" },  { "meta", "llama" },
					       { "cohere", "command" }, { "mistralai", "mistral" },
					       { "mixtral", "mistral" } };
	const char *last = strrchr(pipeline, '/');
	size_t n = 0;

	pipeline = last != NULL && last[1] != 0 ? last + 1 : pipeline;

	for (; n < EVENTS_NAME_MAX - 1 && ((pipeline[n] | 32) >= 'a' && (pipeline[n] | 32) <= 'z'); n++)
		ret[n] = (char)(pipeline[n] | 32);
	ret[n] = 0;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (strcmp(ret, same[i][0]) == 0)
			(void)strcpy(ret, same[i][1]); /* NOLINT: room for EVENTS_NAME_MAX */
	if (n == 0)
		(void)snprintf(ret, EVENTS_NAME_MAX, "%s", pipeline);
}

static bool take_name(struct events *ev, const json_t *run, const char *member, bool must, uint32_t *ret)
{
	const json_t *v = json_object_get(run, member);

	*ret = 0;
	if (v == NULL || json_is_null(v))
		return !must;
	return json_is_string(v) && json_string_length(v) > 0 && json_string_length(v) < EVENTS_NAME_MAX &&
	       names_take(ev->names, json_string_value(v), json_string_length(v), ret);
}

static bool take_truth(const json_t *run, const char *member, bool *ret)
{
	const json_t *v = json_object_get(run, member);

	*ret = json_is_true(v);
	return v == NULL || json_is_null(v) || json_is_boolean(v);
}

static int take_run(struct events *ev, struct event *one, const json_t *run, struct err *e)
{
	char task[2 * EVENTS_NAME_MAX], family[EVENTS_NAME_MAX];
	uint32_t user;
	bool good;

	good = take_name(ev, run, "suite", true, &one->suite) && take_name(ev, run, "user", true, &user) &&
	       take_name(ev, run, "pipeline", true, &one->pipeline) && take_name(ev, run, "inj", false, &one->inj) &&
	       take_name(ev, run, "attack", false, &one->attack);
	if (!good)
		return err_set(
			e, AMBIT_MALFORMED, "suite, user and pipeline are texts; inj and attack are, or null",
			"a run whose suite, user, pipeline, inj or attack is not there, is no text of 1 to %d bytes, or is one of too many",
			EVENTS_NAME_MAX - 1);
	if (!take_truth(run, "utility", &one->useful) || !take_truth(run, "security", &one->reached))
		return err_set(e, AMBIT_MALFORMED, "they are true, false or null",
			       "a run whose utility or security is something else");
	(void)snprintf(task, sizeof task, "%s/%s", events_name(ev, one->suite), events_name(ev, user));
	events_family(events_name(ev, one->pipeline), family);
	one->attacked = one->inj != 0;
	one->reached = one->reached && one->attacked;
	if (!names_take(ev->names, task, strlen(task), &one->task) ||
	    !names_take(ev->names, family, strlen(family), &one->family))
		return err_set(e, AMBIT_LIMIT, NULL, "more than %u different names", EVENTS_NAMES_MAX);
	return 0;
}

static int take_line(struct events *ev, struct span line, size_t number, struct err *e)
{
	struct event one = { .line = number,
			     .text = line,
			     .mark = ev->marks.len / sizeof(struct mark),
			     .step = ev->steps.len / sizeof(uint64_t) };
	struct keeping k = { .ev = ev, .one = &one };
	const struct sink sink = { .each = keep_call, .into = &k };
	auto_json *run = NULL;

	if (line.len > EVENTS_LINE_MAX)
		return err_set(e, AMBIT_LIMIT, NULL, "a line of more than %u bytes", EVENTS_LINE_MAX);
	TRY(read_run(ev->key, line, &sink, &run, e));
	TRY(take_run(ev, &one, run, e));
	buf_put(&ev->room, &one, sizeof one);
	if (ev->room.failed || ev->marks.failed || ev->steps.failed)
		return err_set(e, AMBIT_LIMIT, "give fewer runs at once", "more runs than there is room for");
	ev->n++;
	return 0;
}

/* A run of a task that is an injection of others: what it does is what attackers want. */
static bool leave_out(struct events *ev)
{
	const uint32_t most = EVENTS_NAMES_MAX;
	auto_free bool *goal = calloc(most, sizeof *goal);
	char task[2 * EVENTS_NAME_MAX];
	uint32_t name;

	if (goal == NULL)
		return false;
	for (size_t i = 0; i < ev->n; i++) {
		if (ev->all[i].inj == 0)
			continue;
		(void)snprintf(task, sizeof task, "%s/%s", events_name(ev, ev->all[i].suite),
			       events_name(ev, ev->all[i].inj));
		if (!names_take(ev->names, task, strlen(task), &name))
			return false;
		goal[name] = true;
	}
	for (size_t i = 0; i < ev->n; i++)
		ev->all[i].left_out = goal[ev->all[i].task];
	return true;
}

static int read_lines(struct events *ev, struct span left, struct err *e)
{
	if (left.len >= 2 && memcmp(left.at, "\x1f\x8b", 2) == 0)
		return err_set(e, AMBIT_MALFORMED, "zcat it, and read that from -", "line 1: it is compressed");
	for (size_t number = 1; left.len > 0; number++) {
		const char *end = memchr(left.at, '\n', left.len);
		const struct span line = span_bytes(left.at, end != NULL ? (size_t)(end - left.at) : left.len);
		const size_t taken = line.len + (end != NULL);

		if (ev->n == EVENTS_RUNS_MAX)
			return err_set(e, AMBIT_LIMIT, NULL, "more than %u runs", EVENTS_RUNS_MAX);
		if (line.len > 0) {
			const int rc = take_line(ev, line, number, e);

			if (rc != 0)
				return err_context(e, rc, "line %zu", number);
		}
		left = span_bytes(left.at + taken, left.len - taken);
	}
	return 0;
}

int events_read(struct events *ret, const uint8_t key[CALL_KEY_SIZE], const void *bytes, size_t n, struct err *e)
{
	int rc;

	*ret = (struct events){ .key = key, .names = names_create(key, EVENTS_NAMES_MAX) };
	buf_init(&ret->room, MEMORY_MAX);
	buf_init(&ret->marks, MEMORY_MAX);
	buf_init(&ret->steps, MEMORY_MAX);
	rc = ret->names != NULL ? read_lines(ret, span_bytes(bytes, n), e)
				: err_set(e, AMBIT_MEMORY, NULL, "the names of runs");
	ret->all = (struct event *)(void *)ret->room.data;
	if (rc == 0 && !leave_out(ret))
		rc = err_set(e, AMBIT_LIMIT, NULL, "more than %u different names", EVENTS_NAMES_MAX);
	if (rc != 0)
		events_finish(ret);
	return rc;
}

void events_finish(struct events *ev)
{
	names_destroy(ev->names);
	buf_finish(&ev->room);
	buf_finish(&ev->marks);
	buf_finish(&ev->steps);
	*ev = (struct events){ .n = 0 };
}

const char *events_name(const struct events *ev, uint32_t name)
{
	return names_text(ev->names, name);
}

struct doings events_doings(const struct events *ev, const struct event *one)
{
	const struct mark *marks = (const struct mark *)(const void *)ev->marks.data;
	const uint64_t *steps = (const uint64_t *)(const void *)ev->steps.data;

	return (struct doings){ .marks = one->n_marks > 0 ? marks + one->mark : NULL,
				.n_marks = one->n_marks,
				.steps = one->n_steps > 0 ? steps + one->step : NULL,
				.n_steps = one->n_steps };
}

bool event_is_good(const struct event *one)
{
	return one->useful && !one->attacked && !one->left_out;
}

bool events_calls(const struct events *ev, const struct event *one, void (*each)(void *into, const struct call *c),
		  void *into)
{
	const struct sink sink = { .each = each, .into = into };
	auto_json *run = NULL;

	return read_run(ev->key, one->text, &sink, &run, NULL) == 0;
}
