#include "stage/unseen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"

#define NAME_MAX_ 24

static void name_of(uint32_t tree, char ret[NAME_MAX_])
{
	(void)snprintf(ret, NAME_MAX_, "unseen.%u", tree); /* it fits */
}

int unseen_write(int stage_fd, uint32_t tree, const struct mask *m, struct err *e)
{
	char name[NAME_MAX_];
	auto_fd int fd = -1;
	uint8_t head[4];
	struct buf b;
	int r;

	name_of(tree, name);
	fd = openat(stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : 0;
	buf_init_in(&b, head, sizeof head);
	buf_put_u32(&b, (uint32_t)strlen(m->name));
	r = r < 0 ? r : fd_write_all(fd, head, sizeof head);
	r = r < 0 ? r : fd_write_all(fd, m->name, strlen(m->name));
	r = r < 0 ? r : fd_write_all(fd, m->list.bytes.data, m->list.bytes.len);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space", "cannot stage changes: what is hidden") : 0;
}

static int take(const uint8_t *bytes, size_t n, struct mask *ret)
{
	struct rbuf r;
	uint32_t length;
	const uint8_t *name;

	rbuf_init(&r, bytes, n);
	length = rbuf_u32(&r);
	name = length < sizeof ret->name ? rbuf_bytes(&r, length) : NULL;
	if (name == NULL || memchr(name, 0, length) != NULL)
		return -AMBIT_MALFORMED;
	memcpy(ret->name, name, length);
	ret->name[length] = 0;
	return mask_list_take(&ret->list, bytes + r.at, n - r.at);
}

int unseen_read(int stage_fd, uint32_t tree, struct mask *ret, struct err *e)
{
	char name[NAME_MAX_];
	auto_fd int fd = -1;
	auto_free uint8_t *bytes = NULL;
	struct stat st;
	ssize_t n;
	int r;

	mask_init(ret);
	name_of(tree, name);
	fd = openat(stage_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > 2 * (off_t)MASK_LIST_MAX)
		return err_set(e, AMBIT_MALFORMED, "`ambit discard EVENT` removes its stage",
			       "what the event could not see is not known any more");
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for what the event could not see");
	n = fd_read_all(fd, bytes, (size_t)st.st_size);
	r = n < 0 ? (int)n : take(bytes, (size_t)n, ret);
	if (r == 0)
		return 0;
	mask_finish(ret);
	return err_set(e, AMBIT_MALFORMED, "`ambit discard EVENT` removes its stage",
		       "what the event could not see is not known any more");
}

/* ---- trees that are only read ---- */

static const char elsewhere_name[] = "unseen.read";

int unseen_add_elsewhere(int stage_fd, const char *tree, const struct mask_list *l, struct err *e)
{
	auto_buf paths = { .max = 0 };
	auto_fd int fd = -1;
	int r;

	buf_init(&paths, 2 * (size_t)MASK_LIST_MAX);
	for (uint32_t i = 0; i < l->n; i++) {
		const struct mask_entry entry = mask_list_entry(l, i);

		if (entry.kind == MASK_NOTHING || entry.kind == MASK_ON_THE_WAY)
			continue;
		buf_printf(&paths, "%s%s%s", tree[1] == 0 ? "" : tree, entry.path[0] == 0 ? "" : "/", entry.path);
		buf_put_u8(&paths, 0);
	}
	if (paths.failed)
		return err_set(e, AMBIT_LIMIT, "grant a smaller tree", "more is hidden beneath %s than can be noted",
			       tree);
	if (paths.len == 0)
		return 0;
	fd = openat(stage_fd, elsewhere_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, paths.data, paths.len);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space", "cannot stage changes: what is hidden") : 0;
}

int unseen_read_elsewhere(int stage_fd, struct buf *ret)
{
	auto_fd int fd = openat(stage_fd, elsewhere_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t piece[4096];
	ssize_t n = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -AMBIT_SYSTEM;
	while (!ret->failed && (n = fd_read_all(fd, piece, sizeof piece)) > 0)
		buf_put(ret, piece, (size_t)n);
	if (n < 0)
		return -AMBIT_SYSTEM;
	buf_put_u8(ret, 0); /* of a last one that is torn */
	return ret->failed ? -AMBIT_LIMIT : 0;
}
