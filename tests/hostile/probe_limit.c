/* Taking more than there should be. Each wants a certain amount at one time, keeps it long enough for a sampler to see,
 * and succeeds if it had it. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define MIB (1L << 20)

static void pause_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Kept for longer than a sampler's period. */
static int kept(struct attempt *a, const char *what, long amount)
{
	pause_ms(400);
	return said(a, "%ld %s at one time", amount, what);
}

/* ---- tasks: args[0] is how many ---- */

/* A child ends with its parent, and after a while in any case: a twin leaves nothing on the host. */
static void end_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)alarm(30);
	if (getppid() != parent)
		_exit(0);
}

static void sit(void)
{
	for (;;)
		(void)pause();
}

static int processes(struct attempt *a)
{
	const long want = number(a->args[0]);
	const pid_t me = getpid();

	for (long n = 0; n < want; n++) {
		const pid_t pid = fork();

		if (pid == 0) {
			end_with(me);
			sit();
		}
		if (pid < 0)
			return -errno;
	}
	return kept(a, "processes", want);
}

/* Each makes the next one and ends, so that nobody's child count grows: all that live are counted in shared memory. */
static int orphans(struct attempt *a)
{
	const long want = number(a->args[0]);
	int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (count == MAP_FAILED)
		return failed_try(a, "mmap");
	for (long n = 0; n < want; n++) {
		const pid_t pid = fork();

		if (pid == 0) {
			const pid_t grandchild = fork();

			if (grandchild < 0)
				_exit(1);
			if (grandchild > 0)
				_exit(0);
			(void)__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
			(void)alarm(
				30); /* all of them live at one time, also on a machine that takes long to start them */
			for (;;)
				(void)pause();
		}
		if (pid < 0)
			return -errno;
		(void)waitpid(pid, NULL, 0);
	}
	pause_ms(400);
	return *count < want ? -EAGAIN : said(a, "%d orphans at one time", *count);
}

static void *sit_in_thread(void *unused)
{
	pause_ms(10000);
	return unused;
}

static int threads(struct attempt *a)
{
	const long want = number(a->args[0]);
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 64 << 10);
	for (long n = 0; n < want; n++) {
		pthread_t t;
		const int r = pthread_create(&t, &attr, sit_in_thread, NULL);

		if (r != 0)
			return -r;
	}
	return kept(a, "threads", want);
}

/* ---- memory: args[0] is how many MiB ---- */

static int filled(struct attempt *a, void *at)
{
	const long mib = number(a->args[0]);

	if (at == MAP_FAILED)
		return -errno;
	memset(at, 0x5a, (size_t)(mib * MIB));
	return kept(a, "MiB", mib);
}

static void *mapped(struct attempt *a, int flags, int fd)
{
	return mmap(NULL, (size_t)(number(a->args[0]) * MIB), PROT_READ | PROT_WRITE, flags, fd, 0);
}

