/* template - an interpreter that was started once, and of which copies are made for cells.
 *
 * Owns:   how a warden asks for one (TEMPLATE_COPY), and what it hears of its end (TEMPLATE_ENDED); that it has loaded what it needs (TEMPLATE_READY, which the library hears); what both sides keep of the words.
 * Holds:  the template runs in a cell of its own, without capabilities, and never runs code of an event. The cells that get copies lie in namespaces beneath its own, so it can enter them (Linux: the
 *         owner of a user namespace has all capabilities over it): a copy of it does, makes a process there, and that process puts up its own part of the wall
 *         (ownwall.h) before it hears of any code. It is the template's child and not the warden's: its end is told. Who asks is a warden that has run nothing yet; what it sends has a
 *         fixed size.
 * Called: the warden (template_ask, template_ended); copy.c, the template's own side, which is loaded by its interpreter. Linux 5.8 (setns by a pidfd). */
#ifndef WARDEN_TEMPLATE_H
#define WARDEN_TEMPLATE_H

#include "cell/build.h"

/* What becomes 0 to 4 of the copy, in this order. */
#define TEMPLATE_STREAMS (CELL_RESULT_FD + 1)

/* What a copy needs to know to put up its own part of the wall. */
struct template_wall {
	uint32_t flags, observe, umask;
	mechanism_set achieved;
	struct limits limits;
};
void template_wall_encode(const struct template_wall *w, struct buf *out);
void template_wall_decode(struct rbuf *in, struct template_wall *ret);

/* How a copy ended, or was stopped. */
struct template_end {
	uint32_t status; /* as waitpid(2) gives it */
	uint64_t user_us, system_us, memory_bytes, written_bytes;
};
void template_end_encode(const struct template_end *t, struct buf *out);
void template_end_decode(struct rbuf *in, struct template_end *ret);

/* Asks for a copy in the caller's cell. streams are borrowed. On success the caller owns *ret_report_fd, by which the copy says its number (u32, without a descriptor), then what a program says before
 * it is executed (workload.h), and *ret_status_fd, by which its end is told. 0 or -errno: there is none, and another program can be started. */
int template_ask(int template_fd, const struct cell_spec *spec, const struct cell_made *made,
		 const int streams[TEMPLATE_STREAMS], int *ret_report_fd, int *ret_status_fd);
/* The copy's number; 0: there is none, and *f says why. Waits, for some seconds at most. */
pid_t template_await(int report_fd, struct cell_failure *f);
/* 1: *ret; 0: the template is gone, and nobody will say. */
int template_ended(int status_fd, struct template_end *ret);

#endif
