#include "lib/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "cell/spec.h"
#include "code/code.h"
#include "lib/quiet.h"

static const uint32_t tty_flag[3] = { CELL_TTY_IN, CELL_TTY_OUT, CELL_TTY_ERR };
static const char *const stream_names[STREAMS] = { "standard input", "standard output", "standard error", "the code",
						   "its result" };

void streams_init(struct streams *s)
{
	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < STREAMS; i++) {
		s->cell_fd[i] = -1;
		s->relay[i].from_fd = s->relay[i].to_fd = s->relay[i].input_fd = s->relay[i].unread_fd = -1;
		buf_init(&s->relay[i].waiting, i == STREAM_CODE ? 2 * CODE_HEAD_MAX + CODE_SOURCE_MAX : STREAM_CHUNK);
		buf_init(&s->relay[i].kept, STREAM_RECORD_MAX);
	}
}

static void close_owned(struct relay *r)
{
	fd_close(r->output ? &r->from_fd : &r->to_fd);
}

void streams_finish(struct streams *s)
{
	for (size_t i = 0; i < STREAMS; i++) {
		fd_close(&s->cell_fd[i]);
		close_owned(&s->relay[i]);
		fd_close(&s->relay[i].unread_fd);
		buf_finish(&s->relay[i].waiting);
		buf_finish(&s->relay[i].kept);
	}
}

void streams_terminal(const struct streams *s, const int fd[3], struct pty_settings *ret)
{
	const uint32_t alone = CELL_TTY_IN | CELL_TTY_OUT;

	for (size_t i = 3; i-- > 0;)
		if ((s->tty & tty_flag[i]) != 0)
			pty_read(fd[i], (s->tty & alone) == alone, ret);
}

void streams_handed_over(struct streams *s)
{
	for (size_t i = 0; i < STREAMS; i++)
		fd_close(&s->cell_fd[i]);
}

/* A pipe between the cell and us; our end does not block. */
static int add_relay(struct streams *s, size_t i, int fd, bool capture, struct err *e)
{
	struct relay *r = &s->relay[i];
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pipe for %s", stream_names[i]);
	/* root's cells have another id, and programs open it by name (/dev/stderr). Nobody else has a name for it. */
	if (geteuid() == 0)
		(void)fchmod(ends[0], 0666);
	r->output = i != 0 && i != STREAM_CODE;
	r->capture = capture;
	s->cell_fd[i] = r->output ? ends[1] : ends[0];
	if (r->output)
		r->from_fd = ends[0], r->to_fd = fd;
	else
		r->to_fd = ends[1], r->from_fd = fd;
	s->relayed[i] = true;
	return fd_set_nonblock(r->output ? ends[0] : ends[1], true) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pipe for %s", stream_names[i])
		       : 0;
}

static int use_null(struct streams *s, size_t i, struct err *e)
{
	s->cell_fd[i] = open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
	return s->cell_fd[i] < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open /dev/null") : 0;
}

static int use_same(struct streams *s, size_t i, int fd, struct err *e)
{
	s->cell_fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return s->cell_fd[i] < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot use %s", stream_names[i]) : 0;
}

/* A regular file, at the place where it stands. The pipe's other end is kept, so that what was not read can be counted. */
static int add_file_relay(struct streams *s, size_t i, int fd, struct err *e)
{
	struct relay *r = &s->relay[i];
	const int failed = add_relay(s, i, fd, false, e);

	r->file = true;
	if (failed < 0 || i != 0)
		return failed;
	r->input_fd = fd;
	r->unread_fd = fcntl(s->cell_fd[i], F_DUPFD_CLOEXEC, 3);
	return r->unread_fd < 0 ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make a pipe for %s", stream_names[i])
				: 0;
}

/* Both outputs to one file or pipe share a pipe of ours: what is written first stays first. */
static bool share_relay(struct streams *s, size_t i, const struct stat *st)
{
	struct stat other;

	if (i != 2 || !s->relayed[1] || fstat(s->relay[1].to_fd, &other) < 0 || other.st_dev != st->st_dev ||
	    other.st_ino != st->st_ino)
		return false;
	s->cell_fd[2] = fcntl(s->cell_fd[1], F_DUPFD_CLOEXEC, 3);
	return s->cell_fd[2] >= 0;
}

