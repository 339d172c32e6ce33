#include "stage/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

void durable_boot(char ret[STAGE_BOOT_MAX])
{
	auto_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, ret, STAGE_BOOT_MAX - 1);

	ret[n < 0 ? 0 : n] = 0;
	ret[strcspn(ret, "\n")] = 0;
}

/* Whether one of the first parts lies on that file system. */
static bool is_synced(const struct stage *s, uint32_t n_parts, dev_t dev)
{
	struct stat st;

	for (uint32_t i = 0; i < n_parts; i++)
		if (fstat(s->part_fd[i], &st) == 0 && st.st_dev == dev)
			return true;
	return false;
}

/* The file system of fd, unless it is one of those. */
static int sync_besides(const struct stage *s, uint32_t n_parts, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return is_synced(s, n_parts, st.st_dev) || syncfs(fd) == 0 ? 0 : -errno;
}

int durable_sync_stage(const struct stage *s, uint32_t n_trees, struct err *e)
{
	const int r = sync_besides(s, n_trees, s->dir_fd);

	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "look at the health of the file system; nothing was changed",
			       "write the stage to disk")
		     : 0;
}

int durable_sync(const struct stage *s, struct stage_meta *m, struct err *e)
{
	int r = 0, failed;

	for (uint32_t i = 0; i < m->n_trees; i++) {
		failed = sync_besides(s, i, s->part_fd[i]);
		r = r < 0 ? r : failed;
	}
	failed = sync_besides(s, m->n_trees, s->dir_fd);
	r = r < 0 ? r : failed;
	m->disk = r < 0 ? STAGE_DISK_FAILED : STAGE_DISK_ALL;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r,
			       "look at the health of the file system, and run it again; `ambit diff` shows what is "
			       "there",
			       "the changes of %s cannot be written to disk, and may be incomplete", m->event)
		     : 0;
}

bool durable_is_incomplete(const struct stage_meta *m, const char *boot)
{
	switch ((enum stage_disk)m->disk) { /* in range: it was decoded */
	case STAGE_DISK_ALL: return false;
	case STAGE_DISK_FAILED:
	case STAGE_DISK_GOING: return true;
	case STAGE_DISK_NOT_YET: return boot[0] == 0 || strcmp(m->boot, boot) != 0;
	}
	return true;
}

static const char *why_incomplete(const struct stage_meta *m)
{
	switch ((enum stage_disk)m->disk) { /* in range: it was decoded */
	case STAGE_DISK_FAILED: return "not all of them could be written to disk";
	case STAGE_DISK_GOING: return "their removal began, and did not end";
	case STAGE_DISK_NOT_YET:
	case STAGE_DISK_ALL: break;
	}
	return "the machine went down before they were on disk";
}

int durable_refuse(const struct stage_meta *m, const char *verb, struct err *e)
{
	char hint[ERR_HINT_MAX];
	int r;

	(void)snprintf(hint, sizeof hint,
		       "run it again; `ambit diff %s` shows what is there, `ambit discard %s` removes it", m->event,
		       m->event); /* it fits */
	r = err_set(e, AMBIT_UNTRUSTED, hint, "cannot %s %s: its changes may be incomplete", verb, m->event);
	return err_why(e, r, "%s", why_incomplete(m));
}
