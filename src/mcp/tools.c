#include "mcp/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

enum does { READS = 1, CHANGES = 2, REACHES = 4 };
enum gives {
	GIVES_EVENT,
	GIVES_CODE,
	GIVES_READ,
	GIVES_WRITE,
	GIVES_EDIT,
	GIVES_LIST,
	GIVES_SEARCH,
	GIVES_STAGE,
	GIVES_SESSION
};
enum type { TYPE_TEXT, TYPE_TEXTS, TYPE_TEXT_MAP, TYPE_COUNT, TYPE_BOOL };
enum need { MAY, NEEDED };

/* A tool, or (title NULL) an argument of the tool before it. */
struct row {
	const char *name, *title, *text;
	unsigned does;
	enum gives gives;
	enum tool tool;
	enum type type;
	enum need need;
	uint64_t most;
};

static const struct row rows[] = {
#define TOOL(name_, word, title_, does_, gives_, text_)                                                                \
	{ .name = (word),                                                                                              \
	  .title = (title_),                                                                                           \
	  .text = (text_),                                                                                             \
	  .does = (does_),                                                                                             \
	  .gives = GIVES_##gives_,                                                                                     \
	  .tool = TOOL_##name_ },
#define ARGUMENT(name_, type_, need_, most_, text_)                                                                    \
	{ .name = (name_), .text = (text_), .type = TYPE_##type_, .need = (need_), .most = (most_) },
#include "mcp/tools.def"
#undef TOOL
#undef ARGUMENT
};
#define ROWS (sizeof rows / sizeof rows[0])

static const struct row *row_of(enum tool t)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].title != NULL && rows[i].tool == t)
			return &rows[i];
	abort();
}

/* The arguments follow; NULL: it was the last. */
static const struct row *next_argument(const struct row *r)
{
	return r + 1 < rows + ROWS && r[1].title == NULL ? r + 1 : NULL;
}

/* ---- how they are listed ---- */

static void put_type(struct json *j, const struct row *a)
{
	static const char *const words[] = { [TYPE_TEXT] = "string",
					     [TYPE_TEXTS] = "array",
					     [TYPE_TEXT_MAP] = "object",
					     [TYPE_COUNT] = "integer",
					     [TYPE_BOOL] = "boolean" };

	json_put_word(json_put_key(j, "type"), words[a->type]);
	if (a->type == TYPE_TEXTS || a->type == TYPE_TEXT_MAP) {
		json_put_object(json_put_key(j, a->type == TYPE_TEXTS ? "items" : "additionalProperties"));
		json_put_word(json_put_key(j, "type"), "string");
		json_put_object_end(j);
	}
	if (a->type == TYPE_TEXTS && a->need == NEEDED)
		json_put_count(json_put_key(j, "minItems"), 1);
	if (a->type == TYPE_COUNT) {
		json_put_count(json_put_key(j, "minimum"), 0);
		json_put_count(json_put_key(j, "maximum"), a->most);
	} else if (a->type == TYPE_TEXTS) {
		json_put_count(json_put_key(j, "maxItems"), a->most);
	}
	json_put_word(json_put_key(j, "description"), a->text);
}

static void put_arguments(struct json *j, const struct row *tool)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "type"), "object");
	json_put_object(json_put_key(j, "properties"));
	for (const struct row *a = tool; (a = next_argument(a)) != NULL;) {
		json_put_object(json_put_key(j, a->name));
		put_type(j, a);
		json_put_object_end(j);
	}
	json_put_object_end(j);
	json_put_array(json_put_key(j, "required"));
	for (const struct row *a = tool; (a = next_argument(a)) != NULL;)
		if (a->need == NEEDED)
			json_put_word(j, a->name);
	json_put_array_end(j);
	json_put_bool(json_put_key(j, "additionalProperties"), false);
	json_put_object_end(j);
}

#define TEXT_ "{\"type\":\"string\"}"
#define COUNT_ "{\"type\":\"integer\",\"minimum\":0}"
#define BOOL_ "{\"type\":\"boolean\"}"
#define NAME_ "{\"type\":[\"string\",\"object\"],\"description\":\"{b64} of one that is not UTF-8\"}"
#define OBJECT_(members, required) "{\"type\":\"object\",\"properties\":{" members "},\"required\":[" required "]}"

#define EVENT_MEMBERS                                                                                                  \
	"\"event\":" TEXT_ ",\"n\":" COUNT_ ",\"exit_status\":" COUNT_ ",\"cause\":" TEXT_ ",\"stdout\":" NAME_        \
	",\"stderr\":" NAME_ ",\"truncated\":" BOOL_ ",\"workspace\":" TEXT_                                           \
	",\"denied\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}"
