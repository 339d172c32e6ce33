#include "supervisor/proctext.h"

#include <stdio.h>
#include <string.h>

/* Reads digits; gives where they end, NULL if there are none or they overflow. */
static const char *number(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return NULL;
	*ret = v;
	return s;
}

#define PF_EXITING 4u /* include/linux/sched.h */

bool proctext_stat(const char *text, struct proctext_stat *ret)
{
	/* The name stands in parentheses and may hold some itself, but nothing after it does (proc_pid_stat(5)). Behind
	 * the last one come the state (field 3) and numbers; the flags (PF_* of the kernel) are field 9, utime, stime,
	 * cutime and cstime fields 14 to 17, the start is field 22. */
	const char *at = strrchr(text, ')');
	struct proctext_stat stat = { 0 };
	uint64_t v;

	if (at == NULL)
		return false;
	for (int field = 3; field <= 22; field++) {
		at = strchr(at, ' ');
		if (at == NULL)
			return false;
		at++;
		if (field == 3)
			stat.state = *at;
		if (field != 9 && (field < 14 || field > 17) && field != 22)
			continue;
		if (number(at, &v) == NULL)
			return false;
		if (field == 9)
			stat.ending = stat.state == 'Z' || stat.state == 'X' || (v & PF_EXITING) != 0;
		else if (field == 22)
			stat.start_ticks = v;
		else if (__builtin_add_overflow(stat.cpu_ticks, v, &stat.cpu_ticks))
			return false;
	}
	*ret = stat;
	return true;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL && end[1] != 0 ? end + 1 : NULL;
}

bool proctext_field(const char *text, const char *key, uint64_t *ret)
{
	const size_t len = strlen(key);

	for (const char *line = text; line != NULL; line = next_line(line)) {
		const char *at = line + len, *end;
		uint64_t v;

		if (strncmp(line, key, len) != 0 || (*at != ':' && *at != ' '))
			continue;
		at++;
		at += strspn(at, " \t");
		end = number(at, &v);
		if (end == NULL || (*end != 0 && *end != '\n' && *end != ' '))
			return false;
		*ret = v;
		return true;
	}
	return false;
}

