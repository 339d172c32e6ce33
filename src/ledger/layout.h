/* layout - the names in a ledger's directory (doc/LEDGER.md).
 *
 * Owns:   nothing but the names, so that who starts, writes and reads a ledger has the same.
 * Called: ledger, lib, audit, cli. */
#ifndef LEDGER_LAYOUT_H
#define LEDGER_LAYOUT_H

#define LEDGER_KEY "ledger.key"       /* a name that no cell sees by chance (stage/hidden.def) */
#define LEDGER_NEXT "ledger-next.key" /* likewise: who signs next (store.h) */
/* "lock": flock, held by the process that keeps it (base/own.h) */
#define LEDGER_STARTING "starting"
#define LEDGER_SOCKET "socket"
#define LEDGER_PAYLOAD "payload" /* what entries are of and do not hold (payload.h) */
#define LEDGER_INDEX "index"     /* of the log, for who looks something up (index/database.h) */
#define LEDGER_INDEX_FILE "index.sqlite"
#define LEDGER_INDEX_STAMP "stamp"   /* beside it (cli/stamp.h) */
#define LEDGER_WITNESS "witness"     /* checkpoints that others cosigned (audit/cosigned.h) */
#define LEDGER_WITNESSES "witnesses" /* who is asked for that (witness/list.h) */
#define LEDGER_LOG_NEXT "log.next"
#define LEDGER_PAST "past" /* logs that were closed: N/log, from 1 on without a gap */
#define LEDGER_PAST_MAX 9999u
#define LEDGER_LOG "log" /* the directory of the log, in which there is: */

#define LEDGER_CHECKPOINT "checkpoint"
#define LEDGER_JOURNAL "journal"
#define LEDGER_PUBLIC "key.pub"

#endif
