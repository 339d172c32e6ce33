/* Whom programs of the cell trust, where the event has authorities of its own: the host's certificates and the event's, in the forms that
 * programs read, in a small file system that nobody in the cell can write. They stand in the places of the host's own as well, where these are
 * in the cell's view, since a program may read them whatever its environment says. */
#include "cell/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/span.h"
#include "cell/kernel.h"
#include "cell/keystore.h"
#include "cell/pem.h"
#include "core/grant.h"

#define HOST_MAX (4u << 20) /* that of a distribution has a quarter of a megabyte */

static const char *const bundles[] = {
#define BUNDLE(path) path,
#define KEYSTORE(path)
#include "base/authorities.def"
#undef BUNDLE
#undef KEYSTORE
};
static const char *const stores[] = {
#define BUNDLE(path)
#define KEYSTORE(path) path,
#include "base/authorities.def"
#undef BUNDLE
#undef KEYSTORE
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the places of the host's own ---- */

static int stand_in(const struct cell_spec *spec, int root_fd, const char *path, const char *with)
{
	auto_fd int place = standin_open(spec, root_fd, path, false), tree = -1;

	if (place < 0)
		return 0;
	tree = open_tree(root_fd, with + 1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? -errno : standin_put(tree, place);
}

/* A keystore costs as much as the rest: it is made where Java would look for it. */
static bool has_java(const struct cell_spec *spec, int root_fd)
{
	bool has = false;

	for (size_t i = 0; i < COUNT_OF(stores) && !has; i++) {
		auto_fd int place = standin_open(spec, root_fd, stores[i], false);

		has = place >= 0;
	}
	return has;
}

/* ---- what is trusted ---- */

/* Its links are followed: they are root's, as the file is. Of what is there certificates are taken and nothing else. */
static int open_host(const char *path, size_t *ret_size)
{
	auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0 || st.st_size > (off_t)HOST_MAX)
		return -1;
	*ret_size = (size_t)st.st_size;
	return steal_fd(&fd);
}

/* -1 and 0 bytes: a host without any, or whose own are not to be read, is one whose programs trust the event's alone. */
static int find_host(size_t *ret_size)
{
	int fd = -1;

	*ret_size = 0;
	for (size_t i = 0; i < COUNT_OF(bundles) && fd < 0; i++)
		fd = open_host(bundles[i], ret_size);
	return fd;
}

/* What is put together before it is written, in memory that comes at once: to have it page by page costs a virtual machine ten times as much as
 * all else here. */
struct material {
	uint8_t *room; /* owned, three parts */
	size_t part;
	struct span host;
	struct buf bundle, java; /* in the room */
};

static int material_init(struct material *m)
{
	size_t size;
	auto_fd int fd = find_host(&size);
	ssize_t n;

	m->part = size + AUTHORITIES_TEXT_MAX; /* certificates take less in a keystore than as text */
	m->room = mmap(NULL, 3 * m->part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (m->room == MAP_FAILED)
		return -errno;
	n = fd < 0 ? 0 : fd_read_all(fd, m->room, size);
	m->host = (struct span){ .at = (const char *)m->room, .len = n > 0 ? (size_t)n + 1 : 0 };
	if (n > 0)
		m->room[n] = '\n'; /* the last line may lack it */
	buf_init_in(&m->bundle, m->room + m->part, m->part);
	buf_init_in(&m->java, m->room + 2 * m->part, m->part);
	return 0;
}

static void material_finish(struct material *m)
{
	(void)munmap(m->room, 3 * m->part); /* it is ours, and whole */
}

/* store: NULL if there is none. */
static void add_all(struct span text, struct buf *bundle, struct keystore *store)
{
	auto_buf der = { .max = PEM_CERTIFICATE_MAX };
	struct span one = { .at = NULL };

	while (pem_next(&text, &one, &der)) {
		buf_put(bundle, one.at, one.len);
		if (store != NULL)
			keystore_add(store, der.data, der.len);
	}
}

/* ---- the files ---- */

static int put_file(int dir_fd, const char *path, const void *bytes, size_t n)
{
	auto_fd int fd = openat(dir_fd, path + strlen(CELL_TRUST "/"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0 || fchmod(fd, 0444) < 0) /* whatever the umask */
		return -errno;
	return fd_write_all(fd, bytes, n);
}

static int put_material(const char *own, int dir_fd, bool java, struct material *m)
{
	struct keystore store, *const s = java ? &store : NULL;
	int r;

	keystore_begin(&store, &m->java);
	add_all(span_of(own), &m->bundle, s);
	add_all(m->host, &m->bundle, s);
	if (m->bundle.failed || (java && !keystore_end(&store)))
		return -ENOMEM;
	r = put_file(dir_fd, CELL_TRUST_OWN, own, strlen(own));
	r = r < 0 ? r : put_file(dir_fd, CELL_TRUST_BUNDLE, m->bundle.data, m->bundle.len);
	return r < 0 || !java ? r : put_file(dir_fd, CELL_TRUST_JAVA, m->java.data, m->java.len);
}

static int put_files(const struct cell_spec *spec, int dir_fd, bool java)
{
	struct material m = { .room = NULL };
	int r = material_init(&m);

	if (r < 0)
		return r;
	r = put_material(spec_text(spec, spec->authorities), dir_fd, java, &m);
	material_finish(&m);
	return r;
}

/* Not in the root's, whose size the person may have bounded to less than these take. */
static int make_place(const struct cell_spec *spec, int root_fd)
{
	auto_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), dir = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int r;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "12m", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	dir = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	r = dir < 0 ? -errno : put_files(spec, dir, has_java(spec, root_fd));
	if (r < 0)
		return r;
	if (mount_setattr(dir, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0 ||
	    mkdirat(root_fd, &CELL_TRUST[1], 0755) < 0 ||
	    move_mount(dir, "", root_fd, &CELL_TRUST[1], MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* ---- all of it ---- */

int trust_build(const struct cell_spec *spec, int root_fd, struct cell_failure *f)
{
	int r;

	if (spec->authorities == 0)
		return 0;
	r = make_place(spec, root_fd);
	for (size_t i = 0; i < COUNT_OF(bundles) && r == 0; i++)
		r = stand_in(spec, root_fd, bundles[i], CELL_TRUST_BUNDLE);
	for (size_t i = 0; i < COUNT_OF(stores) && r == 0; i++)
		r = stand_in(spec, root_fd, stores[i], CELL_TRUST_JAVA);
	return r < 0 ? build_failed(f, STEP_TRUST, -r) : 0;
}
