#include "lib/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "core/grant.h"

int state_path(const char *name, char *ret, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	int n;

	if (state != NULL && state[0] == '/')
		n = snprintf(path, sizeof path, "%s/ambit/%s", state, name);
	else if (home != NULL && home[0] == '/' && stat(home, &st) == 0) /* nobody's home (/nonexistent) is not made */
		n = snprintf(path, sizeof path, "%s/.local/state/ambit/%s", home, name);
	else
		n = snprintf(path, sizeof path, "/var/tmp/.ambit-%u/%s", geteuid(), name);
	return n > 0 && (size_t)n < sizeof path && path_normalise("/", path, ret, size) ? 0 : -AMBIT_HOST;
}

int runtime_path(const char *name, char *ret, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[GRANT_OBJECT_MAX];
	struct stat st;
	int n;

	/* `su` leaves another user's there */
	if (runtime == NULL || runtime[0] != '/' || stat(runtime, &st) < 0 || st.st_uid != geteuid()) {
		n = snprintf(path, sizeof path, "run/%s", name);
		return n > 0 && (size_t)n < sizeof path ? state_path(path, ret, size) : -AMBIT_HOST;
	}
	n = snprintf(path, sizeof path, "%s/ambit/%s", runtime, name);
	return n > 0 && (size_t)n < sizeof path && path_normalise("/", path, ret, size) ? 0 : -AMBIT_HOST;
}

int state_open(const char *path, int *ret_fd, struct err *e)
{
	const int r = directory_open_own(path, ret_fd);

	if (r == -EPERM)
		return err_set(e, AMBIT_DENIED, "chmod 700 it, if it is yours", "%s is not yours alone", path);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "set XDG_STATE_HOME and XDG_CONFIG_HOME to directories of your own",
			       "cannot open %s", path)
		     : 0;
}
