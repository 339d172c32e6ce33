/* No named Unix socket of the host is reached. Landlock tells them from the cell's own since ABI 9. Before, a cell to which a
 * directory of the host is granted loses its own named sockets with them (FILTER_SOCKETS), because no mount flag and no
 * other right stands between a program and a socket that it sees; the operator may give that property up. A cell that
 * is granted a socket cannot lose them: then nothing holds the property, and the supervisor refuses. What the base
 * shows is the distribution's and holds none, and beneath an overlay (a staged tree) a socket's file is another one than that
 * to which the host's socket is bound. */
#include "cell/build.h"

#include <sys/stat.h>

#include "core/grant.h"

static bool may_hold_sockets(int path_fd)
{
	struct stat st;

	return fstat(path_fd, &st) < 0 || S_ISDIR(st.st_mode) || S_ISSOCK(st.st_mode);
}

static bool shows_the_host(const struct cell_spec *spec, const struct cell_root *root)
{
	for (uint32_t i = 0; i < spec->n_paths; i++)
		if (root->path_fd[i] >= 0 && spec->paths[i].stage == 0 &&
		    (spec->paths[i].flags & CELL_PATH_STAGED) == 0 &&
		    (spec->paths[i].grant != GRANT_NONE || spec->base == CELL_BASE_HOST) &&
		    may_hold_sockets(root->path_fd[i]))
			return true;
	return false;
}

void sockets_probe(const struct cell_spec *spec, const struct cell_root *root, struct cell_made *made)
{
	if (!shows_the_host(spec, root))
		made->achieved |= MECHANISM_BIT(MECHANISM_BASE_ONLY);
	else if (made->landlock_abi < 9 && !spec_has_sockets(spec) && (spec->without & 1u << PROPERTY_SOCKETS) == 0)
		made->achieved |= MECHANISM_BIT(MECHANISM_NO_NAMED_SOCKETS);
}
