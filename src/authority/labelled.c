#include "authority/labelled.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "authority/layout.h"
#include "base/fd.h"

static bool has_labels(const struct authority *a)
{
	struct authority_size used;
	struct authority_badge_told b;
	struct authority_grant_told g;
	struct authority_mark_told m;

	authority_used(a, &used);
	for (uint32_t i = 0; i < used.badges; i++)
		if (authority_badge_at(a, i, &b) && b.labels != 0)
			return true;
	for (uint32_t i = 0; i < used.grants; i++)
		if (authority_grant_at(a, i, &g) && g.labels != 0)
			return true;
	for (uint32_t i = 0; i < used.marks; i++)
		if (authority_mark_at(a, i, &m) && m.labels != 0)
			return true;
	return false;
}

static int make(struct labelled *l)
{
	auto_fd int fd = openat(l->dir_fd, AUTHORITY_LABELLED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fsync(fd) < 0 || fsync(l->dir_fd) < 0)
		return -errno;
	l->is_there = true;
	return 0;
}

int labelled_open(struct labelled *l, int dir_fd, const struct authority *a)
{
	*l = (struct labelled){ .dir_fd = dir_fd };
	return has_labels(a) ? make(l) : 0;
}

/* They come by requests: all that a step does without is to put those that are there on others. */
static bool brings_labels(const struct authority_request *q, const struct authority_answer *answer)
{
	return answer->verdict == AUTHORITY_ALLOWED && q->op != AUTHORITY_UNMARK && q->labels != 0;
}

int labelled_keep(struct labelled *l, const struct authority_request *q, const struct authority_answer *answer)
{
	return !l->is_there && brings_labels(q, answer) ? make(l) : 0;
}
