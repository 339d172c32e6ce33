/* Execution of what was written: files and memory. The code that is written ends with RAN, so that the probe knows that
 * it was this that ran. args[0]: a directory that may be written. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define RAN 77 /* `probe ran` and marker.so end with it, and the machine code returns it */

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* Linux 6.3 */
#endif

/* Runs it in a child: how many it was refused with, or 0 if what ran was ours. */
static int outcome_of(struct attempt *a, int (*run)(void *), void *argument)
{
	int told[2], status, r = 0;
	pid_t pid;

	if (pipe2(told, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return failed_try(a, "pipe or fork");
	if (pid == 0) {
		r = run(argument);
		(void)!write(told[1], &r, sizeof r);
		_exit(0);
	}
	(void)close(told[1]);
	if (read(told[0], &r, sizeof r) != sizeof r)
		r = 0; /* exec closed it */
	(void)close(told[0]);
	if (waitpid(pid, &status, 0) < 0)
		return failed_try(a, "waitpid");
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == RAN)
		return said(a, "it ran");
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -EACCES : -ENOEXEC;
}

struct program {
	const char *path;
	int fd;
	int flags;
	char *const *argv;
	char *const *envp;
};

static int run_program(void *argument)
{
	char *plain[] = { (char[]){ "written" }, (char[]){ "ran" }, NULL }, *none[] = { NULL };
	const struct program *p = argument;

	(void)syscall(SYS_execveat, p->path != NULL ? AT_FDCWD : p->fd, p->path != NULL ? p->path : "",
		      p->argv != NULL ? p->argv : plain, p->envp != NULL ? p->envp : none,
		      p->path != NULL ? 0 : AT_EMPTY_PATH);
	return -errno;
}

static int copy_to(int to, const char *from)
{
	const int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t at = 0;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	while (r == 0 && at < st.st_size)
		if (sendfile(to, fd, &at, (size_t)(st.st_size - at)) <= 0)
			r = errno != 0 ? -errno : -EIO;
	(void)close(fd);
	return r;
}

/* A copy of `from` in the directory, with the right to be executed. */
static int plant(struct attempt *a, const char *from, const char *name, struct path *ret)
{
	const struct path p = joined(a->args[0], name);
	int fd, r;

	(void)unlink(p.text);
	fd = open(p.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0)
		return failed_try(a, "%s", p.text);
	r = copy_to(fd, from);
	(void)fchmod(fd, 0755);
	(void)close(fd);
	*ret = p;
	return r < 0 ? cannot(a, "copy of %s: %s", from, strerror(-r)) : 0;
}

static int written_file(struct attempt *a)
{
	struct path p;

	if (plant(a, "/proc/self/exe", "planted", &p) < 0)
		return CANNOT;
	return outcome_of(a, run_program, &(struct program){ .path = p.text });
}

static int written_file_by_descriptor(struct attempt *a)
{
	struct path p;

	if (plant(a, "/proc/self/exe", "planted-fd", &p) < 0)
		return CANNOT;
	return outcome_of(a, run_program, &(struct program){ .fd = open(p.text, O_RDONLY | O_CLOEXEC) });
}

static int written_file_by_proc(struct attempt *a)
{
	struct path p;
	char name[64];

	if (plant(a, "/proc/self/exe", "planted-proc", &p) < 0)
		return CANNOT;
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", open(p.text, O_RDONLY));
	return outcome_of(a, run_program, &(struct program){ .path = name });
}

static int file_without_name(struct attempt *a)
{
	const int fd = open(a->args[0], O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);
	char name[64];
	int reader;

	if (fd < 0 || copy_to(fd, "/proc/self/exe") < 0)
		return failed_try(a, "O_TMPFILE in %s", a->args[0]);
	(void)fchmod(fd, 0755);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	reader = open(name, O_RDONLY | O_CLOEXEC);
	(void)close(fd); /* a file that is open for writing is not executed */
	return outcome_of(a, run_program, &(struct program){ .fd = reader });
}

/* The kernel starts the interpreter that the file names: it is the file that is executed. */
static int written_script(struct attempt *a)
{
	static const char text[] = "#!/bin/sh\nexit 77\n";
	const struct path p = joined(a->args[0], "planted.sh");
	const int fd = open(p.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, text, sizeof text - 1) < 0)
		return failed_try(a, "%s", p.text);
	(void)close(fd);
	return outcome_of(a, run_program, &(struct program){ .path = p.text });
}

