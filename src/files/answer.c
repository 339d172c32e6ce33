#include "files/answer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"

#define SHOWN_MAX 300 /* of a path in a message */
#define GRANTED "`ambit explain` tells what was denied, and which grant allows it"

static const struct meaning {
	int sys_errno;
	enum ambit_code code;
	const char *hint;
} meanings[] = {
	/* a cell has no trace of most of what it was not granted */
	{ ENOENT, AMBIT_NOT_FOUND, "look with `list`; what is there outside was not granted: " GRANTED },
	{ EACCES, AMBIT_DENIED, GRANTED },
	{ EPERM, AMBIT_DENIED, GRANTED },
	{ EROFS, AMBIT_DENIED, "it was granted to be read at most: " GRANTED },
	{ EISDIR, AMBIT_CONFLICT, "it is a directory: `list` it, or name a file" },
	{ ENOTDIR, AMBIT_CONFLICT, "a part of the path is no directory: `read` it, or name another" },
	{ ELOOP, AMBIT_CONFLICT, "symbolic links lead in a circle: `list` shows where they lead" },
	{ ENXIO, AMBIT_CONFLICT, "it is a socket or a device, and no file" },
	{ ENAMETOOLONG, AMBIT_LIMIT, "a name has at most 255 bytes, a path 4,095" },
	{ EFBIG, AMBIT_LIMIT, "it is larger than a file may be here" },
	{ ENOSPC, AMBIT_LIMIT, "there is no room left: remove something, or raise the cell's limit `disk`" },
	{ EDQUOT, AMBIT_LIMIT, "there is no room left: remove something, or raise the quota" },
	{ ENOMEM, AMBIT_MEMORY, NULL },
};

void answer_begin(struct answer *a)
{
	*a = (struct answer){ .word = NULL };
	buf_init(&a->line, ANSWER_MAX);
	json_begin(&a->json, &a->line);
	json_put_object(&a->json);
}

static void put_failure(struct answer *a)
{
	char line[ERR_LINE_MAX];

	buf_reset(&a->line);
	json_begin(&a->json, &a->line);
	json_put_object(&a->json);
	err_line(&a->e, line);
	json_put_word(json_put_key(&a->json, "code"), a->word != NULL ? a->word : err_code_name((int)a->e.code));
	json_put_name(json_put_key(&a->json, "message"), line);
	json_put_word(json_put_key(&a->json, "hint"), a->e.hint[0] != 0 ? a->e.hint : NULL);
}

int answer_end(struct answer *a, int r)
{
	if (r == 0 && a->line.failed)
		r = err_set(&a->e, AMBIT_MEMORY, "ask for less at once", "the answer does not fit into memory");
	if (r != 0)
		put_failure(a);
	json_put_object_end(&a->json);
	buf_put(&a->line, "\n", 1);
	if (a->line.failed || fd_write_all(STDOUT_FILENO, a->line.data, a->line.len) < 0)
		r = r == 0 ? -AMBIT_GONE : r; /* nobody is left to be told */
	buf_finish(&a->line);
	return r == 0 ? 0 : r == -AMBIT_USAGE ? 2 : 1;
}

static const struct meaning *meaning_of(int sys_errno)
{
	static const struct meaning other = { .code = AMBIT_SYSTEM };

	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (meanings[i].sys_errno == sys_errno)
			return &meanings[i];
	return &other;
}

int answer_sys(struct answer *a, int sys_errno, const char *tried, const char *path)
{
	const struct meaning *m = meaning_of(sys_errno);
	char shown[SHOWN_MAX];

	return err_sys(&a->e, m->code, sys_errno, m->hint, "%s %s", tried,
		       text_escape(shown, sizeof shown, path, strlen(path)));
}

int answer_set(struct answer *a, enum ambit_code code, const char *hint, const char *what, const char *path)
{
	char shown[SHOWN_MAX];

	return err_set(&a->e, code, hint, "%s: %s", text_escape(shown, sizeof shown, path, strlen(path)), what);
}

int answer_number(struct answer *a, const char *word, const char *name, uint64_t min, uint64_t max, uint64_t *ret)
{
	char shown[SHOWN_MAX];

	if (parse_u64(word, min, max, ret))
		return 0;
	return err_set(&a->e, AMBIT_USAGE, NULL, "%s is a number from %llu to %llu, not '%s'", name,
		       (unsigned long long)min, (unsigned long long)max,
		       text_escape(shown, sizeof shown, word, strlen(word)));
}
