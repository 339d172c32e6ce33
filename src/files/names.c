#include "files/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LEAST 256        /* names in a page, however little room there is */
#define NAME_OVERHEAD 32 /* of memory, for each */

static size_t cost(const char *name)
{
	return strlen(name) + NAME_OVERHEAD;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_last(struct names *p)
{
	p->bytes -= cost(p->name[--p->n]);
	free(p->name[p->n]);
}

/* What is dropped, and all behind it, is the next page's. */
static void drop_half(struct names *p, char limit[NAME_MAX + 1])
{
	qsort(p->name, p->n, sizeof p->name[0], compare);
	for (size_t keep = p->n / 2; p->n > keep;)
		drop_last(p);
	p->more = true;
	(void)text_copy(limit, NAME_MAX + 1, p->name[p->n - 1]); /* the kernel's names fit */
}

static int add(struct names *p, const char *name)
{
	if (p->n == p->cap) {
		const size_t cap = p->cap == 0 ? 64 : p->cap * 2;
		char **more = reallocarray(p->name, cap, sizeof more[0]);

		if (more == NULL)
			return -ENOMEM;
		p->name = more;
		p->cap = cap;
	}
	p->name[p->n] = strdup(name);
	if (p->name[p->n] == NULL)
		return -ENOMEM;
	p->n++;
	p->bytes += cost(name);
	return 0;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int names_next(struct names *p, DIR *d, size_t room)
{
	char limit[NAME_MAX + 1] = "";
	struct dirent *entry;
	int r = 0;

	while (p->n > 0)
		drop_last(p);
	p->more = false;
	rewinddir(d);
	for (errno = 0; r == 0 && (entry = readdir(d)) != NULL; errno = 0) {
		if (is_dots(entry->d_name) || strcmp(entry->d_name, p->last) <= 0)
			continue;
		if (p->more && strcmp(entry->d_name, limit) > 0)
			continue;
		r = add(p, entry->d_name);
		if (p->bytes > room && p->n > LEAST)
			drop_half(p, limit);
	}
	r = r == 0 ? -errno : r;
	if (p->n > 0) {
		qsort(p->name, p->n, sizeof p->name[0], compare);
		(void)text_copy(p->last, sizeof p->last, p->name[p->n - 1]); /* as above */
	}
	return r;
}

void names_finish(struct names *p)
{
	while (p->n > 0)
		drop_last(p);
	free(p->name);
	p->name = NULL;
}
