/* layout - the names in the directory of a person's authority (doc/AUTHORITY.md).
 *
 * Owns:   nothing but the names, so that who starts, keeps and tests it has the same.
 * Called: authority, lib, tests. */
#ifndef AUTHORITY_LAYOUT_H
#define AUTHORITY_LAYOUT_H

#define AUTHORITY_DIRECTORY "authority" /* beneath the place of lib/state.h */
/* "lock": flock, held by the process that keeps it (base/own.h) */
#define AUTHORITY_STARTING "starting" /* flock: held by who starts it */
#define AUTHORITY_SOCKET "socket"     /* Unix SOCK_SEQPACKET */
#define AUTHORITY_STATE "state"       /* a snapshot (journal.h) */
#define AUTHORITY_STATE_NEW "state.new"
#define AUTHORITY_JOURNAL "journal" /* the steps since */
#define AUTHORITY_JOURNAL_NEW "journal.new"
#define AUTHORITY_SHOWN "asks" /* what was shown with a question, each under its reference (shown.h) */

#define AUTHORITY_LABELLED "labelled" /* empty: there are labels, or were (labelled.h) */
#define AUTHORITY_REALM "realm"       /* sixteen random bytes: which authority this is (signed.h) */

#define AUTHORITY_KEYS                                                                                                 \
	"approvers" /* beneath the place of lib/state.h, too: the person's keys, which it reads (approve/keyring.h) */
#define AUTHORITY_ZONES "/usr/share/zoneinfo" /* of the host: the tables of time zones */

#endif
