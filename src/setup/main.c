/* ambit-setup: reads what is asked (ask.h) and a client's configuration from descriptor 0, writes what becomes of it to descriptor 1, ends. Nothing else:
 * it is run in a cell with an empty root, because the file, and what a client says of a tool, may have been written by anybody.
 * Exit status: 0, also where the file was refused; 1 nothing could be told; 2 wrong usage. */
#include <unistd.h>

#include "base/fd.h"
#include "setup/call.h"
#include "setup/change.h"
#include "setup/promise.h"

#define IN_MAX (2 * SETUP_TEXT_MAX + (1u << 20))
#define ROOM (1u << 20) /* for the texts of what is asked */

static int answer(struct buf *out, struct setup_told *told, struct err *e)
{
	static char room[ROOM];
	static struct buf in; /* lives as long as what was asked */
	static struct setup_ask a;
	struct rbuf r;
	int rc;

	buf_init(&in, IN_MAX);
	rc = fd_read_into(STDIN_FILENO, &in);
	if (rc < 0)
		return err_sys(e, AMBIT_SYSTEM, -rc, NULL, "cannot read what is asked");
	rbuf_init(&r, in.data, in.len);
	if (!setup_ask_take(&r, &a, room, sizeof room))
		return err_set(e, AMBIT_PROTOCOL, NULL, "what is asked makes no sense");
	switch (a.op) {
	case SETUP_CHANGE: return change_make(&a, out, told, e);
	case SETUP_UNDO: return change_undo(&a, out, told, e);
	case SETUP_CALL: break;
	}
	return call_read(&a, out, told, e);
}

int main(int argc, char **argv)
{
	static struct setup_told told;
	auto_buf text = { .max = 0 }, out = { .max = 0 };
	struct err e = { .code = AMBIT_OK };
	int rc;

	(void)argv;
	if (argc != 1)
		return 2;
	buf_init(&text, SETUP_TEXT_MAX + 1);
	buf_init(&out, SETUP_TOLD_MAX);
	rc = promise_keep(&e);
	rc = rc < 0 ? rc : answer(&text, &told, &e);
	if (rc < 0)
		told = (struct setup_told){ .error = e };
	setup_told_put(&out, &told);
	return out.failed || fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
