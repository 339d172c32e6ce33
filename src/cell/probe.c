#include "cell/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/filesystem.h"
#include "cell/kernel.h"

static int write_text(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* A user namespace of the child's own, with its id mapped, and with it `more` namespaces. */
static int enter(int more)
{
	char map[64];
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int r;

	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	r = write_text("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
	r = r < 0 ? r : write_text("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
	r = r < 0 ? r : write_text("/proc/self/gid_map", map);
	return r < 0 ? r : more != 0 && unshare(more) < 0 ? -errno : 0;
}

static int user_namespace(char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return enter(0);
}

static int mount_namespace(char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return enter(CLONE_NEWNS);
}

static int network_namespace(char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return enter(CLONE_NEWNET);
}

static int ipc_namespace(char *detail, size_t size)
{
	(void)detail;
	(void)size;
	return enter(CLONE_NEWIPC | CLONE_NEWUTS);
}

static int new_fs(const char *type)
{
	auto_fd int fs = fsopen(type, FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return tree < 0 ? -errno : 0;
}

static int tmpfs(char *detail, size_t size)
{
	const int r = enter(CLONE_NEWNS);

	(void)detail;
	(void)size;
	return r < 0 ? r : new_fs("tmpfs");
}

static int devpts(char *detail, size_t size)
{
	const int r = enter(CLONE_NEWNS);

	(void)detail;
	(void)size;
	return r < 0 ? r : new_fs("devpts");
}

static int restricted_bind(char *detail, size_t size)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       MOUNT_ATTR_NOEXEC };
	auto_fd int tree = -1;
	const int r = enter(CLONE_NEWNS);

	(void)detail;
	(void)size;
	if (r < 0)
		return r;
	tree = open_tree(AT_FDCWD, "/usr", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0 ? -errno : 0;
}

/* A directory of our own where stages would lie, or near: their file system matters. The child works in it from then on. */
static int enter_trial(char *ret, size_t size)
{
	const char *const above[] = { getenv("XDG_STATE_HOME"), getenv("HOME"), getenv("TMPDIR"), "/var/tmp" };

	for (size_t i = 0; i < sizeof above / sizeof above[0]; i++) {
		if (above[i] == NULL || above[i][0] != '/' ||
		    snprintf(ret, size, "%s/.ambit-doctor.XXXXXX", above[i]) >= (int)size || mkdtemp(ret) == NULL)
			continue;
		if (chdir(ret) == 0)
			return 0;
		(void)rmdir(ret);
	}
	return -ENOTDIR;
}

static int write_trial(const char *name)
{
	auto_fd int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 || write(fd, "1", 1) != 1 ? -errno : 0;
}

/* An overlay of low, upper and work, in which a file of low is changed: low must keep its own, and upper get the other. */
static int change_trial(void)
{
	auto_fd int fs = fsopen("overlay", FSOPEN_CLOEXEC), tree = -1, file = -1;
	struct stat low, upper;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", "low", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", "upper", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "workdir", "work", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	file = tree < 0 ? -1 : openat(tree, "f", O_WRONLY | O_APPEND | O_CLOEXEC);
	if (file < 0 || write(file, "2", 1) != 1 || stat("low/f", &low) < 0 || stat("upper/f", &upper) < 0)
		return -errno;
	return low.st_size == 1 && upper.st_size == 2 ? 0 : -ENOTRECOVERABLE;
}

/* Of what the kernel does not refuse, or not with a reason, too. */
static int look_at_filesystem(char *detail, size_t size)
{
	auto_fd int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name = filesystem_name(here);
	int r;

	if (here < 0)
		return -errno;
	if (!filesystem_takes_overlay(here)) {
		(void)snprintf(detail, size, "no overlay can write to %s", name);
		return -EINVAL;
	}
	if (!filesystem_tells_kinds(here)) {
		(void)snprintf(detail, size, "%s was made without the kinds of files in directories (ftype)", name);
		return -EINVAL;
	}
	if (setxattr("upper", "user.ambit", "1", 1, 0) == 0)
		return 0;
	r = -errno;
	(void)snprintf(detail, size, "%s keeps no attributes of users", name);
	return r;
}

static int try_overlay(char *detail, size_t size)
{
	int r = mkdir("low", 0700) < 0 || mkdir("upper", 0700) < 0 || mkdir("work", 0700) < 0 ? -errno : 0;

	r = r < 0 ? r : write_trial("low/f");
	r = r < 0 ? r : look_at_filesystem(detail, size);
	r = r < 0 ? r : enter(CLONE_NEWNS);
	return r < 0 ? r : change_trial();
}

/* What is written to granted trees lies in an overlay's upper layer until it is committed. */
static int overlay(char *detail, size_t size)
{
	static const char *const files[] = { "low/f", "upper/f" };
	static const char *const directories[] = { "work/work", "work", "upper", "low" };
	char trial[4096];
	int r = enter_trial(trial, sizeof trial);

	if (r < 0)
		return r;
	r = try_overlay(detail, size);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(files[i]); /* it may have failed before it was made */
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
		(void)rmdir(directories[i]); /* likewise */
	(void)rmdir(trial);
	return r;
}

/* /proc belongs to a pid namespace, which only a child of the one who made it is in. */
static int private_proc(char *detail, size_t size)
{
	int r = enter(CLONE_NEWNS | CLONE_NEWPID), status = 0;
	pid_t pid;

	(void)detail;
	(void)size;
	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0) {
		r = new_fs("proc");
		_exit(-r);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EFAULT;
}

static int landlock_version(void)
{
	return landlock_create_ruleset_(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static int landlock(char *detail, size_t size)
{
	struct landlock_ruleset_attr_6 attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE };
	const int abi = landlock_version();
	auto_fd int rules = -1, file = -1;

	if (abi <= 0)
		return abi == 0 ? -ENOSYS : -errno;
	(void)snprintf(detail, size, "ABI %d", abi);
	rules = landlock_create_ruleset_(&attr, sizeof attr.handled_access_fs, 0);
	if (rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict_self_(rules) < 0)
		return -errno;
	file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	return file >= 0 ? -ENOTRECOVERABLE : errno == EACCES ? 0 : -errno;
}

static int landlock_scopes(char *detail, size_t size)
{
	struct landlock_ruleset_attr_6 attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK,
						.scoped = LANDLOCK_SCOPE_SIGNAL };
	auto_fd int rules = landlock_create_ruleset_(&attr, sizeof attr, 0);

	(void)detail;
	(void)size;
	if (rules < 0)
		return errno == E2BIG ? -ENOSYS : -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict_self_(rules) < 0)
		return -errno;
	return kill(getppid(), 0) == 0 ? -ENOTRECOVERABLE : errno == EPERM ? 0 : -errno;
}

static int load(unsigned long flags, unsigned refused_call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused_call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	const long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

	return r < 0 ? -errno : (int)r;
}

static int seccomp_filter(char *detail, size_t size)
{
	const int r = load(0, SYS_getppid);

	(void)detail;
	(void)size;
	return r < 0 ? r : syscall(SYS_getppid) == -1 && errno == EDOM ? 0 : -ENOTRECOVERABLE;
}

static int seccomp_listener(char *detail, size_t size)
{
	const int r = load(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getppid);

	(void)detail;
	(void)size;
	return r < 0 ? r : 0;
}

static int mdwe(char *detail, size_t size)
{
	void *page;

	(void)detail;
	(void)size;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0)
		return errno == EINVAL ? -ENOSYS : -errno;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? -ENOTRECOVERABLE : 0;
}

static int sealed_memfd(char *detail, size_t size)
{
	auto_fd int fd = (int)syscall(SYS_memfd_create, "ambit-probe",
				      8 /* MFD_NOEXEC_SEAL, Linux 6.3 */ | MFD_CLOEXEC);

	(void)detail;
	(void)size;
	return fd < 0 ? (errno == EINVAL ? -ENOSYS : -errno) : 0;
}

static int pidfd(char *detail, size_t size)
{
	auto_fd int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)detail;
	(void)size;
	return fd < 0 ? -errno : 0;
}