/* args[1]: a dynamic program that ends with RAN, args[2]: the loader. */
static int through_loader(struct attempt *a)
{
	struct path p;
	char *argv[] = { a->args[2], p.text, NULL };

	if (plant(a, a->args[1], "planted-dynamic", &p) < 0)
		return CANNOT;
	return outcome_of(a, run_program, &(struct program){ .path = a->args[2], .argv = argv });
}

/* args[1]: a library whose constructor ends with RAN, args[2]: a dynamic program. */
static int by_preload(struct attempt *a)
{
	struct path p;
	char variable[4200];
	char *argv[] = { a->args[2], NULL }, *envp[] = { variable, NULL };

	if (plant(a, a->args[1], "planted.so", &p) < 0)
		return CANNOT;
	(void)snprintf(variable, sizeof variable, "LD_PRELOAD=%s", p.text);
	return outcome_of(a, run_program, &(struct program){ .path = a->args[2], .argv = argv, .envp = envp });
}

static int new_memfd(unsigned flags)
{
	int fd = (int)syscall(SYS_memfd_create, "planted", flags | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before 6.3 */
		fd = (int)syscall(SYS_memfd_create, "planted", flags);
	return fd;
}

static int memory_file(struct attempt *a)
{
	const int fd = new_memfd(MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (copy_to(fd, "/proc/self/exe") < 0)
		return failed_try(a, "copy into a memfd");
	return outcome_of(a, run_program, &(struct program){ .fd = fd });
}

static int memory_file_by_proc(struct attempt *a)
{
	const int fd = new_memfd(0);
	char name[64];

	if (fd < 0)
		return -errno;
	if (copy_to(fd, "/proc/self/exe") < 0)
		return failed_try(a, "copy into a memfd");
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	return outcome_of(a, run_program, &(struct program){ .path = name });
}

/* ---- memory ---- */

#if defined __x86_64__
static const unsigned char code[] = { 0xb8, RAN, 0, 0, 0, 0xc3 }; /* mov eax, RAN; ret */
#elif defined __aarch64__
static const unsigned char code[] = { 0xa0, 0x09, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6 }; /* mov w0, #RAN; ret */
#endif

static int called(struct attempt *a, void *at)
{
	int (*const function)(void) = (int (*)(void))(uintptr_t)at;

	__builtin___clear_cache(at, (char *)at + sizeof code);
	return function() == RAN ? said(a, "written memory was executed") : -ENOEXEC;
}

static int both_at_once(struct attempt *a)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	return called(a, at);
}

static int write_then_execute(struct attempt *a, void *at)
{
	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	return mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0 ? -errno : called(a, at);
}

static int private_memory(struct attempt *a)
{
	return write_then_execute(a, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int shared_anonymous(struct attempt *a)
{
	return write_then_execute(a, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static int with_key(struct attempt *a)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	return syscall(SYS_pkey_mprotect, at, 4096UL, PROT_READ | PROT_EXEC, -1) < 0 ? -errno : called(a, at);
}

static int heap(struct attempt *a)
{
	char *now = sbrk(8192);

	if (now == (void *)-1)
		return -errno;
	return write_then_execute(a, (void *)(((uintptr_t)now + 4095) & ~(uintptr_t)4095));
}

static int stack(struct attempt *a)
{
	static const size_t page = 4096;
	char here[3 * 4096];
	void *at = (void *)(((uintptr_t)here + page - 1) & ~(uintptr_t)(page - 1));

	memcpy(at, code, sizeof code);
	return mprotect(at, page, PROT_READ | PROT_WRITE | PROT_EXEC) < 0 ? -errno : called(a, at);
}

/* A private, writable copy of a page of the program itself. */
static int copied_program(struct attempt *a)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return write_then_execute(a, mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
}

static int never_executable(struct attempt *a)
{
	void *at = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE) < 0)
		return -errno;
	return write_then_execute(a, at);
}

/* The same pages twice: written through one mapping, executed through the other. No mapping was ever both. */
static int mapped_twice(struct attempt *a, int fd)
{
	void *writer, *runner;

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return -errno;
	writer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (writer == MAP_FAILED)
		return -errno;
	memcpy(writer, code, sizeof code);
	runner = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	return runner == MAP_FAILED ? -errno : called(a, runner);
}

static int memory_file_twice(struct attempt *a)
{
	return mapped_twice(a, new_memfd(MFD_CLOEXEC));
}

/* A memfd that may never be executed may still be mapped so. */
static int sealed_memory_file_twice(struct attempt *a)
{
	return mapped_twice(a, (int)syscall(SYS_memfd_create, "planted", MFD_CLOEXEC | 8U /* MFD_NOEXEC_SEAL */));
}

static int file_twice(struct attempt *a)
{
	const struct path p = joined(a->args[0], "planted.map");

	return mapped_twice(a, open(p.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700));
}

static int file_private(struct attempt *a)
{
	const struct path p = joined(a->args[0], "planted.private");
	const int fd = open(p.text, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	void *at;

	if (fd < 0 || write(fd, code, sizeof code) < 0)
		return failed_try(a, "%s", p.text);
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return at == MAP_FAILED ? -errno : called(a, at);
}

static int attached_twice(struct attempt *a)
{
	const int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
	void *writer = id < 0 ? (void *)-1 : shmat(id, NULL, 0), *runner;
	int r;

	if (writer == (void *)-1)
		return failed_try(a, "shared memory");
	memcpy(writer, code, sizeof code);
	runner = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
	r = runner == (void *)-1 ? -errno : 0;
	(void)shmctl(id, IPC_RMID, NULL);
	return r < 0 ? r : called(a, runner);
}

/* mremap with an old size of 0 gives the same shared pages again. */
static int remapped(struct attempt *a)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *again;

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	again = mremap(at, 0, 4096, MREMAP_MAYMOVE);
	if (again == MAP_FAILED || mprotect(again, 4096, PROT_READ | PROT_EXEC) < 0)
		return -errno;
	return called(a, again);
}

/* The kernel's own file of a mapping. */
static int map_files(struct attempt *a)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[128];
	void *again;
	int fd;

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	(void)snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)at, (unsigned long)at + 4096);
	fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	again = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	return again == MAP_FAILED ? -errno : called(a, again);
}

