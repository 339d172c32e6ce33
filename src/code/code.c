#include "code/code.h"

#include <stdio.h>
#include <string.h>

#include "code/drivers.h"

/* exec(2) takes no constants, and changes nothing. Python: -I, so that nothing beside the code is found by a name of the driver's before the code runs. */
static const union {
	const char *ours[CODE_ARGV_MAX];
	char *given[CODE_ARGV_MAX];
} argvs[KIND_COUNT] = {
	[KIND_PYTHON] = { .ours = { "python3", "-I", "-c", driver_python } },
	[KIND_NODE] = { .ours = { "node", "-e", driver_node } },
	[KIND_SHELL] = { .ours = { "bash", "-c", driver_shell, "bash" } },
};

char *const *code_argv(enum event_kind kind)
{
	return kind < KIND_COUNT && argvs[kind].ours[0] != NULL ? argvs[kind].given : NULL;
}

size_t code_head(enum event_kind kind, bool shows, size_t n, char ret[CODE_HEAD_MAX])
{
	if (kind == KIND_SHELL) /* it says all by what it writes, and how it exits */
		return 0;
	return (size_t)snprintf(ret, CODE_HEAD_MAX, "{\"v\":1,\"show\":%s,\"bytes\":%zu}\n", shows ? "true" : "false",
				n); /* fits */
}

size_t code_tail(enum event_kind kind, char ret[CODE_HEAD_MAX])
{
	static const char whole[] = "\0whole"; /* and its own end */

	if (kind != KIND_SHELL)
		return 0;
	memcpy(ret, whole, sizeof whole);
	return sizeof whole;
}

bool code_has_kernel(enum event_kind kind)
{
	return kind == KIND_PYTHON || kind == KIND_NODE;
}

size_t code_kernel_head(char ret[CODE_HEAD_MAX])
{
	return (size_t)snprintf(ret, CODE_HEAD_MAX, "{\"v\":1,\"kernel\":true}\n"); /* fits, as the next */
}

size_t code_step_head(uint32_t step, bool shows, size_t n, char ret[CODE_HEAD_MAX])
{
	return (size_t)snprintf(ret, CODE_HEAD_MAX, "{\"v\":1,\"step\":%u,\"show\":%s,\"bytes\":%zu}\n", step,
				shows ? "true" : "false", n);
}
