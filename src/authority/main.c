/* The role ambit-authority: the keeper of a person's authority. It runs in a cell without a network that shows it its directory, and to read the tables of
 * time zones and the person's keys as an approver; whoever needs it and finds nobody there starts it (lib/authority.c), with the socket that clients connect to as its standard
 * input. It ends when nobody needs it.
 *
 *   ambit-authority DIRECTORY BOOT KEYS */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "authority/layout.h"
#include "authority/promise.h"
#include "authority/serve.h"
#include "authority/size.h"
#include "base/fd.h"
#include "base/own.h"
#include "wire/wire.h"

/* What is beside the state. */
static int open_beside(struct shown *shown, struct labelled *labelled, int dir_fd, const struct authority *a,
		       struct err *e)
{
	int r = shown_open(shown, dir_fd, a);

	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, "see who may write there",
			       "cannot open what was shown with questions");
	r = labelled_open(labelled, dir_fd, a);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "make room, or see who may write there",
			       "cannot note that there are labels")
		     : 0;
}

static int serve(int dir_fd, int zones_fd, const struct signers *signers, const char *boot, struct err *e)
{
	static struct zones zones; /* its variable is the environment's */
	struct shown shown = { .dir_fd = -1 };
	struct labelled labelled;
	struct journal_found found = { .cut_bytes = 0 };
	struct book book;
	struct serve how = { .listen_fd = 0,
			     .book = &book,
			     .shown = &shown,
			     .labelled = &labelled,
			     .zones = &zones,
			     .signers = signers };
	const struct book_time now = serve_time();
	int r = book_open(&book, dir_fd, &keeper_size, boot, &now, &found, e);

	zones.dir_fd = zones_fd;
	how.cut_bytes = found.cut_bytes;
	r = r < 0 ? r : open_beside(&shown, &labelled, dir_fd, book.a, e);
	r = r < 0 ? r : serve_run(&how, e);
	shown_close(&shown);
	book_close(&book);
	return r;
}

static int run(const char *directory, const char *boot, const char *keys, struct err *e)
{
	auto_fd int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock_fd = -1;
	auto_fd int zones_fd = open(AUTHORITY_ZONES, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* or there are none */
	auto_fd int keys_fd = open(keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);             /* or nobody answers */
	struct signers signers = { .keys_fd = keys_fd, .uid = geteuid() };
	int r = dir_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the authority's directory") : 0;

	r = r < 0 ? r : own_lock(dir_fd, "the authority", &lock_fd, e);
	if (r == 0 && sodium_init() < 0)
		r = err_set(e, AMBIT_HOST, NULL, "libsodium does not work here");
	r = r < 0 ? r : signed_open(&signers, dir_fd, e);
	r = r < 0 ? r : promise_keep(dir_fd, zones_fd, keys_fd, e);
	return r < 0 ? r : serve(dir_fd, zones_fd, &signers, boot, e);
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc != 4 || fd_set_nonblock(0, true) < 0)
		return 2;
	if (run(argv[1], argv[2], argv[3], &e) == 0)
		return 0;
	wire_refuse_all(0, WIRE_AUTHORITY_FAILED, &e);
	return 1;
}
