#include "supervisor/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/filesystem.h"
#include "cell/build.h"
#include "cell/kernel.h"
#include "core/grant.h"
#include "wire/wire.h"

/* Ids that distributions and systemd leave unused (0x70000000 upwards); a process id is at most 4,194,304, so adding the
 * supervisor's own gives each living supervisor an id of its own. */
#define ALLOCATED_FIRST 0x70000000u
#define INSIDE_FOR_ROOT 1000u

int identity_choose(struct identity *ret, struct err *e)
{
	const uid_t uid = geteuid();

	*ret = (struct identity){
		.inside_uid = uid, .outside_uid = uid, .inside_gid = getegid(), .outside_gid = getegid()
	};
	if (uid != 0)
		return 0;
	if (getpid() > 0x400000)
		return err_set(e, AMBIT_HOST, "run as an ordinary user", "no unprivileged id can be had for process %d",
			       getpid());
	ret->outside_uid = ret->outside_gid = ALLOCATED_FIRST + (uid_t)getpid();
	ret->inside_uid = ret->inside_gid = INSIDE_FOR_ROOT;
	ret->mapped = true;
	return 0;
}

static int write_map(pid_t pid, const char *file, uid_t from, uid_t to)
{
	char path[64], line[64];
	auto_fd int fd = -1;
	const int n = snprintf(line, sizeof line, "%u %u 1", from, to);

	(void)snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, line, (size_t)n) != n ? -errno : 0;
}

/* A user namespace that exists only to say "this owner on disk is that id": held by its descriptor. */
static int map_of_owner(const struct identity *id, const struct stat *owner)
{
	char path[64];
	const pid_t parent = getpid();
	int ready[2], ns = -1, r;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		/* it holds what the supervisor holds, the locks of its cgroups too, and must not outlive it */
		if (unshare(CLONE_NEWUSER) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
		    getppid() == parent && write(ready[1], "", 1) == 1)
			(void)pause(); /* killed below */
		_exit(1);
	}
	(void)close(ready[1]);
	r = pid < 0 ? -errno : read(ready[0], &byte, 1) == 1 ? 0 : -EPERM;
	(void)close(ready[0]);
	r = r < 0 ? r : write_map(pid, "uid_map", owner->st_uid, id->outside_uid);
	r = r < 0 ? r : write_map(pid, "gid_map", owner->st_gid, id->outside_gid);
	if (r == 0) {
		(void)snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		r = ns < 0 ? -errno : ns;
	}
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return r;
}

/* What is sent to one cell. Most of it has one owner, and each map takes a process to make. */
struct sending {
	const struct identity *id;
	int cell_sock;
	int map; /* owned: of the last owner, -1 if there is none */
	uid_t uid;
	gid_t gid;
};

static int map_again(struct sending *s, const struct stat *owner)
{
	if (s->map >= 0 && s->uid == owner->st_uid && s->gid == owner->st_gid)
		return 0;
	fd_close(&s->map);
	s->map = map_of_owner(s->id, owner);
	s->uid = owner->st_uid;
	s->gid = owner->st_gid;
	return s->map < 0 ? s->map : 0;
}

static int open_real(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* As seen by the owner of what is at `granted`. */
static int open_tree_mapped(struct sending *s, const char *path, const char *granted, int *ret_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	auto_fd int fd = open_real(path), owner_fd = fd < 0 ? -1 : open_real(granted), tree = -1;
	struct stat st;
	int r;

	if (owner_fd < 0 || fstat(owner_fd, &st) < 0)
		return -errno;
	r = map_again(s, &st);
	if (r < 0)
		return r;
	tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	attr.userns_fd = (__u64)s->map; /* not negative: just made */
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -errno;
	*ret_fd = steal_fd(&tree);
	return 0;
}

static bool is_sent(const struct cell_path *p)
{
	return p->grant != GRANT_NONE && p->stage == 0 && (p->flags & (CELL_PATH_LINK | CELL_PATH_HIDE)) == 0;
}

static int send_tree(struct sending *s, const char *path, const char *granted, uint32_t index)
{
	auto_fd int tree = -1;
	auto_buf b = { .max = 0 };
	const int r = open_tree_mapped(s, path, granted, &tree);

	if (r < 0)
		return r;
	buf_init(&b, 8);
	buf_put_u32(&b, index);
	return wire_send(s->cell_sock, WIRE_CELL_TREE, &b, &tree, 1);
}

static int cannot_send(const char *path, int sys_errno, struct err *e)
{
	const int r = err_sys(e, sys_errno == ENOENT ? AMBIT_NOT_FOUND : AMBIT_HOST, sys_errno, ERR_OWNERS,
			      "cannot make %s visible in the cell", path);

	/* mount_setattr(2): EINVAL is the file system that cannot */
	return sys_errno != EINVAL
		       ? r
		       : err_why(e, r, "on this kernel its file system, %s, cannot be mounted with other owners",
				 filesystem_name_at(path));
}

static int send_stages(struct sending *s, const struct cell_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < spec->n_stages; i++) {
		const char *tree = spec_text(spec, spec->stages[i].tree), *part = spec_text(spec, spec->stages[i].part);
		const char *mask = spec_text(spec, spec->stages[i].mask);
		int r = send_tree(s, tree, tree, CELL_TREE_OF_STAGE(i));

		if (r < 0)
			return cannot_send(tree, -r, e);
		if (part[0] != 0)
			r = send_tree(s, part, part, CELL_PART_OF_STAGE(i));
		if (r < 0)
			return cannot_send(part, -r, e);
		if (mask[0] != 0)
			r = send_tree(s, mask, mask, CELL_MASK_OF_STAGE(i));
		if (r < 0)
			return cannot_send(mask, -r, e);
	}
	return 0;
}

