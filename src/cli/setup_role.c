#include "cli/setup_role.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/cli.h"
#include "cli/harmless.h"
#include "diff/writer.h"
#include "lib/parser.h"

#define ROLE_MEMORY (UINT64_C(1) << 30)
#define DIFF_MEMORY (UINT64_C(512) << 20)
#define DIFF_TEXT (64u << 20)

static int sealed(const struct buf *bytes, int *ret_fd, struct err *e)
{
	auto_fd int fd = memfd_create("ambit-setup", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes->data, bytes->len);

	if (r == 0 && (lseek(fd, 0, SEEK_SET) < 0 ||
		       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0))
		r = -errno;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot hand it over to be read");
	*ret_fd = steal_fd(&fd);
	return 0;
}

int setup_role_ask(const struct setup_ask *ask, struct buf *room, struct setup_told *ret, struct err *e)
{
	struct parser_ask p = { .role = "ambit-setup", .input_fd = -1, .memory_bytes = ROLE_MEMORY };
	auto_buf in = { .max = 0 };
	auto_fd int fd = -1;
	struct rbuf r;
	int status = 0, rc;

	buf_init(&in, 2 * SETUP_TEXT_MAX + (1u << 20));
	buf_init(room, SETUP_TOLD_MAX);
	setup_ask_put(&in, ask);
	if (in.failed)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to have it read");
	rc = sealed(&in, &fd, e);
	p.input_fd = fd;
	rc = rc < 0 ? rc : parser_run(&p, room, &status, e);
	if (rc < 0)
		return rc;
	rbuf_init(&r, room->data, room->len);
	if (status != 0 || !setup_told_take(&r, ret))
		return err_set(e, AMBIT_PROTOCOL, NULL, "whoever reads it said what it may not");
	if (ret->error.code != AMBIT_OK && e != NULL)
		*e = ret->error;
	return -(int)ret->error.code;
}

static int write_both(int fd, const struct setup_file *f, const void *bytes, size_t n, bool gone, struct err *e)
{
	const struct change c = { .kind = gone          ? CHANGE_DELETED
					  : f->is_there ? CHANGE_MODIFIED
							: CHANGE_ADDED,
				  .type = CHANGE_FILE,
				  .mode_old = f->is_there ? f->st.st_mode & 0777 : 0,
				  .mode_new = gone          ? 0
					      : f->is_there ? f->st.st_mode & 0777
							    : 0600,
				  .size_old = f->text.len,
				  .size_new = n,
				  .path = f->path + 1,
				  .from = "",
				  .reason = "" };
	struct diff_options o;
	struct diff_writer w;
	int r;

	diff_options_init(&o);
	o.n_trees = 1;
	o.tree[0] = "";
	diff_writer_init(&w, fd, &o);
	diff_writer_change(&w, &c);
	if (f->is_there)
		diff_writer_bytes(&w, CHANGE_FILE, f->text.data, f->text.len);
	else
		diff_writer_absent(&w);
	if (gone)
		diff_writer_absent(&w);
	else
		diff_writer_bytes(&w, CHANGE_FILE, bytes, n);
	r = diff_writer_end(&w, e);
	diff_writer_finish(&w);
	return r < 0                         ? r
	       : lseek(fd, 0, SEEK_SET) == 0 ? 0
					     : err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot show the difference");
}

int setup_role_diff(const struct setup_file *f, const void *bytes, size_t n, bool gone, struct err *e)
{
	struct parser_ask p = { .role = "ambit-diff", .memory_bytes = DIFF_MEMORY };
	auto_fd int fd = memfd_create("ambit-setup", MFD_CLOEXEC);
	auto_buf out = { .max = 0 };
	int status = 0, r;

	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot show the difference");
	buf_init(&out, DIFF_TEXT);
	p.input_fd = fd;
	r = write_both(fd, f, bytes, n, gone, e);
	r = r < 0 ? r : parser_run(&p, &out, &status, e);
	if (r == 0 && status != 0)
		r = err_set(e, AMBIT_INTERNAL, NULL, "the difference cannot be shown");
	if (r == 0 && cli_flush() == 0)
		(void)harmless_write(STDOUT_FILENO, &out, true); /* the flush at the end tells it */
	return r;
}
