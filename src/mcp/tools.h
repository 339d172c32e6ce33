/* tools - the tools of `ambit mcp` (tools.def), how they are listed, and arguments held against them.
 *
 * Owns:   the table, and what is made from it: schemas of arguments and of results, annotations.
 * Holds:  arguments that passed are of their types and within their bounds, each known, and those that are needed are there. What is listed is what is
 *         checked: both are made from one row.
 * Called: the role ambit-mcp; the generator of doc/MCP.md; tests. Pure. Links jansson. */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/json.h"
#include "mcp/names.h"
#include "rpc/parse.h"

/* One object of a list of tools. reaches: something of a network is granted; tasks: that calls may become tasks is said of each (2025-11-25). */
void tool_put(struct json *j, enum tool t, bool reaches, bool tasks);

/* arguments: NULL: none. -USAGE, -LIMIT; the place is the argument's. */
int tool_check(enum tool t, const json_t *arguments, struct mistake *m);

#endif
