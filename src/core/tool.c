#include "core/tool.h"

#include <string.h>

static const char *const methods[] = {
#define TOOL_METHOD(name) name,
	TOOL_METHODS(TOOL_METHOD)
#undef TOOL_METHOD
};

static const char *const of_client[] = {
#define TOOL_METHOD(name) name,
	TOOL_METHODS_OF_CLIENT(TOOL_METHOD)
#undef TOOL_METHOD
};

static bool is_made_of_letters(const char *s, size_t n, size_t most)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
		      strchr("_.-", s[i]) != NULL))
			return false;
	return n > 0 && n <= most;
}

bool tool_is_server(const char *name)
{
	return is_made_of_letters(name, strlen(name), TOOL_SERVER_MAX);
}

bool tool_is_name(const char *name)
{
	return is_made_of_letters(name, strlen(name), TOOL_NAME_MAX);
}

bool tool_is_method(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(methods[i], name) == 0)
			return true;
	return false;
}

bool tool_is_of_client(const char *object)
{
	const char *slash = strchr(object, '/');

	for (size_t i = 0; i < sizeof of_client / sizeof of_client[0]; i++)
		if (slash != NULL && strcmp(of_client[i], slash + 1) == 0)
			return true;
	return false;
}

bool tool_is_object(const char *object)
{
	const char *slash = strchr(object, '/');

	if (slash == NULL)
		return strcmp(object, TOOL_ANY) == 0;
	return is_made_of_letters(object, (size_t)(slash - object), TOOL_SERVER_MAX) &&
	       (strcmp(slash + 1, TOOL_ANY) == 0 || tool_is_name(slash + 1) || tool_is_method(slash + 1));
}

bool tool_is_star(const char *object)
{
	const size_t n = strlen(object);

	return n > 0 && object[n - 1] == '*'; /* no name ends in one */
}

bool tool_covers(const char *outer, const char *inner)
{
	if (tool_is_star(outer)) /* all that stands before it: nothing, or a server and its slash */
		return strncmp(outer, inner, strlen(outer) - 1) == 0 && !tool_is_of_client(inner);
	return strcmp(outer, inner) == 0;
}

void tool_all_of(const char *object, char ret[TOOL_OBJECT_MAX])
{
	const size_t n = strcspn(object, "/");

	memcpy(ret, object, n); /* at most TOOL_SERVER_MAX: it is an object */
	memcpy(ret + n, object[n] == '/' ? "/*" : "", object[n] == '/' ? sizeof "/*" : 1);
}
