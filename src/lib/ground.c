#include "lib/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "lib/helper.h"

#define MASK_WORDS 16 /* nodes of memory: 1024, as many as any kernel is built for */

/* ---- its status; proc is in each of these a directory of /proc, open as long as it is the same process ---- */

/* What each process has of its own; all else is compared, also what a later kernel tells. */
static bool is_own(const char *line)
{
	static const char *const own[] = { "Name:",    "State:", "Tgid:", "Ngid:", "Pid:",   "PPid:",
					   "FDSize:",  "NS",     "Vm",    "Rss",   "Huge",   "Core",
					   "Threads:", "Sig",    "Shd",   "volun", "nonvol", "x86_Thread_features" };

	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strncmp(line, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

/* "Seccomp:\t0": whether the line says that there is none. */
static bool is_zero(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at != NULL && at[strlen(name)] == '0' && at[strlen(name) + 1] == '\n';
}

/* A filter cannot be read; and who is traced has what he starts traced. */
static bool put_status(struct buf *out, int proc)
{
	char text[8192];
	auto_fd int fd = openat(proc, "status", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text - 1);

	if (n <= 0 || n == (ssize_t)sizeof text - 1)
		return false;
	text[n] = 0;
	if (!is_zero(text, "\nTracerPid:\t") || !is_zero(text, "\nSeccomp:\t"))
		return false;
	for (const char *line = text; *line != 0; line += strcspn(line, "\n") + 1)
		if (!is_own(line))
			buf_put(out, line, strcspn(line, "\n") + 1); /* each ends so */
	return true;
}

/* ---- files of its own ---- */

/* With its length, so that no two files make the bytes of others; one that is not there, or not for us, is told by why. */
static bool put_file(struct buf *out, int proc, const char *name)
{
	char text[8192];
	auto_fd int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -errno : fd_read_all(fd, text, sizeof text);

	if (n == (ssize_t)sizeof text)
		return false;
	buf_put_u32(out, n < 0 ? (uint32_t)-n : 0);
	buf_put_bytes(out, text, n < 0 ? 0 : (size_t)n);
	return true;
}

static bool put_files(struct buf *out, int proc)
{
	static const char *const names[] = {
		"cgroup",    "cpu_resctrl_groups", "oom_score_adj",         "coredump_filter",    "loginuid",
		"sessionid", "attr/current",       "attr/apparmor/current", "attr/smack/current",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!put_file(out, proc, names[i]))
			return false;
	return true;
}

/* ---- namespaces, and the root ---- */

/* Also those that its children will be in. false: this process may not look at it. */
static bool put_namespaces(struct buf *out, int proc)
{
	static const char *const names[] = {
		"ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid_for_children", "ns/time_for_children",
		"ns/user",   "ns/uts"
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct stat st = { .st_ino = 0 };

		if (fstatat(proc, names[i], &st, 0) < 0 && errno != ENOENT)
			return false;
		buf_put_u64(out, st.st_dev);
		buf_put_u64(out, st.st_ino); /* 0: this kernel has none */
	}
	return true;
}

/* By its mount, too: a directory can be mounted in two places, with other things around it. */
static void put_root(struct buf *out, int proc)
{
	struct statx st = { .stx_mask = 0 };

	(void)syscall(SYS_statx, proc, "root", 0, STATX_INO | STATX_MNT_ID, &st); /* zeros, where it cannot be */
	buf_put_u64(out, st.stx_ino);
	buf_put_u64(out, st.stx_mnt_id);
	buf_put_u64(out, makedev(st.stx_dev_major, st.stx_dev_minor));
}

/* What the kernel tells of any process to whoever may look at it. */
static bool put_seen(struct buf *out, const char *path)
{
	auto_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0 || !put_status(out, proc) || !put_files(out, proc) || !put_namespaces(out, proc))
		return false;
	put_root(out, proc);
	return !out->failed;
}

/* ---- limits and priorities ---- */

static void put_limits(struct buf *out, uint64_t files)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l = { .rlim_cur = 0 };

		(void)syscall(SYS_prlimit64, 0, i, NULL, &l); /* each of them is there */
		buf_put_u64(out, i == RLIMIT_NOFILE ? files : l.rlim_cur);
		buf_put_u64(out, l.rlim_max);
	}
}

/* Of prctl(2) what changes nothing: by its number, since this library refers to no function that could change a host's process. */
static long asked(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long *d)
{
	return syscall(SYS_prctl, option, a, b, c, d);
}

