/* yaml - the text of a policy file, read.
 *
 * Owns:   nothing; a pure function from bytes to a policy or to the first mistake in them.
 * Holds:  strict: one document, known keys, each once, no anchors, aliases, tags or directives, no hidden characters.
 *         A policy is at most six levels deep, and nothing deeper is entered.
 * Called: by the policy role, which has no authority, and by tests. Links libyaml; the supervisor does not. */
#ifndef POLICY_YAML_H
#define POLICY_YAML_H

#include <stddef.h>

#include "policy/policy.h"

/* 0, or the negative code of ret_mistake->err. *ret is complete only on success. */
int policy_parse_yaml(const void *bytes, size_t n, struct policy *ret, struct policy_mistake *ret_mistake);

#endif
