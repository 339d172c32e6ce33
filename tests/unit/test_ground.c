/* What a process gives to those that it starts: whatever can be set of it shows, in a child that sets it; and what has no bytes has none. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "lib/ground.h"
#include "lib/helper.h"

static char role[] = "/tmp/ambit-ground.XXXXXX";

/* In its place: all roles are one file. */
int helper_open(const char *name, int *ret_fd, struct err *e)
{
	(void)name;
	(void)e;
	*ret_fd = open(role, O_PATH | O_CLOEXEC);
	return *ret_fd < 0 ? -AMBIT_SYSTEM : 0;
}

/* ---- what can be set: 0, or why not ---- */

static int of(long r)
{
	return r < 0 ? errno : 0;
}

static int set_file(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? errno : of(write(fd, text, strlen(text)));
}

static int set_umask(unsigned long mask)
{
	(void)umask((mode_t)mask);
	return 0;
}

static int lower(unsigned long which)
{
	struct rlimit l;

	(void)getrlimit((__rlimit_resource_t)which, &l);
	if (l.rlim_cur == 0 && l.rlim_max == 0)
		return ENODATA; /* it is as low as can be */
	l.rlim_cur = l.rlim_cur > 4096 ? 4096 : l.rlim_cur > 0 ? l.rlim_cur - 1 : 1;
	return of(setrlimit((__rlimit_resource_t)which, &l));
}

static int lower_hard(unsigned long which)
{
	struct rlimit l;

	(void)getrlimit((__rlimit_resource_t)which, &l);
	l.rlim_max = l.rlim_cur = 500;
	return of(setrlimit((__rlimit_resource_t)which, &l));
}

static int set_nice(unsigned long by)
{
	return of(nice((int)by));
}

static int set_policy(unsigned long policy)
{
	return of(sched_setscheduler(0, (int)policy, &(struct sched_param){ .sched_priority = 0 }));
}

static int set_reset_on_fork(unsigned long policy)
{
	return set_policy(policy | SCHED_RESET_ON_FORK);
}

static int set_ioprio(unsigned long value)
{
	return of(syscall(SYS_ioprio_set, 1, 0, value));
}

static int leave_a_processor(unsigned long n)
{
	cpu_set_t set;

	(void)sched_getaffinity(0, sizeof set, &set);
	if (CPU_COUNT(&set) < 2)
		return ENODATA;
	for (size_t i = 0; i < CPU_SETSIZE && n > 0; i++)
		if (CPU_ISSET(i, &set)) {
			CPU_CLR(i, &set);
			n--;
		}
	return of(sched_setaffinity(0, sizeof set, &set));
}

static int set_mempolicy_(unsigned long mode)
{
	unsigned long mask = 1;

	return of(syscall(SYS_set_mempolicy, mode, &mask, 64));
}

static int set_personality(unsigned long persona)
{
	return of(personality(persona));
}

static int set_timer_slack(unsigned long ns)
{
	return of(prctl(PR_SET_TIMERSLACK, ns, 0L, 0L, 0L));
}

static int set_thp(unsigned long off)
{
	return of(prctl(PR_SET_THP_DISABLE, off, 0L, 0L, 0L));
}

static int set_mdwe(unsigned long bits)
{
	return of(prctl(65, bits, 0L, 0L, 0L));
}

static int set_merge(unsigned long on)
{
	return of(prctl(67, on, 0L, 0L, 0L));
}

static int set_mce(unsigned long how)
{
	return of(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, how, 0L, 0L));
}

static int set_io_flusher(unsigned long on)
{
	return of(prctl(PR_SET_IO_FLUSHER, on, 0L, 0L, 0L));
}

static int set_tsc(unsigned long how)
{
	return of(prctl(PR_SET_TSC, how, 0L, 0L, 0L));
}

static int set_speculation(unsigned long which)
{
	return of(prctl(PR_SET_SPECULATION_CTRL, which, PR_SPEC_DISABLE, 0L, 0L));
}

static int share_a_core(unsigned long scope)
{
	return of(prctl(62, 1L, 0L, scope, 0L));
}

static int set_no_new_privs(unsigned long on)
{
	return of(prctl(PR_SET_NO_NEW_PRIVS, on, 0L, 0L, 0L));
}

