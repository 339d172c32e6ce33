/* tool - what a grant `tool` is of: a tool of a server, or what else of the protocol such a server is asked for.
 *
 * Owns:   the form of these names.
 * Holds:  there are four forms: SERVER/NAME, SERVER/METHOD, and, with a star, all of a server (its name, a slash, a star) and all of all servers (a
 *         star). A name has no slash and each method has one, so none is taken for another. What has a star is granted, never used. What a server
 *         asks of its client (the user, their model, their directories) is in no star: it is another's authority, and granted by its name.
 * Called: from any process; pure. */
#ifndef CORE_TOOL_H
#define CORE_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_SERVER_MAX 64 /* letters, digits, `.`, `_` and `-` */
#define TOOL_NAME_MAX 128  /* likewise, as the Model Context Protocol has it */
#define TOOL_OBJECT_MAX (TOOL_SERVER_MAX + 1 + TOOL_NAME_MAX + 1)
#define TOOL_ANY "*"

/* What is decided as a tool is, and is none: requests of the protocol by their own names. */
#define TOOL_METHODS(X)                                                                                                \
	X("resources/read")                                                                                            \
	X("resources/subscribe")                                                                                       \
	X("prompts/get")                                                                                               \
	X("completion/complete")                                                                                       \
	X("logging/setLevel")                                                                                          \
	TOOL_METHODS_OF_CLIENT(X)
#define TOOL_METHODS_OF_CLIENT(X)                                                                                      \
	X("sampling/createMessage")                                                                                    \
	X("elicitation/create")                                                                                        \
	X("roots/list")

/* A SERVER. */
bool tool_is_server(const char *name);
/* A NAME, and no METHOD. */
bool tool_is_name(const char *name);
bool tool_is_method(const char *name);
/* Of an object: whether it is what that server asks of its client. */
bool tool_is_of_client(const char *object);

/* Any of the four forms. */
bool tool_is_object(const char *object);
/* Of an object: whether it means several. */
bool tool_is_star(const char *object);
/* Both are objects: whether all that inner means outer means, too. Of a server's requests of its client that is each by itself alone. */
bool tool_covers(const char *outer, const char *inner);
/* All of the server that an object is of; of all servers: these. Not of what tool_is_of_client. */
void tool_all_of(const char *object, char ret[TOOL_OBJECT_MAX]);

#endif
