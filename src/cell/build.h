/* build - the one builder of cells.
 *
 * Owns:   the order in which the wall is made. Each kernel mechanism has a file of its own (root.c, landlock.c, ...).
 * Holds:  it runs as process 1 of fresh namespaces, before any foreign code; what it achieved is a set of mechanisms and
 *         never more than what the kernel answered. A failed step ends the cell: nothing is retried with less.
 * Called: by the warden only. */
#ifndef CELL_BUILD_H
#define CELL_BUILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"
#include "cell/property.h"
#include "cell/spec.h"

enum cell_step {
#define STEP(name, number, what, code, hint) STEP_##name = number,
#include "cell/steps.def"
#undef STEP
};

struct cell_failure {
	enum cell_step step;
	int sys_errno;
	uint32_t index; /* of spec.paths, with STEP_SOCKET of spec.endpoints; UINT32_MAX if none is to blame */
};

/* Fills *f and gives -1, so that a failing step reads `return build_failed(f, STEP_X, errno)`. */
int build_failed(struct cell_failure *f, enum cell_step step, int sys_errno);

struct cell_made {
	mechanism_set achieved;
	int proc_fd;     /* owned: root of the private /proc, -1 with CELL_BASE_NONE */
	int scratch_fd;  /* owned: the root's own file system (O_PATH), for asking how full it is */
	int terminal_fd; /* owned: master of the private terminal, -1 if none */
	int slave_fd;    /* owned: its other end */
	int ruleset_fd;  /* owned: the Landlock rules, enforced once on the warden and once more on the workload; -1 */
	unsigned landlock_abi;
	uint32_t n_sockets;
	int endpoint_fd[CELL_SOCKETS_MAX]; /* owned: spec_listener() says what for */
	uint32_t n_pool;
	int pool_fd[2 * CELL_POOL_SOCKETS]; /* owned: not connected, with CELL_SERVES */
};

void made_init(struct cell_made *m);
void made_finish(struct cell_made *m);

/* Trees that somebody else prepared (root's idmapped mounts): for spec.paths[index], then tree, part and mask of each stage; -1
 * where there is none. */
#define CELL_TREES_MAX (CELL_PATHS_MAX + 3 * CELL_STAGES_MAX)
#define CELL_TREE_OF_STAGE(i) (CELL_PATHS_MAX + 3 * (i))
#define CELL_PART_OF_STAGE(i) (CELL_PATHS_MAX + 3 * (i) + 1)
#define CELL_MASK_OF_STAGE(i) (CELL_PATHS_MAX + 3 * (i) + 2)
struct cell_trees {
	int fd[CELL_TREES_MAX];
};

/* The network of the cell, while another process makes it. */
struct net_making {
	pid_t pid;     /* of that process */
	int ns_fd;     /* written by it; owned */
	int sys_errno; /* written by it: why it did not */
	char stack[16u << 10] __attribute__((aligned(16)));
};

/* Begins what can be begun before it is known what to build. */
int cell_begin(struct net_making *network, struct cell_failure *f);
/* Builds everything that stands around the whole cell. program_fd: with CELL_BY_FD the program, else -1. On failure the
 * process is of no further use. */
int cell_build(const struct cell_spec *spec, struct cell_trees *trees, int program_fd, struct net_making *network,
	       struct cell_made *ret, struct cell_failure *f);

/* ---- the mechanisms, in the order of use ---- */

/* overlay.c: the staged trees. ret_fd[i] is the root of each (owned), attached aside so that it can be cloned as any other
 * mount. Changes the working directory. */
int overlay_mount(const struct cell_spec *spec, struct cell_trees *trees, int proc_fd, int ret_fd[CELL_STAGES_MAX],
		  struct cell_failure *f);

/* root.c: the file tree of the cell and the way into it. */
struct cell_root {
	int root_fd;                 /* owned */
	int path_fd[CELL_PATHS_MAX]; /* owned: each path of the spec as it was opened, once; -1 if left out */
};
int root_build(const struct cell_spec *spec, struct cell_trees *trees, struct cell_root *root, struct cell_made *made,
	       struct cell_failure *f);
int root_enter(const struct cell_spec *spec, struct cell_root *root, struct cell_failure *f);
void root_finish(struct cell_root *root);
/* The directory in which path (absolute, normal) has its name, made as far as it is missing; owned, or -errno. No link is
 * followed (-ELOOP). *ret_name points into path. */
int root_parent(int root_fd, const char *path, const char **ret_name);

