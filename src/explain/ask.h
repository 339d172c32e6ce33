/* ask - what the role ambit-explain is to do with its standard input, and how it ends.
 *
 * Called: cli (asks), explain. */
#ifndef EXPLAIN_ASK_H
#define EXPLAIN_ASK_H

/* Its one argument: "explain" and "learn" read a record; so does this, of the server that a gate stands around; */
#define EXPLAIN_SERVER "learn-server"
/* this with a digest behind it, a payload of the ledger (ledger/payload.h) that must have
 * that digest and is explained; and behind a colon an event, if it has records of several, a line each: then that is. */
#define EXPLAIN_PAYLOAD "payload:"

#define EXPLAIN_DONE 0
#define EXPLAIN_FAILED 1  /* the record is none, or cannot be read */
#define EXPLAIN_CHANGED 3 /* the payload has another digest */

#endif
