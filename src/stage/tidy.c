#include "stage/tidy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "stage/claim.h"
#include "stage/each.h"
#include "stage/listing.h"
#include "stage/mask.h"
#include "stage/moved.h"

/* Who takes a lock's file away holds the lock, so one that is there and can be had is nobody's. */
static void sweep_lock(int store_fd, const char *name)
{
	auto_fd int fd = openat(store_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
		(void)unlinkat(store_fd, name, 0); /* else it stays until the next time */
}

static void count(int store_fd, const char *name, struct tidy_counts *ret)
{
	auto_fd int fd = openat(store_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	ret->caches++;
	if (fd >= 0)
		each_add_bytes(fd, &ret->bytes);
}

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

void tidy(const struct shelf *s, struct tidy_counts *ret)
{
	auto_fd int fd = s->store_fd < 0 ? -1 : openat(s->store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free struct listing *l = malloc(sizeof *l);
	enum listing_kind unused;
	bool stages = false;
	const char *name;

	if (ret != NULL)
		*ret = (struct tidy_counts){ .caches = 0 };
	if (fd < 0 || l == NULL)
		return;
	listing_begin(l, fd);
	while ((name = listing_next(l, &unused)) != NULL) {
		if (begins(name, STORE_LOCK_PREFIX) || begins(name, CLAIM_PREFIX))
			sweep_lock(fd, name);
		else if (begins(name, MASK_CACHE_PREFIX) && !mask_cache_sweep(fd, name) && ret != NULL)
			count(fd, name, ret);
		stages = stages || begins(name, "e_");
	}
	if (!stages && l->sys_errno == 0)
		(void)unlinkat(fd, MOVED_NAME, 0); /* nobody can ask any more; mostly there is none */
}
