#include "lib/scarce.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define SCARCE 8 /* of this part of the memory nothing is made ready */

bool memory_is_scarce(void)
{
	auto_fd int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	char text[512]; /* the first lines */
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof text - 1);
	const char *total, *available;

	text[n > 0 ? n : 0] = 0;
	total = strstr(text, "MemTotal:");
	available = strstr(text, "MemAvailable:");
	return total != NULL && available != NULL &&
	       strtoull(available + strlen("MemAvailable:"), NULL, 10) <
		       strtoull(total + strlen("MemTotal:"), NULL, 10) / SCARCE;
}
