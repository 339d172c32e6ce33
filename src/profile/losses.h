/* losses - what the surprises of one trace come to.
 *
 * Owns:   nothing on the heap.
 * Holds:  four numbers, since an attack is short in a long trace, or long, or all of it: the mean, the mean of the worst tenth, and the means of the worst LOSSES_WINDOW and LOSSES_BURST words that follow each other in one thread.
 *         A shorter thread counts as one with nothing behind it, so a window is no worse for being short.
 * Called: profile; pure. Losses are in units of 1/COSTS_BIT bit. */
#ifndef PROFILE_LOSSES_H
#define PROFILE_LOSSES_H

#include <stdint.h>

#define LOSSES_WINDOW 50
#define LOSSES_BURST 8
#define LOSSES_BINS 512

enum losses_of { LOSSES_MEAN, LOSSES_WORST, LOSSES_IN_WINDOW, LOSSES_IN_BURST, LOSSES_KINDS };

struct losses_window {
	uint32_t sum, best;
	uint64_t at; /* number of the word behind the best one */
};

struct losses {
	uint64_t sum, n;
	uint32_t bins[LOSSES_BINS];
	uint16_t last[LOSSES_WINDOW]; /* of this thread, by its own number modulo */
	uint64_t in_thread;
	struct losses_window window, burst;
};

void losses_init(struct losses *l);
void losses_thread(struct losses *l); /* another one begins */
void losses_add(struct losses *l, uint16_t loss);
/* In bits; 0 where there were no words. */
void losses_end(const struct losses *l, double ret[LOSSES_KINDS]);

#endif
