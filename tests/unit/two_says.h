/* two_says - what came out on a side of a world of HTTP/2, or did not; name: of the row. */
#ifndef UNIT_TWO_SAYS_H
#define UNIT_TWO_SAYS_H

static inline void has(struct side *s, const char *what, const char *name)
{
	if (!world_says(s, what))
		fail_msg("%s: no `%s` in:\n%s", name, what, world_log(s));
}

static inline void has_not(struct side *s, const char *what, const char *name)
{
	if (world_says(s, what))
		fail_msg("%s: `%s` in:\n%s", name, what, world_log(s));
}

#endif
