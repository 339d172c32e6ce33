#include "lib/authorities.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fd.h"

static const char *const places[] = {
#define BUNDLE(path) path,
#define KEYSTORE(path)
#include "base/authorities.def"
#undef BUNDLE
#undef KEYSTORE
};

/* A regular file, or -errno. */
static int open_file(const char *path)
{
	auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

int authorities_open(int *ret_fd, struct err *e)
{
	const char *own = getenv("SSL_CERT_FILE");
	int fd = -ENOENT;

	if (own != NULL && own[0] != 0) {
		fd = open_file(own);
		if (fd < 0)
			return err_sys(e, AMBIT_NOT_FOUND, -fd, "correct SSL_CERT_FILE, or unset it",
				       "cannot read the authorities in %s", own);
	}
	for (size_t i = 0; i < sizeof places / sizeof places[0] && fd < 0; i++)
		fd = open_file(places[i]);
	if (fd < 0)
		return err_set(e, AMBIT_NOT_FOUND, "install the package ca-certificates, or set SSL_CERT_FILE",
			       "no file of authorities that certify hosts");
	*ret_fd = fd;
	return 0;
}
