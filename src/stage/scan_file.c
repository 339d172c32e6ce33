#include "stage/scan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "judge/protected.h"
#include "stage/hidden.h"

#define MAGIC "ambscan4"
#define MAGIC_SIZE 8
#define SUM_SIZE 8
#define FILE_MAX ((size_t)256 << 20) /* a million directories, and 64 MB of names */
#define NAME_SIZE 256                /* NAME_MAX and a NUL */

/* Against what was cut or mixed up, not against who may write here: nobody but the person may. */
static uint64_t sum_of(const uint8_t *bytes, size_t n)
{
	uint64_t sum = UINT64_C(0x9e3779b97f4a7c15) + n;

	for (; n >= 8; bytes += 8, n -= 8) {
		uint64_t word;

		memcpy(&word, bytes, 8);
		sum = (sum ^ word) * UINT64_C(0x9fb21c651e98df25);
		sum ^= sum >> 32;
	}
	for (; n > 0; bytes++, n--)
		sum = (sum ^ *bytes) * UINT64_C(0x100000001b3);
	return sum;
}

static void put_dir(struct buf *out, const struct scan_dir *d)
{
	buf_put_u8(out, d->state);
	buf_put_u8(out, d->flags);
	buf_put_u64(out, d->ino);
	buf_put_u64(out, (uint64_t)d->ctime_s);
	buf_put_u32(out, d->ctime_ns);
	buf_put_u32(out, d->n_dirs);
	buf_put_u32(out, d->n_hidden);
	buf_put_u32(out, d->n_links);
	buf_put_u32(out, d->n_files);
}

static void put_name(struct buf *out, const char *name)
{
	const size_t n = strlen(name);

	buf_put_u8(out, (uint8_t)n); /* at most NAME_MAX */
	buf_put(out, name, n);
}

/* Of both tables. */
static uint64_t version(void)
{
	return hidden_version() * 3 ^ protected_version();
}

void scan_encode(struct buf *out, const struct scan *s)
{
	buf_put(out, MAGIC, MAGIC_SIZE);
	buf_put_u64(out, version());
	buf_put_u64(out, s->dev);
	buf_put_u32(out, s->n_dirs);
	buf_put_u32(out, s->n_hidden);
	buf_put_u32(out, s->n_links);
	buf_put_u32(out, s->n_files);
	for (uint32_t i = 0; i < s->n_dirs; i++)
		put_dir(out, &s->dirs[i]);
	for (uint32_t i = 0; i < s->n_dirs; i++)
		put_name(out, scan_text(s, s->dirs[i].name));
	for (uint32_t i = 0; i < s->n_hidden; i++)
		put_name(out, scan_text(s, s->hidden[i]));
	for (uint32_t i = 0; i < s->n_links; i++)
		put_name(out, scan_text(s, s->links[i]));
	for (uint32_t i = 0; i < s->n_files; i++)
		put_name(out, scan_text(s, s->files[i]));
}

static void get_dir(struct rbuf *in, struct scan_dir *ret)
{
	*ret = (struct scan_dir){ .state = rbuf_u8(in) };
	ret->flags = rbuf_u8(in);
	ret->ino = rbuf_u64(in);
	ret->ctime_s = (int64_t)rbuf_u64(in);
	ret->ctime_ns = rbuf_u32(in);
	ret->n_dirs = rbuf_u32(in);
	ret->n_hidden = rbuf_u32(in);
	ret->n_links = rbuf_u32(in);
	ret->n_files = rbuf_u32(in);
}

/* A name of one part; the tree's own may be empty, as that of the root is. */
static bool get_name(struct rbuf *in, char room[NAME_SIZE], bool may_be_empty)
{
	const size_t n = rbuf_u8(in);
	const uint8_t *bytes = rbuf_bytes(in, n);

	if (bytes == NULL || (n == 0 && !may_be_empty) || memchr(bytes, 0, n) != NULL || memchr(bytes, '/', n) != NULL)
		return false;
	memcpy(room, bytes, n);
	room[n] = 0;
	return strcmp(room, ".") != 0 && strcmp(room, "..") != 0;
}

/* How many names there are of each kind. */
struct counts {
	uint32_t dirs, hidden, links, files;
};

/* Where each directory's own begin follows from the counts of those before. */
static bool place(struct scan *s, const struct counts *n)
{
	uint64_t dirs = 1, hidden = 0, links = 0, files = 0;

	for (uint32_t i = 0; i < n->dirs; i++) {
		struct scan_dir *d = &s->dirs[i];

		d->first_dir = (uint32_t)dirs; /* at most n->dirs, as is seen below */
		d->first_hidden = (uint32_t)hidden;
		d->first_link = (uint32_t)links;
		d->first_file = (uint32_t)files;
		dirs += d->n_dirs;
		hidden += d->n_hidden;
		links += d->n_links;
		files += d->n_files;
		if (d->state >= SCAN_STATES || (d->flags & ~SCAN_FLAGS) != 0 || dirs > n->dirs || hidden > n->hidden ||
		    links > n->links || files > n->files || (dirs == i + 1 && i + 1 < n->dirs))
			return false;
		for (uint32_t k = d->first_dir; k < dirs; k++)
			s->dirs[k].parent = i;
	}
	return dirs == n->dirs && hidden == n->hidden && links == n->links && files == n->files;
}

