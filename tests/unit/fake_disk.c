#include "fake_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 1024
#define FILE_BYTES_MAX (64u << 20)
#define SECTOR 512

struct file {
	char name[80];
	bool there, there_on_medium;
	bool unsettled; /* written by disk_write since the last disk_settle */
	struct buf now, medium;
};

struct disk {
	struct file files[FILES_MAX];
	unsigned n;
	struct file *journal;
	unsigned long die_after, fail_after, steps;
	int error;
	jmp_buf *back;
};

static struct disk the_disk;
static uint32_t seed = 1;

void fake_seed(uint32_t s)
{
	seed = s * 2654435761u | 1;
}

uint32_t fake_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

struct disk *fake_disk(void)
{
	for (unsigned i = 0; i < the_disk.n; i++) {
		buf_finish(&the_disk.files[i].now);
		buf_finish(&the_disk.files[i].medium);
	}
	memset(&the_disk, 0, sizeof the_disk);
	return &the_disk;
}

void fake_disk_die_after(unsigned long steps, jmp_buf *back)
{
	the_disk.die_after = steps;
	the_disk.fail_after = the_disk.steps = 0;
	the_disk.back = back;
}

void fake_disk_fail_after(unsigned long steps, int error)
{
	the_disk.fail_after = steps;
	the_disk.die_after = the_disk.steps = 0;
	the_disk.error = error;
}

unsigned long fake_disk_steps(void)
{
	return the_disk.steps;
}

static bool dies(void)
{
	the_disk.steps++;
	return the_disk.die_after != 0 && the_disk.steps == the_disk.die_after;
}

static void die(void)
{
	longjmp(*the_disk.back, 1);
}

/* A step that is done, or not at all. */
static int step(void)
{
	if (dies())
		die();
	return the_disk.fail_after != 0 && the_disk.steps >= the_disk.fail_after ? -the_disk.error : 0;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	if (from->len > 0)
		buf_put(to, from->data, from->len);
}

static struct file *find(const char *name)
{
	for (unsigned i = 0; i < the_disk.n; i++)
		if (strcmp(the_disk.files[i].name, name) == 0)
			return &the_disk.files[i];
	return NULL;
}

static struct file *make(const char *name)
{
	struct file *f = find(name);

	if (f != NULL)
		return f;
	if (the_disk.n == FILES_MAX)
		abort();
	f = &the_disk.files[the_disk.n++];
	(void)snprintf(f->name, sizeof f->name, "%s", name);
	buf_init(&f->now, FILE_BYTES_MAX);
	buf_init(&f->medium, FILE_BYTES_MAX);
	return f;
}

struct buf *fake_disk_file(const char *name)
{
	struct file *f = find(name);

	return f != NULL && f->there ? &f->now : NULL;
}

void fake_disk_remove(const char *name)
{
	struct file *f = find(name);

	if (f != NULL)
		f->there = f->there_on_medium = false;
}

unsigned fake_disk_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < the_disk.n; i++)
		n += the_disk.files[i].there;
	return n;
}

/* ---- power ---- */

/* Each sector is the old or the new one, and the end lies anywhere between both. */
static void mix(struct file *f)
{
	const size_t low = f->now.len < f->medium.len ? f->now.len : f->medium.len;
	const size_t high = f->now.len < f->medium.len ? f->medium.len : f->now.len;
	const size_t len = fake_random() % 3 == 0 ? high : low + fake_random() % (high - low + 1);
	auto_buf mixed = { .max = 0 };

	buf_init(&mixed, FILE_BYTES_MAX);
	for (size_t at = 0; at < len; at += SECTOR) {
		const struct buf *from = fake_random() % 2 == 0 ? &f->now : &f->medium;
		const size_t n = len - at < SECTOR ? len - at : SECTOR;

		for (size_t i = at; i < at + n; i++)
			buf_put_u8(&mixed,
				   i < from->len ? from->data[i] : 0); /* a page that was never written: zeroes */
	}
	copy(&f->now, &mixed);
}

void fake_disk_lose_power(void)
{
	for (unsigned i = 0; i < the_disk.n; i++) {
		struct file *f = &the_disk.files[i];

		if (f->there != f->there_on_medium)
			f->there = fake_random() % 2 == 0;
		if (f->now.len != f->medium.len ||
		    (f->now.len > 0 && memcmp(f->now.data, f->medium.data, f->now.len) != 0))
			mix(f);
		copy(&f->medium, &f->now);
		f->there_on_medium = f->there;
		f->unsettled = false;
	}
}

/* ---- what the writer calls ---- */

