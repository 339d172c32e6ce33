/* What the cell has of its own: directories, links into /proc, a handful of files that programs read before they do
 * anything, and copies of the few facts about the machine that runtimes size themselves by. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cell/base.h"
#include "core/grant.h"

#define FILE_MAX (64u << 10)

struct directory {
	const char *path;
	mode_t mode;
};

static const struct directory directories[] = {
	{ "dev", 0755 }, { "dev/pts", 0755 }, { "dev/shm", 01777 }, { "etc", 0755 }, { "proc", 0555 },
	{ "run", 0755 }, { "sys", 0755 },     { "tmp", 01777 },     { "var", 0755 },
};

/* For runtimes only, which size themselves by what lies there. */
static const struct directory sys_directories[] = {
	{ "sys/devices", 0755 },
	{ "sys/devices/system", 0755 },
	{ "sys/devices/system/cpu", 0755 },
	{ "sys/fs", 0755 },
	{ "sys/fs/cgroup", 0755 },
	{ "sys/kernel", 0755 },
	{ "sys/kernel/mm", 0755 },
	{ "sys/kernel/mm/transparent_hugepage", 0755 },
};

struct link {
	const char *path, *text;
};

static const struct link links[] = {
	{ "dev/fd", "/proc/self/fd" },       { "dev/stdin", "/proc/self/fd/0" }, { "dev/stdout", "/proc/self/fd/1" },
	{ "dev/stderr", "/proc/self/fd/2" }, { "dev/ptmx", "pts/ptmx" },         { "dev/random", "urandom" },
	{ "etc/mtab", "/proc/self/mounts" },
};

/* Facts about the machine that are not secret and that runtimes size themselves by. */
static const char *const copies[] = {
	"sys/devices/system/cpu/possible",
	"sys/devices/system/cpu/online",
	"sys/devices/system/cpu/present",
	"sys/kernel/mm/transparent_hugepage/enabled",
	"sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
};

static int put_file(int root_fd, const char *path, const void *bytes, size_t n)
{
	auto_fd int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	return fd_write_all(fd, bytes, n);
}

static int put_text(int root_fd, const char *path, struct buf *text)
{
	const int r = text->failed ? -ENOMEM : put_file(root_fd, path, text->data, text->len);

	buf_reset(text);
	return r;
}

/* Copies a small file of the host; a host that lacks it is a host whose programs do without. */
static int copy_file(int root_fd, const char *path)
{
	char from[128], room[4096];
	auto_fd int fd = -1;
	ssize_t n;

	(void)snprintf(from, sizeof from, "/%s", path);
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	n = fd_read_all(fd, room, sizeof room);
	return n < 0 ? 0 : put_file(root_fd, path, room, (size_t)n);
}

/* Resolvers read these before they look into hosts; were they missing, every clone and every test of a server would be told
 * as a denial of the host's. Where no names are to be found asking the server fails at once, and the eye
 * sees that a name was looked up. */
static int put_resolver(int root_fd)
{
	static const struct {
		const char *path, *text;
	} files[] = {
		{ "etc/gai.conf", "" },
		{ "etc/host.conf", "" },
		{ "etc/resolv.conf", "nameserver " CELL_RESPONDER "\noptions timeout:1 attempts:1\n" },
	};
	int r = 0;

	for (size_t i = 0; i < sizeof files / sizeof files[0] && r == 0; i++)
		r = put_file(root_fd, files[i].path, files[i].text, strlen(files[i].text));
	return r;
}

/* What may be connected to by its name; two ports of one name are told twice, which does no harm. */
static void put_hosts(const struct cell_spec *spec, struct buf *b)
{
	for (uint32_t i = 0; i < spec->n_endpoints; i++) {
		char address[ADDRESS_TEXT_MAX];

		address_put(&spec->endpoints[i].at.base, address);
		if (spec->endpoints[i].kind == ENDPOINT_NAME)
			buf_printf(b, "%s %s\n", address, spec_text(spec, spec->endpoints[i].name));
	}
}

/* Whom ssh knows without being told. Of the person's own files it would look for, and be denied, what is not to be had here: their keys
 * and all the hosts that they know; what is named to it is read as ever. */