/* Not inlined and not known to the compiler: its text is what is overwritten. */
__attribute__((noinline, aligned(64))) static int victim_function(void)
{
	__asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop");
	return 1;
}

/* /proc/self/mem writes where the mapping does not let. */
static int own_memory_file(struct attempt *a)
{
	const int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	void *at = (void *)(uintptr_t)victim_function;

	if (fd < 0 || pwrite(fd, code, sizeof code, (off_t)(uintptr_t)at) < 0)
		return -errno;
	return called(a, at);
}

static int write_by_call(void *at)
{
	unsigned char copy[sizeof code];
	const struct iovec here = { copy, sizeof copy }, there = { at, sizeof copy };

	memcpy(copy, code, sizeof copy);
	return got(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
}

/* process_vm_writev respects protection everywhere: what it may write is made executable afterwards. */
static int own_memory_call(struct attempt *a)
{
	void *at = (void *)(uintptr_t)victim_function;
	int r = write_by_call(at);

	if (r >= 0)
		return called(a, at);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return failed_try(a, "mmap");
	r = write_by_call(at);
	if (r >= 0 && mprotect(at, 4096, PROT_READ | PROT_EXEC) < 0)
		r = -errno;
	return r < 0 ? r : called(a, at);
}

/* A tracer writes into the text of its child. */
static int traced_child(struct attempt *a)
{
	const pid_t pid = fork();
	long word = 0;
	int status, r = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(errno == ENOSYS ? 101 : 100);
		(void)raise(SIGSTOP);
		_exit(called(a, (void *)(uintptr_t)victim_function) == 0 ? RAN : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failed_try(a, "fork or waitpid");
	if (!WIFSTOPPED(status))
		return WEXITSTATUS(status) == 101 ? -ENOSYS : -EPERM;
	memcpy(&word, code, sizeof code);
	if (ptrace(PTRACE_POKETEXT, pid, (void *)(uintptr_t)victim_function, (void *)word) < 0)
		r = -errno;
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (waitpid(pid, &status, 0) < 0)
		return failed_try(a, "waitpid");
	if (r == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == RAN))
		r = -ENOEXEC;
	return r;
}

/* With this persona what can be read can be executed. */
static int by_persona(struct attempt *a)
{
	void *at;

	if (personality(READ_IMPLIES_EXEC) < 0)
		return -errno;
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, code, sizeof code);
	return called(a, at);
}

