/* method - the table of the protocol (methods.def), and parameters held against it.
 *
 * Owns:   struct method_row: a method, a parameter, a result, a note or a field, in the order of the table.
 * Holds:  parameters that passed are of their types and within their bounds, each known, and those that are needed are there: a handler that reads
 *         them fails only for what they mean.
 * Called: the role ambit-rpc; the generator of doc/PROTOCOL.md; tests. Pure. */
#ifndef RPC_METHOD_H
#define RPC_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "rpc/parse.h"

enum method {
#define METHOD(name, word, to, text) METHOD_##name,
#define PARAM(name, type, need, most, text)
#define RESULT(name, type, text)
#define NOTE(name, word, text)
#define FIELD(name, type, text)
#include "rpc/methods.def"
#undef METHOD
#undef NOTE
	METHOD_COUNT
};

enum note {
#define METHOD(name, word, to, text)
#define NOTE(name, word, text) NOTE_##name,
#include "rpc/methods.def"
#undef METHOD
#undef PARAM
#undef RESULT
#undef NOTE
#undef FIELD
	NOTE_COUNT
};

/* Whom a method asks. */
enum method_to { TO_HERE, TO_DAEMON, TO_SESSION, TO_NAMED };

enum param_type {
	PARAM_TEXT,
	PARAM_NAME,
	PARAM_COUNT,
	PARAM_BOOL,
	PARAM_SESSION_ID,
	PARAM_NAMES,
	PARAM_TEXTS,
	PARAM_NAME_MAP,
	PARAM_TEXT_MAP,
	PARAM_DURATION,
	PARAM_SIZE,
	PARAM_POLICY,
	PARAM_SIGNAL,
	PARAM_REQUEST_ID,
	PARAM_WORD_BASE,
	PARAM_WORD_OBSERVE,
	PARAM_WORD_CHANGES,
	PARAM_WORD_CONFLICT,
	PARAM_WORD_STREAM,
	PARAM_WORD_LANGUAGE,
	PARAM_TYPE_COUNT
};

enum row_kind { ROW_METHOD, ROW_PARAM, ROW_RESULT, ROW_NOTE, ROW_FIELD };

struct method_row {
	enum row_kind kind;
	const char *name; /* METHOD, NOTE: its word */
	const char *text;
	enum method_to to;    /* METHOD */
	enum param_type type; /* PARAM */
	bool needed;          /* PARAM */
	uint64_t most;        /* PARAM */
	const char *is;       /* RESULT, FIELD: its type, for the document */
};

const struct method_row *method_rows(size_t *ret_n);
const struct method_row *method_row(enum method m);
const char *note_word(enum note n);
/* Of a type, as the document says it. */
const char *param_type_text(enum param_type t);

/* -UNKNOWN, with the method meant. */
int method_find(const char *word, enum method *ret, struct err *e);
/* params may be NULL: none. -MALFORMED, -USAGE, -UNKNOWN, -LIMIT; the place is the parameter's. */
int method_check(enum method m, const json_t *params, struct mistake *ret_mistake);

/* The number of a signal's word, or of a number; 0: it is none. */
int signal_number(const json_t *v);

/* The value of what passed as NAME: its bytes, in the value, or in room of the caller's that must have NAME_ROOM(v). */
size_t name_room(const json_t *v);
const char *name_bytes(const json_t *v, void *room, size_t *ret_n);

#endif
