#include "mcp/names.h"

#include <string.h>

static const char *const names[TOOL_COUNT] = {
#define TOOL(name, word, title, does, gives, text) [TOOL_##name] = (word),
#define ARGUMENT(name, type, need, most, text)
#include "mcp/tools.def"
#undef TOOL
#undef ARGUMENT
};

const char *tool_name(unsigned tool)
{
	return tool < TOOL_COUNT ? names[tool] : NULL;
}

enum tool tool_of_name(const char *name, size_t n)
{
	for (unsigned t = 0; t < TOOL_COUNT; t++)
		if (strlen(names[t]) == n && memcmp(names[t], name, n) == 0)
			return (enum tool)t;
	return TOOL_COUNT;
}
