#include "cli/prune.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/row.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "cli/auditor.h"
#include "cli/cli.h"
#include "ledger/talk.h"
#include "lib/ledger.h"
#include "lib/payload.h"
#include "lib/public.h"

#define LOCK_PATIENCE_MS 5000  /* for events that are being recorded just now: two flushes of a disk */
#define NAMES_MAX (256u << 20) /* bytes: six million payloads */
#define ROWS_MAX (512u << 20)  /* five million entries that name one */
#define PROGRESS_EACH 256      /* files */

#define NAME_KNOWN 1u /* an entry names it */
#define NAME_YOUNG 2u /* and one that is to stay */
#define NAME_GOES 4u

struct name {
	uint8_t digest[SHA256_BYTES];
	uint32_t size; /* as its entry says; at most PAYLOAD_MAX */
	uint32_t flags;
};

struct pruning {
	const struct prune_how *how;
	int dir_fd;       /* owned: of the payloads */
	struct buf names; /* owned; struct name each, sorted */
	bool left_alone;  /* what no entry names was not looked at: an event is being recorded */
	uint64_t go, bytes, stay, leftovers, strange;
	uint64_t failed;
	int failed_errno; /* of the first */
};

/* ---- what there is ---- */

static struct name *names_of(const struct pruning *p, size_t *ret_n)
{
	*ret_n = p->names.len / sizeof(struct name);
	return (struct name *)(void *)p->names.data;
}

static void take_name(struct pruning *p, const char *text)
{
	struct name name = { .flags = 0 };

	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return;
	if (payload_name_take(text, strlen(text), name.digest))
		buf_put(&p->names, &name, sizeof name);
	else
		p->strange++;
}

static int by_name(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return memcmp(x->digest, y->digest, sizeof x->digest);
}

