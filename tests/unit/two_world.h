/* two_world - a program and a host that speak HTTP/2 by hand, and what was between them.
 *
 * Owns:   struct world: both streams of bytes, without sockets, and what came out on either side, as a text.
 * Holds:  of each frame that came out the text has a line: `HEADERS 1 :status=200 a=b end`, `DATA 1 text end`, `RST 1 8`, `GOAWAY 1 0`, `WINDOW 0 n`, `SETTINGS 3=100`,
 *         `SETTINGS ack`, `PING ack`. A field that must not be kept in tables has a `!` before its name.
 * Called: from unit tests and fuzz targets. */
#ifndef UNIT_TWO_WORLD_H
#define UNIT_TWO_WORLD_H

#include "http/two.h"

#define WORLD_SECRET "s3cr3t-of-the-grant"

struct side {
	struct stream stream;
	nghttp2_hd_inflater *inflater; /* owned */
	struct buf log, got;           /* got: not yet a whole frame */
	struct buf block;
	size_t data; /* bytes of DATA that came */
};

struct world {
	struct side program, host;
	struct two two;
	struct judge judge;
	struct http_host to;
	struct verdict verdict;
	struct one_parts parts;
	struct mask_set *masks;
	int counted_rule;
	unsigned counted, counted_status;
	char counted_method[TERMS_METHOD_MAX];
};

/* With terms as terms_take reads them. NULL: none of the host's settings are said yet. */
struct world *world_create(const char *terms, const char *host_settings);
void world_destroy(struct world *w);
/* Until nothing goes on. What came out is in the logs. */
void world_run(struct world *w);
const char *world_log(struct side *s);
bool world_says(struct side *s, const char *what);
void world_forget(struct world *w);

/* Frames, which wait until world_run. */
void say_bytes(struct side *s, const void *bytes, size_t n);
void say_frame(struct side *s, unsigned type, unsigned flags, uint32_t id, const void *bytes, size_t n);
/* name=value|name=value, each in a literal that is not kept; `\x` as it is. */
void say_headers(struct side *s, unsigned flags, uint32_t id, const char *fields);
void say_data(struct side *s, unsigned flags, uint32_t id, const char *text);
void say_u32(struct side *s, unsigned type, uint32_t id, uint32_t value);
/* n bytes. */
void say_much(struct side *s, unsigned flags, uint32_t id, size_t n);

#define F_END 1
#define F_HEADERS 4
#define GET ":method=GET|:scheme=https|:path=/a|:authority=h.example"
#define POST ":method=POST|:scheme=https|:path=/a|:authority=h.example"

#endif
