/* The role ambit-usual: the keeper of a person's profiles. It runs in a cell without a network that shows it its directory; whoever needs it and finds nobody there starts it (lib/usual.c), with the socket
 * that clients connect to as its standard input, and the seeds there are as its standard output, to be read. It ends when nobody needs it.
 *
 *   ambit-usual DIRECTORY BOOT */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/own.h"
#include "usual/layout.h"
#include "usual/promise.h"
#include "usual/serve.h"
#include "wire/wire.h"

static int run(const char *directory, struct err *e)
{
	auto_fd int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock_fd = -1;
	auto_free struct book *b = calloc(1, sizeof *b);
	struct seeds *seeds = NULL;
	struct calls *c = NULL;
	int r = dir_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the profiles' directory") : 0;

	if (b == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profiles");
	r = r < 0 ? r : own_lock(dir_fd, "the profiles", &lock_fd, e);
	if (r == 0 && sodium_init() < 0)
		r = err_set(e, AMBIT_HOST, NULL, "libsodium does not work here");
	r = r < 0 ? r : promise_keep(dir_fd, e);
	if (r < 0)
		return r;
	r = book_open(b, dir_fd, e);
	r = r < 0 ? r : seeds_new(STDOUT_FILENO, &seeds, e);
	if (r == 0) {
		b->seeds = seeds;
		r = calls_new(dir_fd, &c, e);
	}
	r = r < 0 ? r : serve_run(STDIN_FILENO, b, c, e);
	calls_free(c);
	book_close(b);
	seeds_free(seeds);
	return r;
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc != 3 || fd_set_nonblock(STDIN_FILENO, true) < 0)
		return 2;
	if (run(argv[1], &e) == 0)
		return 0;
	wire_refuse_all(STDIN_FILENO, WIRE_USUAL_FAILED, &e);
	return 1;
}