/* A name that is only held is seen as what it lies in, and not as its own owner would: a grant of the one is none of the other's files. */
static const char *granted_above(const struct cell_spec *spec, const struct cell_path *p)
{
	const struct cell_path *above = (p->flags & CELL_PATH_PIN) != 0
						? spec_granted_above(spec, spec_text(spec, p->path))
						: NULL;

	return spec_text(spec, above != NULL ? above->path : p->path);
}

static int send_paths(struct sending *s, const struct cell_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const struct cell_path *p = &spec->paths[i];
		const char *path = spec_text(spec, p->path);
		int r;

		if (!is_sent(p))
			continue;
		r = send_tree(s, path, granted_above(spec, p), i);
		if (r == -ENOENT && (p->flags & CELL_PATH_OPTIONAL) != 0)
			continue;
		if (r < 0)
			return cannot_send(path, -r, e);
	}
	return 0;
}

int identity_send_trees(const struct identity *id, const struct cell_spec *spec, int cell_sock, struct err *e)
{
	struct sending s = { .id = id, .cell_sock = cell_sock, .map = -1 };
	int r;

	if (!id->mapped)
		return 0;
	r = send_paths(&s, spec, e);
	r = r < 0 ? r : send_stages(&s, spec, e);
	fd_close(&s.map);
	return r;
}

/* ---- of a sub-agent ---- */

int identity_share(struct identity *id, const struct sibling_trees *given, struct err *e)
{
	if (id->mapped ? given->uid < ALLOCATED_FIRST : given->uid != id->outside_uid)
		return err_set(e, AMBIT_PROTOCOL, NULL,
			       "request: the trees of a sub-agent belong to nobody who could be its caller");
	id->outside_uid = given->uid;
	if (id->mapped)
		id->outside_gid = given->uid;
	return 0;
}

static int *given_at(struct sibling_trees *given, const struct grant_set *grants, const char *path)
{
	for (uint32_t i = 0; i < given->n; i++)
		if (given->fd[i] >= 0 && strcmp(grant_object(grants, given->grant[i] & ~SIBLING_STAGED), path) == 0)
			return &given->fd[i];
	return NULL;
}

void identity_mark_given(const struct sibling_trees *given, const struct grant_set *grants, struct cell_spec *spec)
{
	for (uint32_t i = 0; i < given->n; i++)
		for (uint32_t k = 0; k < spec->n_paths && (given->grant[i] & SIBLING_STAGED) != 0; k++)
			if (is_sent(&spec->paths[k]) && strcmp(grant_object(grants, given->grant[i] & ~SIBLING_STAGED),
							       spec_text(spec, spec->paths[k].path)) == 0)
				spec->paths[k].flags |= CELL_PATH_STAGED;
}

int identity_send_given(struct sibling_trees *given, const struct grant_set *grants, const struct cell_spec *spec,
			int cell_sock, struct err *e)
{
	for (uint32_t i = 0; i < spec->n_paths; i++) {
		const char *path = spec_text(spec, spec->paths[i].path);
		uint8_t room[4];
		struct buf b;
		int *fd, r;

		if (!is_sent(&spec->paths[i]))
			continue;
		fd = given_at(given, grants, path);
		if (fd == NULL)
			return err_set(e, AMBIT_NOT_FOUND, "grant what is there", "there is no %s in the caller's cell",
				       path);
		buf_init_in(&b, room, sizeof room);
		buf_put_u32(&b, i);
		r = wire_send(cell_sock, WIRE_CELL_TREE, &b, fd, 1);
		fd_close(fd);
		if (r < 0)
			return cannot_send(path, -r, e);
	}
	for (uint32_t i = 0; i < given->n; i++)
		fd_close(&given->fd[i]);
	return 0;
}
