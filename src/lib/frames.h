/* frames - what an interpreter that is a kernel writes at the end of each step.
 *
 * Owns:   struct frames: a head of sixteen bytes ("STEP", and three numbers of four bytes: which step, how it ended, how long its document is), and how much of that document is still to come.
 * Holds:  what is read is a hostile program's word: the head is checked whole, the document is bounded, passed on as it is and never looked into. A program can lie about its own steps
 *         and about nothing else; one that says what nobody waits for is not believed again.
 * Called: streams.c; pure. */
#ifndef LIB_FRAMES_H
#define LIB_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD 16

enum step_how { STEP_SAYS_OK, STEP_SAYS_ERROR, STEP_SAYS_EXIT, STEP_SAYS_COUNT };

struct step_end {
	enum step_how how;
	bool lost; /* the document had no room */
};

struct frames {
	uint64_t most, kept; /* bytes of all documents */
	uint32_t step;       /* that runs; 0: none */
	bool over;           /* its document is here */
	bool wrong;
	struct step_end end;
	uint8_t head[FRAME_HEAD];
	size_t head_n;
	uint64_t left; /* of the document */
};

void frames_begin(struct frames *f, uint32_t step);
/* How many bytes may be read at once, so that none of the next frame is among them; 0: it is wrong. */
size_t frames_want(const struct frames *f, size_t most);
/* Takes what was read; gives how much of it is of a document that is kept: all, or nothing. */
size_t frames_take(struct frames *f, const uint8_t *bytes, size_t n);

#endif
