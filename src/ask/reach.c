#include "ask/reach.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define HOSTS_MAX (64u << 10) /* of a cell, whose grants are few */

static socklen_t set_address(union reach_address *a, const char *text, uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, &a->four.sin_addr) == 1) {
		a->four.sin_family = AF_INET;
		a->four.sin_port = htons(port);
		return sizeof a->four;
	}
	if (inet_pton(AF_INET6, text, &a->six.sin6_addr) != 1)
		return 0;
	a->six.sin6_family = AF_INET6;
	a->six.sin6_port = htons(port);
	return sizeof a->six;
}

/* Whether a line of /etc/hosts has the name, behind its address. */
static bool line_names(char *line, const char *host)
{
	char *rest = NULL;
	const char *word = strtok_r(line, " \t", &rest);

	while (word != NULL && (word = strtok_r(NULL, " \t", &rest)) != NULL)
		if (strcmp(word, host) == 0)
			return true;
	return false;
}

/* Of the cell, which Ambit wrote. */
static socklen_t look_up(union reach_address *a, const char *host, uint16_t port)
{
	auto_free char *text = calloc(1, HOSTS_MAX + 1);
	auto_fd int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	char *rest = NULL;

	if (text == NULL || fd < 0 || fd_read_all(fd, text, HOSTS_MAX) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (line_names(line, host)) /* its first word is ended now */
			return set_address(a, line, port);
	return 0;
}

bool reach_authorities(struct buf *out)
{
	const char *path = getenv("SSL_CERT_FILE");
	auto_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	uint8_t piece[16384];
	ssize_t n = 0;

	while (fd >= 0 && (n = fd_read_all(fd, piece, sizeof piece)) > 0)
		buf_put(out, piece, (size_t)n);
	return fd >= 0 && n == 0 && !out->failed;
}

socklen_t reach_find(union reach_address *ret, const char *host, uint16_t port)
{
	const socklen_t n = set_address(ret, host, port);

	return n > 0 ? n : look_up(ret, host, port);
}
