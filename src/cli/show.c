#include "cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/auditor.h"
#include "cli/cli.h"
#include "cli/harmless.h"
#include "cli/pager.h"
#include "cli/place.h"
#include "cli/stamp.h"
#include "ledger/entry.h"
#include "ledger/layout.h"
#include "lib/public.h"

#define EXIT_FAULT 1
#define PIECE (64u << 10)
#define LINE_ROOM (ENTRY_MAX + 4096) /* an entry, or a line of a thousand bytes, and whose it is */

/* ---- one log ---- */

static void aside(const struct show_how *how, const struct err *why)
{
	char line[ERR_LINE_MAX], shown[2 * ERR_LINE_MAX];

	if (!how->verbose)
		return;
	err_line(why, line);
	(void)fprintf(stderr, "ambit: the index: not used: %s\n", text_escape(shown, sizeof shown, line, strlen(line)));
}

static bool is_filtered(const struct audit_ask *ask)
{
	return ask->event[0] != 0 || ask->grant[0] != 0 || ask->type[0] != 0 || ask->since_ms != 0 ||
	       ask->until_ms != 0 || ask->limit != 0 || (ask->flags & AUDIT_DENIED) != 0;
}

static int ask_index(const struct audit_ask *show, const struct place_index *index, struct buf *numbers, struct err *e)
{
	struct audit_ask ask = *show;
	struct err complaint;
	int r;

	ask.op = AUDIT_LOOKUP;
	ask.flags |= index->lock_fd >= 0 ? AUDIT_WRITES : 0;
	ask.beside[0] = 0;
	(void)text_copy(ask.target, sizeof ask.target, index->path); /* the same size */
	r = auditor_rows(&ask, numbers, &complaint, e);
	if (r < 0 || r == AUDIT_DONE)
		return r;
	if (complaint.code == AMBIT_OK)
		(void)err_set(&complaint, AMBIT_PROTOCOL, NULL, "it ended with status %d", r);
	*e = complaint;
	return -(int)e->code;
}

/* Which entries to read, as the index has it: its answer goes to whoever reads them, in numbers. Whatever goes wrong here is as if there were no
 * index. */
static void look_up(const struct show_how *how, const struct place *place, struct audit_ask *ask, struct buf *numbers)
{
	struct place_index index;
	struct numbers found = { .any = false };
	struct err why;
	int r;

	place_index(place, &index);
	if (index.lock_fd >= 0 && stamp_refuse(index.lock_fd)) {
		(void)err_set(&why, AMBIT_CONFLICT, NULL, "it was changed by somebody else, and is made anew");
		aside(how, &why);
	}
	r = index.path[0] == 0 ? -(int)index.why.code : ask_index(ask, &index, numbers, &why);
	if (index.lock_fd >= 0)
		stamp_put(index.lock_fd);
	fd_close(&index.lock_fd); /* it is written no more */
	if (r == 0 && !numbers_decode(span_bytes(numbers->data, numbers->len), &found))
		r = err_set(&why, AMBIT_PROTOCOL, NULL, "what ambit-index answers has another form");
	if (r < 0)
		aside(how, index.path[0] == 0 ? &index.why : &why);
	else if (found.any)
		ask->given = span_bytes(numbers->data, numbers->len);
}

/* Into out_fd; gives the status of the role, or -code. */
static int show_one(const struct show_how *how, const char *ledger, int out_fd, bool text, struct err *complaint,
		    struct err *e)
{
	auto_buf numbers = { .max = NUMBERS_BYTES_MAX };
	struct audit_ask ask = how->ask;
	struct place place;
	bool gone;
	int r = place_find(ledger, &place, e);

	if (r < 0)
		return r;
	(void)text_copy(ask.dir, sizeof ask.dir, place.log); /* the same size, and here */
	if (!how->json)
		(void)text_copy(ask.beside, sizeof ask.beside, place.payload);
	if (how->index && is_filtered(&ask) && ask.session[0] == 0) /* of which the index knows nothing */
		look_up(how, &place, &ask, &numbers);
	return auditor_run(&ask, out_fd, text, complaint, &gone, e);
}

static int tell(const struct show_how *how, const char *ledger, int r, const struct err *complaint, struct err *e)
{
	struct ambit_error told = { .size = sizeof told };
	struct err of = r < 0 ? *e : *complaint;

	if (of.code == AMBIT_OK)
		return r == AUDIT_DONE ? 0 : r == AUDIT_FAILED ? EXIT_FAULT : EXIT_REFUSED;
	if (ledger != NULL)
		(void)err_context(&of, -(int)of.code, "%s", ledger);
	(void)public_error(&told, -(int)of.code, &of);
	/* with --json something may stand on standard output already */
	(void)cli_refuse(how->json && ledger == NULL && r != AUDIT_FAILED, &told);
	return r == AUDIT_FAILED ? EXIT_FAULT : EXIT_REFUSED;
}

