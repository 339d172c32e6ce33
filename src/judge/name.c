#include "judge/name.h"

#include <string.h>

/* Code points that casefolding file systems and HFS+ do not see (Default_Ignorable_Code_Point of Unicode). */
static const struct {
	uint32_t first, last;
} ignorable[] = {
	{ 0x00AD, 0x00AD },   { 0x034F, 0x034F },   { 0x061C, 0x061C }, { 0x115F, 0x1160 }, { 0x17B4, 0x17B5 },
	{ 0x180B, 0x180F },   { 0x200B, 0x200F },   { 0x202A, 0x202E }, { 0x2060, 0x206F }, { 0x3164, 0x3164 },
	{ 0xFE00, 0xFE0F },   { 0xFEFF, 0xFEFF },   { 0xFFA0, 0xFFA0 }, { 0xFFF0, 0xFFF8 }, { 0x1BCA0, 0x1BCA3 },
	{ 0x1D173, 0x1D17A }, { 0xE0000, 0xE0FFF },
};

/* What folds to ASCII letters: the whole list of CaseFolding.txt. */
static const struct {
	uint32_t code;
	const char *folds_to;
} folding[] = {
	{ 0x00DF, "ss" }, { 0x017F, "s" },   { 0x1E9E, "ss" },  { 0x212A, "k" },  { 0xFB00, "ff" }, { 0xFB01, "fi" },
	{ 0xFB02, "fl" }, { 0xFB03, "ffi" }, { 0xFB04, "ffl" }, { 0xFB05, "st" }, { 0xFB06, "st" },
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* One code point and its length; of bytes that are not UTF-8, the byte as it stands with *ret_code 0. */
static size_t decode(const uint8_t *s, size_t n, uint32_t *ret_code)
{
	const size_t len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 1;
	uint32_t code = len == 1 ? s[0] : s[0] & (0x7Fu >> len);

	*ret_code = 0;
	if (len == 1)
		*ret_code = s[0] < 0x80 ? s[0] : 0;
	if (len == 1 || len > n)
		return 1;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 1;
		code = code << 6 | (s[i] & 0x3Fu);
	}
	*ret_code = code;
	return len;
}

static bool is_ignorable(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(ignorable); i++)
		if (code >= ignorable[i].first && code <= ignorable[i].last)
			return true;
	return false;
}

static const char *folds_to(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(folding); i++)
		if (folding[i].code == code)
			return folding[i].folds_to;
	return NULL;
}

/* Into dst, which has room for n bytes: no folded form here is longer than the name. Sets *odd as name.h says. */
static size_t fold_letters(const uint8_t *s, size_t n, char *dst, bool *odd)
{
	size_t out = 0, len;

	for (size_t i = 0; i < n; i += len) {
		uint32_t code;
		const char *letters;

		len = decode(s + i, n - i, &code);
		letters = code >= 0x80 ? folds_to(code) : NULL;
		if (letters != NULL) {
			for (; *letters != 0; letters++)
				dst[out++] = *letters;
			*odd = true;
		} else if (code >= 0x80 && is_ignorable(code)) {
			*odd = true;
		} else if (len == 1) {
			dst[out++] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);
		} else {
			memcpy(dst + out, s + i, len);
			out += len;
		}
	}
	return out;
}

/* NTFS and FAT: a stream behind a colon, trailing dots and blanks, and the short name that git looks out for. */
static size_t fold_end(char *dst, size_t n, bool *odd)
{
	const char *colon = memchr(dst, ':', n);
	size_t kept = colon != NULL && colon > dst ? (size_t)(colon - dst) : n;

	while (kept > 1 && (dst[kept - 1] == '.' || dst[kept - 1] == ' '))
		kept--;
	if (kept > 4 && memcmp(dst, "git~", 4) == 0 && strspn(dst + 4, "0123456789") >= kept - 4) {
		memcpy(dst, ".git", 4);
		*odd = true;
		return 4;
	}
	if (kept != n)
		*odd = true;
	return kept;
}

/* dst has room for n + 1 bytes. */
static void fold_part(const char *s, size_t n, char *dst, struct name_part *ret)
{
	size_t folded;

	ret->odd = false;
	folded = fold_letters((const uint8_t *)s, n, dst, &ret->odd);
	dst[folded] = 0;
	folded = fold_end(dst, folded, &ret->odd);
	dst[folded] = 0;
	ret->folded_len = (uint8_t)folded; /* at most n, at most NAME_PART_MAX */
}

static bool take_parts(struct name *name, size_t from)
{
	for (const char *s = name->full + from; *s != 0;) {
		const size_t n = strcspn(s, "/"), at = (size_t)(s - name->full);
		struct name_part *p = &name->part[name->n];

		if (n == 0 || n > NAME_PART_MAX || name->n == NAME_PARTS_MAX)
			return false;
		p->end = (uint16_t)(at + n); /* both below 2 * CHANGE_PATH_MAX */
		p->folded_at = (uint16_t)at;
		fold_part(s, n, name->folded + at, p);
		name->n++;
		s += n + (s[n] == '/');
	}
	return true;
}

bool name_split(const char *tree, const char *path, struct name *ret)
{
	const size_t tree_len = strnlen(tree, CHANGE_PATH_MAX), path_len = strnlen(path, CHANGE_PATH_MAX);
	const size_t rest = tree_len == 1 ? 0 : tree_len; /* the tree may be "/" */

	ret->n = 0;
	ret->tree_len = rest;
	if (tree[0] != '/' || tree_len >= CHANGE_PATH_MAX || path_len >= CHANGE_PATH_MAX || !change_path_is_good(path))
		return false;
	memcpy(ret->full, tree, rest);
	ret->full[rest] = 0;
	if (rest > 0 && !take_parts(ret, 1))
		return false;
	ret->n_tree = ret->n;
	if (path_len == 0)
		return true;
	ret->full[rest] = '/';
	memcpy(ret->full + rest + 1, path, path_len + 1);
	return take_parts(ret, rest + 1);
}

size_t name_fold(const char *part, char ret[NAME_PART_MAX + 1])
{
	const size_t n = strnlen(part, NAME_PART_MAX + 1);
	struct name_part p;

	ret[0] = 0;
	if (n > NAME_PART_MAX)
		return 0;
	fold_part(part, n, ret, &p);
	return p.folded_len;
}

bool name_folded_is(const char *folded, size_t folded_len, const char *pattern, size_t n)
{
	const char *s = folded, *retry = NULL;
	const char *s_end = s + folded_len, *p = pattern, *p_end = pattern + n, *star = NULL;

	/* the ends tell most names from most patterns */
	if (n > 0 && s < s_end && ((p[0] != '*' && p[0] != s[0]) || (p_end[-1] != '*' && p_end[-1] != s_end[-1])))
		return false;
	while (s < s_end) {
		if (p < p_end && *p == '*') {
			star = ++p;
			retry = s;
		} else if (p < p_end && *p == *s) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

bool name_part_is(const struct name *name, size_t part, const char *pattern, size_t n)
{
	return name_folded_is(name->folded + name->part[part].folded_at, name->part[part].folded_len, pattern, n);
}
