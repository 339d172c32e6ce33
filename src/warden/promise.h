/* promise - what the warden may still do once foreign code runs.
 *
 * Holds:  after promise_make the warden can watch, read and signal its own cell, and nothing else: no exec, no socket, no
 *         open for writing, no new capability. Its file rights are the cell's (Landlock, but with CELL_COPIED), its filter is FILTER_WARDEN.
 * Called: by main, once. */
#ifndef WARDEN_PROMISE_H
#define WARDEN_PROMISE_H

int promise_make(void); /* 0, or -1 with errno */

#endif
