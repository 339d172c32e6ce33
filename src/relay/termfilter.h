/* termfilter - terminal output made harmless.
 *
 * Owns:   the list of what a program in a cell may say to the terminal of a person, and the state machine that holds
 *         it to that: bytes in, bytes out, no allocation, no system call, state of fixed size.
 * Holds:  only what was recognised whole is passed, written anew in one canonical form; all else is text, replaced
 *         or gone. So a byte stream that another parser would read differently gains nothing: that parser never
 *         sees it. How the input is cut into pieces changes no byte of the output.
 * Called: from the relay and from the command line; pure.
 *
 * What passes (TERMFILTER_PTY), and why the rest does not:
 *
 * 1. Text in UTF-8. Bytes that are not UTF-8 become U+FFFD; U+0080 to U+009F, which terminals obey as controls, go.
 *    ESC % (leave UTF-8) and everything else that would make the terminal read later bytes differently (VT52 mode,
 *    8-bit controls, conformance levels) goes. Of the C0 controls BEL BS HT LF VT FF CR SO SI pass; ENQ, which is
 *    answered with a text of the terminal's, does not.
 * 2. Colours, movement, erasing, scrolling, tabs, charsets, DECSC/DECRC, soft reset, and the modes in a table of
 *    termfilter.c. A mode is in the table only if the reset can take it back. Erasing the lines scrolled away
 *    (CSI 3 J) does not pass: what stood there before the event belongs to the person. A full reset (ESC c), which
 *    erases them too, becomes a reset of what the program itself changed, and an empty screen.
 * 3. No string passes: OSC, DCS, APC, PM, SOS, ESC k. They reach for the clipboard (OSC 52), files, notifications,
 *    pictures, other terminals (passthrough of tmux), or are questions (colours, DECRQSS, XTGETTCAP). Titles (OSC
 *    0, 1, 2) go as well: they would stay after the event and can pose as another window. So do hyperlinks (OSC 8):
 *    the text shown hides where a click leads, and the click acts with the person's authority; the text itself
 *    stays visible. Colours set by OSC 4, 10, 11 could not be taken back: the reset of those gives the terminal's
 *    default and not what the person had.
 * 4. Questions. An answer arrives as if typed. While the program runs that is harmless: what is typed goes to the
 *    program's own pty, so a program only ever talks to itself. The danger is an answer that arrives after the end,
 *    when the person's shell reads. Therefore: only those questions pass that full-screen programs wait for and
 *    whose answers carry no text of the program's choosing (CSI c, CSI > c, CSI 6 n); `answers` says whether
 *    one did, or a mode that makes the terminal speak by itself; and then the relay, before it ends, asks one
 *    last question, CSI 5 n, and reads until its answer. Terminals answer in order, so nothing comes after that.
 *    CSI 5 n itself never passes from the program: its answer cannot be forged by asking early. The command
 *    line flushes its input after that, for terminals that do not answer at all. All other questions (titles and
 *    sizes by CSI t, DECRQM, XTVERSION, DECREQTPARM, checksums of the screen, ...) go.
 *
 * TERMFILTER_PLAIN, for what is shown outside a pty session, passes text, LF, HT and SGR, nothing else: CR, with or
 * without LF, is a line's end, so that no line can be overwritten; bidirectional overrides and invisible tag
 * characters become U+FFFD. What a person is shown may still be hard to see (SGR can paint black on black).
 *
 * TERMFILTER_ASCII, for a terminal known to be 8-bit, where the second byte of a letter can be a control: each
 * character beyond ASCII becomes a question mark. TERMFILTER_MUTE, where nobody reads the terminal on the program's
 * behalf (its input is a file, or the terminal is shared with other programs of a pipeline): no question passes, and
 * no mode that makes the terminal speak. */
#ifndef RELAY_TERMFILTER_H
#define RELAY_TERMFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes between CSI and its final byte: an SGR with three true colours has 63. A longer sequence is dropped whole. */
#define TERMFILTER_SEQUENCE_MAX 128
/* Parameters of one sequence, sub-parameters counted: xterm takes 30. */
#define TERMFILTER_PARAMS_MAX 32
/* Largest parameter: programs say 999 or 32766 for "as far as it goes"; more only looks for overflows. */
#define TERMFILTER_NUMBER_MAX 32767
/* Bytes of one string or over-long sequence that are swallowed. After that it counts as never ended, and what follows
 * is text again: a stray ESC P in a binary file must not silence the rest of a session. A picture fits. */
#define TERMFILTER_STRING_MAX (1u << 20)
/* Most bytes that one byte of input can give. */
#define TERMFILTER_PIECE_MAX 512

enum termfilter_mode { TERMFILTER_PTY, TERMFILTER_PLAIN };
enum termfilter_option { TERMFILTER_ASCII = 1, TERMFILTER_MUTE = 2 };

/* Opaque to callers but for `answers`; here so that it can be a member. */
struct termfilter {
	enum termfilter_mode mode;
	unsigned options; /* enum termfilter_option */
	bool answers;     /* something passed that makes the terminal send bytes */
	bool after_cr;    /* PLAIN: a CR was the last byte */
	bool cut;         /* the sequence is over-long */
	bool osc;         /* the string is an OSC */
	uint8_t state;
	uint8_t hex_left; /* of a palette sequence of the Linux console */
	uint8_t utf8[4];
	uint8_t utf8_have;
	uint8_t utf8_want; /* 0 between characters */
	uint8_t seq_len;
	char seq[TERMFILTER_SEQUENCE_MAX];
	uint32_t swallowed;
	uint32_t changed;   /* bit set of what the reset must take back */
	uint16_t alternate; /* the mode by which the alternate screen was entered, 0 on the main screen */
};

void termfilter_init(struct termfilter *f, enum termfilter_mode mode, unsigned options);

/* Filters as much of the n bytes as surely fits: stops while out has room for less than TERMFILTER_PIECE_MAX. Gives how
 * many bytes were taken; what is left is to be offered again. */
size_t termfilter_run(struct termfilter *f, const void *bytes, size_t n, struct buf *out);

/* The end of the stream: half a character becomes U+FFFD, half a sequence nothing. At most TERMFILTER_PIECE_MAX bytes. */
void termfilter_end(struct termfilter *f, struct buf *out);

/* Takes back what passed and lasts: modes, colours, charset, margins, alternate screen, cursor. Erases nothing of the
 * person's screen; nothing at all if only text passed. At most TERMFILTER_PIECE_MAX bytes. */
void termfilter_reset(struct termfilter *f, struct buf *out);

/* The same for somebody who does not know what passed (the relay died): takes back everything, and leaves the cursor
 * on the last line. */
const char *termfilter_reset_all(void);

#endif
