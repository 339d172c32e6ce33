/* Staged trees: the cell sees the tree through an overlay, and what it writes goes to a directory outside of the tree. In a user
 * namespace overlays exist since Linux 5.11, with their attributes in `user.overlay.`. Layers are named through the cell's
 * own /proc, as descriptors that were opened through no link; passing descriptors themselves came with Linux 6.13. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "cell/kernel.h"

static int stage_failed(const struct cell_spec *spec, uint32_t stage, int sys_errno, struct cell_failure *f)
{
	*f = (struct cell_failure){ .step = STEP_STAGE, .sys_errno = sys_errno, .index = UINT32_MAX };
	for (uint32_t i = 0; i < spec->n_paths && f->index == UINT32_MAX; i++)
		if (spec->paths[i].stage == stage + 1)
			f->index = i;
	return -1;
}

/* A directory of the host; as root the mount of it that the supervisor made for this cell. Layers must be of this mount
 * namespace. */
static int open_layer(const char *path, int *mapped_fd)
{
	auto_fd int mapped = steal_fd(mapped_fd);

	if (mapped < 0)
		return root_open_host(path);
	return root_attach_aside(mapped) < 0 ? -1 : steal_fd(&mapped);
}

struct layers {
	int tree, mask; /* mask is -1 if there is none */
	int upper, work;
};

static int set_layer(int fs, const char *key, int fd)
{
	char name[32];

	(void)snprintf(name, sizeof name, "self/fd/%d", fd); /* beneath /proc, where this process stands */
	return fsconfig(fs, FSCONFIG_SET_STRING, key, name, 0);
}

/* What is hidden lies over the tree. */
static int set_lower(int fs, const struct layers *l)
{
	char names[64];

	if (l->mask < 0)
		return set_layer(fs, "lowerdir", l->tree);
	(void)snprintf(names, sizeof names, "self/fd/%d:self/fd/%d", l->mask, l->tree);
	return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", names, 0);
}

static int set_upper(int fs, const struct layers *l, bool is_volatile)
{
	if (set_layer(fs, "upperdir", l->upper) < 0 || set_layer(fs, "workdir", l->work) < 0)
		return -1;
	return is_volatile ? fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) : 0;
}

static int try_overlay(const struct layers *l, bool is_volatile)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 || set_lower(fs, l) < 0)
		return -1;
	if (l->upper >= 0 && set_upper(fs, l, is_volatile) < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* `volatile` leaves out a sync of each file that is copied up, and one of all of upper's file system at the end: who commits syncs
 * before, and who keeps afterwards (stage/durable.h), so the event need not. The kernel refuses it with EIO, before it makes
 * anything, where a write to upper's file system has failed and nobody has heard of it yet, and with EINVAL where it does
 * not know it. Then the overlay syncs, which is slower and no less right. */
static int make_overlay(const struct layers *l)
{
	const int overlay = try_overlay(l, l->upper >= 0);

	return overlay < 0 && l->upper >= 0 && (errno == EIO || errno == EINVAL) ? try_overlay(l, false) : overlay;
}

/* The layer at offset of the pool, -1 and *missing unchanged if it has none. */
static int open_named(const struct cell_spec *spec, uint32_t path, int *mapped_fd, bool *missing)
{
	const int fd = path == 0 ? -1 : open_layer(spec_text(spec, path), mapped_fd);

	*missing |= path != 0 && fd < 0;
	return fd;
}

static int mount_one(const struct cell_spec *spec, struct cell_trees *trees, uint32_t i)
{
	const struct cell_stage *s = &spec->stages[i];
	bool missing = false;
	auto_fd int tree = open_named(spec, s->tree, &trees->fd[CELL_TREE_OF_STAGE(i)], &missing);
	auto_fd int part = open_named(spec, s->part, &trees->fd[CELL_PART_OF_STAGE(i)], &missing);
	auto_fd int mask = open_named(spec, s->mask, &trees->fd[CELL_MASK_OF_STAGE(i)], &missing);
	auto_fd int upper = part < 0 ? -1 : root_open(part, "upper"), work = part < 0 ? -1 : root_open(part, "work");
	const struct layers l = { .tree = tree, .mask = mask, .upper = upper, .work = work };
	auto_fd int overlay = -1;

	if (missing || tree < 0 || (part >= 0 && (upper < 0 || work < 0)))
		return -1;
	overlay = make_overlay(&l);
	return overlay < 0 || root_attach_aside(overlay) < 0 ? -1 : steal_fd(&overlay);
}

int overlay_mount(const struct cell_spec *spec, struct cell_trees *trees, int proc_fd, int ret_fd[CELL_STAGES_MAX],
		  struct cell_failure *f)
{
	if (fchdir(proc_fd) < 0)
		return stage_failed(spec, 0, errno, f);
	for (uint32_t i = 0; i < spec->n_stages; i++) {
		ret_fd[i] = mount_one(spec, trees, i);
		if (ret_fd[i] < 0)
			return stage_failed(spec, i, errno, f);
	}
	return 0;
}
