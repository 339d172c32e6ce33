#include "lib/place.h"

#include <stdio.h>
#include <sys/stat.h>

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

int places_add(struct places *p, const char *directory, const char *more)
{
	const int n = p->n == PLACES_MAX ? -1 : snprintf(p->directory[p->n], PLACE_PATH_MAX, "%s%s", directory, more);

	if (n < 0 || n >= PLACE_PATH_MAX)
		return -1;
	p->n++;
	return 0;
}

/* In a directory where everybody makes files (/tmp) the one beside the library need not be of who made the library. */
bool place_trusts(const struct places *p, size_t i, int fd)
{
	struct stat st;

	if (i >= p->n_beside)
		return true;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_uid == p->owner || st.st_uid == 0) &&
	       (st.st_mode & OTHERS_WRITE & ~p->mode) == 0;
}