static int put_ssh(const struct cell_spec *spec, int root_fd)
{
	const struct {
		const char *path, *text;
	} files[] = {
		{ "etc/services", "ssh 22/tcp\n" },
		{ "etc/ssh/ssh_config", "IdentityFile none\nUserKnownHostsFile /dev/null\n" },
		{ "etc/ssh/ssh_known_hosts", spec_text(spec, spec->known_hosts) },
	};
	int r = 0;

	if (spec->known_hosts == 0)
		return 0;
	r = mkdirat(root_fd, "etc/ssh", 0755) < 0 ? -errno : 0;
	for (size_t i = 0; i < sizeof files / sizeof files[0] && r == 0; i++)
		r = put_file(root_fd, files[i].path, files[i].text, strlen(files[i].text));
	return r;
}

static int put_etc(const struct cell_spec *spec, int root_fd)
{
	const char *user = spec_text(spec, spec->user), *host = spec_text(spec, spec->hostname);
	auto_buf b = { .max = 0 };
	int r;

	buf_init(&b, FILE_MAX);
	buf_printf(&b,
		   "root:x:0:0:root:/:/usr/sbin/nologin\n%s:x:%u:%u:%s:%s:/bin/sh\n"
		   "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
		   user, spec->uid, spec->gid, user, spec_text(spec, spec->home));
	r = put_text(root_fd, "etc/passwd", &b);
	buf_printf(&b, "root:x:0:\n%s:x:%u:\nnogroup:x:65534:\n", user, spec->gid);
	r = r < 0 ? r : put_text(root_fd, "etc/group", &b);
	buf_printf(&b, "127.0.0.1 localhost %s\n::1 localhost\n", host);
	put_hosts(spec, &b);
	r = r < 0 ? r : put_text(root_fd, "etc/hosts", &b);
	buf_printf(&b, "%s\n", host);
	r = r < 0 ? r : put_text(root_fd, "etc/hostname", &b);
	buf_printf(&b,
		   "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n");
	r = r < 0 ? r : put_text(root_fd, "etc/nsswitch.conf", &b);
	r = r < 0 ? r : put_ssh(spec, root_fd);
	return r < 0 ? r : put_resolver(root_fd);
}

/* What runtimes read as the limits of their control group. */
static int put_limits(const struct cell_spec *spec, int root_fd)
{
	auto_buf b = { .max = 0 };
	const uint64_t memory = spec->limits.value[LIMIT_MEMORY];

	buf_init(&b, FILE_MAX);
	if (memory == 0)
		return 0;
	buf_printf(&b, "%llu\n", (unsigned long long)memory);
	return put_text(root_fd, "sys/fs/cgroup/memory.max", &b);
}

/* The home directory: private, empty, at the path where the user expects it. */
static int make_home(int root_fd, const char *home)
{
	const char *name;
	auto_fd int dir = -1;

	if (home[1] == 0)
		return 0;
	dir = root_parent(root_fd, home, &name);
	if (dir < 0)
		return dir;
	return mkdirat(dir, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_directories(int root_fd, const struct directory *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mkdirat(root_fd, list[i].path, list[i].mode) < 0)
			return -errno;
	return 0;
}

static int make_sys(const struct cell_spec *spec, int root_fd)
{
	int r = make_directories(root_fd, sys_directories, sizeof sys_directories / sizeof sys_directories[0]);

	for (size_t i = 0; i < sizeof copies / sizeof copies[0] && r == 0; i++)
		r = copy_file(root_fd, copies[i]);
	return r < 0 ? r : put_limits(spec, root_fd);
}

static int make_var_tmp(const struct cell_spec *spec, int root_fd)
{
	if (!base_links_var_tmp(spec))
		return 0;
	return symlinkat("/tmp", root_fd, "var/tmp") < 0 ? -errno : 0;
}

static int make_all(const struct cell_spec *spec, int root_fd)
{
	int r = make_directories(root_fd, directories, sizeof directories / sizeof directories[0]);

	for (size_t i = 0; i < sizeof links / sizeof links[0] && r == 0; i++)
		if (symlinkat(links[i].text, root_fd, links[i].path) < 0)
			r = -errno;
	if (r == 0 && (spec->flags & CELL_JIT) != 0)
		r = make_sys(spec, root_fd);
	if (r == 0 && mknodat(root_fd, CELL_MARK, S_IFREG | 0444, 0) < 0)
		r = -errno;
	r = r < 0 ? r : make_var_tmp(spec, root_fd);
	r = r < 0 ? r : put_etc(spec, root_fd);
	return r < 0 ? r : make_home(root_fd, spec_text(spec, spec->home));
}

int skeleton_make(const struct cell_spec *spec, int root_fd, struct cell_failure *f)
{
	const mode_t saved = umask(0);
	const int r = make_all(spec, root_fd);

	(void)umask(saved);
	return r < 0 ? build_failed(f, STEP_SKELETON, -r) : 0;
}
