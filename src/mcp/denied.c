/* What was denied to an event, out of its record. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "core/outcome.h"
#include "mcp/mcp.h"
#include "policy/policy.h"

/* The object of an effect, by whichever name it goes. */
static const char *object_of(const json_t *effect)
{
	static const char *const keys[] = { "path", "address", "request", "call" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (json_is_string(json_object_get(effect, keys[i])))
			return json_string_value(json_object_get(effect, keys[i]));
	return "";
}

static void put_text_of(struct json *j, const char *key, const json_t *v)
{
	(void)json_put_key(j, key);
	if (json_is_string(v))
		say_text(j, json_string_value(v), json_string_length(v));
	else
		json_put_null(j);
}

static bool is_held(const json_t *effect)
{
	const char *verdict = json_string_value(json_object_get(effect, "verdict"));

	return verdict != NULL && strcmp(verdict, "held") == 0;
}

/* It was done, and is not taken over: no line of a policy is missing. */
static void say_held(const json_t *effect, struct buf *text)
{
	const char *kind = json_string_value(json_object_get(effect, "kind")),
		   *why = json_string_value(json_object_get(effect, "why"));
	char shown[600];

	buf_printf(text, "[not taken over: %s %s", kind != NULL ? kind : "changed",
		   text_escape(shown, sizeof shown, object_of(effect), strlen(object_of(effect))));
	if (why != NULL)
		buf_printf(text, ", since %s", text_escape(shown, sizeof shown, why, strlen(why)));
	buf_printf(text,
		   "; it holds back all that this call changed, until the person takes it over (`ambit commit`)]\n");
}

static void put_one(const json_t *effect, struct json *j, struct buf *text)
{
	const json_t *would = json_object_get(json_object_get(effect, "would"), "policy");
	const char *kind = json_string_value(json_object_get(effect, "kind"));
	char shown[600];

	json_put_object(j);
	put_text_of(j, "kind", json_object_get(effect, "kind"));
	say_text(json_put_key(j, "object"), object_of(effect), strlen(object_of(effect)));
	put_text_of(j, "why", json_object_get(effect, "why"));
	put_text_of(j, "would", would);
	json_put_object_end(j);
	if (is_held(effect)) {
		say_held(effect, text);
		return;
	}
	buf_printf(text, "[denied: %s %s", kind != NULL ? kind : "use",
		   text_escape(shown, sizeof shown, object_of(effect), strlen(object_of(effect))));
	if (json_is_string(would))
		buf_printf(text, "; the person can allow it in the policy by the line `%s`",
			   text_escape(shown, sizeof shown, json_string_value(would), json_string_length(would)));
	buf_printf(text, "]\n");
}

static bool is_denied(const json_t *effect)
{
	const char *verdict = json_string_value(json_object_get(effect, "verdict"));

	return verdict != NULL && (strcmp(verdict, "denied") == 0 || is_held(effect));
}

static bool has_jit(const json_t *record)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(record, "grants"), i, one)
	{
		const char *verb = json_string_value(json_object_get(one, "verb"));

		if (verb != NULL && strcmp(verb, "jit") == 0)
			return true;
	}
	return false;
}

/* The program that was most lately seen to start and writes machine code. */
static const struct program_traits *jit_program(const json_t *record)
{
	const json_t *effects = json_object_get(record, "effects");

	for (size_t i = json_array_size(effects); i-- > 0;) {
		const json_t *one = json_array_get(effects, i);
		const char *kind = json_string_value(json_object_get(one, "kind")), *path = object_of(one),
			   *slash = strrchr(path, '/');
		const struct program_traits *t = kind != NULL && strcmp(kind, "exec") == 0 && !is_denied(one)
							 ? policy_program_traits(slash != NULL ? slash + 1 : path)
							 : NULL;

		if (t != NULL && t->jit)
			return t;
	}
	return NULL;
}

/* Nothing says of it that it was denied, and the crash of an engine says nothing to who reads it: as the summary of `ambit run` has it. */
static void put_crash(const json_t *record, struct json *j, struct buf *text)
{
	const json_t *outcome = json_object_get(record, "outcome");
	const int crash = outcome_crash((int)json_integer_value(json_object_get(outcome, "signal")),
					(int)json_integer_value(json_object_get(outcome, "exit")));
	const struct program_traits *t = crash != 0 && !has_jit(record) ? jit_program(record) : NULL;
	char line[80];

	if (t == NULL)
		return;
	(void)snprintf(line, sizeof line, "run: [%s]", t->name); /* fits: the table is ours */
	json_put_object(j);
	json_put_word(json_put_key(j, "kind"), "jit");
	json_put_word(json_put_key(j, "object"), t->name);
	json_put_word(json_put_key(j, "why"), t->reason);
	json_put_word(json_put_key(j, "would"), line);
	json_put_object_end(j);
	buf_printf(
		text,
		"[%s crashed (signal %d), likely since it may not write machine code here; the person can allow it in the policy by the line `%s`]\n",
		t->name, crash, line);
}

json_t *record_read(int fd)
{
	struct stat st;
	auto_buf bytes = { .max = MCP_RECORD_MAX };
	uint8_t *room;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > (off_t)MCP_RECORD_MAX)
		return NULL;
	room = buf_room(&bytes, (size_t)st.st_size);
	if (room == NULL || pread(fd, room, (size_t)st.st_size, 0) != st.st_size)
		return NULL;
	return json_loadb((const char *)room, (size_t)st.st_size, JSON_REJECT_DUPLICATES, NULL);
}

void denied_put(const json_t *record, struct json *j, struct buf *text)
{
	json_t *one;
	unsigned n = 0;
	size_t i;

	json_put_array(j);
	json_array_foreach(json_object_get(record, "effects"), i, one)
	{
		if (is_denied(one) && n < MCP_DENIED_MAX)
			put_one(one, j, text);
		n += is_denied(one);
	}
	put_crash(record, j, text);
	json_put_array_end(j);
	if (n > MCP_DENIED_MAX)
		buf_printf(text, "[%u more were denied]\n", n - MCP_DENIED_MAX);
}

/* In our own words "`ambit approve a_...`": of an event that never began there is no record. */
static bool find_question(const char *hint, char ret[ID_TEXT_MAX])
{
	const char *at = strstr(hint, "ambit approve a_");

	if (at == NULL)
		return false;
	(void)snprintf(ret, ID_TEXT_MAX, "%.*s", ID_LEN, strstr(at, "a_"));
	return id_is('a', ret, strlen(ret));
}

bool question_of(const json_t *record, const struct event_row *row, char ret[ID_TEXT_MAX])
{
	const char *id = json_string_value(json_object_get(json_object_get(record, "outcome"), "approval"));

	if (id != NULL && id_is('a', id, strlen(id)))
		return text_copy(ret, ID_TEXT_MAX, id);
	return find_question(row->hint, ret);
}