bool proctext_has_word(const char *list, size_t len, const char *word)
{
	const size_t want = strlen(word);
	size_t at = 0;

	while (at < len) {
		size_t n = 0;

		while (at + n < len && list[at + n] != ' ' && list[at + n] != ',' && list[at + n] != '\n')
			n++;
		if (n == want && n > 0 && memcmp(list + at, word, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/* A piece of somebody else's text. */
struct span {
	const char *at;
	size_t len;
};

/* "ID:CONTROLLERS:PATH"; the path may hold colons. */
static bool own_path(const char *cgroup, const char *controller, struct span *ret)
{
	for (const char *line = cgroup; line != NULL; line = next_line(line)) {
		const size_t len = strcspn(line, "\n");
		const char *list = memchr(line, ':', len);
		const char *path = list == NULL ? NULL : memchr(list + 1, ':', len - (size_t)(list + 1 - line));

		if (path == NULL)
			continue;
		list++;
		if (*controller == 0 ? list == path && line[0] == '0' && list == line + 2
				     : proctext_has_word(list, (size_t)(path - list), controller)) {
			*ret = (struct span){ path + 1, len - (size_t)(path + 1 - line) };
			return true;
		}
	}
	return false;
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* The kernel writes blanks, newlines and backslashes in mountinfo as three octal digits. */
static bool unescape(struct span in, char *ret, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.at[i];

		if (c == '\\') {
			unsigned v = 0;

			if (in.len - i < 4)
				return false;
			for (size_t k = 1; k <= 3; k++) {
				if (in.at[i + k] < '0' || in.at[i + k] > '7')
					return false;
				v = v * 8 + (unsigned)(in.at[i + k] - '0');
			}
			if (v == 0 || v > 255)
				return false;
			c = (char)v;
			i += 3;
		}
		if (out + 1 >= size)
			return false;
		ret[out++] = c;
	}
	ret[out] = 0;
	return true;
}

struct mount_line {
	struct span root, point, flags, type, options;
};

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS (proc_pid_mountinfo(5)). */
static bool mount_parse(const char *line, struct mount_line *ret)
{
	struct span words[3];
	size_t n = 0, behind = 0; /* words so far, and those behind the dash */
	bool dash = false;

	while (*line != 0 && *line != '\n') {
		const struct span word = { line, strcspn(line, " \n") };

		n++;
		if (n == 4)
			ret->root = word;
		else if (n == 5)
			ret->point = word;
		else if (n == 6)
			ret->flags = word;
		else if (dash && behind < 3)
			words[behind++] = word;
		else if (!dash && n > 6)
			dash = span_is(word, "-");
		line += word.len;
		line += *line == ' ';
	}
	if (behind < 3)
		return false;
	ret->type = words[0];
	ret->options = words[2];
	return true;
}

/* What stands behind `key` in a list of options with commas; empty if it is not there, and cut at a comma of its own. */
static struct span option(struct span list, const char *key)
{
	const size_t n = strlen(key);

	for (size_t i = 0; i + n <= list.len; i++)
		if ((i == 0 || list.at[i - 1] == ',') && memcmp(list.at + i, key, n) == 0) {
			const char *at = list.at + i + n, *comma = memchr(at, ',', list.len - i - n);

			return (struct span){ at, comma != NULL ? (size_t)(comma - at) : list.len - i - n };
		}
	return (struct span){ list.at, 0 };
}

bool proctext_mount(const char *line, struct proctext_mount *ret)
{
	struct mount_line m = { 0 };
	struct proctext_mount got;

	if (!mount_parse(line, &m) || !unescape(m.point, got.point, sizeof got.point) ||
	    !unescape(m.type, got.type, sizeof got.type) ||
	    !unescape(option(m.options, "upperdir="), got.upper, sizeof got.upper))
		return false;
	got.read_only = proctext_has_word(m.flags.at, m.flags.len, "ro") ||
			proctext_has_word(m.options.at, m.options.len, "ro");
	*ret = got;
	return true;
}

/* What of the own path lies beneath the mount's root; NULL if it does not. */
static const char *beneath(struct span own, const char *root, size_t *ret_len)
{
	const size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (own.len < len || memcmp(own.at, root, len) != 0 || (own.len > len && own.at[len] != '/'))
		return NULL;
	*ret_len = own.len - len;
	return own.at + len;
}

/* A cgroup outside the namespace's root shows as "/..", a removed one ends in " (deleted)". */
static bool unusable(struct span own)
{
	static const char gone[] = " (deleted)";
	const size_t n = sizeof gone - 1;

	return own.len == 0 || own.at[0] != '/' || memmem(own.at, own.len, "/..", 3) != NULL ||
	       (own.len >= n && memcmp(own.at + own.len - n, gone, n) == 0);
}

static bool mount_fits(const struct mount_line *m, const char *controller)
{
	if (*controller == 0)
		return span_is(m->type, "cgroup2");
	return span_is(m->type, "cgroup") && proctext_has_word(m->options.at, m->options.len, controller);
}

bool proctext_own_cgroup(const char *cgroup, const char *mountinfo, const char *controller,
			 char ret_path[PROCTEXT_PATH_MAX])
{
	char root[PROCTEXT_PATH_MAX], point[PROCTEXT_PATH_MAX];
	struct span own = { 0 };

	if (!own_path(cgroup, controller, &own) || unusable(own))
		return false;
	for (const char *line = mountinfo; line != NULL; line = next_line(line)) {
		struct mount_line m = { 0 };
		const char *rest;
		size_t len = 0;
		int n;

		if (!mount_parse(line, &m) || !mount_fits(&m, controller) || !unescape(m.root, root, sizeof root) ||
		    !unescape(m.point, point, sizeof point))
			continue;
		rest = beneath(own, root, &len);
		if (rest == NULL)
			continue;
		if (len == 1) /* "/" alone is the mount point itself */
			len = 0;
		n = snprintf(ret_path, PROCTEXT_PATH_MAX, "%s%.*s", point, (int)len, rest);
		if (n < 0 || n >= PROCTEXT_PATH_MAX)
			continue;
		return true;
	}
	return false;
}
