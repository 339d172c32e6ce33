#include "supervisor/told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/filesystem.h"
#include "core/grant.h"
#include "supervisor/endpoints.h"

static bool may_hold_sockets(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 || S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode);
}

static const struct step_row {
	uint32_t number;
	const char *what, *hint;
	enum ambit_code code;
} rows[] = {
#define STEP(name, no, text, err_code, advice)                                                                         \
	{ .number = (no), .what = (text), .code = AMBIT_##err_code, .hint = (advice) },
#include "cell/steps.def"
#undef STEP
};

#define STEP_EXEC_NUMBER 24
#define STEP_NETWORK_NUMBER 27
#define STEP_STAGE_NUMBER 28
#define STEP_SOCKET_NUMBER 30

static int exec_failure(const char *program, int sys_errno, struct err *e)
{
	if (sys_errno == ENOENT)
		return err_why(
			e,
			err_set(e, AMBIT_NO_PROGRAM,
				"check the name in its first line (#!); if it is there, let the cell see it: --run PATH",
				"cannot execute %s", program),
			"its interpreter is not there, or not visible in the cell");
	if (sys_errno == EACCES)
		return err_why(
			e,
			err_set(e, AMBIT_NOT_RUNNABLE,
				"check that it and its interpreter are executable; --run PATH lets a cell execute them",
				"cannot execute %s", program),
			"neither its mode nor a grant lets the cell execute it");
	if (sys_errno == ENOEXEC)
		return err_why(e,
			       err_set(e, AMBIT_NOT_RUNNABLE,
				       "name its interpreter: -- sh FILE; or begin it with #!/bin/sh",
				       "cannot execute %s", program),
			       "it is neither a program nor does it name its interpreter");
	return err_sys(e, AMBIT_NOT_RUNNABLE, sys_errno, "check that it is a program for this machine",
		       "cannot execute %s", program);
}

/* An overlay says EINVAL of a layer that it cannot have, and not of which: mostly names there are compared without case. */
static int stage_failure(const struct cell_spec *spec, const struct cell_path *p, struct err *e)
{
	const struct cell_stage *s = &spec->stages[p->stage - 1];
	const char *tree = spec_text(spec, s->tree), *part = spec_text(spec, s->part);

	if (part[0] == 0)
		return err_why(e,
			       err_set(e, AMBIT_HOST, "grant what is in it and holds no secrets",
				       "cannot hide the likely secrets in %s", tree),
			       "the kernel refuses an overlay of %s", filesystem_name_at(tree));
	return err_why(e,
		       err_set(e, AMBIT_HOST,
			       "keep it on a file system that overlays can have as a layer (ext4, xfs, btrfs; without "
			       "case folding); --direct writes in place",
			       "cannot stage what is written beneath %s", tree),
		       "the kernel refuses an overlay of %s, with its changes on %s", filesystem_name_at(tree),
		       filesystem_name_at(part));
}

/* Of a granted tree the cell sees what is there, and nothing is made in it. */
static int socket_failure(const struct cell_spec *spec, uint32_t endpoint, int sys_errno, struct err *e)
{
	const char *path = spec_text(spec, spec->endpoints[endpoint].name);

	if (sys_errno == ELOOP || sys_errno == ENOTDIR || sys_errno == EISDIR)
		return err_why(e,
			       err_set(e, AMBIT_CONFLICT, "name the socket by a path without links",
				       "cannot put a socket in place of %s", path),
			       "in the cell a link, a file or a directory stands there, or on the way");
	return err_why(e,
		       err_set(e, AMBIT_NOT_FOUND,
			       "start what listens there first, or leave out the grant of the directory",
			       "cannot put a socket in place of %s", path),
		       "it lies in a directory that is granted, and nothing of that name is there");
}

/* What the first of the cell's sockets is for; one of the host's is told before those of its own. */
static const char *socket_is_for(const struct cell_spec *spec)
{
	bool agent = false;

	for (uint32_t i = 0; i < spec->n_endpoints; i++) {
		if (!spec_endpoint_is_socket(&spec->endpoints[i]))
			continue;
		if (!endpoints_is_agent(spec, i) && !endpoints_is_delegate(spec, i))
			return "a Unix socket";
		agent = agent || endpoints_is_agent(spec, i);
	}
	return agent ? "a key for ssh, which needs a Unix socket," : "delegate, which needs a Unix socket,";
}

int told_sockets(const struct cell_spec *spec, struct err *e)
{
	const char *tree = "";

	for (uint32_t i = 0; i < spec->n_paths && tree[0] == 0; i++)
		if (spec->paths[i].grant != GRANT_NONE && spec->paths[i].stage == 0 &&
		    (spec->paths[i].flags & (CELL_PATH_LINK | CELL_PATH_HIDE)) == 0 &&
		    may_hold_sockets(spec_text(spec, spec->paths[i].path)))
			tree = spec_text(spec, spec->paths[i].path);
	return err_why(
		e,
		err_set(e, AMBIT_HOST,
			"grant files in place of the directory, or with --write and without --direct, which stages it; or let every "
			"socket that lies there be connected to: --without sockets",
			"%s is granted, and beside it %s of the host", socket_is_for(spec),
			tree[0] != 0 ? tree : "the whole tree"),
		"before Linux 7.1 nothing tells that socket from others which lie there");
}

/* What a step could fail of on any host, against a call that this one does not know or that a container's filter refuses. */
static const char old_kernel[] =
	"the kernel is older than 5.13, or a filter around Ambit (a container's) refuses the call; see `ambit doctor`";

int told_failure(const struct cell_spec *spec, const char *program, uint32_t step, int sys_errno, uint32_t index,
		 struct err *e)
{
	const struct step_row *row = NULL;
	const char *path = step == STEP_SOCKET_NUMBER
				   ? (index < spec->n_endpoints ? spec_text(spec, spec->endpoints[index].name) : "")
			   : index < spec->n_paths ? spec_text(spec, spec->paths[index].path)
						   : "";

	if (step == STEP_EXEC_NUMBER)
		return exec_failure(program, sys_errno, e);
	if (step == STEP_NETWORK_NUMBER && sys_errno == ENOSPC) /* which is not about a disk: unshare(2) */
		return err_why(e,
			       err_set(e, AMBIT_HOST, "as root: sysctl user.max_net_namespaces=15000",
				       "cannot make the network of the cell"),
			       "a limit on the number of namespaces is reached");
	if (step == STEP_STAGE_NUMBER && sys_errno == EINVAL && index < spec->n_paths && spec->paths[index].stage != 0)
		return stage_failure(spec, &spec->paths[index], e);
	if (step == STEP_SOCKET_NUMBER && index < spec->n_endpoints &&
	    (sys_errno == ENOENT || sys_errno == EROFS || sys_errno == ELOOP || sys_errno == ENOTDIR ||
	     sys_errno == EISDIR))
		return socket_failure(spec, index, sys_errno, e);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].number == step)
			row = &rows[i];
	if (row == NULL || sys_errno < 0 || sys_errno > 4095)
		return err_set(e, AMBIT_PROTOCOL, NULL, "the warden reported a failure that does not exist");
	return err_sys(e, sys_errno == ENOSYS ? AMBIT_HOST : row->code, sys_errno,
		       sys_errno == ENOSYS ? old_kernel : row->hint, "cannot %s%s%s", row->what,
		       path[0] != 0 ? " " : "", path);
}
