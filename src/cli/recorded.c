#include "cli/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/row.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/auditor.h"
#include "cli/place.h"
#include "cli/reader.h"
#include "ledger/layout.h"
#include "lib/payload.h"

#define SIGNING_MS 5000 /* for the ledger to sign what it has accepted: a second, and what its disk takes */
#define SIGNING_LOOK_MS 100

static int find_row(const struct audit_ask *ask, struct audit_row *ret, struct err *e)
{
	auto_buf rows = { .max = AUDIT_ROW_BYTES };
	struct err complaint;
	struct rbuf r;
	int status = auditor_rows(ask, &rows, &complaint, e);

	if (status < 0)
		return status;
	if (status != AUDIT_DONE && complaint.code != AMBIT_OK) {
		*e = complaint;
		return -(int)e->code;
	}
	rbuf_init(&r, rows.data, rows.len);
	if (status != AUDIT_DONE || !audit_row_decode(&r, ret) || !rbuf_done(&r))
		return err_set(e, AMBIT_PROTOCOL, NULL, "whoever reads the log said what it may not");
	return 0;
}

/* What was recorded just now is signed soon. */
static int find_signed_row(const struct audit_ask *ask, struct audit_row *ret, struct err *e)
{
	for (unsigned waited = 0;; waited += SIGNING_LOOK_MS) {
		const int r = find_row(ask, ret, e);

		if (r < 0 || (ret->flags & AUDIT_ROW_UNSIGNED) == 0)
			return r;
		if (waited >= SIGNING_MS)
			return err_set(e, AMBIT_CONFLICT, "the ledger signs it when the next event is recorded there",
				       "the entry with the record of %s is not signed yet", ret->event);
		(void)poll(NULL, 0, SIGNING_LOOK_MS);
	}
}

static int missing(const struct audit_row *row, struct err *e)
{
	if ((row->flags & AUDIT_ROW_PRUNED) != 0)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit ledger show --type prune` says when",
			       "the record of %s was pruned", row->event);
	return err_why(e,
		       err_set(e, AMBIT_CONFLICT, "restore it from a backup",
			       "the record of %s is missing, and nothing says that it was pruned", row->event),
		       "entry %" PRIu64 " of the log has its digest", row->seq);
}

static int changed(const struct audit_row *row, const char *why, struct err *e)
{
	char name[PAYLOAD_NAME_MAX];

	payload_name(row->payload.digest, name);
	(void)err_set(e, AMBIT_CONFLICT,
		      "restore it from a backup; `ambit ledger verify --payloads` looks at all of them",
		      "the record of %s was changed: %s", row->event, why);
	return err_why(e, -AMBIT_CONFLICT, LEDGER_PAYLOAD "/%s beside the log is not what entry %" PRIu64 " names",
		       name, row->seq);
}

/* Whatever lies there: it is read by a role. */
static int open_payload(const struct place *place, const struct audit_row *row, int *ret_fd, struct err *e)
{
	char path[sizeof place->payload + PAYLOAD_NAME_MAX + 1], name[PAYLOAD_NAME_MAX];
	struct stat st;
	auto_fd int fd = -1;

	payload_name(row->payload.digest, name);
	(void)snprintf(path, sizeof path, "%s/%s", place->payload, name); /* it fits */
	fd = place->payload[0] == 0 ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && (place->payload[0] == 0 || errno == ENOENT))
		return missing(row, e);
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot open the record of %s", row->event);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return changed(row, "it is no regular file", e);
	if ((uint64_t)st.st_size != row->payload.size + PAYLOAD_SALT)
		return changed(row, "it has another length", e);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int read_event(const char *word, const char *ledger, const char *how, struct buf *text, struct err *e)
{
	char mode[64 + PAYLOAD_NAME_MAX + ID_TEXT_MAX], name[PAYLOAD_NAME_MAX];
	struct audit_ask ask = { .op = AUDIT_RESULT };
	struct audit_row row = { .flags = 0 };
	struct place place;
	auto_fd int fd = -1;
	int r = place_find(ledger, &place, e);

	if (r < 0)
		return r;
	(void)text_copy(ask.dir, sizeof ask.dir, place.log);    /* the same size */
	(void)text_copy(ask.past, sizeof ask.past, place.past); /* likewise */
	(void)text_copy(ask.event, sizeof ask.event, word);     /* place_is_event */
	r = find_signed_row(&ask, &row, e);
	r = r < 0 ? r : open_payload(&place, &row, &fd, e);
	if (r < 0)
		return r;
	payload_name(row.payload.digest, name);
	(void)snprintf(mode, sizeof mode, "%s " EXPLAIN_PAYLOAD "%s:%s", how, name, row.event); /* it fits */
	r = reader_run_raw(fd, mode, text, e);
	return r == -AMBIT_CONFLICT ? changed(&row, "it has another digest", e) : r;
}

static int read_file(const char *path, const char *how, struct buf *text, struct err *e)
{
	auto_fd int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? err_sys(e, AMBIT_USAGE, errno,
				strncmp(path, "e_", 2) == 0
					? "an event is e_ and capital letters and digits, or how they begin; `ambit ledger show` lists them"
					: "name a record that can be read, or - for standard input",
				"cannot open the record %s", path)
		      : reader_run_raw(fd, how, text, e);
}

int recorded_read(const char *word, const char *ledger, const char *how, struct buf *text, struct err *e)
{
	return place_is_event(word) ? read_event(word, ledger, how, text, e) : read_file(word, how, text, e);
}
