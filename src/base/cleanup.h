/* cleanup - heap memory that goes when its block ends.
 *
 * Owns:   nothing; it is the attribute of STYLE: `auto_free char *p = NULL;`.
 * Holds:  handing over is visible: `return steal_ptr(&p);`.
 * Called: from everywhere that may use the heap. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>

static inline void free_ptr(void *address_of_ptr)
{
	free(*(void **)address_of_ptr);
}

#define auto_free __attribute__((cleanup(free_ptr)))

/* A statement expression, which gcc and clang share (STYLE, head). */
#define steal_ptr(address_of_ptr)                                                                                      \
	__extension__({                                                                                                \
		__typeof__(address_of_ptr) from_ = (address_of_ptr);                                                   \
		__typeof__(*from_) taken_ = *from_;                                                                    \
		*from_ = NULL;                                                                                         \
		taken_;                                                                                                \
	})

#endif