static int show_alone(struct show_how *how)
{
	const char *ledger = how->n_ledgers > 0 ? how->ledgers[0] : NULL;
	struct pager pager = { .fd = STDOUT_FILENO };
	struct err complaint, e;
	int r;

	pager_open(&pager, how->pager && !how->json);
	r = show_one(how, ledger, pager.fd, !how->json, &complaint, &e);
	if (!pager_close(&pager)) { /* it took nothing: once more, and plainly */
		how->pager = false;
		return show_alone(how);
	}
	return tell(how, NULL, r, &complaint, &e);
}

/* ---- several ---- */

/* The lines of one log, in a file without a name. */
struct spool {
	size_t number;    /* of the ledger, among those that were named */
	FILE *file;       /* owned */
	uint64_t time_ms; /* of the line that is next */
	uint32_t n;       /* its bytes */
	bool any;
};

static FILE *open_spool(void)
{
	const char *tmp = getenv("TMPDIR");
	int fd = open(tmp != NULL && tmp[0] != 0 ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	FILE *file;

	if (fd < 0)
		fd = memfd_create("ambit-show", MFD_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file == NULL && fd >= 0)
		(void)close(fd);
	return file;
}

/* The head of the next line. What is no entry has no time, and stays where it is. */
static void advance(struct spool *s)
{
	uint8_t head[AUDIT_FRAME_BYTES];
	struct rbuf r;
	uint64_t time_ms;

	s->any = fread(head, 1, sizeof head, s->file) == sizeof head;
	rbuf_init(&r, head, sizeof head);
	time_ms = rbuf_u64(&r);
	s->n = rbuf_u32(&r);
	s->any = s->any && s->n <= LINE_ROOM;
	if (time_ms != 0)
		s->time_ms = time_ms;
}

static bool take_line(struct spool *s, uint8_t room[LINE_ROOM], size_t *ret_n)
{
	*ret_n = s->n;
	if (fread(room, 1, s->n, s->file) != s->n) {
		s->any = false;
		return false;
	}
	advance(s);
	return true;
}

static struct spool *earliest(struct spool *spools, size_t n)
{
	struct spool *first = NULL;

	for (size_t i = 0; i < n; i++) {
		/* of one ledger a log goes on where the one before ended, whatever the clock said */
		const bool waits = i > 0 && spools[i - 1].any && spools[i - 1].number == spools[i].number;

		if (spools[i].any && !waits && (first == NULL || spools[i].time_ms < first->time_ms))
			first = &spools[i];
	}
	return first;
}

static void put_line(const struct show_how *how, size_t number, const uint8_t *bytes, size_t n, struct buf *out)
{
	struct json j;

	if (how->n_ledgers < 2) {
		buf_put(out, bytes, n); /* logs of one ledger: an entry of each says which follows */
		return;
	}
	if (!how->json) {
		buf_printf(out, "%s  ", how->ledgers[number]);
		buf_put(out, bytes, n);
		return;
	}
	/* the entry as it is, without its newline */
	buf_printf(out, "{\"entry\":");
	buf_put(out, bytes, n > 0 ? n - 1 : 0);
	buf_printf(out, ",\"ledger\":");
	json_begin(&j, out);
	json_put_bytes(&j, how->ledgers[number], strlen(how->ledgers[number]));
	buf_printf(out, "}\n");
}

static uint64_t count(struct spool *spools, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++) {
		for (advance(&spools[i]); spools[i].any; advance(&spools[i])) {
			lines++;
			if (fseek(spools[i].file, (long)spools[i].n, SEEK_CUR) != 0)
				break;
		}
		rewind(spools[i].file);
		spools[i].time_ms = 0;
		advance(&spools[i]);
	}
	return lines;
}

static int write_lines(int out_fd, bool text, struct buf *lines)
{
	const int r = lines->failed ? -ENOMEM
		      : text        ? harmless_write(out_fd, lines, true)
				    : fd_write_all(out_fd, lines->data, lines->len);

	buf_reset(lines);
	return r;
}

/* 0 or -errno. */
static int merge(const struct show_how *how, struct spool *spools, size_t n, int out_fd)
{
	const bool text = !how->json || isatty(out_fd) == 1;
	const uint64_t lines = count(spools, n), limit = how->ask.limit;
	uint64_t skip = limit > 0 && lines > limit ? lines - limit : 0;
	auto_buf out = { .max = PIECE + 8 * (size_t)LINE_ROOM };
	auto_free uint8_t *room = malloc(LINE_ROOM);
	struct spool *s;
	int r = room == NULL ? -ENOMEM : 0;

	while (r == 0 && (s = earliest(spools, n)) != NULL) {
		size_t bytes;

		if (!take_line(s, room, &bytes))
			continue;
		if (skip > 0)
			skip--;
		else
			put_line(how, s->number, room, bytes, &out);
		r = out.len >= PIECE ? write_lines(out_fd, text, &out) : 0;
	}
	r = r == 0 ? write_lines(out_fd, text, &out) : r;
	return r == -EPIPE ? 0 : r; /* who went has seen enough */
}

struct spools {
	struct spool *logs; /* owned */
	size_t n, room;
};

static struct spool *add_spool(struct spools *all, size_t number, struct err *e)
{
	struct spool *s;

