#include "stage/each.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "core/change.h"
#include "stage/listing.h"

struct todo {
	char **paths; /* owned, and each of them */
	size_t n, room;
	struct listing *listing; /* owned */
};

static void todo_finish(struct todo *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->paths[i]);
	free(t->paths);
	free(t->listing);
}

static int todo_push(struct todo *t, const char *path)
{
	if (t->n == t->room) {
		const size_t room = t->room == 0 ? 16 : t->room * 2;
		char **paths = reallocarray(t->paths, room, sizeof paths[0]);

		if (paths == NULL)
			return -ENOMEM;
		t->paths = paths;
		t->room = room;
	}
	t->paths[t->n] = strdup(path);
	return t->paths[t->n++] == NULL ? -ENOMEM : 0;
}

static int visit(struct todo *t, int dir_fd, const char *dir, const char *name, each_fn *fn, void *user)
{
	char path[CHANGE_PATH_MAX];
	struct look l;
	int r = sys_look(dir_fd, name, &l);

	if (snprintf(path, sizeof path, "%s%s%s", dir, dir[0] != 0 ? "/" : "", name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	if (r == 0)
		r = fn(user, dir_fd, path, name, &l);
	if (r == 0 && S_ISDIR(l.id.mode))
		r = todo_push(t, path);
	return r;
}

static int read_one(struct todo *t, int root_fd, const char *dir, each_fn *fn, void *user)
{
	auto_fd int fd = sys_open_beneath(root_fd, dir, O_RDONLY | O_DIRECTORY);
	const char *name;
	enum listing_kind unused;
	int r = 0;

	if (fd < 0)
		return fd;
	listing_begin(t->listing, fd);
	while (r == 0 && (name = listing_next(t->listing, &unused)) != NULL)
		r = visit(t, fd, dir, name, fn, user);
	return r != 0 ? r : -t->listing->sys_errno;
}

int each_beneath(int root_fd, each_fn *fn, void *user)
{
	__attribute__((cleanup(todo_finish))) struct todo t = { .listing = malloc(sizeof *t.listing) };
	int r = t.listing == NULL ? -ENOMEM : todo_push(&t, "");

	while (r == 0 && t.n > 0) {
		auto_free char *dir = t.paths[--t.n];

		r = read_one(&t, root_fd, dir, fn, user);
	}
	return r;
}

static int add_bytes(void *user, int dir_fd, const char *path, const char *name, const struct look *l)
{
	(void)dir_fd;
	(void)path;
	(void)name;
	*(uint64_t *)user += l->bytes;
	return 0;
}

void each_add_bytes(int root_fd, uint64_t *sum)
{
	(void)each_beneath(root_fd, add_bytes, sum);
}

struct hashing {
	void (*as)(void *user, struct ident *id);
	void *user;
	uint64_t sum;
};

static int hash_one(void *user, int dir_fd, const char *path, const char *name, const struct look *l)
{
	struct hashing *h = user;
	struct ident id = l->id;
	uint64_t numbers[4];

	(void)dir_fd;
	(void)name;
	if (h->as != NULL)
		h->as(h->user, &id);
	numbers[0] = id.ino;
	numbers[1] = (uint64_t)id.ctime_ns;
	numbers[2] = l->id.size;
	numbers[3] = l->id.mode;
	h->sum += fnv(fnv(UINT64_C(0xcbf29ce484222325), path, strlen(path)), numbers,
		      sizeof numbers); /* in any order */
	return 0;
}

int each_hash(int root_fd, uint64_t *ret)
{
	return each_hash_as(root_fd, NULL, NULL, ret);
}

int each_hash_as(int root_fd, void (*as)(void *user, struct ident *id), void *user, uint64_t *ret)
{
	struct hashing h = { .as = as, .user = user };
	const int r = each_beneath(root_fd, hash_one, &h);

	*ret = h.sum;
	return r;
}
