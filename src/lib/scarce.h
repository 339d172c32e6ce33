/* scarce - whether there is memory for what nobody asked for yet.
 *
 * Called: session, pool, before a cell is made that is to wait. */
#ifndef LIB_SCARCE_H
#define LIB_SCARCE_H

#include <stdbool.h>

/* An eighth of the host's is not available. A host that does not say has enough. */
bool memory_is_scarce(void);

#endif
