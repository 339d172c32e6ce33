/* fake_disk - a disk for the ledger's writer that forgets what was not synced.
 *
 * Owns:   the files, each as processes see it and as it lies on the medium.
 * Holds:  every call is some steps; at the step that was set the process is gone (longjmp). After a loss of power a file holds, of
 *         what was not synced, any part; a name that was not synced may be there or not.
 * Called: test_log.c. */
#ifndef FAKE_DISK_H
#define FAKE_DISK_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "ledger/disk.h"

struct disk *fake_disk(void); /* empty, the same each time */
/* The process ends after so many steps from now; 0: never. The step that it does not live through may be done in part. */
void fake_disk_die_after(unsigned long steps, jmp_buf *back);
/* A call of this number from now fails with the error, and all after it; 0: none. */
void fake_disk_fail_after(unsigned long steps, int error);
unsigned long fake_disk_steps(void); /* since the last of the two */
void fake_disk_lose_power(void);
/* The bytes of a file as a process sees them, NULL if there is none; for tampering. */
struct buf *fake_disk_file(const char *name);
unsigned fake_disk_count(void); /* files that are there */
void fake_disk_remove(const char *name);

uint32_t fake_random(void);
void fake_seed(uint32_t seed);

#endif
