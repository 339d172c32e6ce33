/* stock - how many cells of a form wait, and which of them is taken.
 *
 * Owns:   struct stock.
 * Holds:  at least `ready` wait, and one more from each time on that one was asked for and none was warm, up to STOCK_MAX; one fewer after each STOCK_FADES_MS in which none was taken. None is made just
 *         after one was taken, since who has it is about to use it, and none for a while after one of them ended by itself.
 * Called: form.c, keep.c. Pure: the clock is told. */
#ifndef CELLS_STOCK_H
#define CELLS_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#define STOCK_READY_MAX 32
#define STOCK_MAX 8          /* of a form, however many are taken at once; more only where the form says so */
#define STOCK_COLD_MAX 2     /* that are made at once, of all forms */
#define STOCK_RESTS_MS 4     /* after one was taken */
#define STOCK_FAILS_MS 1000  /* after one that waited ended by itself, or could not be made */
#define STOCK_FADES_MS 10000 /* without one being taken, before one fewer waits */

struct stock {
	uint32_t ready;    /* that are to wait at least */
	uint32_t wanted;   /* and just now */
	uint64_t taken_ms; /* when one was taken, or one fewer was wanted, last */
	uint64_t rests_ms; /* none is made before */
};

void stock_init(struct stock *s, uint32_t ready);
/* One was taken; warm: it had begun. */
void stock_take(struct stock *s, bool warm, uint64_t now_ms);
void stock_fail(struct stock *s, uint64_t now_ms);
/* How many of those that wait are too many; what time has done to it is done first. */
uint32_t stock_surplus(struct stock *s, uint32_t waiting, uint64_t now_ms);
/* Whether one is to be made; cold: so many of all forms wait that have not begun. */
bool stock_lacks(const struct stock *s, uint32_t waiting, uint32_t cold, uint64_t now_ms);
/* poll(2)'s timeout: when one of the two may say something else. */
int stock_patience(const struct stock *s, uint32_t waiting, int timeout_ms, uint64_t now_ms);
/* The sooner of the two. */
int stock_sooner(int timeout_ms, uint64_t at_ms, uint64_t now_ms);

/* Of two cells that wait, whether the first is taken: one that has begun, or else the one that waits longer. */
struct stock_cell {
	bool warm;
	uint64_t order;
};
bool stock_is_before(struct stock_cell a, struct stock_cell b);

#endif
