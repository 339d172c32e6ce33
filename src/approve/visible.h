/* visible - what somebody else wrote, as it may be shown to a person who decides by it.
 *
 * Owns:   which characters are shown as they are: printable ASCII, and letters of a few scripts that run from left to right and stand by themselves
 *         (Latin, Greek, Cyrillic, Han, kana, Hangul); and which of these look like ASCII (confusables.def).
 * Holds:  all else is written out as \u{202E}, bytes that are no UTF-8 as \xNN, a backslash twice; so is what looks like ASCII and is not, and a blank that
 *         begins or ends the text or follows another. Different texts look different: from the whole of what is shown the text could be had back. What was
 *         left out for its length is counted, in a mark that no text can bring about.
 * Called: the command line, lib; pure. */
#ifndef APPROVE_VISIBLE_H
#define APPROVE_VISIBLE_H

#include "base/buf.h"
#include "base/span.h"

#define VISIBLE_LOOKS_MAX 16
#define VISIBLE_WORD_MAX 96

struct visible {
	size_t n_written; /* characters and bytes that were written out */
	size_t n_looks; /* different ones that look like ASCII; the first are below, in the order in which they came */
	struct visible_look {
		uint32_t is;
		char as;
	} looks[VISIBLE_LOOKS_MAX];
	size_t n_looks_more; /* how often there was one that is not below */
	size_t n_mixed;      /* words with letters of more than one script; the first is below */
	struct visible_word {
		char text[VISIBLE_WORD_MAX]; /* as it is shown */
		size_t n, n_more;            /* bytes; characters for which there was no room */
		unsigned scripts;
	} mixed;
	size_t n_cut; /* bytes of the text that are not shown */
};

/* Appends the text, of at most `most` bytes when it is written out, with a mark behind it if that was not all. *ret says what is to be said of it. */
void visible_put(struct buf *out, struct span text, size_t most, struct visible *ret);
/* Appends that, a line for each; nothing for a text in which nothing was strange. */
void visible_put_notes(struct buf *out, const struct visible *v);

#endif