static int speculation(char *detail, size_t size)
{
	const int branch = prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, 0, 0, 0);

	(void)detail;
	(void)size;
	return branch > 0 && ((unsigned)branch & PR_SPEC_PRCTL) != 0 ? 0 : -ENODEV;
}

/* Root's cells see granted trees through a mount whose owner is another id. */
static int idmapped(char *detail, size_t size)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	auto_fd int ns = -1, tree = -1;
	int ready[2];
	char path[64], byte;
	pid_t pid;
	int r = 0;

	(void)detail;
	(void)size;
	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(1);
	}
	(void)close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		return -EPERM;
	(void)snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
	r = write_text(path, "0 1879048192 1");
	(void)snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
	r = r < 0 ? r : write_text(path, "0 1879048192 1");
	(void)snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	tree = open_tree(AT_FDCWD, "/var", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	attr.userns_fd = (__u64)ns; /* a descriptor, or refused by the kernel */
	if (r == 0 && (ns < 0 || tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0))
		r = -errno;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

static const struct probe probes[] = {
	{ "user namespaces", "a cell of an ordinary user's own",
	  "sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone; on Ubuntu the package's AppArmor profile",
	  PROBE_NEEDED, user_namespace },
	{ "mount namespaces", "the cell's own file tree", "allow them, or leave the container", PROBE_NEEDED,
	  mount_namespace },
	{ "network namespaces", "a cell has no network", "allow them, or leave the container", PROBE_NEEDED,
	  network_namespace },
	{ "ipc and uts namespaces", "no shared memory or queue of others", "allow them, or leave the container",
	  PROBE_NEEDED, ipc_namespace },
	{ "private /proc", "no process outside can be seen",
	  "an unmasked /proc (docker: --security-opt systempaths=unconfined)", PROBE_NEEDED, private_proc },
	{ "tmpfs", "the root, /tmp and home of a cell", "a kernel from 5.2", PROBE_NEEDED, tmpfs },
	{ "devpts", "private terminals", "a kernel from 5.2", PROBE_NEEDED, devpts },
	{ "restricted mounts", "read-only and noexec trees", "a kernel from 5.12", PROBE_NEEDED, restricted_bind },
	{ "overlays", "changes are staged until they are committed",
	  "a kernel from 5.11 with overlayfs (modprobe overlay), and XDG_STATE_HOME on a file system that "
	  "overlays can write to (ext4, xfs, btrfs; in a container, a volume); or --direct",
	  PROBE_NEEDED, overlay },
	{ "idmapped mounts", "root's cells as another id",
	  "a kernel from 5.12 and a file system that can, or an ordinary user", PROBE_ROOT, idmapped },
	{ "Landlock", "files a second time, and the warden out of reach", "a kernel from 5.13 with lsm=landlock,...",
	  PROBE_BETTER, landlock },
	{ "Landlock scopes", "signals and abstract sockets a second time", "a kernel from 6.12", PROBE_BETTER,
	  landlock_scopes },
	{ "seccomp filters", "only listed system calls reach the kernel", "a kernel with CONFIG_SECCOMP_FILTER",
	  PROBE_NEEDED, seccomp_filter },
	{ "seccomp notification", "denials explained by path",
	  "a kernel from 5.5, and no other notifier around Ambit; or --observe off", PROBE_BETTER, seccomp_listener },
	{ "MDWE", "no memory is written and then executed", "a kernel from 6.3 (a filter stands in)", PROBE_BETTER,
	  mdwe },
	{ "sealed memfd", "memory files for programs with jit", "a kernel from 6.3 (such programs have none)",
	  PROBE_BETTER, sealed_memfd },
	{ "pidfd", "processes held without a race", "a kernel from 5.3", PROBE_NEEDED, pidfd },
	{ "speculation controls", "a cell's speculation apart", "the processor offers none for each task", PROBE_BETTER,
	  speculation },
};

size_t probe_list(const struct probe **ret)
{
	*ret = probes;
	return sizeof probes / sizeof probes[0];
}

void probe_run(const struct probe *p, struct finding *ret)
{
	int ends[2];
	pid_t pid;

	*ret = (struct finding){ .result = -EFAULT };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		struct finding found = { .result = 0 };

		found.result = p->run(found.detail, sizeof found.detail);
		(void)fd_write_all(ends[1], &found, sizeof found); /* our own memory, on the same machine */
		_exit(0);
	}
	(void)close(ends[1]);
	if (pid > 0) {
		struct finding found;

		if (fd_read_all(ends[0], &found, sizeof found) == (ssize_t)sizeof found)
			*ret = found;
		(void)waitpid(pid, NULL, 0);
	}
	(void)close(ends[0]);
}