/* The bytes, or part of them. */
static int put(struct file *f, const void *bytes, size_t n)
{
	const bool dead = dies();

	if (the_disk.fail_after != 0 && the_disk.steps >= the_disk.fail_after) {
		buf_put(&f->now, bytes, n / 2); /* a disk that is full takes some */
		return -the_disk.error;
	}
	buf_put(&f->now, bytes, dead ? fake_random() % (n + 1) : n);
	if (dead)
		die();
	return 0;
}

int disk_read(struct disk *d, const char *name, struct buf *ret)
{
	const struct file *f = find(name);
	const size_t n = strlen(name);

	for (unsigned i = 0; i < d->n; i++)
		if (d->files[i].there && strncmp(d->files[i].name, name, n) == 0 && d->files[i].name[n] == '/')
			return -EINVAL; /* a directory */
	if (f == NULL || !f->there)
		return -ENOENT;
	if (f->now.len > ret->max - ret->len)
		return -EFBIG;
	if (f->now.len > 0)
		buf_put(ret, f->now.data, f->now.len);
	return ret->failed ? -ENOMEM : 0;
}

int disk_write(struct disk *d, const char *name, const void *bytes, size_t n)
{
	struct file *f = make(name);
	int r = step();

	(void)d;
	if (r < 0)
		return r;
	f->there = true;
	f->unsettled = true;
	buf_reset(&f->now);
	return put(f, bytes, n);
}

int disk_settle(struct disk *d)
{
	for (unsigned i = 0; i < d->n; i++) {
		struct file *f = &d->files[i];
		int r;

		if (!f->unsettled)
			continue;
		r = step();
		if (r < 0)
			return r;
		copy(&f->medium, &f->now);
	}
	for (unsigned i = 0; i < d->n; i++) {
		struct file *f = &d->files[i];
		const int r = f->unsettled ? step() : 0;

		if (r < 0)
			return r;
		if (f->unsettled)
			f->there_on_medium = f->there;
		f->unsettled = false;
	}
	return 0;
}

int disk_sync_all(struct disk *d)
{
	const int r = step();

	for (unsigned i = 0; i < d->n && r == 0; i++) {
		copy(&d->files[i].medium, &d->files[i].now);
		d->files[i].there_on_medium = d->files[i].there;
		d->files[i].unsettled = false;
	}
	return r;
}

int disk_replace(struct disk *d, const char *name, const void *bytes, size_t n)
{
	char new[80];
	struct file *from, *to;
	int r = step();

	(void)d;
	if (r < 0)
		return r;
	(void)snprintf(new, sizeof new, "%s.new", name);
	from = make(new);
	to = make(name);
	from->there = true;
	buf_reset(&from->now);
	r = put(from, bytes, n);
	if (r == 0)
		r = step();
	if (r < 0)
		return r;
	copy(&from->medium, &from->now); /* fdatasync */
	r = step();
	if (r < 0)
		return r;
	/* rename: on the medium it is the old file or the new one, until the directory is synced */
	copy(&to->now, &from->now);
	if (fake_random() % 2 == 0) {
		copy(&to->medium, &from->medium);
		to->there_on_medium = true;
	} else if (!to->there_on_medium) {
		copy(&to->medium, &from->medium); /* not there, or whole */
	}
	to->there = true;
	from->there = from->there_on_medium = false;
	if (dies()) { /* and then no mixture of both */
		copy(&to->now, &to->medium);
		to->there = to->there_on_medium;
		die();
	}
	copy(&to->medium, &to->now);
	to->there_on_medium = true;
	return 0;
}

int disk_remove(struct disk *d, const char *name)
{
	struct file *f = find(name);
	const int r = step();

	(void)d;
	if (r == 0 && f != NULL)
		f->there = false;
	return r;
}

int disk_remove_directory(struct disk *d, const char *name)
{
	const size_t n = strlen(name);
	int r = 0;

	for (unsigned i = 0; i < d->n && r == 0; i++)
		if (strncmp(d->files[i].name, name, n) == 0 && d->files[i].name[n] == '/')
			r = disk_remove(d, d->files[i].name);
	return r;
}

int disk_journal_begin(struct disk *d, const char *name)
{
	const int r = disk_replace(d, name, "", 0);

	d->journal = find(name);
	return r;
}

int disk_journal_append(struct disk *d, const void *bytes, size_t n)
{
	return put(d->journal, bytes, n);
}

int disk_journal_sync(struct disk *d)
{
	const int r = step();

	if (r == 0)
		copy(&d->journal->medium, &d->journal->now);
	return r;
}
