#include "cli/auditor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/harmless.h"
#include "lib/parser.h"

#define MEMORY (UINT64_C(256) << 20) /* a bundle, the journal and what is found take a quarter */
#define WALL_MS (30u * 60 * 1000)    /* a hundred million entries, on a slow machine */
#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EACH_MS 100
#define ASIDES_MAX 8 /* lines: a role that was taken over does not fill the terminal */
#define COMPLAINTS 4 /* lines: what, why, hint, code */

struct feed {
	struct buf *rows; /* borrowed: takes all; NULL: it is written to out_fd */
	int out_fd;
	uint32_t flags;    /* of what was asked: progress and asides are shown if they were asked for */
	const char *whose; /* before an aside */
	size_t n_asides;
	bool text;
	struct buf out;  /* owned: of a character that is cut by the end of a piece */
	struct buf line; /* owned: of standard error */
	char complaint[COMPLAINTS][ERR_MSG_MAX];
	size_t n_complaints;
	uint64_t begun, shown_at; /* ms; shown_at 0: nothing was shown */
	bool gone;
};

/* A reader that went is told apart. */
static int wrote(struct feed *f, int r)
{
	f->gone = r == -EPIPE;
	return r;
}

static void show_progress(struct feed *f, uint64_t done, uint64_t all)
{
	const uint64_t now = clock_ms();

	if ((f->flags & AUDIT_PROGRESS) == 0 || now - f->begun < PROGRESS_AFTER_MS ||
	    now - f->shown_at < PROGRESS_EACH_MS)
		return;
	f->shown_at = now;
	(void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " entries", done, all);
}

static void show_aside(struct feed *f, const char *line)
{
	char shown[2 * ERR_MSG_MAX];

	if ((f->flags & AUDIT_VERBOSE) != 0 && f->n_asides++ < ASIDES_MAX)
		(void)fprintf(stderr, "ambit: %s%s\n", f->whose, text_escape(shown, sizeof shown, line, strlen(line)));
}

/* "N M", an aside, or a line of what is to be told at the end. */
static void take_line(struct feed *f, char *line)
{
	char *space = strchr(line, ' ');
	uint64_t done, all;

	if (space != NULL)
		*space = 0;
	if (space != NULL && parse_u64(line, 0, UINT64_MAX, &done) && parse_u64(space + 1, 0, UINT64_MAX, &all)) {
		show_progress(f, done, all);
		return;
	}
	if (space != NULL)
		*space = ' ';
	if (strncmp(line, AUDIT_ASIDE, strlen(AUDIT_ASIDE)) == 0) {
		show_aside(f, line + strlen(AUDIT_ASIDE));
		return;
	}
	if (f->n_complaints < COMPLAINTS)
		(void)text_copy(f->complaint[f->n_complaints++], ERR_MSG_MAX, line); /* no longer */
}

static void take_complaints(struct feed *f, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char line[ERR_MSG_MAX];

		if (bytes[i] != '\n') {
			buf_put(&f->line, bytes + i, 1);
			continue;
		}
		(void)snprintf(line, sizeof line, "%.*s", (int)f->line.len, (const char *)f->line.data);
		buf_reset(&f->line);
		take_line(f, line);
	}
}

