/* known - the addresses of names, for as long as they are fresh.
 *
 * Owns:   struct known_names.
 * Holds:  a name is asked for once, however many dials wait for it. There are more places than dials can wait for, so one can always be had.
 * Called: dial.c; pure. */
#ifndef DIAL_KNOWN_H
#define DIAL_KNOWN_H

#include "dial/resolve.h"
#include "net/link.h"

#define KNOWN_MAX (2 * LINK_ASKED_MAX)
#define KNOWN_FRESH_MS 2000 /* so long the addresses of a name are not asked for again; they are checked each time */

struct known_name {
	struct host_name name;
	struct resolved found;
	uint64_t when_ms; /* 0: never */
	uint32_t waiting; /* dials */
	bool asked;       /* of a resolver */
};

struct known_names {
	struct known_name at[KNOWN_MAX];
};

/* Where the name stands, from now on. */
uint32_t known_place(struct known_names *k, const struct host_name *name);
bool known_is_fresh(const struct known_name *n, uint64_t now_ms);

#endif
