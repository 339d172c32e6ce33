/* authorities - whom the person's own programs believe that a host is who it says.
 *
 * Holds:  the file that OpenSSL's variable SSL_CERT_FILE names, or the system's own (base/authorities.def). One that is named and cannot be read is
 *         never replaced by another. Nothing of it is read here.
 * Called: lib, command line. */
#ifndef LIB_AUTHORITIES_H
#define LIB_AUTHORITIES_H

#include "base/err.h"

/* The caller owns *ret_fd. */
int authorities_open(int *ret_fd, struct err *e);

#endif
