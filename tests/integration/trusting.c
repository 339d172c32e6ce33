/* Runs a command in a cell that trusts authorities of its own, without whoever would make them: what the warden does to build a cell, as an
 * event's supervisor would have told it. Says on standard error how many microseconds of a processor the building took, with -t: of these other work on the machine takes none.
 *
 *   trusting [-a CERTIFICATE.pem]... [-m] [-r|-w PATH]... [-t] COMMAND [ARGUMENT]...
 *
 * -a: trusts it. -m: base minimal. -r, -w: PATH is seen, and may be written. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell/base.h"
#include "cell/build.h"
#include "cell/pem.h"
#include "core/grant.h"

static void fail(const char *what)
{
	fprintf(stderr, "trusting: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void put(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		fail(path);
}

/* As the supervisor makes the text: from the bytes of each. */
static void add_authority(const char *path, struct buf *text)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_buf file = { .max = 64u << 10 }, der = { .max = PEM_CERTIFICATE_MAX };
	struct span left, one = { .at = NULL };

	if (fd < 0 || fd_read_into(fd, &file) < 0)
		fail(path);
	left = span_bytes(file.data, file.len);
	while (pem_next(&left, &one, &der))
		pem_put(text, der.data, der.len);
}

static void add_path(struct cell_spec *spec, const char *path, uint32_t rights)
{
	if (spec_add_path(spec, path, rights, 0, 0, NULL) < 0)
		fail(path);
}

static void describe(struct cell_spec *spec)
{
	bool full = false;

	spec_init(spec);
	spec->base = CELL_BASE_SYSTEM;
	spec->observe = CELL_OBSERVE_OFF;
	spec->flags = CELL_JIT;
	spec->uid = getuid();
	spec->gid = getgid();
	spec->umask = 022;
	spec->scratch_bytes = 256u << 20;
	spec->user = spec_add_text(spec, "someone", &full);
	spec->home = spec_add_text(spec, "/home/someone", &full);
	spec->hostname = spec_add_text(spec, "cell", &full);
	spec->workdir = spec_add_text(spec, "/tmp", &full);
}

static char *const *take_options(int argc, char **argv, struct cell_spec *spec, bool *ret_timed)
{
	auto_buf text = { .max = AUTHORITIES_TEXT_MAX };
	bool full = false;
	int option;

	while ((option = getopt(argc, argv, "+a:mr:w:t")) != -1)
		if (option == 'a')
			add_authority(optarg, &text);
		else if (option == 'm')
			spec->base = CELL_BASE_MINIMAL;
		else if (option == 'r' || option == 'w')
			add_path(spec, optarg, option == 'r' ? RIGHT_READ | RIGHT_RUN : RIGHT_READ | RIGHT_WRITE);
		else if (option == 't')
			*ret_timed = true;
		else
			exit(125);
	if (text.len > 0)
		spec->authorities = spec_add_text(spec, buf_cstr(&text), &full);
	return argv + optind;
}

/* What the supervisor makes a warden in. */
static void make_namespaces(void)
{
	char map[64];
	const unsigned uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		fail("namespaces");
	put("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof map, "%u %u 1", uid, uid);
	put("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof map, "%u %u 1", gid, gid);
	put("/proc/self/gid_map", map);
}

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void set_environment(const struct cell_spec *spec)
{
	static const struct {
		const char *name, *value;
	} own[] = { { "PATH", "/usr/local/bin:/usr/bin:/bin" }, { "HOME", "/home/someone" }, { "LANG", "C.UTF-8" } },
	  trust[] = {
#define VARIABLE(name, file) { name, file },
#include "cell/trust.def"
#undef VARIABLE
	  };

	(void)clearenv();
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		(void)setenv(own[i].name, own[i].value, 1);
	for (size_t i = 0; i < sizeof trust / sizeof trust[0] && spec->authorities != 0; i++)
		(void)setenv(trust[i].name, trust[i].value, 1);
}

static void enter(const struct cell_spec *spec, bool timed)
{
	static struct net_making network = { .ns_fd = -1 };
	static struct cell_trees trees;
	static struct cell_made made;
	struct cell_failure f = { .index = UINT32_MAX };
	double begun;

	for (size_t i = 0; i < CELL_TREES_MAX; i++)
		trees.fd[i] = -1;
	if (cell_begin(&network, &f) < 0)
		fail("beginning");
	begun = now_us();
	if (cell_build(spec, &trees, -1, &network, &made, &f) < 0) {
		fprintf(stderr, "trusting: step %d: %s\n", (int)f.step, strerror(f.sys_errno));
		exit(125);
	}
	if (timed)
		fprintf(stderr, "%.0f\n", now_us() - begun);
	if (landlock_enforce(&made, &f) < 0 || identity_drop_workload(&f) < 0)
		fail("dropping");
}

int main(int argc, char **argv)
{
	static struct cell_spec spec;
	struct err e = { .code = 0 };
	bool timed = false;
	char *const *command;
	int status = 0;
	pid_t pid;

	describe(&spec);
	command = take_options(argc, argv, &spec, &timed);
	if (base_add(&spec, &e) < 0)
		fail("base");
	spec_sort(&spec);
	if (spec_check(&spec, &e) < 0) {
		fprintf(stderr, "trusting: %s\n", e.msg);
		return 125;
	}
	make_namespaces();
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		enter(&spec, timed);
		set_environment(&spec);
		(void)execvp(command[0], command);
		fail(command[0]);
	}
	if (waitpid(pid, &status, 0) < 0)
		fail("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 124;
}