/* Nobody has written what he is still to name while we have the lock: what is listed then and named later by no entry never will be. */
static int list_names(struct pruning *p, struct err *e)
{
	const int fd = fcntl(p->dir_fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;
	struct name *names;
	size_t n;

	if (dir == NULL)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot list the records beside the log");
	p->left_alone = fd_lock(p->dir_fd, LOCK_PATIENCE_MS) < 0;
	while ((errno = 0, d = readdir(dir)) != NULL)
		take_name(p, d->d_name);
	n = (size_t)errno;
	(void)flock(p->dir_fd, LOCK_UN); /* or it is not ours */
	(void)closedir(dir);
	if (n != 0)
		return err_sys(e, AMBIT_SYSTEM, (int)n, NULL, "cannot list the records beside the log");
	if (p->names.failed)
		return err_set(e, AMBIT_LIMIT, NULL, "there are more files beside the log than are looked at");
	names = names_of(p, &n);
	if (n > 0)
		qsort(names, n, sizeof *names, by_name);
	return 0;
}

/* ---- what of it goes ---- */

static void mark(const struct pruning *p, const struct audit_row *row)
{
	const bool is_old = (row->flags & AUDIT_ROW_UNSIGNED) == 0 && row->wall_ms < p->how->before_ms;
	struct name key = { .flags = 0 }, *found;
	size_t n;
	struct name *names = names_of(p, &n);

	memcpy(key.digest, row->payload.digest, sizeof key.digest);
	found = n == 0 ? NULL : bsearch(&key, names, n, sizeof key, by_name);
	if (found == NULL)
		return; /* gone before */
	found->flags |= NAME_KNOWN | (is_old ? 0 : NAME_YOUNG);
	found->size = (uint32_t)row->payload.size;
}

static int mark_all(const struct pruning *p, const struct audit_ask *ask, struct err *e)
{
	auto_buf rows = { .max = ROWS_MAX };
	struct audit_row row;
	struct err complaint;
	struct rbuf r;
	const int status = auditor_rows(ask, &rows, &complaint, e);

	if (status < 0)
		return status;
	if (status != AUDIT_DONE && complaint.code != AMBIT_OK) {
		*e = complaint;
		return -(int)e->code;
	}
	rbuf_init(&r, rows.data, rows.len);
	while (rbuf_left(&r) > 0 && audit_row_decode(&r, &row))
		mark(p, &row);
	return status == AUDIT_DONE && rbuf_done(&r)
		       ? 0
		       : err_set(e, AMBIT_PROTOCOL, NULL, "whoever reads the log said what it may not");
}

/* By a time that nobody can set. */
static bool is_old_file(const struct pruning *p, const struct name *name)
{
	char text[PAYLOAD_NAME_MAX];
	struct stat st;

	payload_name(name->digest, text);
	return fstatat(p->dir_fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (uint64_t)st.st_ctim.tv_sec * 1000 + (uint64_t)st.st_ctim.tv_nsec / 1000000 < p->how->before_ms;
}

static void choose(struct pruning *p)
{
	size_t n;
	struct name *names = names_of(p, &n);

	for (size_t i = 0; i < n; i++) {
		struct name *name = &names[i];

		if ((name->flags & NAME_KNOWN) == 0) {
			if (!p->left_alone && is_old_file(p, name)) {
				name->flags |= NAME_GOES;
				p->leftovers++;
			}
		} else if ((name->flags & NAME_YOUNG) != 0) {
			p->stay++;
		} else {
			name->flags |= NAME_GOES;
			p->go++;
			p->bytes += (uint64_t)name->size + PAYLOAD_SALT;
		}
	}
}

/* ---- and goes ---- */

static int tell_ledger(const struct pruning *p, const char *dir, struct err *e)
{
	auto_free struct talk *t = malloc(sizeof *t);
	struct ledger_hello ignored;
	int sock, r;

	if (t == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to tell the ledger");
	r = ledger_connect(dir, &sock, &ignored, e);
	if (r < 0)
		return r;
	talk_init(t, sock, "");
	r = talk_prune(t, p->how->before_ms, p->go, p->bytes, e);
	talk_finish(t);
	return r;
}

static void remove_one(struct pruning *p, const struct name *name)
{
	char text[PAYLOAD_NAME_MAX];

	payload_name(name->digest, text);
	if (unlinkat(p->dir_fd, text, 0) == 0 || errno == ENOENT)
		return;
	if (p->failed++ == 0)
		p->failed_errno = errno;
}

static void remove_all(struct pruning *p)
{
	const bool shown = isatty(STDERR_FILENO) == 1;
	uint64_t done = 0;
	size_t n;
	const struct name *names = names_of(p, &n);

	for (size_t i = 0; i < n; i++) {
		if ((names[i].flags & NAME_GOES) == 0)
			continue;
		remove_one(p, &names[i]);
		if (shown && ++done % PROGRESS_EACH == 0)
			(void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " removed", done, p->go + p->leftovers);
	}
	if (shown && done >= PROGRESS_EACH)
		(void)fputs("\r\033[K", stderr);
	(void)fsync(p->dir_fd); /* what comes back with a loss of power is removed the next time */
}

/* ---- and is told ---- */

static void say(const struct pruning *p)
{
	const bool dry = p->how->dry_run;
	char before[TIMESTAMP_LEN + 1];

	(void)timestamp_write(p->how->before_ms, before); /* it is in the past */
	(void)printf("%s %" PRIu64 " record%s of before %s (%" PRIu64 " bytes); %" PRIu64 " %s\n",
		     dry ? "would remove" : "removed", p->go, text_plural(p->go), before, p->bytes, p->stay,
		     p->stay == 1 ? "stays" : "stay");
	if (p->leftovers > 0)
		(void)printf("%s %" PRIu64 " file%s that no entry names: whoever recorded an event was killed\n",
			     dry ? "would remove" : "removed", p->leftovers, text_plural(p->leftovers));
	if (p->left_alone)
		(void)puts("files that no entry names were not looked at, since events are being recorded");
	if (p->strange > 0)
		(void)printf("%" PRIu64 " file%s there %s no record and stay%s\n", p->strange, text_plural(p->strange),
			     p->strange == 1 ? "is" : "are", p->strange == 1 ? "s" : "");
}

static int say_json(const struct pruning *p)
{
	auto_buf out = { .max = 1024 };
	struct json j;

	json_begin(&j, &out);
	json_put_object(&j);
	json_put_ms(json_put_key(&j, "before"), p->how->before_ms);
	json_put_count(json_put_key(&j, "pruned"), p->go);
	json_put_count(json_put_key(&j, "bytes"), p->bytes);
	json_put_count(json_put_key(&j, "kept"), p->stay);
	json_put_count(json_put_key(&j, "unnamed"), p->leftovers);
	json_put_count(json_put_key(&j, "strange"), p->strange);
	json_put_count(json_put_key(&j, "failed"), p->failed);
	json_put_bool(json_put_key(&j, "dry_run"), p->how->dry_run);
	json_put_object_end(&j);
	buf_printf(&out, "\n");
	return cli_write(out.data, out.len);
}

/* ---- the whole ---- */

static int open_payloads(const struct place *place, int *ret_fd, struct err *e)
{
	auto_fd int dir_fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir_fd < 0 ? err_sys(e, AMBIT_NOT_FOUND, errno, NULL, "cannot open the ledger in %s", place->dir)
			  : payload_directory(dir_fd, false, ret_fd, e);
}

static int prune_there(struct pruning *p, const struct place *place, const char *key, struct err *e)
{
	struct audit_ask ask = { .op = AUDIT_PAYLOADS, .flags = isatty(STDERR_FILENO) == 1 ? AUDIT_PROGRESS : 0 };
	int r = open_payloads(place, &p->dir_fd, e);

	if (r < 0)
		return r;
	(void)text_copy(ask.dir, sizeof ask.dir, place->log);    /* the same size */
	(void)text_copy(ask.past, sizeof ask.past, place->past); /* likewise */
	(void)text_copy(ask.key, sizeof ask.key, key);           /* likewise */
	r = list_names(p, e);
	r = r < 0 ? r : mark_all(p, &ask, e);
	if (r < 0)
		return r;
	choose(p);
	if (p->how->dry_run)
		return 0;
	r = p->go == 0 ? 0 : tell_ledger(p, place->dir, e);
	if (r == 0)
		remove_all(p);
	return r;
}

static int tell(const struct pruning *p)
{
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int status;

	if (!p->how->json)
		say(p);
	status = p->how->json ? say_json(p) : cli_flush();
	if (p->failed == 0)
		return status;
	(void)err_sys(&e, AMBIT_SYSTEM, p->failed_errno, "see who may write there, and prune again",
		      "%" PRIu64 " of them could not be removed", p->failed);
	(void)public_error(&told, -AMBIT_SYSTEM, &e);
	return cli_error(&told);
}

int prune(const struct place *place, const char *key, const struct prune_how *how)
{
	struct pruning p = { .how = how, .dir_fd = -1 };
	struct ambit_error told = { .size = sizeof told };
	struct err e;
	int r;

	buf_init(&p.names, NAMES_MAX);
	r = prune_there(&p, place, key, &e);
	r = public_error(&told, r, &e) < 0 ? cli_refuse(how->json, &told) : tell(&p);
	fd_close(&p.dir_fd);
	buf_finish(&p.names);
	return r;
}