static bool get_names(struct rbuf *in, struct scan *s, const struct counts *n)
{
	char name[NAME_SIZE];

	for (uint32_t i = 0; i < s->n_dirs; i++) {
		s->dirs[i].name = (uint32_t)s->text.len; /* at most SCAN_TEXT_MAX */
		if (!get_name(in, name, i == 0))
			return false;
		buf_put(&s->text, name, strlen(name) + 1);
	}
	for (uint32_t i = 0; i < n->hidden; i++)
		if (!get_name(in, name, false) || scan_add_hidden(s, name) == UINT32_MAX)
			return false;
	for (uint32_t i = 0; i < n->links; i++)
		if (!get_name(in, name, false) || scan_add_link(s, name) == UINT32_MAX)
			return false;
	for (uint32_t i = 0; i < n->files; i++)
		if (!get_name(in, name, false) || scan_add_file(s, name) == UINT32_MAX)
			return false;
	return !s->text.failed;
}

static bool decode(struct rbuf *in, struct scan *s)
{
	const uint8_t *magic = rbuf_bytes(in, MAGIC_SIZE);
	const uint64_t made_of = rbuf_u64(in);
	struct counts n;

	s->dev = rbuf_u64(in);
	n.dirs = rbuf_u32(in);
	n.hidden = rbuf_u32(in);
	n.links = rbuf_u32(in);
	n.files = rbuf_u32(in);
	if (magic == NULL || memcmp(magic, MAGIC, MAGIC_SIZE) != 0 || made_of != version() || n.dirs == 0 ||
	    n.dirs > SCAN_DIRECTORIES_MAX || n.hidden > SCAN_NAMES_MAX || n.links > SCAN_LINKS_MAX ||
	    n.files > SCAN_FILES_MAX)
		return false;
	s->dirs = calloc(n.dirs, sizeof *s->dirs);
	if (s->dirs == NULL)
		return false;
	s->n_dirs = s->room_dirs = n.dirs;
	for (uint32_t i = 0; i < n.dirs; i++)
		get_dir(in, &s->dirs[i]);
	return place(s, &n) && get_names(in, s, &n) && rbuf_done(in);
}

bool scan_decode(const void *bytes, size_t n, size_t text_max, struct scan *ret)
{
	struct rbuf in;

	scan_init(ret, text_max);
	rbuf_init(&in, bytes, n);
	if (decode(&in, ret))
		return true;
	scan_finish(ret);
	scan_init(ret, text_max);
	return false;
}

/* Whether the bytes end with the sum of those before. */
static bool adds_up(const uint8_t *bytes, size_t n)
{
	struct rbuf tail;

	if (n < SUM_SIZE)
		return false;
	rbuf_init(&tail, bytes + n - SUM_SIZE, SUM_SIZE);
	return rbuf_u64(&tail) == sum_of(bytes, n - SUM_SIZE);
}

bool scan_load(int dir_fd, const char *name, size_t text_max, struct scan *ret)
{
	auto_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	auto_free uint8_t *bytes = NULL;
	struct stat st;
	size_t n;

	scan_init(ret, text_max);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < SUM_SIZE || (uint64_t)st.st_size > FILE_MAX)
		return false;
	n = (size_t)st.st_size;
	bytes = malloc(n);
	if (bytes == NULL || fd_read_all(fd, bytes, n) != (ssize_t)n || !adds_up(bytes, n))
		return false;
	return scan_decode(bytes, n - SUM_SIZE, text_max, ret);
}

static int write_new(int dir_fd, const char *name, const struct buf *bytes)
{
	auto_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd_write_all(fd, bytes->data, bytes->len);
}

int scan_save(int dir_fd, const char *name, const struct scan *s)
{
	char fresh[64];
	auto_buf out;
	int r;

	buf_init(&out, FILE_MAX);
	scan_encode(&out, s);
	if (!out.failed)
		buf_put_u64(&out, sum_of(out.data, out.len));
	if (out.failed)
		return -ENOMEM;
	(void)snprintf(fresh, sizeof fresh, "%s.new", name); /* our own name, short */
	r = write_new(dir_fd, fresh, &out);
	if (r == 0 && renameat(dir_fd, fresh, dir_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, fresh, 0); /* or the next one overwrites it */
	return r;
}
