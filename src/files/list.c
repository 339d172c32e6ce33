/* `list`: what lies in a directory, and beneath it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/timestamp.h"
#include "files/content.h"
#include "files/files.h"
#include "files/walk.h"

#define DEPTH_MAX 16
#define ENTRIES_MAX 2000
#define TARGET_MAX 4096

struct list {
	struct answer *a; /* borrowed */
	uint64_t n;
	bool is_truncated;
};

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFLNK: return "link";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	default: return "device";
	}
}

static void put_target(struct json *j, const struct walk_entry *entry)
{
	char target[TARGET_MAX + 1];
	const ssize_t n = readlinkat(entry->dir_fd, entry->name, target, TARGET_MAX);

	target[n > 0 ? n : 0] = 0;
	json_put_name(json_put_key(j, "target"), n > 0 ? target : NULL); /* it may have gone */
}

static bool put_entry(void *user, const struct walk_entry *entry)
{
	struct list *l = user;
	struct json *j = &l->a->json;
	const struct stat *st = entry->st;

	l->is_truncated = l->n == ENTRIES_MAX || l->a->line.len > ANSWER_FULL;
	if (l->is_truncated)
		return false;
	l->n++;
	json_put_object(j);
	json_put_name(json_put_key(j, "path"), entry->path);
	json_put_word(json_put_key(j, "kind"), kind_of(st->st_mode));
	if (S_ISREG(st->st_mode))
		json_put_count(json_put_key(j, "bytes"), (uint64_t)st->st_size);
	else
		json_put_null(json_put_key(j, "bytes"));
	json_put_ms(json_put_key(j, "modified"),
		    st->st_mtim.tv_sec < 0
			    ? 0
			    : timestamp_ms_of((uint64_t)st->st_mtim.tv_sec) + (uint64_t)st->st_mtim.tv_nsec / 1000000);
	if (S_ISLNK(st->st_mode))
		put_target(j, entry);
	json_put_object_end(j);
	return true;
}

int files_list(const struct request *q, struct answer *a)
{
	const char *path = q->words[0];
	struct list l = { .a = a };
	struct walk w = { .fn = put_entry, .user = &l };
	uint64_t depth = 1;
	int fd, r = 0;

	if (q->words[1] != NULL)
		r = answer_number(a, q->words[1], "DEPTH", 1, DEPTH_MAX, &depth);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | CONTENT_OPEN | O_CLOEXEC);
	if (fd < 0)
		return answer_sys(a, errno, "list", path);
	w.depth = (unsigned)depth;
	json_put_name(json_put_key(&a->json, "path"), path);
	json_put_array(json_put_key(&a->json, "entries"));
	r = walk_take(&w, fd, path);
	if (r < 0)
		return answer_sys(a, -r, "list", path);
	json_put_array_end(&a->json);
	json_put_bool(json_put_key(&a->json, "truncated"), l.is_truncated);
	json_put_count(json_put_key(&a->json, "unreadable"), w.unread);
	return 0;
}