static int private_memory(struct attempt *a)
{
	return filled(a, mapped(a, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

static int shared_memory(struct attempt *a)
{
	return filled(a, mapped(a, MAP_SHARED | MAP_ANONYMOUS, -1));
}

static int memory_file(struct attempt *a)
{
	const int fd = (int)syscall(SYS_memfd_create, "much", MFD_CLOEXEC | 8U /* MFD_NOEXEC_SEAL */);

	if (fd < 0 || ftruncate(fd, number(a->args[0]) * MIB) < 0)
		return -errno;
	return filled(a, mapped(a, MAP_SHARED, fd));
}

static int sysv_memory(struct attempt *a)
{
	const int id = shmget(IPC_PRIVATE, (size_t)(number(a->args[0]) * MIB), IPC_CREAT | 0600);
	void *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
	const int saved = errno;

	if (id >= 0)
		(void)shmctl(id, IPC_RMID, NULL); /* stays until it is detached */
	errno = saved;
	return filled(a, at); /* MAP_FAILED is the same -1 */
}

static int heap(struct attempt *a)
{
	return filled(a, sbrk((intptr_t)(number(a->args[0]) * MIB)));
}

/* Many processes, each with a little. */
static int spread_memory(struct attempt *a)
{
	const long mib = number(a->args[0]);
	const pid_t me = getpid();
	int *full = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (full == MAP_FAILED)
		return failed_try(a, "mmap");
	for (long n = 0; n < mib; n += 16) {
		const pid_t pid = fork();

		if (pid == 0) {
			char *at = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			end_with(me);
			if (at == MAP_FAILED)
				_exit(1);
			memset(at, 0x5a, 16 * MIB);
			(void)__atomic_add_fetch(full, 1, __ATOMIC_SEQ_CST);
			sit();
		}
		if (pid < 0)
			return -errno;
	}
	/* a child that is gone (refused, or killed by a limit of memory) means that it was not all there at one time; on a
	 * busy machine it takes a while until it is */
	for (;;) {
		const bool all = __atomic_load_n(full, __ATOMIC_SEQ_CST) * 16 >= mib;

		if (waitpid(-1, NULL, WNOHANG) != 0)
			return -ENOMEM;
		if (all)
			return kept(a, "MiB in several processes", mib);
		pause_ms(20);
	}
}

/* Pages that are in no mapping: pipes full of data. */
static int pipe_memory(struct attempt *a)
{
	static char page[65536];
	const long mib = number(a->args[0]);

	memset(page, 0x5a, sizeof page);
	for (long n = 0; n < mib * MIB; n += (long)sizeof page) {
		int p[2];

		if (pipe2(p, O_NONBLOCK | O_CLOEXEC) < 0)
			return -errno;
		if (write(p[1], page, sizeof page) != sizeof page)
			return -EAGAIN;
	}
	return kept(a, "MiB in pipes", mib);
}

/* args[0]: a directory in memory, args[1]: MiB. */
static int write_file(struct attempt *a, const char *name, long mib)
{
	static char block[1 << 20];
	const struct path p = joined(a->args[0], name);
	const int fd = open(p.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	memset(block, 0x5a, sizeof block);
	for (long n = 0; n < mib; n++) {
		const ssize_t w = write(fd, block, sizeof block);

		if (w != (ssize_t)sizeof block) {
			const int r = w < 0 ? -errno : -ENOSPC;

			(void)close(fd);
			return r;
		}
	}
	(void)close(fd);
	return 0;
}

static void clean(struct attempt *a, long files)
{
	for (long n = 0; n < files; n++) {
		char name[32];

		(void)snprintf(name, sizeof name, "much-%ld", n);
		(void)unlink(joined(a->args[0], name).text);
	}
}

static int one_big_file(struct attempt *a)
{
	const long mib = number(a->args[1]);
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);
	r = write_file(a, "much-0", mib);
	if (r == 0)
		r = kept(a, "MiB in one file", mib);
	clean(a, 1);
	return r;
}

static int many_files(struct attempt *a)
{
	const long mib = number(a->args[1]);
	int r = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	for (long n = 0; n < mib && r == 0; n++) {
		char name[32];

		(void)snprintf(name, sizeof name, "much-%ld", n);
		r = write_file(a, name, 1);
	}
	if (r == 0)
		r = kept(a, "MiB in many files", mib);
	clean(a, mib);
	return r;
}

/* args[1]: GiB that are promised and not used. */
static int hole(struct attempt *a)
{
	const struct path p = joined(a->args[0], "much-0");
	const int fd = open(p.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);
	r = fd < 0 ? -errno : got(ftruncate(fd, number(a->args[1]) << 30));
	(void)unlink(p.text);
	return r;
}

static int reserved(struct attempt *a)
{
	const struct path p = joined(a->args[0], "much-0");
	const int fd = open(p.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);
	r = fd < 0 ? -errno : got(fallocate(fd, 0, 0, number(a->args[1]) * MIB));
	if (r == 0)
		r = kept(a, "MiB reserved", number(a->args[1]));
	(void)unlink(p.text);
	return r;
}

/* The kernel's struct space_resv, which no header of the C library shows. */
struct space {
	int16_t type, whence;
	int64_t start, len;
	int32_t sysid;
	uint32_t pid;
	int32_t pad[4];
};

/* args[2]: the command that reserves, an old way to fallocate(). */
static int reserved_by_command(struct attempt *a)
{
	const struct path p = joined(a->args[0], "much-0");
	const int fd = open(p.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct space space = { .len = number(a->args[1]) * MIB };
	struct stat st = { .st_blocks = 0 };
	int r;

	(void)signal(SIGXFSZ, SIG_IGN);
	r = fd < 0 ? -errno : got(ioctl(fd, (unsigned long)number(a->args[2]), &space));
	if (r == 0 && (fstat(fd, &st) < 0 || st.st_blocks < space.len / 512))
		r = -ENOSPC;
	if (r == 0)
		r = kept(a, "MiB reserved", number(a->args[1]));
	(void)unlink(p.text);
	return r;
}

/* A file that has no name any more still takes its place. */
static int unlinked_files(struct attempt *a)
{
	static char block[1 << 20];
	const long mib = number(a->args[1]);

	memset(block, 0x5a, sizeof block);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (long n = 0; n < mib; n++) {
		const struct path p = joined(a->args[0], "much-0");
		const int fd = open(p.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 || unlink(p.text) < 0)
			return -errno;
		if (write(fd, block, sizeof block) != (ssize_t)sizeof block)
			return errno != 0 ? -errno : -ENOSPC;
	}
	return kept(a, "MiB in files without names", mib);
}

/* ---- the rest ---- */

static int descriptors(struct attempt *a)
{
	const long want = number(a->args[0]);
	struct rlimit most;

	/* as many as one may ask for */
	if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
		most.rlim_cur = most.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &most);
	}
	for (long n = 0; n < want; n++)
		if (dup(0) < 0)
			return -errno;
	return said(a, "%ld descriptors", want);
}

/* args[0]: MiB to standard output, then the verdict to standard error, since nobody may see more of the first. */
static int output(struct attempt *a)
{
	static char block[65536];
	const long mib = number(a->args[0]);

	memset(block, '.', sizeof block);
	block[sizeof block - 1] = '\n';
	for (long n = 0; n < mib * MIB; n += (long)sizeof block)
		for (size_t at = 0; at < sizeof block;) {
			const ssize_t w = write(1, block + at, sizeof block - at);

			if (w < 0)
				return -errno;
			at += (size_t)w;
		}
	return said(a, "%ld MiB", mib);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* args[0]: seconds. */
static int spin(struct attempt *a)
{
	const double until = seconds(CLOCK_MONOTONIC) + (double)number(a->args[0]);

	while (seconds(CLOCK_MONOTONIC) < until)
		;
	return said(a, "%s seconds", a->args[0]);
}

static int spin_deaf(struct attempt *a)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	return spin(a);
}

static int spin_everywhere(struct attempt *a)
{
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			(void)setsid();
			(void)spin(a);
			_exit(0);
		}
	return spin(a);
}

static int sleep_long(struct attempt *a)
{
	pause_ms(number(a->args[0]) * 1000);
	return said(a, "%s seconds", a->args[0]);
}

/* Stopped, it cannot be asked to end. A child wakes it again if nobody does. */
static int stop_itself(struct attempt *a)
{
	const pid_t me = getpid();

	if (fork() == 0) {
		pause_ms(number(a->args[0]) * 1000);
		(void)kill(me, SIGCONT);
		_exit(0);
	}
	(void)raise(SIGSTOP);
	return said(a, "%s seconds stopped", a->args[0]);
}

/* args[0]: a file, args[1]: a word for its command line. A daemon, as daemons are made, that writes the file a second
 * later. */
static int daemon_stays(struct attempt *a)
{
	const pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		for (int fd = 0; fd < 3; fd++)
			(void)close(fd);
		for (int s = 1; s < 32; s++)
			(void)signal(s, SIG_IGN);
		pause_ms(1000);
		(void)scratch_file(parent_of(a->args[0]).text, base_of(a->args[0]));
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
	return said(a, "the daemon is on its way");
}

static int core_dump(struct attempt *a)
{
	struct rlimit most;
	int status;
	const pid_t pid = fork();

	if (pid < 0 || chdir(a->args[0]) < 0)
		return failed_try(a, "fork or chdir");
	if (pid == 0) {
		if (getrlimit(RLIMIT_CORE, &most) == 0) {
			most.rlim_cur = most.rlim_max;
			(void)setrlimit(RLIMIT_CORE, &most);
		}
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)raise(SIGSEGV);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSIGNALED(status))
		return cannot(a, "the child did not crash");
	return WCOREDUMP(status) ? said(a, "dumped") : -EPERM;
}

