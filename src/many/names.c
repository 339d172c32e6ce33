#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "many/many.h"

static bool split(const struct many *m, const char *text, const char *mark, unsigned *ret)
{
	const char *end = strstr(text, mark);

	for (unsigned i = 0; end != NULL && i < m->n; i++)
		if (strlen(m->servers[i].name) == (size_t)(end - text) &&
		    strncmp(m->servers[i].name, text, (size_t)(end - text)) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

/* No name of a server has either in it, so the first of them ends it. */
bool name_split(const struct many *m, const char *name, unsigned *ret_server)
{
	return split(m, name, "__", ret_server);
}

bool uri_split(const struct many *m, const char *uri, unsigned *ret_server)
{
	return split(m, uri, "+", ret_server);
}

void name_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2])
{
	(void)snprintf(ret, MANY_SERVER_MAX + 2, "%s__", m->servers[server].name); /* fits */
}

void uri_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2])
{
	(void)snprintf(ret, MANY_SERVER_MAX + 2, "%s+", m->servers[server].name); /* fits */
}

void who_prefix(const struct many *m, unsigned server, char ret[MANY_SERVER_MAX + 2])
{
	(void)snprintf(ret, MANY_SERVER_MAX + 2, "%s: ", m->servers[server].name); /* fits */
}

bool json_prefix(json_t *object, const char *member, const char *prefix)
{
	const json_t *v = json_object_get(object, member);

	return json_is_string(v) &&
	       json_object_set_new(object, member, json_sprintf("%s%s", prefix, json_string_value(v))) == 0;
}

/* ---- where they stand ---- */

static bool in_block(json_t *block, const char *prefix)
{
	const char *type = json_string_value(json_object_get(block, "type"));

	if (type != NULL && strcmp(type, "resource_link") == 0)
		return json_prefix(block, "uri", prefix);
	if (type != NULL && strcmp(type, "resource") == 0)
		return json_prefix(json_object_get(block, "resource"), "uri", prefix);
	return false;
}

/* A content is a block, or a list of them. */
static bool in_content(json_t *content, const char *prefix)
{
	bool any = in_block(content, prefix);
	json_t *one;
	size_t i;

	json_array_foreach(content, i, one)
	{
		any = in_block(one, prefix) || any;
	}
	return any;
}

static bool in_each(json_t *list, bool of_messages, const char *prefix)
{
	bool any = false;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		any = (of_messages ? in_content(json_object_get(one, "content"), prefix)
				   : json_prefix(one, "uri", prefix)) ||
		      any;
	}
	return any;
}

static bool in_tasks(json_t *result, const char *prefix)
{
	static const char related[] = "io.modelcontextprotocol/related-task";
	bool any = json_prefix(result, "taskId", prefix);

	any = json_prefix(json_object_get(result, "task"), "taskId", prefix) || any;
	return json_prefix(json_object_get(json_object_get(result, "_meta"), related), "taskId", prefix) || any;
}

/* Of an answer that asks. */
static bool in_questions(json_t *inputs, const char *prefix)
{
	bool any = false;
	const char *key;
	json_t *one;

	json_object_foreach(inputs, key, one)
	{
		any = json_prefix(json_object_get(one, "params"), "message", prefix) || any;
	}
	return any;
}

bool names_in_error(const struct many *m, unsigned server, json_t *error)
{
	json_t *urls = json_object_get(json_object_get(error, "data"), "elicitations"), *one;
	char who[MANY_SERVER_MAX + 2];
	bool any = false;
	size_t i;

	who_prefix(m, server, who);
	json_array_foreach(urls, i, one)
	{
		any = json_prefix(one, "message", who) || any;
	}
	return any;
}

bool names_in_result(const struct many *m, unsigned server, json_t *result)
{
	char name[MANY_SERVER_MAX + 2], uri[MANY_SERVER_MAX + 2], who[MANY_SERVER_MAX + 2];
	bool any;

	name_prefix(m, server, name);
	uri_prefix(m, server, uri);
	who_prefix(m, server, who);
	any = in_content(json_object_get(result, "content"), uri);
	any = in_each(json_object_get(result, "messages"), true, uri) || any;
	any = in_each(json_object_get(result, "contents"), false, uri) || any;
	any = in_questions(json_object_get(result, "inputRequests"), who) || any;
	return in_tasks(result, name) || any;
}