static int set_securebits(unsigned long bits)
{
	return of(prctl(PR_SET_SECUREBITS, bits, 0L, 0L, 0L));
}

static int drop_capability(unsigned long cap)
{
	return of(prctl(PR_CAPBSET_DROP, cap, 0L, 0L, 0L));
}

static int set_groups(unsigned long group)
{
	const gid_t one = (gid_t)group;

	return of(setgroups(1, &one));
}

static int set_group(unsigned long group)
{
	return of(setresgid((gid_t)-1, (gid_t)group, (gid_t)-1));
}

static int set_oom(unsigned long value)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%lu", value);
	return set_file("/proc/self/oom_score_adj", text);
}

static int set_core_filter(unsigned long value)
{
	char text[24];

	(void)snprintf(text, sizeof text, "0x%lx", value);
	return set_file("/proc/self/coredump_filter", text);
}

static int join_keyring(unsigned long unused)
{
	(void)unused;
	return of(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}

static int leave_namespace(unsigned long flags)
{
	return of(unshare((int)flags));
}

/* The same directory, by another mount, which is taken away with the namespace of mounts: what is compared is behind that. */
static int change_root(unsigned long unused)
{
	(void)unused;
	if (mount("/", "/mnt", NULL, MS_BIND | MS_REC, NULL) < 0)
		return errno;
	return of(chroot("/mnt"));
}

static int change_role(unsigned long unused)
{
	(void)unused;
	return of(chmod(role, 0700));
}

/* ---- rows ---- */

struct row {
	const char *name;
	int (*set)(unsigned long value);
	unsigned long value;
};

static const struct row rows[] = {
	{ "umask", set_umask, 0137 },
	{ "limit: address space", lower, RLIMIT_AS },
	{ "limit: cores", lower, RLIMIT_CORE },
	{ "limit: processor time", lower, RLIMIT_CPU },
	{ "limit: data", lower, RLIMIT_DATA },
	{ "limit: size of files", lower, RLIMIT_FSIZE },
	{ "limit: locks", lower, RLIMIT_LOCKS },
	{ "limit: locked memory", lower, RLIMIT_MEMLOCK },
	{ "limit: queues", lower, RLIMIT_MSGQUEUE },
	{ "limit: nice", lower, RLIMIT_NICE },
	{ "limit: open files, the hard one", lower_hard, RLIMIT_NOFILE },
	{ "limit: processes", lower, RLIMIT_NPROC },
	{ "limit: resident memory", lower, RLIMIT_RSS },
	{ "limit: real-time priority", lower, RLIMIT_RTPRIO },
	{ "limit: real time", lower, RLIMIT_RTTIME },
	{ "limit: signals", lower, RLIMIT_SIGPENDING },
	{ "limit: stack", lower, RLIMIT_STACK },
	{ "nice", set_nice, 1 },
	{ "scheduler", set_policy, SCHED_BATCH },
	{ "scheduler, not for children", set_reset_on_fork, SCHED_OTHER },
	{ "input and output", set_ioprio, 3 << 13 },
	{ "processors", leave_a_processor, 1 },
	{ "nodes of memory", set_mempolicy_, MPOL_PREFERRED },
	{ "personality", set_personality, ADDR_NO_RANDOMIZE },
	{ "slack of timers", set_timer_slack, 123456 },
	{ "large pages", set_thp, 1 },
	{ "memory that is written and executed", set_mdwe, 1 },
	{ "pages that are merged", set_merge, 1 },
	{ "failures of memory", set_mce, PR_MCE_KILL_EARLY },
	{ "who writes pages out", set_io_flusher, 1 },
	{ "counter of time", set_tsc, PR_TSC_SIGSEGV },
	{ "speculation: stores", set_speculation, PR_SPEC_STORE_BYPASS },
	{ "speculation: branches", set_speculation, PR_SPEC_INDIRECT_BRANCH },
	{ "speculation: level 1 data", set_speculation, 2 },
	{ "a core of its own", share_a_core, 0 },
	{ "no_new_privs", set_no_new_privs, 1 },
	{ "security bits", set_securebits, SECBIT_NO_SETUID_FIXUP },
	{ "capabilities", drop_capability, 25 },
	{ "groups", set_groups, 64125 },
	{ "group", set_group, 64125 },
	{ "whom the kernel kills first", set_oom, 321 },
	{ "what a core has", set_core_filter, 0x11 },
	{ "keyring", join_keyring, 0 },
	{ "namespace: cgroup", leave_namespace, CLONE_NEWCGROUP },
	{ "namespace: ipc", leave_namespace, CLONE_NEWIPC },
	{ "namespace: mount", leave_namespace, CLONE_NEWNS },
	{ "namespace: net", leave_namespace, CLONE_NEWNET },
	{ "namespace: pid", leave_namespace, CLONE_NEWPID },
	{ "namespace: time", leave_namespace, 0x80 /* CLONE_NEWTIME */ },
	{ "namespace: user", leave_namespace, CLONE_NEWUSER },
	{ "namespace: uts", leave_namespace, CLONE_NEWUTS },
	{ "our own roles", change_role, 0 },
};

enum { DIFFERS, SAME, CANNOT, BROKEN };

static bool take(struct buf *b)
{
	buf_init(b, GROUND_MAX);
	return ground_put(b, 1024);
}

/* Gives one of those, and why it cannot be set. */
static int try_row(const struct row *row, int *ret_why)
{
	struct buf before, again, after;

	if (!take(&before) || !take(&again) || before.len != again.len ||
	    memcmp(before.data, again.data, again.len) != 0)
		return BROKEN; /* by itself, or from one moment to the next */
	*ret_why = row->set(row->value);
	if (*ret_why != 0)
		return CANNOT;
	if (!take(&after))
		return BROKEN;
	return before.len == after.len && memcmp(before.data, after.data, after.len) == 0 ? SAME : DIFFERS;
}

static int in_child(const struct row *row, int *ret_why)
{
	int pipe_[2], status;
	pid_t pid;

	assert_int_equal(pipe2(pipe_, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int why = 0;
		const int r = try_row(row, &why);

		(void)!write(pipe_[1], &why, sizeof why);
		_exit(r);
	}
	(void)close(pipe_[1]);
	(void)!read(pipe_[0], ret_why, sizeof *ret_why);
	(void)close(pipe_[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : BROKEN;
}

static void what_is_set_shows(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int why = 0;
		const int r = in_child(&rows[i], &why);

		if (r == CANNOT)
			print_message("# not tried here, %s: %s\n", rows[i].name, strerror(why));
		else if (r != DIFFERS)
			fail_msg("%s: %s", rows[i].name, r == SAME ? "it does not show" : "there are no bytes");
		tried += r == DIFFERS;
	}
	assert_true(tried >= sizeof rows / sizeof rows[0] / 2);
}

/* In namespaces of mounts that are the same, so that only the root is another. */
static void another_root_shows(void **state)
{
	const struct row row = { "root", change_root, 0 };
	int why = 0, status;
	const pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(CANNOT);
		_exit(try_row(&row, &why));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT)
		print_message("# not tried here, root: nothing can be mounted\n");
	else
		assert_int_equal(WEXITSTATUS(status), DIFFERS);
}

/* ---- what has no bytes ---- */

static bool filter_calls(void)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog prog = { .len = 1, .filter = &all };

	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

static bool be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static void what_nobody_can_compare_has_no_bytes(void **state)
{
	bool (*const become[])(void) = { filter_calls, be_traced };

	(void)state;
	for (size_t i = 0; i < sizeof become / sizeof become[0]; i++) {
		const pid_t pid = fork();
		struct buf b;
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(!take(&b) ? 1 : !become[i]() ? 2 : take(&b) ? 3 : 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%zu: %x", i, status);
	}
}

/* ---- another process ---- */

static int filter(unsigned long unused)
{
	(void)unused;
	return filter_calls() ? 0 : errno;
}

static int be_another(unsigned long unused)
{
	(void)unused;
	return 0;
}

static const struct row peers[] = {
	{ "as we are", be_another, 0 },
	{ "filter", filter, 0 },
	{ "no_new_privs", set_no_new_privs, 1 },
	{ "umask", set_umask, 0137 },
	{ "groups", set_groups, 64125 },
	{ "capabilities", drop_capability, 25 },
	{ "whom the kernel kills first", set_oom, 321 },
	{ "namespace: cgroup", leave_namespace, CLONE_NEWCGROUP },
	{ "namespace: ipc", leave_namespace, CLONE_NEWIPC },
	{ "namespace: mount", leave_namespace, CLONE_NEWNS },
	{ "namespace: pid", leave_namespace, CLONE_NEWPID },
	{ "namespace: user", leave_namespace, CLONE_NEWUSER },
	{ "namespace: uts", leave_namespace, CLONE_NEWUTS },
	{ "a user who may do all, and nothing here", leave_namespace, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID },
};

static socklen_t name_of(pid_t pid, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(ret->sun_path + 1, sizeof ret->sun_path - 1, "ambit-ground/%d", (int)pid));
}

static int listen_as(const struct row *row)
{
	struct sockaddr_un name;
	const socklen_t n = name_of(getpid(), &name);
	const int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), why = row->set(row->value);

	if (why != 0)
		return why;
	return sock < 0 || bind(sock, (struct sockaddr *)&name, n) < 0 || listen(sock, 1) < 0 ? EPROTO : 0;
}

/* By a child, whose number another has then, who is as we are. */
static int listen_and_go(const struct row *row)
{
	struct sockaddr_un name;
	const socklen_t n = name_of(getpid(), &name);
	const int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t pid = fork();
	struct clone_args again = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };
	const pid_t parent = getpid();
	long r;

	(void)row;
	if (pid == 0)
		_exit(bind(sock, (struct sockaddr *)&name, n) < 0 || listen(sock, 1) < 0);
	if (waitpid(pid, NULL, 0) != pid)
		return EPROTO;
	r = syscall(SYS_clone3, &again, sizeof again);
	if (r == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0L, 0L, 0L);
		if (getppid() == parent) /* else it had gone before */
			(void)pause();
		_exit(0);
	}
	return of(r);
}

