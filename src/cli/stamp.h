/* stamp - whether the index of a log is the file that was left there.
 *
 * Owns:   the file LEDGER_INDEX_STAMP beside the index: inode, size and time of change of that.
 * Holds:  an index that somebody wrote to, or put there, is told from ours, but where the stamp was forged, too: what that can do is to hide
 *         entries (cli/show.c). Followed is nothing.
 * Called: cli/show.c, by whoever has the lock on the directory. */
#ifndef CLI_STAMP_H
#define CLI_STAMP_H

#include <stdbool.h>

/* Takes the index away if it is not the one of the stamp; whether it did. */
bool stamp_refuse(int dir_fd);
/* Of the index that is there. What cannot be written is missed next time. */
void stamp_put(int dir_fd);

#endif