#define EVENT_REQUIRED                                                                                                 \
	"\"event\",\"n\",\"exit_status\",\"cause\",\"stdout\",\"stderr\",\"truncated\",\"workspace\",\"denied\""

static const char *const results[] = {
	[GIVES_EVENT] = OBJECT_(EVENT_MEMBERS, EVENT_REQUIRED),
	[GIVES_CODE] = OBJECT_(EVENT_MEMBERS
			       ",\"value\":{\"type\":[\"object\",\"null\"]},\"error\":{\"type\":[\"object\",\"null\"]}",
			       EVENT_REQUIRED ",\"value\",\"error\""),
	[GIVES_READ] = OBJECT_("\"path\":" NAME_ ",\"text\":" TEXT_ ",\"from\":" COUNT_ ",\"lines\":" COUNT_
			       ",\"total_lines\":{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
			       ",\"base64\":" TEXT_ ",\"media_type\":" TEXT_ ",\"bytes\":" COUNT_
			       ",\"truncated\":" BOOL_,
			       "\"path\",\"bytes\",\"truncated\""),
	[GIVES_WRITE] = OBJECT_("\"path\":" NAME_ ",\"bytes\":" COUNT_ ",\"created\":" BOOL_,
				"\"path\",\"bytes\",\"created\""),
	[GIVES_EDIT] = OBJECT_("\"path\":" NAME_ ",\"replaced\":" COUNT_ ",\"line\":" COUNT_,
			       "\"path\",\"replaced\",\"line\""),
	[GIVES_LIST] = OBJECT_("\"path\":" NAME_
			       ",\"entries\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"truncated\":" BOOL_,
			       "\"path\",\"entries\",\"truncated\""),
	[GIVES_SEARCH] =
		OBJECT_("\"matches\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"truncated\":" BOOL_,
			"\"matches\",\"truncated\""),
	[GIVES_STAGE] = OBJECT_("\"n\":" COUNT_ ",\"text\":" TEXT_ ",\"truncated\":" BOOL_,
				"\"n\",\"text\",\"truncated\""),
	[GIVES_SESSION] = OBJECT_("\"session\":" TEXT_ ",\"workspace\":" NAME_
				  ",\"grants\":{\"type\":\"array\",\"items\":" TEXT_ "}",
				  "\"session\",\"workspace\",\"grants\""),
};

/* What is not said is the worst, by the specification: so all is said. */
static void put_annotations(struct json *j, const struct row *tool, bool reaches)
{
	json_put_object(j);
	json_put_word(json_put_key(j, "title"), tool->title);
	json_put_bool(json_put_key(j, "readOnlyHint"), (tool->does & READS) != 0);
	json_put_bool(json_put_key(j, "destructiveHint"), (tool->does & CHANGES) != 0);
	json_put_bool(json_put_key(j, "idempotentHint"), (tool->does & READS) != 0);
	json_put_bool(json_put_key(j, "openWorldHint"), (tool->does & REACHES) != 0 && reaches);
	json_put_object_end(j);
}

void tool_put(struct json *j, enum tool t, bool reaches, bool tasks)
{
	const struct row *tool = row_of(t);

	json_put_object(j);
	json_put_word(json_put_key(j, "name"), tool->name);
	json_put_word(json_put_key(j, "title"), tool->title);
	json_put_word(json_put_key(j, "description"), tool->text);
	put_arguments(json_put_key(j, "inputSchema"), tool);
	json_put_made(json_put_key(j, "outputSchema"), results[tool->gives], strlen(results[tool->gives]));
	put_annotations(json_put_key(j, "annotations"), tool, reaches);
	if (tasks && t <= TOOL_SHELL) {
		json_put_object(json_put_key(j, "execution"));
		json_put_word(json_put_key(j, "taskSupport"), "optional");
		json_put_object_end(j);
	}
	json_put_object_end(j);
}

/* ---- arguments ---- */

struct check {
	struct mistake *m;
	const struct row *row;
	char at[PLACE_MAX];
};

static int wrong(const struct check *c, int r)
{
	memcpy(c->m->place, c->at, sizeof c->at);
	return r;
}

#define refuse(c, code, hint, ...) wrong((c), err_set(&(c)->m->err, (code), (hint), __VA_ARGS__))

static int not_of_type(const struct check *c)
{
	static const char *const words[] = { [TYPE_TEXT] = "a text",
					     [TYPE_TEXTS] = "a list of texts",
					     [TYPE_TEXT_MAP] = "an object of texts",
					     [TYPE_COUNT] = "a whole number, 0 or more",
					     [TYPE_BOOL] = "true or false" };

	return refuse(c, AMBIT_USAGE, c->row->text, "'%s' is not %s", c->row->name, words[c->row->type]);
}

