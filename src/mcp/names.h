/* names - what the tools of `ambit mcp` are called.
 *
 * Called: mcp, cli; pure. */
#ifndef MCP_NAMES_H
#define MCP_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum tool {
#define TOOL(name, word, title, does, gives, text) TOOL_##name,
#define ARGUMENT(name, type, need, most, text)
#include "mcp/tools.def"
#undef TOOL
#undef ARGUMENT
	TOOL_COUNT
};
#define TOOL_BIT(t) (UINT32_C(1) << (t))

/* NULL: there is no such tool. */
const char *tool_name(unsigned tool);
enum tool tool_of_name(const char *name, size_t n); /* TOOL_COUNT: none */

#endif
