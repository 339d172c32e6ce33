#include "cell/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "cell/kernel.h"

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL_DEV 5
#define ABI_SCOPE 6

#define NET_BIND_TCP (1ULL << 0) /* LANDLOCK_ACCESS_NET_*, Linux 6.7 */
#define NET_CONNECT_TCP (1ULL << 1)
#define RULE_NET_PORT ((enum landlock_rule_type)2)

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
	const struct landlock_path_beneath_attr attr = { .allowed_access = rights, .parent_fd = fd };

	return fd < 0 || landlock_add_rule_(rules, LANDLOCK_RULE_PATH_BENEATH, &attr) == 0 ? 0 : -errno;
}

static int enforce(int rules)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict_self_(rules) < 0 ? -errno : 0;
}

int confine_files(const char *role, const int *dir_fds, size_t n, struct err *e)
{
	const int abi = landlock_create_ruleset_(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct landlock_ruleset_attr_6 attr = { .handled_access_fs = abi >= ABI_REFER ? rights_of_abi(abi) : 0 };
	const uint64_t rights = attr.handled_access_fs &
				~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_IOCTL_DEV);
	auto_fd int rules = -1;
	int r;

	if (abi < ABI_REFER)
		return 0;
	rules = landlock_create_ruleset_(&attr, sizeof attr.handled_access_fs, 0);
	r = rules < 0 ? -errno : 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = allow(rules, dir_fds[i], rights);
	r = r < 0 ? r : enforce(rules);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot shut all other files out of the %s role", role) : 0;
}

static int allow_reading(int rules, const char *dir)
{
	auto_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return allow(rules, fd, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
}

static int allow_port(int rules, int abi, uint16_t port)
{
	const struct {
		uint64_t allowed, port; /* struct landlock_net_port_attr, Linux 6.7 */
	} attr = { NET_CONNECT_TCP, port };

	return abi < ABI_NET || landlock_add_rule_(rules, RULE_NET_PORT, &attr) == 0 ? 0 : -errno;
}

int confine_reading(const char *role, const char *const *dirs, size_t n, uint16_t port, struct err *e)
{
	const int abi = landlock_create_ruleset_(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct landlock_ruleset_attr_6 attr = {
		.handled_access_fs = abi >= ABI_REFER ? rights_of_abi(abi) : 0,
		.handled_access_net = abi >= ABI_NET ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
		.scoped = abi >= ABI_SCOPE ? LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL : 0
	};
	auto_fd int rules = -1;
	int r;

	if (abi < ABI_REFER)
		return 0;
	rules = landlock_create_ruleset_(&attr,
					 abi >= ABI_SCOPE ? sizeof attr
					 : abi >= ABI_NET ? offsetof(struct landlock_ruleset_attr_6, scoped)
							  : sizeof attr.handled_access_fs,
					 0);
	r = rules < 0 ? -errno : allow_port(rules, abi, port);
	for (size_t i = 0; i < n && r == 0; i++)
		r = allow_reading(rules, dirs[i]);
	r = r < 0 ? r : enforce(rules);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot shut all other files out of the %s role", role) : 0;
}
