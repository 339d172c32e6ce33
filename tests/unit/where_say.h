/* where_say - arguments and conditions as tests write them. Used by tests alone. */
#ifndef UNIT_WHERE_SAY_H
#define UNIT_WHERE_SAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/where.h"
#include "err_text.h"

struct said_arguments {
	struct where_arguments args;
	uint8_t room[4096];
};

/* "t to ann; n size 5; b all true; l body 70000": kind, path, value up to the semicolon. */
static inline void say_arguments(const char *said, struct said_arguments *ret)
{
	static const char kinds[] = "tnbl";
	struct buf out;

	buf_init_in(&out, ret->room, sizeof ret->room);
	while (*said != 0) {
		char path[64];
		const char *kind = strchr(kinds, *said);
		const size_t path_n = strcspn(said + 2, " "), n = strcspn(said + 2 + path_n + 1, ";");

		assert_non_null(kind);
		assert_true(path_n < sizeof path);
		memcpy(path, said + 2, path_n);
		path[path_n] = 0;
		said += 2 + path_n + 1;
		where_put(&out, path, (enum where_kind)(kind - kinds), said, n);
		said += n;
		said += strspn(said, "; ");
	}
	assert_false(out.failed);
	ret->args = (struct where_arguments){ .bytes = out.data, .n = out.len };
}

static inline void say_where(const char *value, struct where *ret)
{
	struct err e;

	if (where_set(ret, value, &e) < 0)
		fail_msg("%s: %s", value, err_text(&e).s);
}

#endif
