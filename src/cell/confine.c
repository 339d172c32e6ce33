#include "cell/confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifdef __GLIBC__ /* counts resources in an enumeration, musl in numbers */
typedef __rlimit_resource_t resource_id;
#else
typedef int resource_id;
#endif

static int keep_bound(const char *role, const struct confine_bound *b, struct err *e)
{
	const struct rlimit r = { .rlim_cur = b->most, .rlim_max = b->most };
	struct rlimit old;

	if (getrlimit((resource_id)b->resource, &old) == 0 && old.rlim_max < r.rlim_max)
		return 0; /* narrower already */
	return setrlimit((resource_id)b->resource, &r) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set limit %d of the %s role", b->resource, role)
		       : 0;
}

/* prctl takes a pointer to what it does not change. */
static int keep_calls(const char *role, enum filter_shape shape, struct err *e)
{
	size_t n;
	const struct sock_filter *program = filter_program(shape, &n);
	const struct sock_fprog f = { .len = (unsigned short)n, .filter = (struct sock_filter *)(uintptr_t)program };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot filter the system calls of the %s role", role)
		       : 0;
}

int confine_role(const char *role, enum filter_shape shape, const struct confine_bound *bounds, size_t n, struct err *e)
{
	int r = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set no_new_privs of the %s role", role);
	for (size_t i = 0; i < n && r == 0; i++)
		r = keep_bound(role, &bounds[i], e);
	return r < 0 ? r : keep_calls(role, shape, e);
}
