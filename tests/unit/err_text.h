/* err_text - what an error says, as tests compare it: "what: why". Used by tests alone. */
#ifndef UNIT_ERR_TEXT_H
#define UNIT_ERR_TEXT_H

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

struct err_text {
	char s[ERR_LINE_MAX];
};

static inline struct err_text err_text(const struct err *e)
{
	struct err_text t;

	err_line(e, t.s);
	return t;
}

static inline bool err_says(const struct err *e, const char *part)
{
	return strstr(err_text(e).s, part) != NULL;
}

#endif