static int take(void *arg, unsigned stream, const void *bytes, size_t n)
{
	struct feed *f = arg;

	if (stream == 2) {
		take_complaints(f, bytes, n);
		return 0;
	}
	if (f->rows != NULL) {
		buf_put(f->rows, bytes, n);
		return f->rows->failed ? -EFBIG : 0;
	}
	if (!f->text)
		return wrote(f, fd_write_all(f->out_fd, bytes, n));
	for (size_t at = 0; at < n;) { /* as much as there is room for */
		const size_t room = f->out.max - f->out.len, part = n - at < room ? n - at : room;
		int r;

		buf_put(&f->out, (const uint8_t *)bytes + at, part);
		at += part;
		r = f->out.failed ? -ENOMEM : wrote(f, harmless_write(f->out_fd, &f->out, false));
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_input(const struct audit_ask *ask, int *ret_fd, struct err *e)
{
	auto_buf bytes = { .max = AUDIT_ASK_MAX };
	auto_fd int fd = memfd_create("ambit-audit", MFD_CLOEXEC);
	int r;

	audit_ask_encode(ask, &bytes);
	if (bytes.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "more is asked than the reader of logs takes");
	r = fd < 0 ? -errno : fd_write_all(fd, bytes.data, bytes.len);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot make a memory file for what is asked");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static void fill_complaint(const struct feed *f, int status, struct err *ret)
{
	uint32_t code = AMBIT_NOT_FOUND;

	err_clear(ret);
	if (f->n_complaints == 0)
		return;
	if (status == AUDIT_FAILED)
		code = AMBIT_MALFORMED;
	else if (f->n_complaints == COMPLAINTS)
		(void)parse_u32(f->complaint[3], AMBIT_MALFORMED, AMBIT_NO_PROGRAM, &code);
	(void)err_set(ret, (enum ambit_code)code,
		      f->n_complaints > 2 && f->complaint[2][0] != 0 ? f->complaint[2] : NULL, "%s", f->complaint[0]);
	if (f->n_complaints > 1 && f->complaint[1][0] != 0)
		(void)err_why(ret, 0, "%s", f->complaint[1]);
}

static const char *role_of(enum audit_op op)
{
	return op == AUDIT_LOOKUP ? "ambit-index" : op == AUDIT_BACKUP ? "ambit-backup" : "ambit-audit";
}

/* Up to the first without a path: what there is comes first. */
static void list_places(const struct audit_ask *ask, struct parser_place ret[PARSER_PLACES])
{
	const char *const paths[] = { ask->dir, ask->beside, ask->past, ask->target, ask->cosigned };
	size_t n = 0;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0] && n < PARSER_PLACES; i++) /* nothing wants all four */
		if (paths[i][0] != 0)
			ret[n++] = (struct parser_place){
				.path = paths[i], .writes = paths[i] == ask->target && (ask->flags & AUDIT_WRITES) != 0
			};
}

static int run(const struct audit_ask *ask, int input_fd, struct feed *f, int *ret_status, struct err *e)
{
	struct parser_ask parser = {
		.role = role_of(ask->op), .input_fd = input_fd, .memory_bytes = MEMORY, .wall_ms = WALL_MS
	};
	const struct parser_sink sink = { .take = take, .arg = f };
	int r;

	list_places(ask, parser.places);
	err_clear(e);
	r = parser_stream(&parser, &sink, ret_status, e);
	if (r == 0 && f->rows == NULL)
		r = wrote(f, harmless_write(f->out_fd, &f->out, true));
	if (f->shown_at != 0)
		(void)fputs("\r\033[K", stderr);
	if (f->gone)
		return 0;
	if (r < 0 && f->rows != NULL && f->rows->failed)
		return err_set(e, AMBIT_LIMIT, NULL, "more was found than is taken");
	return r < 0 && e->code == AMBIT_OK ? err_sys(e, AMBIT_SYSTEM, -r, "free some space, or write it elsewhere",
						      "cannot write what was found")
					    : r;
}

static int run_feed(const struct audit_ask *ask, struct feed *f, struct err *ret_complaint, struct err *e)
{
	int status = AUDIT_REFUSED, r;
	auto_fd int input = -1;

	f->begun = clock_ms();
	f->flags = ask->flags;
	f->whose = ask->op == AUDIT_LOOKUP ? "the index: " : "";
	buf_init(&f->out, 65536);
	buf_init(&f->line, ERR_MSG_MAX - 1); /* what is longer is cut */
	r = make_input(ask, &input, e);
	r = r < 0 ? r : run(ask, input, f, &status, e);
	fill_complaint(f, status, ret_complaint);
	buf_finish(&f->out);
	buf_finish(&f->line);
	return r < 0 ? r : f->gone ? AUDIT_DONE : status;
}

int auditor_run(const struct audit_ask *ask, int out_fd, bool text, struct err *ret_complaint, bool *ret_gone,
		struct err *e)
{
	struct feed f = { .out_fd = out_fd, .text = text || isatty(out_fd) == 1 };
	const int r = run_feed(ask, &f, ret_complaint, e);

	*ret_gone = f.gone;
	return r;
}

int auditor_rows(const struct audit_ask *ask, struct buf *rows, struct err *ret_complaint, struct err *e)
{
	struct feed f = { .rows = rows, .out_fd = -1 };
	const int r = run_feed(ask, &f, ret_complaint, e);

	if (r != AUDIT_DONE)
		buf_reset(rows);
	return r;
}