static int too_much(const struct check *c, const char *of_what)
{
	return refuse(c, AMBIT_LIMIT, NULL, "'%s': more than %llu%s", c->row->name, (unsigned long long)c->row->most,
		      of_what);
}

#define ONE_TEXT_MAX (128u << 10) /* MAX_ARG_STRLEN: the kernel takes no longer argument or variable */

static int check_one(const struct check *c, const json_t *v)
{
	if (!json_is_string(v))
		return not_of_type(c);
	return json_string_length(v) < ONE_TEXT_MAX
		       ? 0
		       : refuse(c, AMBIT_LIMIT, "pass it by `input`, or by a file",
				"'%s': a text of more than %u bytes", c->row->name, ONE_TEXT_MAX);
}

static int check_list(struct check *c, const json_t *v)
{
	const size_t length = strlen(c->at);
	json_t *one;
	size_t i;

	if (!json_is_array(v))
		return not_of_type(c);
	if (json_array_size(v) > c->row->most)
		return too_much(c, " texts");
	if (json_array_size(v) == 0 && c->row->need == NEEDED)
		return refuse(c, AMBIT_USAGE, c->row->text, "'%s' is empty", c->row->name);
	json_array_foreach((json_t *)(uintptr_t)v, i, one)
	{
		int r;

		(void)snprintf(c->at + length, sizeof c->at - length, "/%zu", i);
		r = check_one(c, one);
		if (r < 0)
			return r;
	}
	c->at[length] = 0;
	return 0;
}

static int check_map(struct check *c, const json_t *v)
{
	const size_t length = strlen(c->at);
	const char *key;
	json_t *one;

	if (!json_is_object(v))
		return not_of_type(c);
	if (json_object_size(v) > c->row->most)
		return too_much(c, " members");
	json_object_foreach((json_t *)(uintptr_t)v, key, one)
	{
		int r;

		(void)snprintf(c->at + length, sizeof c->at - length, "/%.80s", key);
		if (key[0] == 0 || strchr(key, '=') != NULL)
			return refuse(c, AMBIT_USAGE, "leave the `=` out", "'%s': not a name", c->row->name);
		r = check_one(c, one);
		if (r < 0)
			return r;
	}
	c->at[length] = 0;
	return 0;
}

static int check_value(struct check *c, const json_t *v)
{
	switch (c->row->type) {
	case TYPE_TEXT:
		if (!json_is_string(v))
			return not_of_type(c);
		return json_string_length(v) > c->row->most ? too_much(c, " bytes") : 0;
	case TYPE_TEXTS: return check_list(c, v);
	case TYPE_TEXT_MAP: return check_map(c, v);
	case TYPE_COUNT:
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return not_of_type(c);
		return (uint64_t)json_integer_value(v) > c->row->most ? too_much(c, "") : 0;
	case TYPE_BOOL: return json_is_boolean(v) ? 0 : not_of_type(c);
	}
	return 0;
}

static int unknown(const struct row *tool, const char *key, struct mistake *m)
{
	const char *words[16];
	char hint[NEAREST_HINT_MAX];
	size_t n = 0;

	for (const struct row *a = tool; (a = next_argument(a)) != NULL && n < sizeof words / sizeof words[0];)
		words[n++] = a->name;
	(void)snprintf(m->place, sizeof m->place, "/arguments/%.80s", key);
	return err_set(&m->err, AMBIT_USAGE,
		       nearest_hint(hint, "", word_nearest(key, words, n),
				    n == 0 ? "it takes none" : "its inputSchema has them"),
		       "%s takes no argument '%.64s'", tool->name, key);
}

static bool takes(const struct row *tool, const char *key)
{
	for (const struct row *a = tool; (a = next_argument(a)) != NULL;)
		if (strcmp(a->name, key) == 0)
			return true;
	return false;
}

int tool_check(enum tool t, const json_t *arguments, struct mistake *m)
{
	const struct row *tool = row_of(t);
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)arguments, key, v)
	{
		if (!takes(tool, key))
			return unknown(tool, key, m);
	}
	for (const struct row *a = tool; (a = next_argument(a)) != NULL;) {
		struct check c = { .m = m, .row = a };
		const json_t *given = json_object_get(arguments, a->name);
		int r = 0;

		(void)snprintf(c.at, sizeof c.at, "/arguments/%s", a->name); /* fits */
		if (given != NULL)
			r = check_value(&c, given);
		else if (a->need == NEEDED)
			r = refuse(&c, AMBIT_USAGE, a->text, "%s: '%s' is missing", tool->name, a->name);
		if (r < 0)
			return r;
	}
	return 0;
}
