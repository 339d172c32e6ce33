/* parse - JSON out of a line that anybody may have written.
 *
 * Owns:   the bounds: how deep, and how many values, so that what a line becomes in memory is a few times what it was.
 * Holds:  strict: no member twice, no NUL, nothing but UTF-8, nothing behind it. What is wrong is told with its place, as the number of the byte.
 * Called: the role ambit-rpc, which has no authority. Links jansson; the processes that hold grants do not. */
#ifndef RPC_PARSE_H
#define RPC_PARSE_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "rpc/bounds.h"

#define PLACE_MAX 192
struct mistake {
	struct err err;
	char place[PLACE_MAX]; /* "byte 17", "/params/argv/3", "session.new:3:5"; "": of nothing in particular */
};

/* An object or a list, which the caller frees; NULL: *ret_mistake says what is wrong. */
json_t *parse_json(const char *text, size_t n, struct mistake *ret_mistake);
/* The same with other bounds: of what is not ours to say how deep it may be. */
json_t *parse_json_within(const char *text, size_t n, unsigned depth, unsigned values, struct mistake *ret_mistake);

#endif
