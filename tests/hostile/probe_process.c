/* Other processes: args[0] is the number of one: of a victim on the host, or 1, the warden. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static pid_t target(struct attempt *a)
{
	return (pid_t)number(a->args[0]);
}

/* ---- is it there ---- */

static int see_kill(struct attempt *a)
{
	return got(kill(target(a), 0));
}

static int see_directory(struct attempt *a)
{
	return got(access(joined("/proc", a->args[0]).text, F_OK));
}

static int see_stat(struct attempt *a)
{
	return got(open(joined(joined("/proc", a->args[0]).text, "stat").text, O_RDONLY | O_CLOEXEC));
}

static int see_command(struct attempt *a)
{
	return got(open(joined(joined("/proc", a->args[0]).text, "cmdline").text, O_RDONLY | O_CLOEXEC));
}

static int see_listing(struct attempt *a)
{
	DIR *d = opendir("/proc");
	int r = -ENOENT;

	if (d == NULL)
		return -errno;
	for (struct dirent *e; r < 0 && (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, a->args[0]) == 0)
			r = said(a, "listed in /proc");
	(void)closedir(d);
	return r;
}

static int see_group(struct attempt *a)
{
	return got(getpgid(target(a)));
}

static int see_session(struct attempt *a)
{
	return got(getsid(target(a)));
}

static int see_pidfd(struct attempt *a)
{
	return got(syscall(SYS_pidfd_open, target(a), 0));
}

static int see_priority(struct attempt *a)
{
	errno = 0;
	return getpriority(PRIO_PROCESS, (id_t)target(a)) == -1 && errno != 0 ? -errno : 0;
}

static int see_affinity(struct attempt *a)
{
	cpu_set_t set;

	return got(sched_getaffinity(target(a), sizeof set, &set));
}

static int see_scheduler(struct attempt *a)
{
	return got(sched_getscheduler(target(a)));
}

static int see_limits(struct attempt *a)
{
	struct rlimit now;

	return got(prlimit(target(a), RLIMIT_NOFILE, NULL, &now));
}

/* ---- signals: args[1] is the number ---- */

static int signal_kill(struct attempt *a)
{
	return got(kill(target(a), (int)number(a->args[1])));
}

static int signal_group(struct attempt *a)
{
	return got(kill(-target(a), (int)number(a->args[1])));
}

static int signal_thread(struct attempt *a)
{
	return got(syscall(SYS_tgkill, target(a), target(a), (int)number(a->args[1])));
}

static int signal_tkill(struct attempt *a)
{
	return got(syscall(SYS_tkill, target(a), (int)number(a->args[1])));
}

static int signal_queue(struct attempt *a)
{
	return got(sigqueue(target(a), (int)number(a->args[1]), (union sigval){ .sival_int = 0 }));
}

static int signal_queue_thread(struct attempt *a)
{
	siginfo_t info = { .si_signo = (int)number(a->args[1]), .si_code = SI_QUEUE };

	return got(syscall(SYS_rt_tgsigqueueinfo, target(a), target(a), info.si_signo, &info));
}

static int signal_pidfd(struct attempt *a)
{
	const int fd = (int)syscall(SYS_pidfd_open, target(a), 0);

	return fd < 0 ? -errno : got(syscall(SYS_pidfd_send_signal, fd, (int)number(a->args[1]), NULL, 0));
}

/* A directory of /proc is a descriptor of a process too. */
static int signal_proc_directory(struct attempt *a)
{
	const int fd = open(joined("/proc", a->args[0]).text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : got(syscall(SYS_pidfd_send_signal, fd, (int)number(a->args[1]), NULL, 0));
}

/* The kernel sends it, when the pipe can be read. F_SETOWN itself only asks whether the process is there. */
static int signal_owner(struct attempt *a)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return failed_try(a, "pipe");
	if (fcntl(p[0], F_SETOWN, target(a)) < 0)
		return -errno;
	if (fcntl(p[0], F_SETSIG, (int)number(a->args[1])) < 0 || fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
		return failed_try(a, "fcntl");
	return write(p[1], "x", 1) < 0 ? failed_try(a, "write") : said(a, "the kernel was asked to send it");
}

/* Everything that there is but itself and process 1. The twin has a pid namespace of its own. */
static int signal_all(struct attempt *a)
{
	return got(kill(-1, (int)number(a->args[0])));
}

/* ---- reading, writing, tracing ---- */

static int trace_attach(struct attempt *a)
{
	if (ptrace(PTRACE_ATTACH, target(a), NULL, NULL) < 0)
		return -errno;
	(void)waitpid(target(a), NULL, __WALL);
	(void)ptrace(PTRACE_DETACH, target(a), NULL, NULL);
	return said(a, "attached");
}

static int trace_seize(struct attempt *a)
{
	return got(ptrace(PTRACE_SEIZE, target(a), NULL, NULL));
}

/* args[1]: an address in it where MARKER lies. */
static int memory_read(struct attempt *a)
{
	char room[64] = "";
	const struct iovec here = { room, sizeof room - 1 };
	const struct iovec there = { (void *)(uintptr_t)number(a->args[1]), sizeof room - 1 };

	if (process_vm_readv(target(a), &here, 1, &there, 1, 0) < 0)
		return -errno;
	return said(a, "read %s", room);
}

static int memory_write(struct attempt *a)
{
	char text[] = "!";
	const struct iovec here = { text, 1 };
	const struct iovec there = { (void *)(uintptr_t)number(a->args[1]), 1 };

	return got(process_vm_writev(target(a), &here, 1, &there, 1, 0));
}

static int memory_file(struct attempt *a)
{
	char room[64] = "";
	const int fd = open(joined(joined("/proc", a->args[0]).text, "mem").text, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, room, sizeof room - 1, number(a->args[1])) < 0)
		return -errno;
	return said(a, "read %s", room);
}