/* Whether one that listens as `how` says is as this process is; -1: it cannot be made. */
static int is_peers(int (*how)(const struct row *), const struct row *row)
{
	struct sockaddr_un name;
	int ready[2], why = EPROTO, r = -1;
	auto_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		why = how(row);
		(void)!write(ready[1], &why, sizeof why);
		(void)pause();
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &why, sizeof why), sizeof why);
	(void)close(ready[0]);
	assert_int_not_equal(why, EPROTO);
	if (why == 0) {
		const socklen_t n = name_of(pid, &name);

		assert_int_equal(connect(sock, (struct sockaddr *)&name, n), 0);
		r = ground_is_peers(sock);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return r;
}

static void who_listens_is_as_we_are_or_is_not_believed(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
		const int r = is_peers(listen_as, &peers[i]);

		if (r < 0)
			print_message("# not tried here, %s\n", peers[i].name);
		else if (r != (i == 0))
			fail_msg("%s: %s", peers[i].name, r ? "it is believed" : "it is not");
		tried += r >= 0;
	}
	assert_true(tried >= 4);
}

static void who_listened_and_went_is_nobody(void **state)
{
	const int r = is_peers(listen_and_go, &peers[0]);

	(void)state;
	if (r < 0)
		print_message("# not tried here: no process can be given a number\n");
	else
		assert_int_equal(r, 0);
}

static void a_pair_is_as_who_made_it(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_true(ground_is_peers(pair[0]));
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_false(ground_is_peers(pair[0]));
}

/* The soft limit of open files is the caller's to name. */
static void open_files_are_as_many_as_are_named(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, GROUND_MAX);
	buf_init(&b, GROUND_MAX);
	assert_true(ground_put(&a, 700) && ground_put(&b, 701));
	assert_int_equal(a.len, b.len);
	assert_memory_not_equal(a.data, b.data, a.len);
	buf_finish(&a);
	buf_finish(&b);
}

static int make_role(void **state)
{
	const int fd = mkstemp(role);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_role(void **state)
{
	(void)state;
	return unlink(role);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_shows),
		cmocka_unit_test(another_root_shows),
		cmocka_unit_test(what_nobody_can_compare_has_no_bytes),
		cmocka_unit_test(who_listens_is_as_we_are_or_is_not_believed),
		cmocka_unit_test(who_listened_and_went_is_nobody),
		cmocka_unit_test(a_pair_is_as_who_made_it),
		cmocka_unit_test(open_files_are_as_many_as_are_named),
	};

	return cmocka_run_group_tests(tests, make_role, remove_role);
}
