#include "supervisor/madefrom.h"

#include <string.h>
#include <sys/stat.h>

#include "core/grant.h"

static void add(struct sha256 *sum, const char *path)
{
	struct stat st;
	uint64_t words[7] = { 0 };

	if (lstat(path, &st) == 0) {
		words[0] = (uint64_t)st.st_dev;
		words[1] = (uint64_t)st.st_ino;
		words[2] = st.st_uid;
		words[3] = st.st_gid;
		words[4] = st.st_mode;
		if (S_ISLNK(st.st_mode)) { /* a cell has the text of it, and holds no inode: the next may get the same number */
			words[5] = (uint64_t)st.st_ctim.tv_sec;
			words[6] = (uint64_t)st.st_ctim.tv_nsec;
		}
	}
	sha256_add(sum, words, sizeof words);
}

/* How much of the path is a staged tree's, with its end; 0: it lies in none. */
static size_t in_tree(const struct cell_spec *spec, const char *path)
{
	size_t longest = 0;

	for (uint32_t i = 0; i < spec->n_stages; i++) {
		const char *tree = spec_text(spec, spec->stages[i].tree);
		const size_t n = strlen(tree);

		if (n > longest && path_is_beneath(path, tree) && path[n] == '/')
			longest = n;
	}
	return longest;
}

static void add_way(struct sha256 *sum, const char *path, size_t from)
{
	char part[GRANT_OBJECT_MAX];

	for (const char *slash = strchr(path + from + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const size_t n = (size_t)(slash - path);

		if (n >= sizeof part)
			return;
		memcpy(part, path, n);
		part[n] = 0;
		add(sum, part);
	}
}

static void add_with_way(struct sha256 *sum, const struct cell_spec *spec, const char *path)
{
	const size_t from = in_tree(spec, path);

	if (from > 0)
		add_way(sum, path, from);
	add(sum, path);
}

void madefrom_look(const struct cell_spec *spec, uint8_t ret[SHA256_BYTES])
{
	struct sha256 sum;

	sha256_init(&sum);
	for (uint32_t i = 0; i < spec->n_paths; i++)
		add_with_way(&sum, spec, spec_text(spec, spec->paths[i].path));
	add_with_way(&sum, spec, spec_text(spec, spec->workdir));
	sha256_end(&sum, ret);
}
