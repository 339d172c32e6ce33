/* summary_named - what a command that failed was told to use, and was not granted.
 *
 * Owns:   the words of it.
 * Holds:  a program that only looks whether something is there (stat(2)) asks for nothing that is seen, so the words of its command have to tell. Whether it is there on the host is not looked at: who chose the words would learn that.
 * Called: summary; pure. */
#ifndef LIB_SUMMARY_NAMED_H
#define LIB_SUMMARY_NAMED_H

#include "base/buf.h"
#include "lib/result.h"

#define SUMMARY_NAMED 2                         /* paths, of three lines each */
#define SUMMARY_NAMED_LINES (3 * SUMMARY_NAMED) /* at most */

void summary_named(const struct event_result *r, struct buf *out);

#endif
