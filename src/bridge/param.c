#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "bridge/bridge.h"

#define DEPTH_MAX 8
#define FIELDS_MAX 32 /* of one tool */
#define TOOLS_MAX 1024
#define MARK "=?base64?"
#define SAFE_MAX ((INT64_C(1) << 53) - 1)

/* ---- which ---- */

static bool is_token(const char *text)
{
	const size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (!http_is_token((uint8_t)text[i]))
			return false;
	return n > 0 && n < 128;
}

static bool is_plain_type(const char *type)
{
	return type != NULL &&
	       (strcmp(type, "string") == 0 || strcmp(type, "integer") == 0 || strcmp(type, "boolean") == 0);
}

/* Of the properties of a schema, and those of theirs: [field, name, name of its own, ...] for each. */
static void look(json_t *found, const json_t *schema, json_t *way, unsigned depth)
{
	const char *key;
	json_t *one;

	json_object_foreach((json_t *)(uintptr_t)json_object_get(schema, "properties"), key, one)
	{
		const char *field = json_string_value(json_object_get(one, "x-mcp-header"));
		json_t *row;

		(void)json_array_append_new(way, json_string(key));
		if (field != NULL && is_token(field) &&
		    is_plain_type(json_string_value(json_object_get(one, "type"))) &&
		    json_array_size(found) < FIELDS_MAX) {
			row = json_array();
			(void)json_array_append(row, json_object_get(one, "x-mcp-header"));
			(void)json_array_extend(row, way);
			(void)json_array_append_new(found, row);
		}
		if (depth < DEPTH_MAX)
			look(found, one, way, depth + 1);
		(void)json_array_remove(way, json_array_size(way) - 1);
	}
}

void param_learn(json_t *book, const json_t *result)
{
	const json_t *tools = json_object_get(result, "tools");

	for (size_t i = 0; i < json_array_size(tools); i++) {
		const json_t *tool = json_array_get(tools, i);
		const char *name = json_string_value(json_object_get(tool, "name"));
		json_t *found = json_array(), *way = json_array();

		look(found, json_object_get(tool, "inputSchema"), way, 0);
		json_decref(way);
		if (name != NULL && json_array_size(found) > 0 && json_object_size(book) < TOOLS_MAX)
			(void)json_object_set(book, name, found);
		else if (name != NULL)
			(void)json_object_del(book, name);
		json_decref(found);
	}
}

/* ---- values ---- */

static bool is_safe(const char *text)
{
	const size_t n = strlen(text);

	if (n == 0 || text[0] == ' ' || text[0] == '\t' || text[n - 1] == ' ' || text[n - 1] == '\t' ||
	    (strncmp(text, MARK, strlen(MARK)) == 0 && n > 1 && strcmp(text + n - 2, "?=") == 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\t' && (text[i] < 0x20 || text[i] > 0x7e))
			return false;
	return true;
}

void param_value(struct buf *out, const char *text)
{
	if (is_safe(text)) {
		buf_put(out, text, strlen(text));
		return;
	}
	buf_printf(out, MARK);
	base64_put(out, text, strlen(text));
	buf_printf(out, "?=");
}

static void put_one(struct buf *out, const char *field, const json_t *value)
{
	const json_int_t n = json_integer_value(value);
	char text[32];

	if (json_is_integer(value) && n <= SAFE_MAX && n >= -SAFE_MAX)
		(void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, n);
	else if (json_is_boolean(value))
		(void)snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
	else if (!json_is_string(value))
		return;
	buf_printf(out, "Mcp-Param-%s: ", field);
	param_value(out, json_is_string(value) ? json_string_value(value) : text);
	buf_printf(out, "\r\n");
}

void param_put(struct buf *out, const json_t *book, const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "name"));
	const json_t *rows = name == NULL ? NULL : json_object_get(book, name);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i), *value = json_object_get(params, "arguments");

		for (size_t k = 1; k < json_array_size(row); k++)
			value = json_object_get(value, json_string_value(json_array_get(row, k)));
		put_one(out, json_string_value(json_array_get(row, 0)), value);
	}
}
