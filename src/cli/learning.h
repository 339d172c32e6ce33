/* learning - what `ambit learn` and `ambit guard --learn` share: what a command that is learned from does not see, and the file of the policy.
 *
 * Owns:   the list of sensitive places of this host, and the policy's file while it is written.
 * Holds:  a run that cannot be learned from is not begun: the file is opened first, and an existing one is not overwritten. Half a policy is none.
 * Called: learn.c, guard.c. */
#ifndef CLI_LEARNING_H
#define CLI_LEARNING_H

#include "ambit/ambit.h"
#include "base/buf.h"
#include "base/err.h"
#include "supervisor/request.h"

struct hides {
	char *list[REQUEST_HIDES_MAX + 1]; /* owned; ends with NULL */
	size_t n;
};

int hides_find(struct hides *h, struct err *e);
void hides_finish(struct hides *h);

struct policy_file {
	const char *path; /* NULL: standard output */
	int fd;           /* owned */
};

int policy_file_open(struct policy_file *f, struct err *e);
int policy_file_write(const struct policy_file *f, const struct buf *text, struct err *e);
/* written: the whole policy is there. A device was there before, and stays. */
void policy_file_close(struct policy_file *f, bool written);

/* The policy that would have sufficed for the event, by the role that reads records; mode: of explain/ask.h. */
int learning_read(struct ambit_event *ev, const char *mode, struct buf *ret_text, struct ambit_error *e);

#endif
