#include "cell/confine.h"

#include <errno.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "cell/kernel.h"

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_IOCTL_DEV 5

static uint64_t rights_of_abi(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* ABI 1: EXECUTE to MAKE_SYM */

	rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= ABI_IOCTL_DEV)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static int allow(int rules, int fd, uint64_t rights)
{
	const struct landlock_path_beneath_attr attr = {
		.allowed_access = rights & ~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_IOCTL_DEV),
		.parent_fd = fd
	};

	return fd < 0 || landlock_add_rule_(rules, LANDLOCK_RULE_PATH_BENEATH, &attr) == 0 ? 0 : -errno;
}

int confine_files(const char *role, const int *dir_fds, size_t n, struct err *e)
{
	const int abi = landlock_create_ruleset_(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct landlock_ruleset_attr_6 attr = { .handled_access_fs = abi >= ABI_REFER ? rights_of_abi(abi) : 0 };
	auto_fd int rules = -1;
	int r;

	if (abi < ABI_REFER)
		return 0;
	rules = landlock_create_ruleset_(&attr, sizeof attr.handled_access_fs, 0);
	r = rules < 0 ? -errno : 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = allow(rules, dir_fds[i], attr.handled_access_fs);
	if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict_self_(rules) < 0))
		r = -errno;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot shut all other files out of the %s role", role) : 0;
}
