#include "lib/authorities.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"

static const char *const places[] = {
#define BUNDLE(path) path,
#define KEYSTORE(path)
#include "base/authorities.def"
#undef BUNDLE
#undef KEYSTORE
};

int authorities_open(int *ret_fd, struct err *e)
{
	const char *own = getenv("SSL_CERT_FILE");
	int fd = -ENOENT;

	if (own != NULL && own[0] != 0) {
		fd = fd_open_to_read(own);
		if (fd < 0)
			return err_sys(e, AMBIT_NOT_FOUND, -fd, "correct SSL_CERT_FILE, or unset it",
				       "cannot read the authorities in %s", own);
	}
	for (size_t i = 0; i < sizeof places / sizeof places[0] && fd < 0; i++)
		fd = fd_open_to_read(places[i]);
	if (fd < 0)
		return err_set(e, AMBIT_NOT_FOUND, "install the package ca-certificates, or set SSL_CERT_FILE",
			       "no file of authorities that certify hosts");
	*ret_fd = fd;
	return 0;
}
