/* The role ambit-ebpf: has the kernel note what cells ask of it, for supervisors of one person. It has CAP_BPF and CAP_PERFMON, or ends at once, and therefore reads nothing but our own messages, which have no body; what the kernel
 * notes goes into rings that wardens read (warden/ring.h). Whoever needs it and finds nobody there starts it (lib/ebpf.c), with the socket that supervisors connect to as descriptor 3. It ends when nobody needs it. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ebpf/promise.h"
#include "ebpf/serve.h"
#include "wire/wire.h"

#define LISTEN_FD 3

static int run(struct err *e)
{
	static struct programs p;
	struct serve_self self = { .uid = getuid() };
	struct stat own = { .st_dev = 0 };
	int r = promise_narrow(e);

	fd_allow_many(); /* it is for others than who started it, too */
	if (r == 0 && stat("/proc/self/ns/pid", &own) < 0)
		r = err_set(e, AMBIT_HOST, "mount /proc", "cannot tell the namespace of processes");
	r = r < 0 ? r : programs_load(&p, own.st_dev, e);
	r = r < 0 ? r : promise_keep(e);
	self.pid_ns = r < 0 ? 0 : own.st_ino;
	return r < 0 ? r : serve_run(LISTEN_FD, &p, &self, e);
}

int main(void)
{
	struct err e;

	(void)signal(SIGPIPE, SIG_IGN); /* who went away is an error number */
	if (fd_reserve_standard() < 0 || fd_set_cloexec(LISTEN_FD, true) < 0 || fd_set_nonblock(LISTEN_FD, true) < 0)
		return 2;
	if (run(&e) == 0)
		return 0;
	wire_refuse_all(LISTEN_FD, WIRE_EBPF_FAILED, &e);
	return 1;
}
