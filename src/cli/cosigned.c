#include "cli/cosigned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/layout.h"
#include "ledger/note.h"

#define LOCK_PATIENCE_MS 30000 /* for who is asking just now */
#define FRESH ".new"           /* the lock keeps it one writer's */

int cosigned_open(const char *ledger, struct cosigned_dir *ret, struct err *e)
{
	auto_fd int ledger_fd = open(ledger, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd int dir_fd = -1;

	if (ledger_fd < 0)
		return err_sys(e, AMBIT_NOT_FOUND, errno, NULL, "cannot open the ledger in %s", ledger);
	if (mkdirat(ledger_fd, LEDGER_WITNESS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make %s/" LEDGER_WITNESS, ledger);
	dir_fd = openat(ledger_fd, LEDGER_WITNESS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir_fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open %s/" LEDGER_WITNESS, ledger);
	if (fd_lock(dir_fd, LOCK_PATIENCE_MS) < 0)
		return err_set(e, AMBIT_CONFLICT, "try again when that has ended",
			       "somebody else is asking the witnesses of this ledger");
	*ret = (struct cosigned_dir){ .ledger_fd = steal_fd(&ledger_fd), .dir_fd = steal_fd(&dir_fd) };
	return 0;
}

void cosigned_close(struct cosigned_dir *d)
{
	fd_close(&d->dir_fd); /* and the lock with it */
	fd_close(&d->ledger_fd);
}

static int load(int dir_fd, const char *file, struct buf *ret, struct err *e)
{
	auto_fd int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	int r;

	buf_reset(ret);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, AMBIT_MALFORMED, "move it away", "%s beside the log is no regular file", file);
	r = fd < 0 ? -errno : fd_read_into(fd, ret);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot read %s beside the log", file) : 0;
}

static int write_fresh(int dir_fd, struct span bytes)
{
	auto_fd int fd = -1;
	int r;

	(void)unlinkat(dir_fd, FRESH, 0); /* of whoever was killed */
	fd = openat(dir_fd, FRESH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, bytes.at, bytes.len);
	return r < 0 ? r : fsync(fd) < 0 ? -errno : 0;
}

static int store(int from_fd, int to_fd, const char *file, struct span bytes, struct err *e)
{
	int r = write_fresh(from_fd, bytes);

	if (r == 0 && (renameat(from_fd, FRESH, to_fd, file) < 0 || fsync(to_fd) < 0))
		r = -errno;
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, "free some space, or see who may write there",
			       "cannot write %s beside the log", file)
		     : 0;
}

int cosigned_load(const struct cosigned_dir *d, const char *file, struct buf *ret, struct err *e)
{
	return load(d->dir_fd, file, ret, e);
}

int cosigned_store(const struct cosigned_dir *d, const char *file, struct span bytes, struct err *e)
{
	return store(d->dir_fd, d->dir_fd, file, bytes, e);
}

int cosigned_load_list(const struct cosigned_dir *d, struct witness_list *ret, struct err *e)
{
	auto_buf bytes = { .max = WITNESS_LIST_MAX };
	int r = load(d->ledger_fd, LEDGER_WITNESSES, &bytes, e);

	r = r < 0 ? r : witness_list_parse(span_bytes(bytes.data, bytes.len), ret, e);
	return r == -AMBIT_MALFORMED ? err_context(e, r, LEDGER_WITNESSES " beside the log") : r;
}

int cosigned_store_list(const struct cosigned_dir *d, const struct witness_list *l, struct err *e)
{
	auto_buf bytes = { .max = WITNESS_LIST_MAX };

	witness_list_put(l, &bytes);
	return bytes.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the list of witnesses")
			    : store(d->dir_fd, d->ledger_fd, LEDGER_WITNESSES, span_bytes(bytes.data, bytes.len), e);
}