/* A number that the kernel gives, or why it gives none. */
static void put_answer(struct buf *out, long r)
{
	buf_put_u64(out, r < 0 ? (uint64_t)errno << 32 : (uint64_t)r);
}

#define IOPRIO_WHO_PROCESS 1
#define SCHED_ATTR_BYTES 256 /* as many as a later kernel may tell */

static void put_priorities(struct buf *out)
{
	uint8_t attr[SCHED_ATTR_BYTES] = { 0 };

	put_answer(out, syscall(SYS_sched_getattr, 0, attr, sizeof attr, 0)); /* nice(2)'s is in there */
	buf_put(out, attr, sizeof attr);
	put_answer(out, syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
}

static void put_memory_nodes(struct buf *out)
{
	unsigned long mask[MASK_WORDS] = { 0 };
	int mode = 0;

	put_answer(out, syscall(SYS_get_mempolicy, &mode, mask, sizeof mask * 8, NULL, 0));
	buf_put_u32(out, (uint32_t)mode);
	buf_put(out, mask, sizeof mask);
}

/* ---- what calls set ---- */

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_MEMORY_MERGE
#define PR_GET_MEMORY_MERGE 68
#endif
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
#define SPECULATIONS 3 /* store bypass, indirect branch, level 1 data */
#define SESSION_KEYRING (-3)
#define ASKS_PERSONALITY 0xffffffff

static void put_process(struct buf *out)
{
	static const int plain[] = { PR_GET_SECUREBITS, PR_GET_TIMERSLACK,   PR_GET_THP_DISABLE, PR_GET_MDWE,
				     PR_GET_IO_FLUSHER, PR_GET_MEMORY_MERGE, PR_MCE_KILL_GET };
	unsigned long cookie = 0;
	int tsc = 0;

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		put_answer(out, asked(plain[i], 0, 0, 0, NULL));
	for (unsigned long i = 0; i < SPECULATIONS; i++)
		put_answer(out, asked(PR_GET_SPECULATION_CTRL, i, 0, 0, NULL));
	put_answer(out, asked(PR_SCHED_CORE, 0 /* get */, 0, 0, &cookie));
	buf_put_u64(out, cookie);
	put_answer(out, asked(PR_GET_TSC, (unsigned long)&tsc, 0, 0, NULL)); /* where the processor has none: why */
	buf_put_u32(out, (uint32_t)tsc);
	put_answer(out, syscall(SYS_personality, ASKS_PERSONALITY));
	put_answer(out, syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, SESSION_KEYRING, 0));
}

/* ---- our own roles ---- */

static bool put_role(struct buf *out, const char *name)
{
	auto_fd int fd = -1;
	struct stat st;

	if (helper_open(name, &fd, NULL) < 0 || fstat(fd, &st) < 0)
		return false;
	buf_put_u64(out, st.st_dev);
	buf_put_u64(out, st.st_ino);
	buf_put_u64(out, (uint64_t)st.st_ctim.tv_sec);
	buf_put_u64(out, (uint64_t)st.st_ctim.tv_nsec);
	return true;
}

uint64_t ground_files(void)
{
	struct rlimit l = { .rlim_cur = 0 };

	(void)getrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur;
}

bool ground_put(struct buf *out, uint64_t files)
{
	if (!put_seen(out, "/proc/self"))
		return false;
	put_limits(out, files);
	put_priorities(out);
	put_memory_nodes(out);
	put_process(out);
	return put_role(out, "ambit-supervisor") && put_role(out, "ambit-warden") && !out->failed;
}

/* ---- another process ---- */

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* By a number alone somebody who listened and went could have been another process by now. Before Linux 6.5 there is no more. */
static bool hold(int sock, int *ret_pidfd)
{
	socklen_t size = sizeof *ret_pidfd;

	return getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, ret_pidfd, &size) == 0 || errno == ENOPROTOOPT;
}

static bool lives(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&p, 1, 0) == 0;
}

bool ground_is_peers(int sock)
{
	auto_buf own = { .max = GROUND_MAX }, theirs = { .max = GROUND_MAX };
	auto_fd int pidfd = -1;
	struct ucred peer;
	socklen_t size = sizeof peer;
	char path[32];

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid() || peer.pid <= 0 ||
	    !hold(sock, &pidfd))
		return false;                                         /* a number of another pid namespace is 0 */
	(void)snprintf(path, sizeof path, "/proc/%d", (int)peer.pid); /* fits */
	return put_seen(&theirs, path) && put_seen(&own, "/proc/self") && lives(pidfd) && own.len == theirs.len &&
	       memcmp(own.data, theirs.data, own.len) == 0;
}