/* An output file in which there is nothing, for this descriptor alone to write. */
static bool is_fresh(const struct stat *st, int flags)
{
	return st->st_size == 0 && (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) == 0;
}

/* null, zero, full, random, urandom: devices without state (major 1, Documentation/admin-guide/devices.txt). */
static bool is_harmless(const struct stat *st)
{
	const unsigned m = minor(st->st_rdev);

	return major(st->st_rdev) == 1 && (m == 3 || m == 5 || m == 7 || m == 8 || m == 9);
}

static int use_file(struct streams *s, size_t i, int fd, const struct stat *st, struct err *e)
{
	if (i != 0 && is_fresh(st, fcntl(fd, F_GETFL)))
		return use_same(s, i, fd, e);
	return share_relay(s, i, st) ? 0 : add_file_relay(s, i, fd, e);
}

static int use_callers(struct streams *s, size_t i, int fd, bool terminal, bool relay_all, struct err *e)
{
	struct stat st;
	int flags;

	if (fd < 0 || fstat(fd, &st) < 0)
		return use_null(s, i, e);
	flags = fcntl(fd, F_GETFL);
	if ((flags & O_PATH) != 0 || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return err_set(e, AMBIT_USAGE, "redirect it to a file, a pipe or /dev/null",
			       "%s is a directory or a block device, which is authority that was not granted",
			       stream_names[i]);
	if (isatty(fd) && terminal) {
		s->tty |= tty_flag[i];
		return 0;
	}
	if (relay_all && i != 0)
		return add_relay(s, i, fd, false, e);
	if ((S_ISFIFO(st.st_mode) && i == 0) || (S_ISCHR(st.st_mode) && is_harmless(&st)))
		return use_same(s, i, fd, e);
	if (S_ISFIFO(st.st_mode))
		return share_relay(s, i, &st) ? 0 : add_relay(s, i, fd, false, e);
	if (S_ISREG(st.st_mode))
		return use_file(s, i, fd, &st, e);
	return add_relay(s, i, fd, false, e);
}

int streams_open(struct streams *s, const enum ambit_stream mode[3], const int fd[3], bool terminal, bool relay_all,
		 struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < 3 && r == 0; i++) {
		if (mode[i] == AMBIT_STREAM_NULL)
			r = use_null(s, i, e);
		else if (mode[i] == STREAM_OURS)
			r = use_same(s, i, fd[i], e);
		else if (mode[i] == AMBIT_STREAM_CAPTURE && i != 0)
			r = add_relay(s, i, -1, true, e);
		else
			r = use_callers(s, i, fd[i], terminal, relay_all, e);
	}
	return r;
}

int streams_open_code(struct streams *s, const struct stream_code *c, struct err *e)
{
	struct relay *code = &s->relay[STREAM_CODE];
	const size_t n = strlen(c->source);
	char head[CODE_HEAD_MAX];
	int r = add_relay(s, STREAM_CODE, -1, false, e);

	if (r == 0)
		r = c->result_fd < 0 ? use_null(s, STREAM_RESULT, e)
				     : add_relay(s, STREAM_RESULT, c->result_fd, false, e);
	if (r < 0)
		return r;
	s->held_back = true;
	s->relay[STREAM_RESULT].file = true;
	s->relay[STREAM_RESULT].most = c->most != 0 && c->most < CODE_RESULT_MAX ? c->most : CODE_RESULT_MAX;
	buf_put(&code->waiting, head, code_head(c->kind, c->shows, n, head));
	buf_put(&code->waiting, c->source, n);
	buf_put(&code->waiting, head, code_tail(c->kind, head));
	return code->waiting.failed ? err_set(e, AMBIT_LIMIT, "put it into a file, and run that",
					      "the code has more than %u bytes", CODE_SOURCE_MAX)
				    : 0;
}

void streams_lend(struct streams *s, int *sock, int *loaded)
{
	s->cell_fd[STREAM_CODE] = steal_fd(sock);
	s->cell_fd[STREAM_RESULT] = steal_fd(loaded);
}

/* The end of input is passed on. */
static void end_input(struct relay *r)
{
	if (!r->output && !r->open && r->from_fd < 0 && r->waiting.len == r->waiting_at)
		fd_close(&r->to_fd);
}