/* Raises a limit above what it was given. args[0]: RLIMIT_. */
static int raise_limit(struct attempt *a)
{
	const int which = (int)number(a->args[0]);
	struct rlimit most, now;

	if (prlimit(0, (__rlimit_resource_t)which, NULL, &most) < 0)
		return -errno;
	if (most.rlim_max == RLIM_INFINITY)
		return said(a, "there is no limit");
	most.rlim_max++;
	most.rlim_cur = most.rlim_max;
	if (prlimit(0, (__rlimit_resource_t)which, &most, NULL) < 0 ||
	    prlimit(0, (__rlimit_resource_t)which, NULL, &now) < 0)
		return -errno;
	return now.rlim_max == most.rlim_max ? 0 : -EPERM;
}

/* Without a limit the kernel's helper for core dumps is not run (1 stands for that), but with 0 it is: core(5). args[0]: how
 * it is set: by its own call, by prlimit64, or by that with an address of which the lower half is 0. */
static int core_limit_of_0(struct attempt *a)
{
	const struct rlimit none = { .rlim_cur = 0 };
	struct rlimit now = { .rlim_cur = 1 };
	struct rlimit *at = mmap((void *)(7UL << 32), sizeof *at, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	long r = -1;

	if (at == MAP_FAILED)
		return failed_try(a, "mmap");
	*at = none;
#ifdef SYS_setrlimit
	if (strcmp(a->args[0], "setrlimit") == 0)
		r = syscall(SYS_setrlimit, RLIMIT_CORE, &none);
#endif
	if (strcmp(a->args[0], "prlimit") == 0)
		r = syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
	if (strcmp(a->args[0], "address") == 0)
		r = syscall(SYS_prlimit64, 0, RLIMIT_CORE, at, NULL);
	if (r < 0)
		return got(r);
	if (syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &now) < 0)
		return failed_try(a, "prlimit64");
	return now.rlim_cur == 0 ? said(a, "%lu", (unsigned long)now.rlim_max) : -EPERM;
}

