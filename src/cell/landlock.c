/* Landlock: every file right that the running kernel knows is handled; what no rule gives is refused. TCP ports are not
 * handled: the network of a cell is its own and empty, and its loopback is for its programs to use.
 * The layer of the workload is enforced once more on top of the warden's: by that alone the warden is out of its reach
 * for ptrace and its kin, and with scopes (ABI 6) for signals and abstract sockets. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cell/kernel.h"
#include "core/grant.h"

#define FILE_READ LANDLOCK_ACCESS_FS_READ_FILE
#define DIR_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FILE_WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
/* No MAKE_CHAR and no MAKE_BLOCK: device nodes are never made. */
#define DIR_WRITE                                                                                                      \
	(FILE_WRITE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |   \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
#define DEVICE (LANDLOCK_ACCESS_FS_READ_FILE | FILE_WRITE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

/* What each ABI handles. Rights that came with it are added to those before. RESOLVE_UNIX stands in no rule but of what was
 * granted: sockets that were made inside the cell's domain need none, and those of the host are nobody's here. */
static uint64_t rights_of_abi(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* ABI 1: EXECUTE to MAKE_SYM */

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (abi >= 9)
		rights |= LANDLOCK_ACCESS_FS_RESOLVE_UNIX_ABI9;
	return rights;
}

struct rules {
	int fd;
	uint64_t handled;
};

static int add_rule(const struct rules *rules, int path_fd, uint64_t access)
{
	struct landlock_path_beneath_attr attr = { .parent_fd = path_fd };
	struct stat st;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) /* the kernel refuses a directory's rights on a file */
		access &= LANDLOCK_ACCESS_FS_EXECUTE | FILE_READ | FILE_WRITE | LANDLOCK_ACCESS_FS_IOCTL_DEV;
	attr.allowed_access = access & rules->handled;
	if (attr.allowed_access == 0)
		return 0;
	return landlock_add_rule_(rules->fd, LANDLOCK_RULE_PATH_BENEATH, &attr) < 0 ? -errno : 0;
}

static int add_rule_at(const struct rules *rules, int root_fd, const char *path, uint64_t access)
{
	auto_fd int fd = root_open(root_fd, path);

	return fd < 0 ? -errno : add_rule(rules, fd, access);
}

static uint64_t access_of(const struct cell_path *p)
{
	uint64_t access = 0;

	if ((p->flags & CELL_PATH_DEVICE) != 0)
		return DEVICE;
	if ((p->rights & RIGHT_READ) != 0)
		access |= DIR_READ;
	if ((p->rights & RIGHT_WRITE) != 0)
		access |= DIR_WRITE;
	if ((p->rights & RIGHT_RUN) != 0)
		access |= LANDLOCK_ACCESS_FS_EXECUTE;
	return access;
}

/* Home, /tmp and /dev/shm are places of the cell's own, or lie in a granted tree: then the grant decides, also of what no mount keeps from being written (a pipe). */
static int add_own(const struct cell_spec *spec, const struct rules *rules, const struct cell_root *root,
		   const char *path)
{
	int r;

	if (path[1] == 0)
		return 0;
	for (uint32_t i = 0; i < spec->n_paths; i++)
		if (root->path_fd[i] >= 0 && (spec->paths[i].flags & CELL_PATH_PIN) == 0 &&
		    path_is_beneath(path, spec_text(spec, spec->paths[i].path)))
			return 0;
	r = add_rule_at(rules, root->root_fd, path + 1, DIR_READ | DIR_WRITE);
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
}

/* The parts of the skeleton. Rights on a directory hold for all beneath it, so the root gives nothing but listing. */
static int add_skeleton(const struct cell_spec *spec, const struct rules *rules, const struct cell_root *root)
{
	static const struct {
		const char *path;
		uint64_t access;
	} parts[] = {
		{ ".", LANDLOCK_ACCESS_FS_READ_DIR },
		{ "etc", FILE_READ },
		{ "sys", FILE_READ },
		{ "proc", DIR_READ },
		{ "dev/pts", DEVICE },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && r == 0; i++)
		r = add_rule_at(rules, root->root_fd, parts[i].path, parts[i].access);
	r = r < 0 ? r : add_own(spec, rules, root, "/dev/shm");
	r = r < 0 ? r : add_own(spec, rules, root, "/tmp");
	return r < 0 ? r : add_own(spec, rules, root, spec_text(spec, spec->home));
}

