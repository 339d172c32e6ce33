/* content - the bytes of one file.
 *
 * Owns:   how a file is opened so that nothing holds us up, what text is, and where it may be cut.
 * Holds:  what is opened is a regular file: pipes and devices are opened without waiting, and refused. Sizes that the kernel tells are not believed
 *         (a file of /proc has none, and any file may grow): content is what was read.
 * Called: read, search, edit. */
#ifndef FILES_CONTENT_H
#define FILES_CONTENT_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "files/answer.h"

#define CONTENT_OPEN (O_NONBLOCK | O_NOCTTY)

/* The regular file, to be read; the caller owns *ret_fd. Symbolic links are followed. */
int content_open(struct answer *a, const char *path, int *ret_fd, struct stat *ret);

/* A refusal of what is no regular file, as its kind deserves. */
int content_refuse(struct answer *a, mode_t mode, const char *path);

/* Text is UTF-8 without a NUL. What is nothing at all is text. */
bool content_is_text(const void *bytes, size_t n);

/* At most max of the n bytes of text, and whole characters: how many. */
size_t content_cut(const char *text, size_t n, size_t max);

/* What the first bytes say that it is. */
#define CONTENT_HEAD 16
const char *content_media_type(const char *head, size_t n);
#define CONTENT_UNKNOWN "application/octet-stream"

#endif
