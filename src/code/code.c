#include "code/code.h"

#include <stdio.h>

#include "code/drivers.h"

#define WORD(w)                                                                                                        \
	(char[])                                                                                                       \
	{                                                                                                              \
		w                                                                                                      \
	} /* exec(2) takes no constants, and changes nothing */

/* Python: -I, so that nothing beside the code is found by a name of the driver's before the code runs. */
static char *const argvs[KIND_COUNT][CODE_ARGV_MAX] = {
	[KIND_PYTHON] = { WORD("python3"), WORD("-I"), WORD("-c"), driver_python, NULL },
	[KIND_NODE] = { WORD("node"), WORD("-e"), driver_node, NULL },
	[KIND_SHELL] = { WORD("bash"), WORD("-c"), driver_shell, WORD("bash"), NULL },
};

char *const *code_argv(enum event_kind kind)
{
	return kind < KIND_COUNT && argvs[kind][0] != NULL ? argvs[kind] : NULL;
}

size_t code_head(enum event_kind kind, int shows, char ret[CODE_HEAD_MAX])
{
	if (kind == KIND_SHELL) /* it says all by what it writes, and how it exits */
		return 0;
	return (size_t)snprintf(ret, CODE_HEAD_MAX, "{\"v\":1,\"show\":%s}\n", shows ? "true" : "false"); /* fits */
}
