#include "warden/ownwall.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/filter.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

static int load(enum filter_shape shape, unsigned long flags)
{
	size_t n;
	struct sock_fprog program = { .filter = NULL };

	/* the kernel only reads it; its type lacks the const */
	program.filter = (struct sock_filter *)(uintptr_t)filter_program(shape, &n);
	program.len = (unsigned short)n; /* a filter has at most 4096 instructions */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* Where the kernel's programs see what is done nobody is asked. */
static bool observes(const struct cell_spec *spec)
{
	return spec->observe != CELL_OBSERVE_OFF && (spec->flags & CELL_UNASKED) == 0;
}

static enum filter_shape shape_of(const struct cell_spec *spec)
{
	const unsigned jit = (spec->flags & CELL_JIT) != 0 ? FILTER_WORKLOAD_OFF_JIT : FILTER_WORKLOAD_OFF;

	return (enum filter_shape)(jit + (observes(spec) ? spec->observe - CELL_OBSERVE_OFF : 0));
}

/* The last step. */
static int filter_on(const struct cell_spec *spec, const struct cell_made *made, int report_fd, struct cell_failure *f)
{
	const uint32_t nothing = 0;
	int fd, r;

	if ((made->achieved & MECHANISM_BIT(MECHANISM_WX_FILTER)) != 0 && load(FILTER_WX, 0) < 0)
		return build_failed(f, STEP_FILTER, errno);
	if ((made->achieved & MECHANISM_BIT(MECHANISM_NO_NAMED_SOCKETS)) != 0 && load(FILTER_SOCKETS, 0) < 0)
		return build_failed(f, STEP_FILTER, errno);
	if (!observes(spec))
		return load(shape_of(spec), 0) < 0 ? build_failed(f, STEP_FILTER, errno) : 0;
	fd = load(shape_of(spec), SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd < 0 &&
	    errno == EINVAL) /* before 5.19: a signal may make a held call start again, which costs only time */
		fd = load(shape_of(spec), SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (fd < 0)
		return build_failed(f, STEP_FILTER, errno);
	r = fd_send(report_fd, &nothing, sizeof nothing, &fd, 1);
	(void)close(fd);
	return r < 0 ? build_failed(f, STEP_FILTER, -r) : 0;
}

/* One of which copies are made runs no code, and each of them puts up its own: a layer or a filter here would stay with them, and deny what their cells allow. */
static int raise_of_template(struct cell_failure *f)
{
	if (identity_drop_workload(f) < 0)
		return -1;
	return load(FILTER_TEMPLATE, 0) < 0 ? build_failed(f, STEP_FILTER, errno) : 0;
}

int ownwall_raise(const struct cell_spec *spec, const struct cell_made *made, int report_fd, struct cell_failure *f)
{
	if ((spec->flags & CELL_TEMPLATE) != 0)
		return raise_of_template(f);
	if (rlimits_set(spec, f) < 0 || landlock_enforce(made, f) < 0 || identity_drop_workload(f) < 0 ||
	    execmem_enforce(made, f) < 0)
		return -1;
	return filter_on(spec, made, report_fd, f);
}

int ownwall_await_release(int report_fd, struct cell_failure *f)
{
	char word;
	ssize_t n;

	do
		n = read(report_fd, &word, sizeof word);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof word ? 0 : build_failed(f, STEP_GONE, n < 0 ? errno : EPIPE);
}
