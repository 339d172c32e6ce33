/* two_frames - the frames that one peer of HTTP/2 sends, by their heads alone: whether one is begun and does not end, and whether there are too many that say nothing.
 *
 * Owns:   struct two_frames: where in a frame the bytes are, and what the peer may still say for nothing.
 * Holds:  of what carries no request, answer or body (PING, SETTINGS, PRIORITY, RST_STREAM, an empty DATA or CONTINUATION, an update of a window, what is unknown) there
 *         may be TWO_NOISE_MAX at once and TWO_NOISE_EACH_S in a second, and some for each frame of DATA that the peer was sent.
 * Called: http/two.c; pure. */
#ifndef HTTP_TWO_FRAMES_H
#define HTTP_TWO_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TWO_NOISE_MAX 1000
#define TWO_NOISE_EACH_S 100
#define TWO_NOISE_FOR_DATA 4 /* the window of a stream, that of the connection, and some room */

struct two_frames {
	uint8_t head[9]; /* of a frame (RFC 9113, 4.1) */
	uint8_t n;       /* bytes of it by now */
	uint8_t magic;   /* bytes of the preface that are still to come */
	bool block;      /* fields that go on in the next frame */
	uint32_t left;   /* of the frame at hand */
	uint64_t number; /* of the last frame that is no CONTINUATION */
	uint32_t noise;  /* what is left of it */
	uint64_t at_ms;  /* when that was so */
};

/* from_client: its preface comes first. */
void two_frames_init(struct two_frames *f, bool from_client);
/* False: too much noise. */
bool two_frames_run(struct two_frames *f, const uint8_t *bytes, size_t n, uint64_t now_ms);
/* A frame of DATA went to this peer. */
void two_frames_credit(struct two_frames *f);
/* 0: nothing is begun that has to end. Else which frame, or block of them, it is. A body is no matter. */
uint64_t two_frames_unfinished(const struct two_frames *f);

#endif
