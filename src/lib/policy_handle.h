/* policy_handle - struct ambit_policy of the public header.
 *
 * Owns:   one struct policy (src/policy) that grants, limits, files and presets are merged into.
 * Called: lib only. */
#ifndef LIB_POLICY_HANDLE_H
#define LIB_POLICY_HANDLE_H

#include "ambit/ambit.h"
#include "policy/policy.h"

struct ambit_policy {
	struct policy policy;
	struct policy_text texts[POLICY_SOURCES_MAX]; /* of each named source of it */
};

/* Parses a policy file in a cell of its own. *ret_mistake says where a file is wrong (line 0: not the file's fault). */
int policy_read_file(int file_fd, struct policy *ret, struct policy_mistake *ret_mistake);

#endif
