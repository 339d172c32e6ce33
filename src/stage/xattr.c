#include "stage/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "stage/sys.h"

#define OVERLAY "user.overlay."
#define XATTR_LIST_MAX_BYTES 65536  /* the kernel gives no longer list */
#define XATTR_VALUE_MAX_BYTES 65536 /* and no longer value */

enum owner { OWNER_OVERLAY, OWNER_FILE, OWNER_NOBODY, OWNER_FOREIGN };

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static enum owner owner_of(const char *name)
{
	if (begins(name, OVERLAY))
		return OWNER_OVERLAY;
	if (begins(name, "user.") || begins(name, "system.posix_acl_"))
		return OWNER_FILE;
	return strcmp(name, "security.selinux") == 0 ? OWNER_NOBODY : OWNER_FOREIGN;
}

/* A list of names, each with its NUL. The first call with a small room: most files have none or few. */
struct names {
	char few[256];
	char *list; /* few, or owned */
	size_t n;
};

static void names_finish(struct names *l)
{
	if (l->list != l->few)
		free(l->list);
}
#define auto_names __attribute__((cleanup(names_finish))) struct names

static int names_get(int fd, struct names *ret)
{
	ssize_t n = flistxattr(fd, ret->few, sizeof ret->few);

	ret->list = ret->few;
	ret->n = 0;
	if (n < 0 && errno == ERANGE) {
		char *const list = malloc(XATTR_LIST_MAX_BYTES);

		if (list == NULL)
			return -ENOMEM;
		ret->list = list;
		n = flistxattr(fd, list, XATTR_LIST_MAX_BYTES);
	}
	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	ret->n = (size_t)n;
	return 0;
}

#define EACH_NAME(l, name) (const char *name = (l)->list; name < (l)->list + (l)->n; name += strlen(name) + 1)

int xattr_scan(int fd, struct xattr_scan *ret)
{
	auto_names l;
	const int r = names_get(fd, &l);

	*ret = (struct xattr_scan){ .overlay = false };
	for
		EACH_NAME(&l, name)
		{
			const enum owner owner = owner_of(name);

			ret->overlay = ret->overlay || owner == OWNER_OVERLAY;
			ret->own = ret->own || owner == OWNER_FILE;
			ret->foreign = ret->foreign || owner == OWNER_FOREIGN;
			ret->origin = ret->origin || strcmp(name, OVERLAY "origin") == 0;
			ret->opaque = ret->opaque || strcmp(name, OVERLAY "opaque") == 0;
		}
	return r;
}

/* The value in a room of the largest size there is; -ENODATA where there is none. */
static ssize_t value_of(int fd, const char *name, char *room)
{
	const ssize_t n = fgetxattr(fd, name, room, XATTR_VALUE_MAX_BYTES);

	return n < 0 ? -errno : n;
}

/* 1 if `in` has each own attribute of `of` with the same value. */
static int has_all(int in, int of, char *room)
{
	auto_names l;
	const int r = names_get(of, &l);

	for
		EACH_NAME(&l, name)
		{
			const ssize_t n = owner_of(name) == OWNER_FILE ? value_of(of, name, room) : -1;
			ssize_t m;

			if (owner_of(name) != OWNER_FILE)
				continue;
			if (n < 0)
				return (int)n;
			m = value_of(in, name, room + XATTR_VALUE_MAX_BYTES);
			if (m != n || memcmp(room, room + XATTR_VALUE_MAX_BYTES, (size_t)n) != 0)
				return 0;
		}
	return r < 0 ? r : 1;
}

int xattr_same(const struct xattr_scan *of_a, int a, int b)
{
	struct xattr_scan of_b;
	auto_free char *room = NULL;
	int r = xattr_scan(b, &of_b);

	if (r != 0 || (!of_a->own && !of_b.own))
		return r < 0 ? r : 1;
	room = malloc((size_t)2 * XATTR_VALUE_MAX_BYTES);
	if (room == NULL)
		return -ENOMEM;
	r = has_all(a, b, room);
	return r == 1 ? has_all(b, a, room) : r;
}

int xattr_sum(int fd, uint8_t ret[SHA256_BYTES])
{
	auto_free char *room = malloc(XATTR_VALUE_MAX_BYTES);
	auto_names l;
	struct sha256 sum;
	bool any = false;
	int r = names_get(fd, &l);

	if (room == NULL)
		return -ENOMEM;
	sha256_init(&sum);
	for
		EACH_NAME(&l, name)
		{
			const ssize_t n = owner_of(name) == OWNER_FILE ? value_of(fd, name, room) : 0;
			const uint32_t size = (uint32_t)n; /* XATTR_VALUE_MAX_BYTES at most */

			if (owner_of(name) != OWNER_FILE || r < 0)
				continue;
			if (n < 0)
				return (int)n;
			any = true;
			sha256_add(&sum, name, strlen(name) + 1);
			sha256_add(&sum, &size, sizeof size);
			sha256_add(&sum, room, (size_t)n);
		}
	sha256_end(&sum, ret);
	return r < 0 ? r : any;
}

static int remove_all(int fd, enum owner owner)
{
	auto_names l;
	int r = names_get(fd, &l);

	for
		EACH_NAME(&l, name)
	if (r == 0 && owner_of(name) == owner)
		r = sys_remove_xattr(fd, name);
	return r;
}

int xattr_strip(int fd)
{
	return remove_all(fd, OWNER_OVERLAY);
}

int xattr_copy(int from, int to)
{
	auto_names l;
	auto_free char *room = malloc(XATTR_VALUE_MAX_BYTES);
	int r = names_get(from, &l);

	if (room == NULL)
		return -ENOMEM;
	if (r == 0)
		r = remove_all(to, OWNER_FILE);
	for
		EACH_NAME(&l, name)
		{
			ssize_t n;

			if (r < 0 || owner_of(name) != OWNER_FILE)
				continue;
			n = value_of(from, name, room);
			r = n < 0 ? (int)n : sys_set_xattr(to, name, room, (size_t)n);
		}
	return r;
}

int xattr_set_opaque(int fd)
{
	return sys_set_xattr(fd, OVERLAY "opaque", "y", 1);
}

int xattr_unset_opaque(int fd)
{
	return sys_remove_xattr(fd, OVERLAY "opaque");
}

int xattr_set_origin(int fd)
{
	return sys_set_xattr(fd, OVERLAY "origin", "", 0);
}
