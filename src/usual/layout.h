/* layout - the names in the directory of a person's profiles (doc/PROFILES.md).
 *
 * Owns:   nothing but the names, so that who starts, keeps and tests it has the same.
 * Called: usual, lib, supervisor, tests. */
#ifndef USUAL_LAYOUT_H
#define USUAL_LAYOUT_H

#define USUAL_DIRECTORY "profiles" /* beneath the place of lib/state.h */
/* "lock": flock, held by the process that keeps it (base/own.h) */
#define USUAL_STARTING "starting" /* flock: held by who starts it */
#define USUAL_SOCKET "socket"     /* Unix SOCK_SEQPACKET */
#define USUAL_SECRET "secret"     /* random bytes, by which tables are keyed and files named */
#define USUAL_NEW ".new"          /* behind a name: it is being written */
#define USUAL_SCORES ".profile"   /* behind the name of a key: what scores (profile/form.h) */
#define USUAL_SHADOW ".shadow"    /* likewise: what learns */
#define USUAL_CALLS ".calls" /* behind "c_" and a server's name: what is usual of its calls (profile/call_form.h) */
#define USUAL_CALLS_OF "c_"
#define USUAL_SEED "s_"        /* before the name of a seed, which lies elsewhere (lib/seeds.h) */
#define USUAL_WINDOW ".window" /* likewise: what was done in the minutes that go on (across.h) */
#define USUAL_HELD_CALL "k_"   /* likewise of a call that waits for a person (calls.c) */
#define USUAL_HELD "h_" /* before an event's id: what it did, until somebody says what it was (profile/deeds.h) */
#define USUAL_SLOWED                                                                                                   \
	"t_" /* likewise, of one that did much and is throttled for it: it is done, and teaches nothing until then */
#define USUAL_REFUSED "n_" /* likewise: whose it was, after somebody said no (usual/held.h) */

#endif
