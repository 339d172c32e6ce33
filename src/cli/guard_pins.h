/* guard_pins - which definitions of tools a person has seen, on disk.
 *
 * Owns:   `$XDG_STATE_HOME/ambit/guard/SERVER/alike/TOOL` and `.../liked/TOOL`: of which other tools a name can be mistaken for, and of which a person knows that; `.../pinned/TOOL` and `.../waits/TOOL`: the text of each, as the role ambit-guard writes it; `.../shown/TOOL`: the text that a person saw; `.../places/N`: a lock of each guard that is there.
 * Holds:  what lies there is a server's word, and is shown made harmless, and never read as anything but bytes. What waits is not used until a person approves it, and what they approve is what they were shown: a server that is running may say another thing in between. A first definition is replaced by no other.
 * Called: guard.c. */
#ifndef CLI_GUARD_PINS_H
#define CLI_GUARD_PINS_H

#include "guard/link.h"

struct guard_pins {
	const char *server;      /* borrowed */
	int pinned_fd, waits_fd; /* owned */
	int shown_fd;            /* owned */
	int alike_fd, liked_fd;  /* owned */
	int place_fd;            /* owned: a lock, as long as this guard is there */
	bool is_first;           /* nothing of the server was pinned before: known once guard_pins_file was called */
};

#define GUARD_PINS_NONE                                                                                                \
	(struct guard_pins)                                                                                            \
	{                                                                                                              \
		.pinned_fd = -1, .waits_fd = -1, .shown_fd = -1, .alike_fd = -1, .liked_fd = -1, .place_fd = -1        \
	}

/* Letters, digits, `.`, `_`, `-`, the first no dot; of 64 at most. */
bool guard_server_is_name(const char *name);
bool guard_tool_is_name(const char *name); /* likewise, of 128 */
int guard_pins_open(struct guard_pins *p, const char *server, struct err *e);
void guard_pins_close(struct guard_pins *p);
/* The first number that no other guard of the server has, until guard_pins_close or the end of the process. -LIMIT. */
int guard_pins_place(struct guard_pins *p, unsigned *ret, struct err *e);
/* A file of them for the role (guard/link.h), at its beginning; *ret_n: how many. */
int guard_pins_file(struct guard_pins *p, int *ret_fd, uint32_t *ret_n, struct err *e);
/* What the role tells of one, whose name is one. -LIMIT: there are as many as a server may have. */
int guard_pins_take(const struct guard_pins *p, const struct guard_tool *t, const void *text, struct err *e);

/* A tool looks like another server's: it waits until a person says that they know. */
int guard_pins_alike(const struct guard_pins *p, const char *tool, const char *other, const char *other_tool,
		     struct err *e);
/* Of which pairs they do: fn is called for each, and stops all below 0. */
typedef int guard_liked_fn(void *of, const char *tool, const char *other, const char *other_tool);
int guard_pins_liked(const struct guard_pins *p, guard_liked_fn *fn, void *of, struct err *e);

/* For a person: what waits, whole or in what changed, and with `all` what was approved; and that it is good (tool NULL: all), as it was shown last. */
int guard_pins_show(const struct guard_pins *p, const char *server, bool all, struct err *e);
int guard_pins_approve(const struct guard_pins *p, const char *tool, struct err *e);

#endif