/* args[0]: a program that becomes somebody else (setuid, setgid, file capabilities) if the kernel lets it; it is the
 * probe itself, which says who it is. */
static int becomes_other(struct attempt *a)
{
	char line[256];
	int p[2];
	FILE *f;
	pid_t pid;
	unsigned uid = 0, gid = 0;
	unsigned long long caps = 0;

	if (pipe2(p, 0) < 0 || (pid = fork()) < 0)
		return failed_try(a, "pipe or fork");
	if (pid == 0) {
		(void)dup2(p[1], 1);
		(void)execl(a->args[0], "whoami", "whoami", (char *)NULL);
		_exit(126);
	}
	(void)close(p[1]);
	f = fdopen(p[0], "r");
	if (f == NULL || fgets(line, sizeof line, f) == NULL)
		return -EACCES;
	(void)waitpid(pid, NULL, 0);
	if (sscanf(line, "%u %u %llx", &uid, &gid, &caps) != 3)
		return cannot(a, "it said: %s", line);
	if (uid == geteuid() && gid == getegid() && caps == 0)
		return -EPERM;
	return said(a, "uid %u, gid %u, capabilities %llx", uid, gid, caps);
}

const struct probe probes_exec[] = {
	{ "exec-file", 1, .tries = written_file },
	{ "exec-file-fd", 1, .tries = written_file_by_descriptor },
	{ "exec-file-proc", 1, .tries = written_file_by_proc },
	{ "exec-nameless", 1, .tries = file_without_name },
	{ "exec-script", 1, .tries = written_script },
	{ "exec-loader", 3, .tries = through_loader },
	{ "exec-preload", 3, .tries = by_preload },
	{ "exec-memfd", 0, .tries = memory_file },
	{ "exec-memfd-proc", 0, .tries = memory_file_by_proc },
	{ "exec-other", 1, .tries = becomes_other },
	{ "code-both", 0, .tries = both_at_once },
	{ "code-private", 0, .tries = private_memory },
	{ "code-shared", 0, .tries = shared_anonymous },
	{ "code-pkey", 0, .tries = with_key },
	{ "code-heap", 0, .tries = heap },
	{ "code-stack", 0, .tries = stack },
	{ "code-copied", 0, .tries = copied_program },
	{ "code-none-first", 0, .tries = never_executable },
	{ "code-memfd-twice", 0, .tries = memory_file_twice },
	{ "code-sealed-twice", 0, .tries = sealed_memory_file_twice },
	{ "code-file-twice", 1, .tries = file_twice },
	{ "code-file", 1, .tries = file_private },
	{ "code-shm-twice", 0, .tries = attached_twice },
	{ "code-remapped", 0, .tries = remapped },
	{ "code-map-files", 0, .tries = map_files },
	{ "code-proc-mem", 0, .tries = own_memory_file },
	{ "code-vm-write", 0, .tries = own_memory_call },
	{ "code-traced", 0, .tries = traced_child },
	{ "code-persona", 0, .tries = by_persona },
	{ .name = NULL },
};