/* Each file by itself, too: one that stands in for another lies beneath whatever that lies beneath, and perhaps only the other was granted. */
static int add_trust(const struct rules *rules, int root_fd)
{
	static const char *const files[] = { CELL_TRUST_OWN, CELL_TRUST_BUNDLE, CELL_TRUST_JAVA };
	int r = add_rule_at(rules, root_fd, &CELL_TRUST[1], DIR_READ);

	for (size_t i = 0; i < sizeof files / sizeof files[0] && r == 0; i++)
		r = add_rule_at(rules, root_fd, files[i] + 1, FILE_READ);
	return r == -ENOENT ? 0 : r; /* the last: without Java there is none */
}

static int add_paths(const struct cell_spec *spec, const struct rules *rules, const struct cell_root *root)
{
	int r = 0;

	for (uint32_t i = 0; i < spec->n_paths && r == 0; i++)
		if (root->path_fd[i] >= 0 && (spec->paths[i].flags & CELL_PATH_PIN) == 0)
			r = add_rule(rules, root->path_fd[i], access_of(&spec->paths[i]));
	return r;
}

int landlock_build(const struct cell_spec *spec, const struct cell_root *root, int program_fd, struct cell_made *made,
		   struct cell_failure *f)
{
	const int abi = landlock_create_ruleset_(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr_6 attr = { .handled_access_fs = abi > 0 ? rights_of_abi(abi) : 0 };
	struct rules rules = { .handled = attr.handled_access_fs };
	int r = 0;

	if (abi <= 0) /* the supervisor decides whether the cell stands without it */
		return 0;
	if ((spec->flags & CELL_TEMPLATE) != 0) /* a copy would have this domain in its own cell, too */
		return 0;
	if (abi >= 6)
		attr.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
	rules.fd = landlock_create_ruleset_(&attr, abi >= 6 ? sizeof attr : sizeof attr.handled_access_fs, 0);
	if (rules.fd < 0)
		return build_failed(f, STEP_LANDLOCK, errno);
	made->ruleset_fd = rules.fd;
	made->landlock_abi = (unsigned)abi;
	if (spec->base != CELL_BASE_NONE)
		r = add_skeleton(spec, &rules, root);
	if (r == 0)
		r = add_paths(spec, &rules, root);
	if (r == 0 && spec->authorities != 0)
		r = add_trust(&rules, root->root_fd);
	if (r == 0 && program_fd >= 0)
		r = add_rule(&rules, program_fd, LANDLOCK_ACCESS_FS_EXECUTE | FILE_READ);
	if (r < 0)
		return build_failed(f, STEP_LANDLOCK, -r);
	made->achieved |= MECHANISM_BIT(MECHANISM_LANDLOCK) | MECHANISM_BIT(MECHANISM_LANDLOCK_LAYER);
	if (abi >= 6)
		made->achieved |= MECHANISM_BIT(MECHANISM_LANDLOCK_SCOPE);
	if (abi >= 9)
		made->achieved |= MECHANISM_BIT(MECHANISM_LANDLOCK_UNIX);
	return 0;
}

/* It was bound before there was a domain, so it is outside of each. */
int landlock_allow_socket(const struct cell_made *made, int socket_fd)
{
	const struct landlock_path_beneath_attr attr = { .allowed_access = LANDLOCK_ACCESS_FS_RESOLVE_UNIX_ABI9,
							 .parent_fd = socket_fd };

	if (made->ruleset_fd < 0 || made->landlock_abi < 9)
		return 0;
	return landlock_add_rule_(made->ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &attr) < 0 ? -errno : 0;
}

int landlock_enforce(const struct cell_made *made, struct cell_failure *f)
{
	if (made->ruleset_fd >= 0 && landlock_restrict_self_(made->ruleset_fd) < 0)
		return build_failed(f, STEP_LANDLOCK, errno);
	return 0;
}
