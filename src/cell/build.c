#include "cell/build.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void made_init(struct cell_made *m)
{
	m->achieved = 0;
	m->landlock_abi = 0;
	m->n_sockets = m->n_pool = 0;
	m->proc_fd = m->scratch_fd = m->terminal_fd = m->slave_fd = m->ruleset_fd = -1;
}

void made_finish(struct cell_made *m)
{
	fd_close(&m->proc_fd);
	fd_close(&m->scratch_fd);
	fd_close(&m->terminal_fd);
	fd_close(&m->slave_fd);
	fd_close(&m->ruleset_fd);
	for (uint32_t i = 0; i < m->n_sockets; i++)
		fd_close(&m->endpoint_fd[i]);
	for (uint32_t i = 0; i < m->n_pool; i++)
		fd_close(&m->pool_fd[i]);
}

/* Those that cell_begin looked for. The cgroup namespace comes now, when the process is in its cgroup; the network's has a
 * file of its own. */
static int namespaces(struct cell_made *made, struct cell_failure *f)
{
	if (unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL) /* EINVAL: a kernel without cgroups has none to hide */
		return build_failed(f, STEP_DETACH, errno);
	made->achieved |= MECHANISM_BIT(MECHANISM_USER_NS) | MECHANISM_BIT(MECHANISM_MOUNT_NS) |
			  MECHANISM_BIT(MECHANISM_PID_NS) | MECHANISM_BIT(MECHANISM_IPC_NS);
	return 0;
}

static int name_cell(const struct cell_spec *spec, struct cell_failure *f)
{
	const char *name = spec_text(spec, spec->hostname);

	return sethostname(name, strlen(name)) < 0 ? build_failed(f, STEP_HOSTNAME, errno) : 0;
}

static int build_tree(const struct cell_spec *spec, struct cell_trees *trees, int program_fd, struct cell_made *ret,
		      struct cell_failure *f)
{
	struct cell_root root;
	int r;

	r = root_build(spec, trees, &root, ret, f);
	r = r < 0 ? r : landlock_build(spec, &root, program_fd, ret, f);
	if (r == 0)
		sockets_probe(spec, &root, ret);
	r = r < 0 ? r : root_enter(spec, &root, f);
	root_finish(&root);
	return r;
}

int cell_begin(struct net_making *network, struct cell_failure *f)
{
	/* the namespaces were made when this process was (supervisor, spawn.c); that it is process 1 proves it for one of
	 * them, and the others came by the same call */
	return getpid() != 1 ? build_failed(f, STEP_DETACH, EINVAL) : net_begin(network, f);
}

int cell_build(const struct cell_spec *spec, struct cell_trees *trees, int program_fd, struct net_making *network,
	       struct cell_made *ret, struct cell_failure *f)
{
	made_init(ret);
	if (namespaces(ret, f) < 0 || name_cell(spec, f) < 0 || build_tree(spec, trees, program_fd, ret, f) < 0 ||
	    net_join(network, ret, f) < 0 || endpoints_open(spec, ret, f) < 0)
		return -1;
	execmem_probe(spec, ret);
	if (identity_keyring(ret, f) < 0 || identity_prepare(ret, f) < 0)
		return -1;
	/* a copy is no child of this process: in a domain of its own it would be out of sight, and of reach, for one in another */
	return (spec->flags & CELL_COPIED) != 0 ? 0 : landlock_enforce(ret, f);
}