	if (all->n == all->room) {
		s = realloc(all->logs, (all->room + 16) * sizeof *s);
		if (s == NULL) {
			(void)err_set(e, AMBIT_MEMORY, NULL, "no memory for so many logs");
			return NULL;
		}
		all->logs = s;
		all->room += 16;
	}
	s = &all->logs[all->n];
	*s = (struct spool){ .number = number, .file = open_spool() };
	if (s->file == NULL) {
		(void)err_sys(e, AMBIT_SYSTEM, errno, "make room in /tmp, or name another place with TMPDIR",
			      "cannot keep what is to be put in order");
		return NULL;
	}
	all->n++;
	return s;
}

static void close_spools(struct spools *all)
{
	for (size_t i = 0; i < all->n; i++)
		(void)fclose(all->logs[i].file);
	free(all->logs);
}

/* One log of a ledger: `dir` is the ledger's directory, or that of one before. Gives the exit status, or -code. absent: a log that does not have what
 * was asked for is not told, since another one may; *absent says that it was so. */
static int read_log(const struct show_how *how, size_t number, const char *dir, struct spools *all, bool *absent,
		    struct err *e)
{
	struct err complaint = { .code = AMBIT_OK }, wrong = { .code = AMBIT_OK };
	struct spool *s = add_spool(all, number, e);
	int r;

	if (s == NULL)
		return -(int)e->code;
	r = show_one(how, dir, fileno(s->file), false, &complaint, &wrong);
	/* the beginning of an id that nothing has is an error, a whole one is not */
	if (absent != NULL && (r == AUDIT_DONE || r == -AMBIT_NOT_FOUND || complaint.code == AMBIT_NOT_FOUND)) {
		*absent = lseek(fileno(s->file), 0, SEEK_END) == 0;
		r = *absent ? AUDIT_DONE : r;
	}
	rewind(s->file);
	if (r == AUDIT_DONE)
		return 0;
	return tell(how, dir, r, &complaint, &wrong);
}

/* A ledger's logs, those before included: the oldest first, as they will stand; of one event the latest that has it. */
static int read_ledger(const struct show_how *how, size_t number, struct spools *all, struct err *e)
{
	const char *ledger = how->n_ledgers > 0 ? how->ledgers[number] : NULL;
	const bool of_event = how->ask.event[0] != 0;
	struct err wrong;
	struct place place;
	unsigned n = 0;
	int status = 0;

	if (place_find(ledger, &place, &wrong) < 0)
		return tell(how, ledger, -(int)wrong.code, &(struct err){ .code = AMBIT_OK }, &wrong);
	n = place_past(&place);
	for (unsigned i = 0; i <= n; i++) {
		const unsigned log = of_event ? n - i : i; /* of those before; the last is the present one */
		char dir[GRANT_OBJECT_MAX + 16];
		bool absent = false;
		int one;

		(void)snprintf(dir, sizeof dir, "%s/" LEDGER_PAST "/%u", place.dir, log + 1); /* it fits */
		one = read_log(how, number, log == n ? place.dir : dir, all, of_event && i < n ? &absent : NULL, e);
		if (one < 0)
			return one;
		status = one > status ? one : status;
		if (of_event && !absent)
			break;
	}
	return status;
}

static int read_all(const struct show_how *how, struct spools *all, struct err *e)
{
	int status = 0;

	for (size_t i = 0; i < how->n_ledgers || i == 0; i++) {
		const int one = read_ledger(how, i, all, e);

		if (one < 0)
			return one;
		status = one > status ? one : status;
	}
	return status;
}

static int show_several(struct show_how *how)
{
	struct spools all = { .n = 0 };
	struct ambit_error told = { .size = sizeof told };
	struct pager pager = { .fd = STDOUT_FILENO };
	struct err e;
	int status, r = 0;

	how->ask.flags |= AUDIT_FRAMED;
	status = read_all(how, &all, &e);
	if (status >= 0) {
		pager_open(&pager, how->pager && !how->json);
		r = merge(how, all.logs, all.n, pager.fd);
		if (!pager_close(&pager))
			r = merge(how, all.logs, all.n, STDOUT_FILENO);
	}
	close_spools(&all);
	if (r < 0)
		status = err_sys(&e, AMBIT_SYSTEM, -r, "free some space, or write it elsewhere",
				 "cannot write what was found");
	if (status >= 0)
		return status;
	(void)public_error(&told, status, &e);
	return cli_refuse(false, &told);
}

static bool has_past(const struct show_how *how)
{
	struct place place;

	return place_find(how->n_ledgers > 0 ? how->ledgers[0] : NULL, &place, NULL) == 0 && place_past(&place) > 0;
}

int show(struct show_how *how)
{
	if (how->json)
		how->ask.flags |= AUDIT_JSON;
	if (how->verbose)
		how->ask.flags |= AUDIT_VERBOSE;
	if (isatty(STDERR_FILENO) == 1)
		how->ask.flags |= AUDIT_PROGRESS;
	return how->n_ledgers > 1 || has_past(how) ? show_several(how) : show_alone(how);
}
