#include "cell/base.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/grant.h"

struct base_row {
	const char *path;
	unsigned rights, flags;
};

#define R RIGHT_READ
#define RX (RIGHT_READ | RIGHT_RUN)
#define OPT CELL_PATH_OPTIONAL

/* Programs, libraries and their data. Names of /etc that programs of /usr cannot run without, one by one: the rest of
 * /etc says who and what the host is. Each name is a mount, which costs each event some 20 us: what programs merely
 * prefer to have (a system-wide vimrc, inputrc, services) is not here. */
static const struct base_row system_rows[] = {
	{ "/usr", RX, 0 },
	{ "/etc/alternatives", R, OPT },
	{ "/etc/chromium.d", R, OPT },
	{ "/etc/fonts", R, OPT },
	{ "/etc/java-11-openjdk", R, OPT },
	{ "/etc/java-17-openjdk", R, OPT },
	{ "/etc/java-21-openjdk", R, OPT },
	{ "/etc/ld.so.cache", R, OPT },
	{ "/etc/ssl/certs", R, OPT },
	{ "/etc/ssl/openssl.cnf", R, OPT },
};

/* Devices without state that a cell could share with anyone. /dev/tty is there where the cell has a terminal. */
static const struct base_row device_rows[] = {
	{ "/dev/full", R | RIGHT_WRITE, CELL_PATH_DEVICE },
	{ "/dev/null", R | RIGHT_WRITE, CELL_PATH_DEVICE },
	{ "/dev/urandom", R | RIGHT_WRITE, CELL_PATH_DEVICE },
	{ "/dev/zero", R | RIGHT_WRITE, CELL_PATH_DEVICE },
};

static const struct base_row tty_row = { "/dev/tty", R | RIGHT_WRITE, CELL_PATH_DEVICE };

/* On a merged-/usr system these are links into /usr; on others they are directories like it. */
static const char *const root_names[] = { "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin" };

/* Links of /etc that point into /usr on every Debian; made again instead of mounted. */
static const char *const etc_links[] = { "/etc/localtime", "/etc/os-release" };

static bool is_system(enum cell_base base)
{
	return base == CELL_BASE_SYSTEM || base == CELL_BASE_HOST;
}

static int add_rows(struct cell_spec *spec, const struct base_row *rows, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = spec_add_path(spec, rows[i].path, rows[i].rights, rows[i].flags, GRANT_NONE, e);
	return r;
}

/* A link is made again with the same text, a directory or file shown, an absent name left out. */
static int add_same(struct cell_spec *spec, const char *path, unsigned rights, struct err *e)
{
	char text[GRANT_OBJECT_MAX];
	const ssize_t n = readlink(path, text, sizeof text - 1);

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return spec_add_path(spec, path, rights, OPT, GRANT_NONE, e);
	text[n] = 0;
	return spec_add_link(spec, path, text, e);
}

static int add_root_links(struct cell_spec *spec, struct err *e)
{
	char text[GRANT_OBJECT_MAX];
	int r = 0;

	for (size_t i = 0; i < sizeof root_names / sizeof root_names[0] && r == 0; i++) {
		const ssize_t n = readlink(root_names[i], text, sizeof text - 1);

		if (n < 0)
			continue;
		text[n] = 0;
		r = spec_add_link(spec, root_names[i], text, e);
	}
	return r;
}

static int add_system(struct cell_spec *spec, struct err *e)
{
	int r = add_rows(spec, system_rows, sizeof system_rows / sizeof system_rows[0], e);

	for (size_t i = 0; i < sizeof root_names / sizeof root_names[0] && r == 0; i++)
		r = add_same(spec, root_names[i], RX, e);
	for (size_t i = 0; i < sizeof etc_links / sizeof etc_links[0] && r == 0; i++)
		r = add_same(spec, etc_links[i], R, e);
	return r;
}

int base_add(struct cell_spec *spec, struct err *e)
{
	int r;

	if (spec->base == CELL_BASE_NONE)
		return 0;
	/* it lists the keys of everybody with the same id, by name */
	r = spec_add_path(spec, "/proc/keys", 0, CELL_PATH_HIDE | CELL_PATH_OPTIONAL, GRANT_NONE, e);
	r = r < 0 ? r : add_rows(spec, device_rows, sizeof device_rows / sizeof device_rows[0], e);
	if (r == 0 && (spec->flags & CELL_TTY_ANY) != 0)
		r = add_rows(spec, &tty_row, 1, e);
	if (r == 0 && spec->base == CELL_BASE_MINIMAL) /* the names under which loaders are asked for */
		r = add_root_links(spec, e);
	return r < 0 || !is_system((enum cell_base)spec->base) ? r : add_system(spec, e);
}

#define VAR_TMP "/var/tmp"

