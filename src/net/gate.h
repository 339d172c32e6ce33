/* gate - one connection, from its first byte to its last: what a client says goes through the screen first.
 *
 * Owns:   struct gate: the screen, what of the client's words waits for its judgement, and the two pumps.
 * Holds:  what waits is at most GATE_HELD_MAX bytes, takes memory only while it waits, and is read no further before there is room. What the host
 *         says is never held up. When everything passes, nothing is copied any more.
 * Called: net/relay.c. read(2), write(2), and the pumps' splice(2). */
#ifndef NET_GATE_H
#define NET_GATE_H

#include "base/buf.h"
#include "net/pump.h"
#include "net/screen.h"

#define GATE_HELD_MAX HELLO_MAX

struct gate {
	struct screen screen;
	struct buf held; /* owned: read from the client, not written to the host */
	size_t passes;   /* of held, from the first on: judged, and waiting for the host only */
	struct pump up, down;
};

/* What all gates share. */
struct gate_room {
	struct pipes *pipes;
	uint8_t *bytes; /* scratch */
	size_t size;    /* PUMP_PUT_MAX at least */
};

void gate_init(struct gate *g, const struct host_name *granted, bool may_hide);
void gate_finish(struct gate *g);
/* One turn of a direction. Down goes first: on what it reads depends what goes up. BROKEN also if the screen is REFUSED. */
enum pump_state gate_down(struct gate *g, const struct gate_room *room, int client, int host);
enum pump_state gate_up(struct gate *g, const struct gate_room *room, int client, int host);

#endif
