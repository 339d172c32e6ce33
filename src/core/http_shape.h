/* http_shape - the pattern that means a path, and others of its kind.
 *
 * Holds:  the pattern is the path, but for parts that are numbers, and for hashes and what is made at random, in a part or alone, which are `*`: another time there will be another, and it
 *         may be a token. It means the path, and no path of another number of parts. What could be a word stays as it is: a rule that is too narrow is seen at once, one that is too wide is not.
 * Called: ambit-http, explain; pure. */
#ifndef CORE_HTTP_SHAPE_H
#define CORE_HTTP_SHAPE_H

#include <stdbool.h>

#include "core/http_path.h"

/* Both in their normal form. False: no rule has room for it. */
bool http_shape(const char *path, char ret[HTTP_PATTERN_MAX]);

#endif
