/* err_text - what an error says, as tests compare it: "what: why". Used by tests alone. */
#ifndef UNIT_ERR_TEXT_H
#define UNIT_ERR_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct err_text {
	char s[ERR_MSG_MAX + ERR_WHY_MAX + 2];
};

static inline struct err_text err_text(const struct err *e)
{
	struct err_text t;

	(void)snprintf(t.s, sizeof t.s, "%s%s%s", e->msg, e->why[0] != 0 ? ": " : "", e->why); /* it fits */
	return t;
}

static inline bool err_says(const struct err *e, const char *part)
{
	return strstr(err_text(e).s, part) != NULL;
}

#endif
