/* out - the text that ambit-diff makes, on its way out.
 *
 * Owns:   what is not written yet.
 * Holds:  what comes from a change (names, contents, reasons) leaves through out_text, out_content and out_name only: no control character,
 *         escape or bidirectional mark of it gets out raw but newlines and tabs of contents. After a failure nothing
 *         more is written.
 * Called: role ambit-diff; no system call but the sink's. */
#ifndef DIFF_OUT_H
#define DIFF_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct sink {
	int (*write)(void *of, const void *bytes, size_t n); /* 0, or negative */
	void *of;
};

struct out {
	struct sink sink;
	bool colour;
	bool failed;
	uint64_t total; /* bytes, written or not yet */
	uint64_t max;   /* out_is_full beyond it; 0: never */
	size_t len;
	char bytes[64u << 10];
};

/* git's colours of the same things; PLAIN ends one. */
enum out_colour { OUT_PLAIN, OUT_HEADER, OUT_HUNK, OUT_OLD, OUT_NEW, OUT_NOTE };

void out_init(struct out *o, struct sink sink, bool colour, uint64_t max);
/* Writes the rest; false if anything could not be written. */
bool out_flush(struct out *o);
bool out_is_full(const struct out *o);

/* Our own words, as they are. */
void out_raw(struct out *o, const void *bytes, size_t n);
void out_string(struct out *o, const char *s);
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_colour(struct out *o, enum out_colour c);

/* Foreign text on one line: escapes as text_show makes them, tabs as they are; with colours what was escaped is reversed, so that it is
 * not taken for the text `\x1b`. */
void out_text(struct out *o, const void *bytes, size_t n);
/* The same; a full output cuts it. */
void out_content(struct out *o, const void *bytes, size_t n);

/* Whether foreign text on one line is shown without an escape. */
bool out_shows_as_is(const void *bytes, size_t n);

/* Appends lead, the name of a tree, a slash and a path, as git writes names (core.quotePath=false): in quotes, with \t
 * and its kin and octal digits, where a byte or character must not get out raw. */
void name_put(struct buf *dst, const char *lead, const char *tree, const char *path);
#define NAME_MAX_BYTES (10u * 8192) /* two paths, each byte escaped */
void out_name(struct out *o, const char *lead, const char *tree, const char *path);

#endif