int streams_open_kernel(struct streams *s, const struct stream_code *c, struct err *e)
{
	struct relay *code = &s->relay[STREAM_CODE], *result = &s->relay[STREAM_RESULT];
	char head[CODE_HEAD_MAX];
	int r = add_relay(s, STREAM_CODE, -1, false, e);

	r = r < 0 ? r : add_relay(s, STREAM_RESULT, c->result_fd, false, e);
	if (r < 0)
		return r;
	s->held_back = true;
	s->frames = (struct frames){ .most = c->most != 0 && c->most < STREAM_STEPS_MAX ? c->most : STREAM_STEPS_MAX };
	result->file = true;
	result->frames = &s->frames;
	code->open = true;
	buf_put(&code->waiting, head, code_kernel_head(head));
	return 0;
}

int streams_give_step(struct streams *s, uint32_t step, const char *source, size_t n, bool shows)
{
	struct relay *code = &s->relay[STREAM_CODE];
	char head[CODE_HEAD_MAX];

	if (n > CODE_SOURCE_MAX)
		return -AMBIT_LIMIT;
	if (code->waiting_at == code->waiting.len) {
		buf_reset(&code->waiting);
		code->waiting_at = 0;
	}
	buf_put(&code->waiting, head, code_step_head(step, shows, n, head));
	buf_put(&code->waiting, source, n);
	frames_begin(&s->frames, step);
	return code->waiting.failed ? -AMBIT_LIMIT : 0; /* one whose source was not read to its end is not over */
}

bool streams_step_is_read(const struct streams *s)
{
	const struct relay *code = &s->relay[STREAM_CODE];
	int unread = 0;

	return code->waiting_at == code->waiting.len && ioctl(code->to_fd, FIONREAD, &unread) == 0 && unread == 0;
}

void streams_end_steps(struct streams *s)
{
	s->relay[STREAM_CODE].open = false;
	if (s->relayed[STREAM_CODE])
		end_input(&s->relay[STREAM_CODE]);
}

void streams_adopt(struct streams *to, struct streams *from)
{
	for (size_t i = 1; i < STREAMS; i++) {
		struct relay *ours = &to->relay[i], *theirs = &from->relay[i];

		if (!to->relayed[i] || !from->relayed[i])
			continue;
		close_owned(ours);
		fd_close(&to->cell_fd[i]);
		to->cell_fd[i] = steal_fd(&from->cell_fd[i]);
		if (ours->output)
			ours->from_fd = steal_fd(&theirs->from_fd);
		else
			ours->to_fd = steal_fd(&theirs->to_fd);
	}
}

static bool is_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 1;
}

/* Reads one chunk; false: nothing more to do now. */
static bool fill(struct relay *r)
{
	ROOM_TO_READ uint8_t chunk[STREAM_CHUNK];
	ssize_t n;

	if (r->from_fd < 0 || r->waiting.len > r->waiting_at || !is_ready(r->from_fd, POLLIN))
		return false;
	n = read(r->from_fd, chunk, r->frames != NULL ? frames_want(r->frames, sizeof chunk) : sizeof chunk);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		if (r->output)
			fd_close(&r->from_fd);
		else
			r->from_fd = -1; /* borrowed: the input's end */
		return false;
	}
	r->total += (uint64_t)n;
	if (r->most != 0 && r->total > r->most) { /* who takes it would not take more */
		fd_close(&r->from_fd);
		return false;
	}
	if (r->frames != NULL)
		n = (ssize_t)frames_take(r->frames, chunk, (size_t)n);
	if (r->frames != NULL && r->frames->wrong) {
		fd_close(&r->from_fd);
		return false;
	}
	if (r->capture) {
		const size_t room = STREAM_RECORD_MAX - r->kept.len;

		buf_put(&r->kept, chunk, (size_t)n < room ? (size_t)n : room);
		return true;
	}
	buf_reset(&r->waiting);
	r->waiting_at = 0;
	buf_put(&r->waiting, chunk, (size_t)n);
	return true;
}

/* Writes what waits. A caller's blocking descriptor takes at most a page after it said that it has room; a file does not block, and
 * our own pipe takes what it can. */
