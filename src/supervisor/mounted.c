#include "supervisor/mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

typedef void mounted_fn(struct mounted *m, uint32_t major, uint32_t minor);

/* The third word of each line, "8:1", whatever length the lines have (proc_pid_mountinfo(5)). */
static bool each(int fd, struct mounted *m, mounted_fn *fn)
{
	char room[4096];
	uint32_t number[2] = { 0, 0 };
	unsigned word = 0, part = 0;
	ssize_t n;

	while ((n = read(fd, room, sizeof room)) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++) {
			const char c = room[i];

			if (c == '\n') {
				word = part = number[0] = number[1] = 0;
			} else if (c == ' ') {
				if (word++ == 2)
					fn(m, number[0], number[1]);
			} else if (word == 2 && c == ':') {
				part = 1;
			} else if (word == 2) {
				number[part] = number[part] * 10 + (uint32_t)(c - '0'); /* the kernel's own digits */
			}
		}
	return n == 0;
}

static struct mounted_one *find(struct mounted *m, uint32_t major, uint32_t minor)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->one[i].major == major && m->one[i].minor == minor)
			return &m->one[i];
	return NULL;
}

static void add(struct mounted *m, uint32_t major, uint32_t minor)
{
	if (find(m, major, minor) == NULL && m->n < MOUNTED_MAX)
		m->one[m->n++] = (struct mounted_one){ .major = major, .minor = minor };
}

static void see(struct mounted *m, uint32_t major, uint32_t minor)
{
	struct mounted_one *one = find(m, major, minor);

	if (one != NULL)
		one->is_there = true;
}

void mounted_init(struct mounted *m)
{
	m->fd = -1;
	m->n = 0;
}

void mounted_look(struct mounted *m, int proc_fd)
{
	auto_fd int of_cell = openat(proc_fd, "1/mountinfo", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned kept = 0;

	m->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC); /* first: what changes from here on is told */
	if (m->fd < 0 || of_cell < 0 || !each(of_cell, m, add) || !each(m->fd, m, see)) {
		mounted_finish(m);
		return;
	}
	for (unsigned i = 0; i < m->n && m->n < MOUNTED_MAX; i++)
		if (m->one[i].is_there)
			m->one[kept++] = m->one[i];
	m->n = m->n < MOUNTED_MAX ? kept : m->n;
}

bool mounted_are_there(struct mounted *m)
{
	for (unsigned i = 0; i < m->n; i++)
		m->one[i].is_there = false;
	if (m->n == MOUNTED_MAX || lseek(m->fd, 0, SEEK_SET) != 0 || !each(m->fd, m, see))
		return false;
	for (unsigned i = 0; i < m->n; i++)
		if (!m->one[i].is_there)
			return false;
	return true;
}

void mounted_finish(struct mounted *m)
{
	fd_close(&m->fd);
	m->n = 0;
}
