#include "files/content.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"

int content_refuse(struct answer *a, mode_t mode, const char *path)
{
	if (S_ISDIR(mode))
		return answer_sys(a, EISDIR, "open", path);
	return answer_set(a, AMBIT_CONFLICT, "name a regular file",
			  S_ISFIFO(mode)   ? "it is a pipe"
			  : S_ISSOCK(mode) ? "it is a socket"
					   : "it is a device",
			  path);
}

int content_open(struct answer *a, const char *path, int *ret_fd, struct stat *ret)
{
	auto_fd int fd = open(path, O_RDONLY | CONTENT_OPEN | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return answer_sys(a, errno, "open", path);
	if (!S_ISREG(st.st_mode))
		return content_refuse(a, st.st_mode, path);
	*ret_fd = steal_fd(&fd);
	*ret = st;
	return 0;
}

bool content_is_text(const void *bytes, size_t n)
{
	return n == 0 || (memchr(bytes, 0, n) == NULL && text_is_utf8(bytes, n, NULL));
}

size_t content_cut(const char *text, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

const char *content_media_type(const char *head, size_t n)
{
	static const struct {
		const char *magic, *type;
		size_t len, at;
	} types[] = {
		{ "\x89PNG\r\n\x1a\n", "image/png", 8, 0 },
		{ "\xff\xd8\xff", "image/jpeg", 3, 0 },
		{ "GIF87a", "image/gif", 6, 0 },
		{ "GIF89a", "image/gif", 6, 0 },
		{ "WEBP", "image/webp", 4, 8 },
		{ "%PDF-", "application/pdf", 5, 0 },
	};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (n >= types[i].at + types[i].len && memcmp(head + types[i].at, types[i].magic, types[i].len) == 0 &&
		    (types[i].at == 0 || memcmp(head, "RIFF", 4) == 0))
			return types[i].type;
	return CONTENT_UNKNOWN;
}
