/* fuzz - what a fuzz target says when a promise is broken.
 *
 * Owns:   nothing.
 * Holds:  a broken promise aborts, so that libFuzzer keeps the input and the replay fails.
 * Called: from fuzz targets only. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define promise(condition)                                                                                             \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			(void)fprintf(stderr, "broken promise: %s\n", #condition);                                     \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