static int memory_file_write(struct attempt *a)
{
	const int fd = open(joined(joined("/proc", a->args[0]).text, "mem").text, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : got(pwrite(fd, "!", 1, number(a->args[1])));
}

/* args[1]: one of the files of a process. */
static int proc_file(struct attempt *a)
{
	char room[64];
	const int fd = open(joined(joined("/proc", a->args[0]).text, a->args[1]).text, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : got(read(fd, room, sizeof room));
}

static int proc_link(struct attempt *a)
{
	char room[256];

	return got(readlink(joined(joined("/proc", a->args[0]).text, a->args[1]).text, room, sizeof room));
}

static int proc_fds(struct attempt *a)
{
	DIR *d = opendir(joined(joined("/proc", a->args[0]).text, "fd").text);

	if (d == NULL)
		return -errno;
	(void)closedir(d);
	return said(a, "listed");
}

static int take_descriptor(struct attempt *a)
{
	const int fd = (int)syscall(SYS_pidfd_open, target(a), 0);

	return fd < 0 ? -errno : got(syscall(438 /* pidfd_getfd */, fd, (int)number(a->args[1]), 0));
}

static int compare(struct attempt *a)
{
	return got(syscall(SYS_kcmp, getpid(), target(a), KCMP_FS, 0, 0));
}

static int move_pages(struct attempt *a)
{
	void *page = (void *)(uintptr_t)(number(a->args[1]) & ~4095L);
	int status = 0;

	return got(syscall(SYS_move_pages, target(a), 1UL, &page, NULL, &status, 0));
}

static int robust_list(struct attempt *a)
{
	void *head;
	size_t size;

	return got(syscall(SYS_get_robust_list, target(a), &head, &size));
}

static int advise(struct attempt *a)
{
	const struct iovec there = { (void *)(uintptr_t)(number(a->args[1]) & ~4095L), 4096 };
	const int fd = (int)syscall(SYS_pidfd_open, target(a), 0);

	return fd < 0 ? -errno : got(syscall(440 /* process_madvise */, fd, &there, 1UL, 20 /* MADV_COLD */, 0));
}

/* ---- starving it ---- */

static int slow_priority(struct attempt *a)
{
	return got(setpriority(PRIO_PROCESS, (id_t)target(a), 10));
}

static int slow_affinity(struct attempt *a)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return got(sched_setaffinity(target(a), sizeof set, &set));
}

static int slow_scheduler(struct attempt *a)
{
	const struct sched_param zero = { .sched_priority = 0 };

	return got(sched_setscheduler(target(a), SCHED_IDLE, &zero));
}

static int slow_io(struct attempt *a)
{
	return got(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, target(a), 3 << 13 /* idle */));
}

static int lower_limits(struct attempt *a)
{
	struct rlimit limit;

	if (prlimit(target(a), RLIMIT_NOFILE, NULL, &limit) < 0)
		return -errno;
	limit.rlim_cur /= 2;
	return got(prlimit(target(a), RLIMIT_NOFILE, &limit, NULL));
}

const struct probe probes_process[] = {
	{ "see-kill", 1, .tries = see_kill },
	{ "see-directory", 1, .tries = see_directory },
	{ "see-stat", 1, .tries = see_stat },
	{ "see-command", 1, .tries = see_command },
	{ "see-listing", 1, .tries = see_listing },
	{ "see-group", 1, .tries = see_group },
	{ "see-session", 1, .tries = see_session },
	{ "see-pidfd", 1, .tries = see_pidfd },
	{ "see-priority", 1, .tries = see_priority },
	{ "see-affinity", 1, .tries = see_affinity },
	{ "see-scheduler", 1, .tries = see_scheduler },
	{ "see-limits", 1, .tries = see_limits },
	{ "signal-kill", 2, .tries = signal_kill },
	{ "signal-group", 2, .tries = signal_group },
	{ "signal-thread", 2, .tries = signal_thread },
	{ "signal-tkill", 2, .tries = signal_tkill },
	{ "signal-queue", 2, .tries = signal_queue },
	{ "signal-queue-thread", 2, .tries = signal_queue_thread },
	{ "signal-pidfd", 2, .tries = signal_pidfd },
	{ "signal-proc-directory", 2, .tries = signal_proc_directory },
	{ "signal-owner", 2, .tries = signal_owner },
	{ "signal-all", 1, .tries = signal_all },
	{ "trace-attach", 1, .tries = trace_attach },
	{ "trace-seize", 1, .tries = trace_seize },
	{ "memory-read", 2, .tries = memory_read },
	{ "memory-write", 2, .tries = memory_write },
	{ "memory-file", 2, .tries = memory_file },
	{ "memory-file-write", 2, .tries = memory_file_write },
	{ "proc-file", 2, .tries = proc_file },
	{ "proc-link", 2, .tries = proc_link },
	{ "proc-fds", 1, .tries = proc_fds },
	{ "take-descriptor", 2, .tries = take_descriptor },
	{ "compare", 1, .tries = compare },
	{ "move-pages", 2, .tries = move_pages },
	{ "robust-list", 1, .tries = robust_list },
	{ "advise", 2, .tries = advise },
	{ "slow-priority", 1, .tries = slow_priority },
	{ "slow-affinity", 1, .tries = slow_affinity },
	{ "slow-scheduler", 1, .tries = slow_scheduler },
	{ "slow-io", 1, .tries = slow_io },
	{ "lower-limits", 1, .tries = lower_limits },
	{ .name = NULL },
};
