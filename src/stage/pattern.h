/* pattern - which paths a word of the person's means.
 *
 * Owns:   what a pattern is. The words as they are first; then, part by part between slashes:
 *           *  ?  [...]   as of a shell, within one part; a leading dot is a letter like others
 *           **            alone between slashes: any number of directories, also none; at the end: whatever lies beneath
 *           \             takes what follows as it is
 * Holds:  a path that is literally the same always fits. What fits a directory fits all beneath it; "" fits everything.
 * Called: role ambit-stage and its engine, and ambit-files; pure. Both are relative to the same directory. */
#ifndef STAGE_PATTERN_H
#define STAGE_PATTERN_H

#include <stdbool.h>

bool pattern_fits(const char *pattern, const char *path);
/* Whether it could mean more than one path. */
bool pattern_is_wide(const char *word);

#endif