/* Opens path for its place alone (O_PATH), beneath dir_fd and through no link (one at its end is opened
 * itself); owned, or -1 with errno. */
int root_open(int dir_fd, const char *path);

/* The same for a path of the host, before its tree is left. */
int root_open_host(const char *path);
/* A mount that must be of this namespace, and not yet be anywhere: on /proc of the host's tree, which everybody may enter, until
 * that tree is left. 0, or -1 with errno. */
int root_attach_aside(int mount_fd);

/* skeleton.c: directories, links and the few files of /etc and /sys that the cell has of its own. */
int skeleton_make(const struct cell_spec *spec, int root_fd, struct cell_failure *f);

/* trust.c: certificates that the cell trusts, when all that is granted is in its place. Nothing where the event has no authorities. */
int trust_build(const struct cell_spec *spec, int root_fd, struct cell_failure *f);

/* standin.c: a file of the cell's own in the place of one of the host's, which a granted tree shows. standin_open: the place, owned; -1: there is no file, it is a link (or_link: it may be one,
 * which nobody follows: what stands in stands on the link itself), or the event may write it, and there is nothing to stand in for. standin_put: 0 or -errno. */
int standin_open(const struct cell_spec *spec, int root_fd, const char *path, bool or_link);
int standin_put(int tree_fd, int place_fd);

/* names.c: where names lead, where a granted tree shows the host's own account of that. names_keep comes after the skeleton and before all that is granted, names_build after that. */
#define CELL_NAMES_FILES 2
struct cell_names {
	int fd[CELL_NAMES_FILES]; /* owned, -1 if none: copies of the cell's own files */
};
int names_keep(const struct cell_spec *spec, int root_fd, struct cell_names *ret, struct cell_failure *f);
int names_build(const struct cell_spec *spec, int root_fd, struct cell_names *n, struct cell_failure *f);
void names_finish(struct cell_names *n);

/* pseudo.c: /proc and /dev/pts. pseudo_proc makes the mount and keeps its root in made->proc_fd; pseudo_attach puts it in
 * place and, where the spec wants a terminal, makes one. */
int pseudo_proc(struct cell_made *made, struct cell_failure *f);
int pseudo_attach(const struct cell_spec *spec, int root_fd, struct cell_made *made, struct cell_failure *f);

/* landlock.c: every right that the running kernel knows. */
int landlock_build(const struct cell_spec *spec, const struct cell_root *root, int program_fd, struct cell_made *made,
		   struct cell_failure *f);
/* What is bound at socket_fd (O_PATH) may be connected to. 0 or -errno. */
int landlock_allow_socket(const struct cell_made *made, int socket_fd);
/* Enforces the rules on the calling process; each call adds a layer. */
int landlock_enforce(const struct cell_made *made, struct cell_failure *f);

/* identity.c: capabilities, securebits, keyring, no_new_privs, speculation. */
int identity_keyring(struct cell_made *made, struct cell_failure *f);
int identity_prepare(struct cell_made *made, struct cell_failure *f); /* for both: no way to gain anything */
int identity_drop_workload(struct cell_failure *f);
int identity_drop_warden(struct cell_failure *f);

/* net.c: the cell's own network. net_begin has another process make it, net_join waits for that and enters it: until then the
 * warden is in the network that it was started in. */
int net_begin(struct net_making *making, struct cell_failure *f);
int net_join(struct net_making *making, struct cell_made *made, struct cell_failure *f);

/* endpoints.c: what listens in that network for somebody outside; in it, and while its owner has his capabilities there. */
int endpoints_open(const struct cell_spec *spec, struct cell_made *made, struct cell_failure *f);

/* rlimits.c: limits of each process. Lowers one (RLIMIT_*) to value, hard and soft; never tries to raise what the caller was given. -errno. */
int rlimit_lower(unsigned which, uint64_t value);
int rlimits_set(const struct cell_spec *spec, struct cell_failure *f);

/* sockets.c: how the named sockets of the host are kept out of reach. */
void sockets_probe(const struct cell_spec *spec, const struct cell_root *root, struct cell_made *made);
/* sockets_listen.c: what listens in the cell's tree for somebody outside: endpoint i of the spec. */
int sockets_listen(const struct cell_spec *spec, uint32_t i, struct cell_made *made, int *ret_fd,
		   struct cell_failure *f);

/* execmem.c: memory and files that were written are not executed. */
void execmem_probe(const struct cell_spec *spec, struct cell_made *made);
int execmem_enforce(const struct cell_made *made, struct cell_failure *f);

#endif