const struct probe probes_limit[] = {
	{ "limit-processes", 1, .tries = processes },
	{ "limit-orphans", 1, .tries = orphans },
	{ "limit-threads", 1, .tries = threads },
	{ "limit-memory", 1, .tries = private_memory },
	{ "limit-memory-shared", 1, .tries = shared_memory },
	{ "limit-memory-memfd", 1, .tries = memory_file },
	{ "limit-memory-sysv", 1, .tries = sysv_memory },
	{ "limit-memory-heap", 1, .tries = heap },
	{ "limit-memory-spread", 1, .tries = spread_memory },
	{ "limit-memory-pipes", 1, .tries = pipe_memory },
	{ "limit-disk", 2, .tries = one_big_file },
	{ "limit-disk-many", 2, .tries = many_files },
	{ "limit-disk-hole", 2, .tries = hole },
	{ "limit-disk-reserved", 2, .tries = reserved },
	{ "limit-disk-reserved-command", 3, .tries = reserved_by_command },
	{ "limit-disk-unlinked", 2, .tries = unlinked_files },
	{ "limit-descriptors", 1, .tries = descriptors },
	{ "limit-output", 1, .tries = output },
	{ "limit-spin", 1, .tries = spin },
	{ "limit-spin-deaf", 1, .tries = spin_deaf },
	{ "limit-spin-everywhere", 1, .tries = spin_everywhere },
	{ "limit-sleep", 1, .tries = sleep_long },
	{ "limit-stopped", 1, .tries = stop_itself },
	{ "limit-raise", 1, .tries = raise_limit },
	{ "limit-core-of-0", 1, .tries = core_limit_of_0 },
	{ "daemon", 2, .tries = daemon_stays },
	{ "core-dump", 1, .tries = core_dump },
	{ .name = NULL },
};
