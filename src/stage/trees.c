#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/filesystem.h"
#include "stage/walk.h"

static int open_real(const struct stage_tree *t, const char *event, int *ret_fd, struct err *e)
{
	char hint[ERR_HINT_MAX];
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	auto_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, t->real, &how, sizeof how);
	struct stat st;

	(void)snprintf(hint, sizeof hint, "put it back in its place; or `ambit discard %s` forgets the changes",
		       event); /* it fits */
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, hint, "cannot open %s, the tree of %s", t->real, event);
	if (st.st_dev != t->dev || st.st_ino != t->ino)
		return err_why(e, err_set(e, AMBIT_CONFLICT, hint, "%s is not the tree that %s saw", t->real, event),
			       "somebody put another directory in its place");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int open_one(const struct stage *s, const struct stage_meta *m, uint32_t i, struct trees *t, struct err *e)
{
	struct look real, part;
	int r = open_real(&m->trees[i], m->event, &t->real[i], e);

	if (r < 0)
		return r;
	t->part[i] = s->part_fd[i];
	t->upper[i] = sys_open_name(t->part[i], "upper", O_RDONLY | O_DIRECTORY);
	if (t->upper[i] == -EACCES && sys_chmod_name(t->part[i], "upper", 0700) == 0) /* the cell took it from itself */
		t->upper[i] = sys_open_name(t->part[i], "upper", O_RDONLY | O_DIRECTORY);
	r = t->upper[i] < 0 ? t->upper[i] : sys_look(t->real[i], "", &real);
	if (r >= 0)
		r = sys_look(t->part[i], "", &part);
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, "discard the stage if it was damaged", "stage of tree '%s'",
			       m->trees[i].real);
	t->far[i] = real.id.dev != part.id.dev || real.mount != part.mount;
	t->births[i] = filesystem_takes_overlay(t->real[i]);
	return 0;
}

int trees_open(const struct stage *s, const struct stage_meta *m, struct trees *ret, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < STAGE_TREES_MAX; i++)
		ret->real[i] = ret->upper[i] = -1;
	ret->n = m->n_trees;
	for (uint32_t i = 0; i < m->n_trees && r == 0; i++)
		r = open_one(s, m, i, ret, e);
	if (r < 0)
		trees_finish(ret);
	return r;
}

void trees_finish(struct trees *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		fd_close(&t->real[i]);
		fd_close(&t->upper[i]);
	}
	t->n = 0;
}
