#include "judge/gitindex.h"

#include <string.h>

#define HEAD 12u
#define STAT_BYTES 40u /* times, numbers and size, before the object id */
#define MODE_AT 24u
#define SHA1_BYTES 20u
#define SHA256_BYTES 32u

#define FLAG_EXTENDED 0x4000u
#define FLAG_STAGE_SHIFT 12
#define FLAG_NAME 0x0FFFu   /* the length of the name, or this if it is longer */
#define MORE_INTENDED 0x20u /* in the first byte of the extended ones: `git add -N`, of which no commit has anything */

#define MODE_TYPE 0170000u
#define MODE_DIRECTORY 0040000u

static const char cut[] = "it ends in the middle";
static const char is_split[] = "a split index: git update-index --no-split-index";

static bool fail(struct gitindex *g, const char *mistake)
{
	g->mistake = mistake;
	return false;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The next n bytes; NULL if there are no more so many. */
static const uint8_t *take(struct gitindex *g, size_t n)
{
	const uint8_t *p = g->bytes + g->at;

	if (n > g->n - g->at)
		return NULL;
	g->at += n;
	return p;
}

/* How much of the name before is not of this one: each byte that follows adds one, so that there is one way to write a number. */
static bool take_strip(struct gitindex *g, size_t *ret)
{
	const uint8_t *p = take(g, 1);
	size_t n;

	if (p == NULL)
		return fail(g, cut);
	for (n = *p & 127u; (*p & 128u) != 0; n = ((n + 1) << 7) | (*p & 127u)) {
		if (n >= CHANGE_PATH_MAX)
			return fail(g, "a name that takes more from the one before than that has");
		p = take(g, 1);
		if (p == NULL)
			return fail(g, cut);
	}
	*ret = n;
	return true;
}

/* Up to a NUL, behind `keep` bytes of the name before. */
static bool take_name(struct gitindex *g, size_t keep)
{
	const uint8_t *from = g->bytes + g->at, *end = memchr(from, 0, g->n - g->at);
	const size_t n = end != NULL ? (size_t)(end - from) : 0;

	if (end == NULL)
		return fail(g, cut);
	if (n >= sizeof g->name - keep)
		return fail(g, "a name that is too long");
	memcpy(g->name + keep, from, n); /* it fits: that was just asked */
	g->name_len = keep + n;
	g->name[g->name_len] = 0;
	g->at += n + 1;
	return true;
}

/* Of versions 2 and 3 the entry's length is a multiple of eight; one NUL of those was taken with the name. */
static bool skip_padding(struct gitindex *g, size_t start)
{
	const size_t n = (8 - (g->at - start) % 8) % 8;
	const uint8_t *p = take(g, n);

	if (p == NULL)
		return fail(g, cut);
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return fail(g, "a name with a zero byte");
	return true;
}

/* By the bytes of names, and then by stage; one that is not in conflict is the only one of its name. */
static bool is_in_order(const char *name, size_t n, uint8_t stage, const struct gitindex *g)
{
	const int order = memcmp(name, g->name, n < g->name_len ? n : g->name_len);

	if (order != 0 || n != g->name_len)
		return order < 0 || (order == 0 && n < g->name_len);
	return stage != 0 && stage < g->stage;
}

static bool check_name(struct gitindex *g, uint32_t flags)
{
	const size_t told = flags & FLAG_NAME;
	bool good;

	if (g->name_len == 0)
		return fail(g, is_split); /* whole ones have no such entries */
	if (told != (g->name_len < FLAG_NAME ? g->name_len : FLAG_NAME))
		return fail(g, "a name of another length than it says");
	if (g->is_directory != (g->name[g->name_len - 1] == '/'))
		return fail(g, "a directory with a file's name, or a file with a directory's");
	if (g->is_directory)
		g->name[g->name_len - 1] = 0;
	good = change_path_is_good(g->name) && g->name[0] != 0;
	if (g->is_directory)
		g->name[g->name_len - 1] = '/';
	return good || fail(g, "a name that is no path in a tree");
}

/* True: an entry, or the end of them, where left is 0. */
static bool take_entry(struct gitindex *g, bool first)
{
	char before[CHANGE_PATH_MAX];
	const size_t start = g->at, before_len = first ? 0 : g->name_len;
	const uint8_t before_stage = g->stage;
	const uint8_t *p = take(g, STAT_BYTES + g->id_len + 2), *more = NULL;
	size_t strip = before_len;
	uint32_t flags;

	if (p == NULL)
		return fail(g, cut);
	flags = (uint32_t)p[STAT_BYTES + g->id_len] << 8 | p[STAT_BYTES + g->id_len + 1];
	g->id = p + STAT_BYTES;
	g->is_directory = (be32(p + MODE_AT) & MODE_TYPE) == MODE_DIRECTORY;
	if ((flags & FLAG_EXTENDED) != 0 && g->version < 3)
		return fail(g, "flags of a later version");
	if ((flags & FLAG_EXTENDED) != 0 && (more = take(g, 2)) == NULL)
		return fail(g, cut);
	g->is_intended = more != NULL && (more[0] & MORE_INTENDED) != 0;
	memcpy(before, g->name, before_len);
	if (g->version == 4 && !take_strip(g, &strip))
		return false;
	if (strip > before_len)
		return fail(g, "a name that takes more from the one before than that has");
	if (!take_name(g, before_len - strip) || (g->version < 4 && !skip_padding(g, start)))
		return false;
	g->stage = (uint8_t)(flags >> FLAG_STAGE_SHIFT & 3u);
	if (!check_name(g, flags))
		return false;
	if (!first && !is_in_order(before, before_len, before_stage, g))
		return fail(g, "names that are out of order");
	g->left--;
	return true;
}

/* Those whose names begin with a small letter change what the rest means. */
static bool skip_extensions(struct gitindex *g)
{
	while (g->at < g->n) {
		const uint8_t *p = take(g, 8);

		if (p == NULL)
			return fail(g, cut);
		if (memcmp(p, "link", 4) == 0)
			return fail(g, is_split);
		if ((p[0] < 'A' || p[0] > 'Z') && memcmp(p, "sdir", 4) != 0)
			return fail(g, "an extension that is not known");
		if (take(g, be32(p + 4)) == NULL)
			return fail(g, cut);
	}
	return true;
}

static bool begin(struct gitindex *g, const uint8_t *bytes, size_t n, size_t id_len)
{
	*g = (struct gitindex){ .bytes = bytes, .n = n - id_len, .id_len = id_len, .at = HEAD };
	if (n < HEAD + id_len)
		return fail(g, cut);
	if (memcmp(bytes, "DIRC", 4) != 0)
		return fail(g, "it does not begin as an index");
	g->version = be32(bytes + 4);
	if (g->version < 2 || g->version > 4)
		return fail(g, "a version that is not known");
	g->left = be32(bytes + 8);
	return true;
}

static bool read_all(struct gitindex *g, const uint8_t *bytes, size_t n, size_t id_len)
{
	bool first = true;

	if (!begin(g, bytes, n, id_len))
		return false;
	for (; g->left > 0; first = false)
		if (!take_entry(g, first))
			return false;
	return skip_extensions(g) && begin(g, bytes, n, id_len);
}

void gitindex_init_empty(struct gitindex *g)
{
	*g = (struct gitindex){ .version = 0 };
}

/* Which length ids have, the repository's configuration says; here it is the one with which everything comes out even. */
bool gitindex_init(struct gitindex *g, const void *bytes, size_t n)
{
	const char *mistake;
	uint32_t left;

	if (read_all(g, bytes, n, SHA1_BYTES))
		return true;
	mistake = g->mistake;
	left = g->left;
	if (read_all(g, bytes, n, SHA256_BYTES))
		return true;
	if (left <= g->left) /* with the others it came no further */
		g->mistake = mistake;
	g->left = 0;
	return false;
}

bool gitindex_next(struct gitindex *g)
{
	while (g->left > 0 && take_entry(g, g->at == HEAD))
		if (!g->is_intended)
			return true;
	return false;
}