/* What the skeleton and the pseudo file systems make, beside the home directory. */
static const struct base_row private_rows[] = {
	{ "/dev/random", R, 0 },
	{ "/dev/tty", R | RIGHT_WRITE, 0 },
	{ "/dev/pts", R | RIGHT_WRITE, 0 },
	{ "/dev/ptmx", R | RIGHT_WRITE, 0 },
	{ "/dev/shm", R | RIGHT_WRITE, 0 },
	{ "/dev/fd", R, 0 },
	{ "/dev/stdin", R, 0 },
	{ "/dev/stdout", R | RIGHT_WRITE, 0 },
	{ "/dev/stderr", R | RIGHT_WRITE, 0 },
	{ "/etc/gai.conf", R, 0 },
	{ "/etc/group", R, 0 },
	{ "/etc/host.conf", R, 0 },
	{ "/etc/hostname", R, 0 },
	{ "/etc/hosts", R, 0 },
	{ "/etc/mtab", R, 0 },
	{ "/etc/nsswitch.conf", R, 0 },
	{ "/etc/passwd", R, 0 },
	{ "/etc/resolv.conf", R, 0 },
	{ "/proc", R, 0 },
	{ "/sys", R, 0 },
	{ "/tmp", R | RIGHT_WRITE, 0 },
	{ VAR_TMP, R | RIGHT_WRITE, 0 },
};

/* By a name for what the process has open already, a pipe mostly: whether a file may be written, the wall says. Beneath one that is a directory names are names. */
static bool is_descriptor(const char *path)
{
	static const char *const places[] = { "/dev/fd/", "/proc/self/fd/" };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		const size_t n = strlen(places[i]);

		if (strncmp(path, places[i], n) == 0 && path[n] != 0 && path[n + strspn(path + n, "0123456789")] == 0)
			return true;
	}
	return false;
}

static bool row_allows(const struct base_row *rows, size_t n, const char *path, unsigned rights)
{
	for (size_t i = 0; i < n; i++)
		if ((rights & ~rows[i].rights) == 0 && path_is_beneath(path, rows[i].path))
			return true;
	return false;
}

bool base_links_var_tmp(const struct cell_spec *spec)
{
	bool own = path_is_beneath(spec_text(spec, spec->home), VAR_TMP);

	for (uint32_t i = 0; i < spec->n_paths && !own; i++)
		own = path_is_beneath(spec_text(spec, spec->paths[i].path), VAR_TMP);
	return !own;
}

static bool private_allows(const struct cell_spec *spec, const char *path, unsigned rights)
{
	static const struct base_row ssh[] = { { "/etc/services", R, 0 }, { "/etc/ssh", R, 0 } };
	static const struct base_row trust = { CELL_TRUST, R, 0 };

	return ((rights & ~(unsigned)(R | RIGHT_WRITE)) == 0 && is_descriptor(path)) ||
	       (row_allows(private_rows, sizeof private_rows / sizeof private_rows[0], path, rights) &&
		(!path_is_beneath(path, VAR_TMP) || base_links_var_tmp(spec))) ||
	       (spec->known_hosts != 0 && row_allows(ssh, sizeof ssh / sizeof ssh[0], path, rights)) ||
	       (spec->authorities != 0 && row_allows(&trust, 1, path, rights));
}

bool base_is_private(const struct cell_spec *spec, const char *path)
{
	return path_is_beneath(path, spec_text(spec, spec->home)) || private_allows(spec, path, 0);
}

/* Listing the root and the directories of the skeleton is allowed; what lies in them is as granted. */
static bool is_listing(const char *path)
{
	static const char *const listed[] = { "/", "/dev", "/etc", "/home", "/run", "/var" };

	for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
		if (strcmp(path, listed[i]) == 0)
			return true;
	return false;
}

bool base_shows(enum cell_base base, const char *path, unsigned rights)
{
	if (!is_system(base))
		return false;
	for (size_t i = 0; i < sizeof root_names / sizeof root_names[0]; i++)
		if ((rights & ~(unsigned)RX) == 0 && path_is_beneath(path, root_names[i]))
			return true;
	for (size_t i = 0; i < sizeof etc_links / sizeof etc_links[0]; i++)
		if ((rights & ~(unsigned)R) == 0 && strcmp(path, etc_links[i]) == 0)
			return true;
	return row_allows(system_rows, sizeof system_rows / sizeof system_rows[0], path, rights);
}

bool base_allows(const struct cell_spec *spec, const char *path, unsigned rights)
{
	if (spec->base == CELL_BASE_NONE)
		return false;
	if (row_allows(device_rows, sizeof device_rows / sizeof device_rows[0], path, rights) ||
	    private_allows(spec, path, rights))
		return true;
	if (path_is_beneath(path, spec_text(spec, spec->home)))
		return (rights & RIGHT_RUN) == 0;
	if ((rights & ~(unsigned)RIGHT_READ) == 0 && is_listing(path))
		return true;
	return base_shows((enum cell_base)spec->base, path, rights); /* checked by spec_check */
}
