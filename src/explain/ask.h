/* ask - what the role ambit-explain is to do with its standard input, and how it ends.
 *
 * Called: cli (asks), explain. */
#ifndef EXPLAIN_ASK_H
#define EXPLAIN_ASK_H

/* The first word of its one argument: "explain" and "learn" read a record; so does this, of the server that a gate stands around; */
#define EXPLAIN_SERVER "learn-server"
/* and these, of which they tell the trace: for people, as JSON, in a line, in one behind a line of what else a profile is told, and a thread a line. */
#define EXPLAIN_TRACE "trace"
#define EXPLAIN_TRACE_JSON "trace-json"
#define EXPLAIN_TRACE_LINE "trace-line"
#define EXPLAIN_TRACE_FACTS "trace-facts"
#define EXPLAIN_TRACE_LINES "trace-lines"
/* and these: what it did, as a profile is told (profile/deeds.h), of any, and of one that may teach. */
#define EXPLAIN_DEEDS "deeds"
#define EXPLAIN_LESSON "lesson"
/* Its second, behind a blank, if it has one: this with a digest behind it, a payload of the ledger (ledger/payload.h) that must have
 * that digest; and behind a colon an event, if it has records of several, a line each: then that is read. */
#define EXPLAIN_PAYLOAD "payload:"

#define EXPLAIN_DONE 0
#define EXPLAIN_FAILED 1  /* the record is none, or cannot be read */
#define EXPLAIN_CHANGED 3 /* the payload has another digest */
#define EXPLAIN_NONE 4    /* as EXPLAIN_FAILED: the record is one, and has no trace */

#endif
