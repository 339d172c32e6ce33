/* `search`: the lines that a pattern fits, of what is text in a tree.
 *
 * How long it takes nobody bounds here: a tree may be as large as it likes, and an expression as slow as it can be written (musl's engine has no back references
 * in extended ones and looks at each byte once, but for each state of the expression, of which nested counts such as (a{255}){255} make many; glibc's may go back).
 * The cell's limits of time and memory do, and what they end has changed nothing. */
#include <errno.h>
#include <locale.h>
#include <regex.h>
#include <string.h>

#include "base/fd.h"
#include "files/content.h"
#include "files/files.h"
#include "files/walk.h"
#include "stage/pattern.h"

#define FILE_MAX (16u << 20)
#define FILE_ROOM (FILE_MAX + (64u << 10)) /* what is over the limit is seen to be */
#define MATCHES_USUAL 200
#define MATCHES_MAX 2000
#define TEXT_MAX 500
#define PATTERN_MAX 4096

struct search {
	struct answer *a;   /* borrowed */
	const char *needle; /* of --fixed, letter by letter; NULL: expression */
	const char *glob;   /* NULL: all */
	regex_t expression; /* compiled unless needle */
	struct buf content; /* of the file that is looked at */
	uint64_t max, n, files, skipped;
	bool is_truncated;
};

/* Where the line, which ends with NUL, has it first; NULL: nowhere. */
static const char *find(const struct search *s, const char *line)
{
	regmatch_t at;

	if (s->needle != NULL)
		return strstr(line, s->needle);
	return regexec(&s->expression, line, 1, &at, 0) == 0 ? line + at.rm_so : NULL;
}

/* In characters, from 1 on. */
static uint64_t column_of(const char *line, const char *found)
{
	uint64_t column = 1;

	for (; line < found; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

/* False: there are as many as there may be. */
static bool put_match(struct search *s, const char *path, uint64_t number, char *line, size_t len, const char *found)
{
	struct json *j = &s->a->json;

	s->is_truncated = s->n == s->max || s->a->line.len > ANSWER_FULL;
	if (s->is_truncated)
		return false;
	s->n++;
	json_put_object(j);
	json_put_name(json_put_key(j, "path"), path);
	json_put_count(json_put_key(j, "line"), number);
	json_put_count(json_put_key(j, "column"), column_of(line, found));
	line[content_cut(line, len, TEXT_MAX)] = 0; /* nobody looks at it again */
	json_put_word(json_put_key(j, "text"), line);
	json_put_object_end(j);
	return true;
}

/* The text, behind which is a NUL; its lines become strings. */
static bool look_at_lines(struct search *s, const char *path, char *text, size_t len)
{
	char *const end = text + len;
	uint64_t number = 0;

	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		char *line_end = newline != NULL ? newline : end;
		const char *found;

		*line_end = 0;
		number++;
		found = find(s, text);
		if (found != NULL && !put_match(s, path, number, text, (size_t)(line_end - text), found))
			return false;
		text = line_end + 1;
	}
	return true;
}

/* Not all that is there, or no text: false. */
static bool read_text(struct search *s, int fd)
{
	buf_reset(&s->content);
	return fd_read_into(fd, &s->content) == 0 && s->content.len <= FILE_MAX &&
	       content_is_text(s->content.data, s->content.len) && buf_cstr(&s->content) != NULL;
}

static bool look_at(struct search *s, const char *path, int fd)
{
	if (!read_text(s, fd)) {
		s->skipped++;
		return true;
	}
	s->files++;
	return look_at_lines(s, path, (char *)s->content.data, s->content.len);
}

static bool is_wanted(const struct search *s, const struct walk_entry *entry)
{
	if (s->glob == NULL)
		return true;
	return pattern_fits(s->glob, strchr(s->glob, '/') != NULL ? entry->relative : entry->name);
}

static bool look_at_entry(void *user, const struct walk_entry *entry)
{
	struct search *s = user;
	auto_fd int fd = -1;
	struct stat st;

	if (!S_ISREG(entry->st->st_mode) || !is_wanted(s, entry))
		return true;
	if (entry->st->st_size <= (off_t)FILE_MAX)
		fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | CONTENT_OPEN | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) { /* it may be another by now */
		s->skipped++;
		return true;
	}
	return look_at(s, entry->path, fd);
}

static int look_beneath(struct search *s, const char *path)
{
	struct walk w = { .fn = look_at_entry, .user = s, .depth = WALK_DEPTH_MAX };
	auto_fd int fd = open(path, O_RDONLY | CONTENT_OPEN | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return answer_sys(s->a, errno, "search", path);
	if (S_ISDIR(st.st_mode))
		r = walk_take(&w, steal_fd(&fd), path);
	else if (S_ISREG(st.st_mode))
		(void)look_at(s, path, fd); /* the only one */
	else
		return content_refuse(s->a, st.st_mode, path);
	s->skipped += w.unread + w.deeper;
	return r < 0 ? answer_sys(s->a, -r, "search", path) : 0;
}

/* As an expression that is just these letters. */
static void quote(const char *letters, char ret[2 * PATTERN_MAX + 1])
{
	for (; *letters != 0; letters++) {
		if (strchr(".[]{}()\\*+?|^$", *letters) != NULL)
			*ret++ = '\\';
		*ret++ = *letters;
	}
	*ret = 0;
}

static int compile(struct search *s, const struct request *q)
{
	const bool fixed = q->option[FILES_FIXED] != NULL, ignore = q->option[FILES_IGNORE_CASE] != NULL;
	const char *pattern = q->words[0];
	char quoted[2 * PATTERN_MAX + 1], why[128];
	int r;

	if (pattern[0] == 0 || strlen(pattern) > PATTERN_MAX || strchr(pattern, '\n') != NULL)
		return answer_set(s->a, AMBIT_MALFORMED, "lines are searched one by one",
				  "a pattern has 1 to 4096 bytes, and no end of a line", pattern);
	if (fixed && !ignore) {
		s->needle = pattern;
		return 0;
	}
	if (fixed)
		quote(pattern, quoted);
	r = regcomp(&s->expression, fixed ? quoted : pattern, REG_EXTENDED | (ignore ? REG_ICASE : 0));
	if (r == 0)
		return 0;
	(void)regerror(r, &s->expression, why, sizeof why);
	return answer_set(s->a, r == REG_ESPACE ? AMBIT_LIMIT : AMBIT_MALFORMED,
			  "it is a POSIX extended regular expression; --fixed takes it letter by letter", why, pattern);
}

int files_search(const struct request *q, struct answer *a)
{
	struct search s = { .a = a, .max = MATCHES_USUAL };
	int r = 0;

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* for characters; there is no other in a program that needs no files */
	if (q->option[FILES_GLOB] != NULL)
		s.glob = q->option[FILES_GLOB][0];
	if (q->option[FILES_MAX] != NULL)
		r = answer_number(a, q->option[FILES_MAX][0], "--max", 1, MATCHES_MAX, &s.max);
	if (r == 0)
		r = compile(&s, q);
	if (r < 0)
		return r;
	buf_init(&s.content, FILE_ROOM);
	json_put_array(json_put_key(&a->json, "matches"));
	r = look_beneath(&s, q->words[1]);
	buf_finish(&s.content);
	if (s.needle == NULL)
		regfree(&s.expression);
	if (r < 0)
		return r;
	json_put_array_end(&a->json);
	json_put_count(json_put_key(&a->json, "files"), s.files);
	json_put_bool(json_put_key(&a->json, "truncated"), s.is_truncated);
	json_put_count(json_put_key(&a->json, "skipped"), s.skipped);
	return 0;
}