static void drain(struct relay *r)
{
	while (r->waiting.len > r->waiting_at && r->to_fd >= 0 && is_ready(r->to_fd, POLLOUT)) {
		size_t n = r->waiting.len - r->waiting_at;
		const ssize_t done = quiet_write(r->to_fd, r->waiting.data + r->waiting_at,
						 n < 4096 || !r->output || r->file ? n : 4096);

		if (done < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (done < 0) { /* the reader is gone, or there is no room: the writer will see a broken pipe */
			r->lost_errno = r->output && errno != EPIPE ? errno : 0;
			r->waiting_at = r->waiting.len;
			close_owned(r);
			r->to_fd = r->output ? -1 : r->to_fd;
			return;
		}
		r->waiting_at += (size_t)done;
	}
}

/* Whether there is nothing to be copied for this one. */
static bool is_idle(const struct streams *s, size_t i)
{
	return !s->relayed[i] || (i != 0 && s->held_back);
}

void streams_give_code(struct streams *s)
{
	s->held_back = false;
	if (s->relayed[STREAM_CODE])
		end_input(&s->relay[STREAM_CODE]); /* of no code at all */
}

void streams_step(struct streams *s)
{
	for (size_t i = 0; i < STREAMS; i++) {
		struct relay *r = &s->relay[i];

		if (is_idle(s, i))
			continue;
		for (int rounds = 0; rounds < 16; rounds++) { /* each stream gets its turn */
			drain(r);
			if (!fill(r))
				break;
		}
		drain(r);
		end_input(r);
	}
}

int streams_step_over(struct streams *s, struct step_end *ret)
{
	const struct relay *result = &s->relay[STREAM_RESULT];

	if (s->frames.wrong)
		return -AMBIT_PROTOCOL;
	if (s->frames.step != 0 && !s->frames.over && result->from_fd < 0)
		return -AMBIT_GONE;
	if (s->frames.step == 0 || !s->frames.over || result->waiting.len > result->waiting_at)
		return 0;
	for (size_t i = 1; i < 3; i++) { /* a pipe holds no more than this, and what comes later is not the step's */
		struct relay *r = &s->relay[i];

		for (int rounds = 0; s->relayed[i] && rounds < 32; rounds++) {
			drain(r);
			if (!fill(r))
				break;
		}
		drain(r);
	}
	*ret = s->frames.end;
	s->frames.step = 0;
	return 1;
}

bool streams_drained(const struct streams *s)
{
	for (size_t i = 1; i < STREAMS; i++)
		if (s->relayed[i] && s->relay[i].output &&
		    (s->relay[i].from_fd >= 0 || s->relay[i].waiting.len > s->relay[i].waiting_at))
			return false;
	return true;
}

void streams_interests(const struct streams *s, void (*add)(void *user, int fd, uint32_t events), void *user)
{
	for (size_t i = 0; i < STREAMS; i++) {
		const struct relay *r = &s->relay[i];

		if (is_idle(s, i))
			continue;
		if (r->waiting.len > r->waiting_at && r->to_fd >= 0)
			add(user, r->to_fd, POLLOUT);
		else if (r->from_fd >= 0 && (r->output || r->to_fd >= 0))
			add(user, r->from_fd, POLLIN);
	}
}

uint64_t streams_file_total(const struct streams *s)
{
	uint64_t total = 0;

	for (size_t i = 1; i < 3; i++)
		total += s->relay[i].file ? s->relay[i].total : 0;
	return total;
}

void streams_give_back(struct streams *s)
{
	struct relay *r = &s->relay[0];
	int unread = 0;
	uint64_t back;

	if (r->input_fd < 0 || ioctl(r->unread_fd, FIONREAD, &unread) < 0)
		return;
	back = r->waiting.len - r->waiting_at + (uint64_t)unread;
	if (back > r->total) /* the event wrote into it */
		back = r->total;
	/* a file in which nothing can be sought was not read ahead of anybody */
	(void)lseek(r->input_fd, -(off_t)back, SEEK_CUR);
	r->input_fd = r->from_fd = -1;
	fd_close(&r->unread_fd);
}

int streams_lost(const struct streams *s)
{
	for (size_t i = 1; i < STREAMS; i++)
		if (s->relay[i].lost_errno != 0)
			return s->relay[i].lost_errno;
	return 0;
}

uint64_t streams_output_total(const struct streams *s)
{
	return s->relay[1].total + s->relay[2].total;
}
