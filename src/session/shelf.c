#include "session/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "base/num.h"
#include "base/text.h"

#define HEAD_MAGIC 0x53424d41u /* "AMBS" */
#define HEAD_VERSION 1u
#define ROW_BYTES 4220
#define HEAD_BYTES (8 + ROW_BYTES + 16) /* magic, version, row, checksum of the description, and of all before that */
#define HALF (SHELF_SLOT / 2)
#define MESSAGE_CUT 160 /* of an event's message and hint: the record has them whole */
#define READ_SLOTS 64
#define FLAGS_OF_END (uint32_t)(EVENT_UNUSUAL | EVENT_HELD) /* in the word of `denied`, which is its lowest bit */

void shelf_init(struct shelf *s)
{
	*s = (struct shelf){ .dir_fd = -1, .events_fd = -1, .next = 1, .oldest = 1 };
}

void shelf_finish(struct shelf *s)
{
	fd_close(&s->events_fd);
	fd_close(&s->dir_fd);
	free(s->keys);
	free(s->kept);
	retain_finish(&s->retain);
	shelf_init(s);
}

/* ---- what it is ---- */

static int write_whole(int dir_fd, const char *name, const struct buf *b)
{
	char temporary[40];
	auto_fd int fd = -1;
	int r;

	(void)snprintf(temporary, sizeof temporary, ".%s", name); /* fits */
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = b->failed ? -ENOMEM : fd_write_all(fd, b->data, b->len);
	if (r == 0 && (fsync(fd) < 0 || renameat(dir_fd, temporary, dir_fd, name) < 0 || fsync(dir_fd) < 0))
		r = -errno;
	return r;
}

static int write_head(int dir_fd, const struct session_row *row, const struct buf *description)
{
	auto_buf all = { .max = 0 };

	buf_init(&all, HEAD_BYTES + DESCRIPTION_BYTES_MAX);
	buf_put_u32(&all, HEAD_MAGIC);
	buf_put_u32(&all, HEAD_VERSION);
	session_row_put(&all, row);
	buf_put_u64(&all, fnv(FNV_BASIS, description->data, description->len));
	buf_put_u64(&all,
		    all.failed ? 0 : fnv(FNV_BASIS, all.data, all.len)); /* of all before it: a list reads no more */
	buf_put(&all, description->data, description->len);
	return write_whole(dir_fd, SHELF_SESSION, &all);
}

static int take_head(const uint8_t head[HEAD_BYTES], struct session_row *ret, uint64_t *ret_sum)
{
	struct rbuf in, row;
	const uint8_t *row_at;
	uint32_t magic, version;

	rbuf_init(&in, head, HEAD_BYTES);
	magic = rbuf_u32(&in);
	version = rbuf_u32(&in);
	row_at = rbuf_bytes(&in, ROW_BYTES);
	*ret_sum = rbuf_u64(&in);
	if (magic != HEAD_MAGIC || version != HEAD_VERSION || rbuf_u64(&in) != fnv(FNV_BASIS, head, HEAD_BYTES - 8))
		return -AMBIT_MALFORMED;
	rbuf_init(&row, row_at, ROW_BYTES);
	return session_row_take(&row, ret) ? 0 : -AMBIT_MALFORMED;
}

/* What the row says of the events is theirs to say. */
static void look_up(int dir_fd, struct session_row *row)
{
	struct stat st;

	row->events = fstatat(dir_fd, SHELF_EVENTS, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size / SHELF_SLOT
										   : 0;
	row->running = 0;
	row->state = faccessat(dir_fd, SHELF_ENDED, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? SESSION_ENDED : SESSION_IDLE;
}

static int read_head(int dir_fd, struct session_row *ret_row, struct buf *ret_description)
{
	auto_fd int fd = openat(dir_fd, SHELF_SESSION,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); /* a pipe would make all wait */
	uint8_t head[HEAD_BYTES];
	uint64_t sum;
	int r;

	if (fd < 0)
		return errno == ENOENT ? -AMBIT_NOT_FOUND : -AMBIT_SYSTEM;
	if (fd_read_all(fd, head, sizeof head) != (ssize_t)sizeof head)
		return -AMBIT_MALFORMED;
	r = take_head(head, ret_row, &sum);
	if (r < 0)
		return r;
	look_up(dir_fd, ret_row);
	if (ret_description == NULL)
		return 0;
	r = fd_read_into(fd, ret_description);
	if (r < 0)
		return r == -EFBIG ? -AMBIT_MALFORMED : -AMBIT_SYSTEM;
	return fnv(FNV_BASIS, ret_description->data, ret_description->len) == sum ? 0 : -AMBIT_MALFORMED;
}

static int open_directory(int sessions_fd, const char *id)
{
	return openat(sessions_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int shelf_row(int sessions_fd, const char *id, struct session_row *ret)
{
	auto_fd int fd = open_directory(sessions_fd, id);

	return fd < 0 ? -AMBIT_NOT_FOUND : read_head(fd, ret, NULL);
}

/* ---- labels ---- */

#define LABELS_UNKNOWN (UINT64_C(1) << SHELF_LABELS_MAX)

/* A line for each name. It was written whole, so that a bit which stands in a slot never means another one. */
static int read_labels(struct shelf *s)
{
	auto_fd int fd = openat(s->dir_fd, SHELF_LABELS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_buf text = { .max = sizeof s->labels + 1 };
	const char *line, *end = NULL;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fd_read_into(fd, &text);
	line = (const char *)text.data;
	for (size_t left = text.len; r == 0 && left > 0; left -= (size_t)(end + 1 - line), line = end + 1) {
		char *name = s->labels[s->n_labels];

		end = memchr(line, '\n', left);
		if (end == NULL || end - line >= FLOW_LABEL_MAX || s->n_labels == SHELF_LABELS_MAX)
			return -EINVAL;
		memcpy(name, line, (size_t)(end - line));
		r = flow_is_name(name) ? 0 : -EINVAL;
		s->n_labels++;
	}
	return r;
}

static void take_labels(const struct shelf *s, uint64_t bits, struct labels *ret)
{
	ret->text[0] = 0;
	for (unsigned bit = 0; bit < s->n_labels; bit++)
		if ((bits >> bit & 1) != 0)
			labels_add(ret, s->labels[bit]);
	if (bits >> s->n_labels != 0)
		labels_set_unknown(ret);
}

/* The last of the names is new. */
static bool write_labels(struct shelf *s)
{
	auto_buf text = { .max = sizeof s->labels };

	for (unsigned i = 0; i < s->n_labels; i++)
		buf_printf(&text, "%s\n", s->labels[i]);
	return write_whole(s->dir_fd, SHELF_LABELS, &text) == 0;
}

static uint64_t bit_of(struct shelf *s, const char *name)
{
	unsigned bit = 0;

	while (bit < s->n_labels && strcmp(s->labels[bit], name) != 0)
		bit++;
	if (bit == SHELF_LABELS_MAX)
		return LABELS_UNKNOWN;
	if (bit == s->n_labels) {
		(void)text_copy(s->labels[s->n_labels++], FLOW_LABEL_MAX, name); /* a label's name: it fits */
		if (!write_labels(s)) {
			s->n_labels--;
			return LABELS_UNKNOWN;
		}
	}
	return UINT64_C(1) << bit;
}

static uint64_t bits_of(struct shelf *s, const struct labels *labels)
{
	uint64_t bits = labels_are_unknown(labels) ? LABELS_UNKNOWN : 0;
	const char *at = labels->text;
	char name[FLOW_LABEL_MAX];

	while (labels_next(&at, name))
		bits |= bit_of(s, name);
	return bits;
}

/* ---- slots ---- */

static void put_sum(struct buf *b)
{
	while (!b->failed && b->len < HALF - 8)
		buf_put_u8(b, 0);
	buf_put_u64(b, fnv(FNV_BASIS, b->data, HALF - 8));
}

static bool has_sum(struct rbuf *in, const uint8_t *half)
{
	struct rbuf sum;

	rbuf_init(&sum, half + HALF - 8, 8);
	rbuf_init(in, half, HALF - 8);
	return rbuf_u64(&sum) == fnv(FNV_BASIS, half, HALF - 8);
}

static void put_asked(struct buf *b, const struct shelf_asked *a)
{
	buf_put_u64(b, a->n);
	buf_put_u64(b, a->taken_ms);
	buf_put_u32(b, a->flags);
	buf_put_text(b, a->event, sizeof a->event);
	buf_put_text(b, a->key, sizeof a->key);
	buf_put(b, a->digest, sizeof a->digest);
	buf_put_text(b, a->command, sizeof a->command);
	put_sum(b);
}

static bool take_asked(const uint8_t *half, uint64_t n, struct shelf_asked *ret)
{
	struct rbuf in;
	const uint8_t *digest;

	if (!has_sum(&in, half))
		return false;
	ret->n = rbuf_u64(&in);
	ret->taken_ms = rbuf_u64(&in);
	ret->flags = rbuf_u32(&in);
	rbuf_text(&in, ret->event, sizeof ret->event);
	rbuf_text(&in, ret->key, sizeof ret->key);
	digest = rbuf_bytes(&in, sizeof ret->digest);
	rbuf_text(&in, ret->command, sizeof ret->command);
	if (in.failed || ret->n != n || ret->flags > EVENT_FLAGS || !id_is('e', ret->event, strlen(ret->event)))
		return false;
	memcpy(ret->digest, digest, sizeof ret->digest);
	return true;
}

static void put_end(struct buf *b, const struct event_row *r, uint64_t labels)
{
	buf_put_u32(b, r->state);
	buf_put_u32(b, r->exit_status);
	buf_put_u32(b, r->denied | (r->flags & FLAGS_OF_END));
	buf_put_u64(b, r->begun_ms);
	buf_put_u64(b, r->ended_ms);
	buf_put_u64(b, r->out_bytes);
	buf_put_u64(b, r->err_bytes);
	buf_put_u32(b, r->code);
	buf_put_text(b, r->message, MESSAGE_CUT);
	buf_put_text(b, r->hint, MESSAGE_CUT - 64);
	if (r->state == EVENT_OVER)
		outcome_encode(&r->outcome, b);
	buf_put_u64(b, r->result_bytes);
	buf_put_u64(b, labels);
	put_sum(b);
}

_Static_assert(16 + 40 + MESSAGE_CUT + MESSAGE_CUT - 64 + OUTCOME_BYTES + 16 <= HALF, "an end fits its half");
_Static_assert(20 + ID_TEXT_MAX + SESSION_KEY_MAX + 1 + 32 + SESSION_COMMAND_MAX + 8 <= HALF,
	       "what was asked fits its half");

static bool take_end(const struct shelf *s, const uint8_t *half, struct event_row *ret)
{
	struct rbuf in;
	uint32_t denied;
	bool good;

	if (!has_sum(&in, half))
		return false;
	ret->state = rbuf_u32(&in);
	ret->exit_status = rbuf_u32(&in);
	denied = rbuf_u32(&in);
	good = (denied & ~(1 | FLAGS_OF_END)) == 0;
	ret->denied = denied & 1;
	ret->flags |= denied & FLAGS_OF_END;
	ret->begun_ms = rbuf_u64(&in);
	ret->ended_ms = rbuf_u64(&in);
	ret->out_bytes = rbuf_u64(&in);
	ret->err_bytes = rbuf_u64(&in);
	ret->code = rbuf_u32(&in);
	rbuf_text(&in, ret->message, MESSAGE_CUT);
	rbuf_text(&in, ret->hint, MESSAGE_CUT - 64);
	if (ret->state == EVENT_OVER)
		outcome_decode(&in, &ret->outcome);
	ret->result_bytes = rbuf_u64(&in);
	take_labels(s, rbuf_u64(&in), &ret->labels); /* zeroes, where an older program wrote it */
	return good && !in.failed && (ret->state == EVENT_OVER || ret->state == EVENT_INTERRUPTED) &&
	       ret->exit_status <= 255 && ret->code <= INT_MAX;
}

static bool row_of(const struct shelf *s, const uint8_t *slot, uint64_t n, struct event_row *ret)
{
	struct shelf_asked a;

	memset(ret, 0, sizeof *ret);
	if (!take_asked(slot, n, &a))
		return false;
	if (!take_end(s, slot + HALF, ret)) {
		memset(ret, 0, sizeof *ret);
		ret->state = EVENT_TAKEN;
	}
	ret->n = n;
	ret->flags |= a.flags;
	ret->taken_ms = a.taken_ms;
	memcpy(ret->event, a.event, sizeof ret->event);
	memcpy(ret->command, a.command, sizeof ret->command);
	return true;
}

static bool read_slot(const struct shelf *s, uint64_t n, uint8_t slot[SHELF_SLOT])
{
	return n > 0 && n < s->next &&
	       pread(s->events_fd, slot, SHELF_SLOT, (off_t)((n - 1) * SHELF_SLOT)) == SHELF_SLOT;
}

bool shelf_read(const struct shelf *s, uint64_t n, struct event_row *ret)
{
	uint8_t slot[SHELF_SLOT];

	if (!read_slot(s, n, slot) || !row_of(s, slot, n, ret))
		return false;
	if (!s->kept[n - 1])
		ret->flags |= EVENT_PRUNED;
	return true;
}

static int write_half(const struct shelf *s, uint64_t n, bool second, const struct buf *b)
{
	const off_t at = (off_t)((n - 1) * SHELF_SLOT + (second ? HALF : 0));
	ssize_t done;

	do
		done = pwrite(s->events_fd, b->data, HALF, at);
	while (done < 0 && errno == EINTR);
	return b->failed || b->len != HALF ? -EINVAL : done < 0 ? -errno : done == HALF ? 0 : -ENOSPC;
}

/* ---- files ---- */

static void name_of(uint64_t n, enum shelf_kind kind, char ret[40])
{
	static const char *const ends[] = {
		[SHELF_RUN] = "run",     [SHELF_OUT] = "out",       [SHELF_ERR] = "err",
		[SHELF_RECORD] = "json", [SHELF_RESULT] = "result", [SHELF_STEPS] = "steps"
	};

	(void)snprintf(ret, 40, "%llu.%s", (unsigned long long)n, ends[kind]); /* fits */
}

int shelf_file(const struct shelf *s, uint64_t n, enum shelf_kind kind, int flags)
{
	char name[40];
	int fd;

	name_of(n, kind, name);
	fd = openat(s->dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static uint64_t size_of(const struct shelf *s, uint64_t n, enum shelf_kind kind)
{
	auto_fd int fd = shelf_file(s, n, kind, O_RDONLY);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- what is known of each ---- */

static int make_room(struct shelf *s, uint64_t n)
{
	const size_t room = s->room == 0 ? 64 : 2 * s->room;
	uint64_t *keys;
	bool *kept;

	if (n <= s->room)
		return 0;
	keys = realloc(s->keys, room * sizeof *keys);
	if (keys == NULL)
		return -ENOMEM;
	s->keys = keys;
	kept = realloc(s->kept, room * sizeof *kept);
	if (kept == NULL)
		return -ENOMEM;
	s->kept = kept;
	s->room = room;
	return 0;
}

static int note(struct shelf *s, uint64_t n, const char *key)
{
	const int r = make_room(s, n);

	if (r < 0)
		return r;
	s->keys[n - 1] = link_key(key);
	s->kept[n - 1] = true;
	return 0;
}

uint64_t shelf_find(const struct shelf *s, const char *key, struct shelf_asked *ret)
{
	const uint64_t sum = link_key(key);
	uint8_t slot[SHELF_SLOT];

	for (uint64_t n = s->next; sum != 0 && --n > 0;)
		if (s->keys[n - 1] == sum && read_slot(s, n, slot) && take_asked(slot, n, ret) &&
		    strcmp(ret->key, key) == 0)
			return n;
	return 0;
}

/* ---- opening ---- */

static int cannot(struct err *e, int r, const char *what)
{
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write in the directory of sessions", "cannot %s", what);
}

static int open_events(struct shelf *s, struct err *e)
{
	s->events_fd = openat(s->dir_fd, SHELF_EVENTS, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return s->events_fd < 0 ? cannot(e, -errno, "open the session's events") : 0;
}

/* What an interrupted one, or one whose supervisor was killed, took of the processors nobody knows: as if it had had one to itself. */
static void add_cost(struct shelf *s, const struct event_row *row)
{
	const bool lasted = row->begun_ms != 0 && row->ended_ms > row->begun_ms;
	const bool is_known = row->state == EVENT_OVER && row->outcome.cause != CAUSE_LOST;

	if (is_known) {
		s->wall_ms += row->outcome.usage.wall_ms;
		s->cpu_ms += row->outcome.usage.cpu_user_ms + row->outcome.usage.cpu_system_ms;
	} else if (lasted) {
		s->wall_ms += row->ended_ms - row->begun_ms;
		s->cpu_ms += row->ended_ms - row->begun_ms;
	}
}

/* It wrote nothing, and has no record: there is nothing to forget. */
static bool has_nothing(const struct event_row *row)
{
	return (row->flags & EVENT_KERNEL) == 0 && /* which has its steps, at least */
	       row->out_bytes + row->err_bytes + row->result_bytes == 0 &&
	       (row->state == EVENT_INTERRUPTED || row->outcome.cause == CAUSE_REFUSED || row->begun_ms == 0);
}

/* A slot whose first half cannot be read was never answered for if it is the last one; another was damaged by something else than a death. */
static int look_at(struct shelf *s, const uint8_t *slot, uint64_t n, struct err *e)
{
	struct shelf_asked a;
	struct event_row row;

	if (!take_asked(slot, n, &a))
		a.key[0] = 0;
	if (note(s, n, a.key) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the session's events");
	if (!row_of(s, slot, n, &row))
		return 0;
	if (row.state == EVENT_TAKEN && s->unended == 0)
		s->unended = n;
	s->kept[n - 1] = row.state == EVENT_TAKEN || has_nothing(&row);
	add_cost(s, &row);
	return 0;
}

static int read_events(struct shelf *s, struct err *e)
{
	static uint8_t slots[READ_SLOTS * SHELF_SLOT];
	int r = 0;

	for (;;) {
		const ssize_t n = pread(s->events_fd, slots, sizeof slots, (off_t)((s->next - 1) * SHELF_SLOT));

		if (n < 0)
			return cannot(e, -errno, "read the session's events");
		for (ssize_t at = 0; at + SHELF_SLOT <= n && r == 0; at += SHELF_SLOT)
			r = look_at(s, slots + at, s->next++, e);
		if (r < 0 || n < (ssize_t)sizeof slots)
			return r;
	}
}

/* The last may be half of one, which nobody was told of: its number is given again. */
static void drop_torn(struct shelf *s)
{
	uint8_t slot[SHELF_SLOT];
	struct shelf_asked a;

	if (s->next > 1 && read_slot(s, s->next - 1, slot) && !take_asked(slot, s->next - 1, &a))
		s->next--;
}

static uint64_t bytes_kept(const struct shelf *s, uint64_t n)
{
	uint64_t sum = 0;

	for (enum shelf_kind k = SHELF_OUT; k < SHELF_KINDS; k++)
		sum += size_of(s, n, k);
	return sum;
}

/* "17.out" */
static uint64_t number_of(const char *name)
{
	const char *dot = strchr(name, '.');
	char digits[24];
	uint64_t n = 0;

	if (dot == NULL || (size_t)(dot - name) >= sizeof digits)
		return 0;
	memcpy(digits, name, (size_t)(dot - name));
	digits[dot - name] = 0;
	return parse_u64(digits, 1, UINT64_MAX, &n) ? n : 0;
}

/* Of those that are over what lies there is what is kept: one that ran for very long may have any number. */
static int find_kept(struct shelf *s, struct err *e)
{
	const int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct event_row row;

	if (dir == NULL)
		return cannot(e, -errno, "list what is kept of the session");
	while ((entry = readdir(dir)) != NULL) {
		const uint64_t n = number_of(entry->d_name);

		if (n == 0 || n >= s->next || s->kept[n - 1] || !shelf_read(s, n, &row))
			continue;
		s->kept[n - 1] = true;
		(void)retain_add(&s->retain,
				 &(struct retained){ .n = n, .ended_ms = row.ended_ms, .bytes = bytes_kept(s, n) });
	}
	(void)closedir(dir);
	retain_sort(&s->retain);
	return 0;
}

static int lock(struct shelf *s, const char *id, struct err *e)
{
	const int r = fd_lock(s->dir_fd, SHELF_PATIENCE_MS);

	if (r == -EWOULDBLOCK)
		return err_set(e, AMBIT_CONFLICT, "wait for it, or end the process that has it (lslocks)",
			       "session %s is in use by another process", id);
	return r < 0 ? cannot(e, r, "lock the session") : 0;
}

int shelf_make(struct shelf *s, int sessions_fd, const struct session_row *row, const struct buf *description,
	       struct err *e)
{
	int r;

	if (mkdirat(sessions_fd, row->session, 0700) < 0)
		return cannot(e, -errno, "make a directory for the session");
	s->dir_fd = open_directory(sessions_fd, row->session);
	if (s->dir_fd < 0)
		return cannot(e, -errno, "open the session's directory");
	r = lock(s, row->session, e);
	if (r < 0)
		return r;
	r = open_events(s, e); /* first: what is synced is the directory with its name in it */
	if (r < 0)
		return r;
	r = write_head(s->dir_fd, row, description);
	r = r == 0 && fsync(sessions_fd) < 0 ? -errno : r;
	return r < 0 ? cannot(e, r, "write the session down") : 0;
}

int shelf_open(struct shelf *s, int sessions_fd, const char *id, struct session_row *ret_row,
	       struct buf *ret_description, struct err *e)
{
	int r;

	s->dir_fd = open_directory(sessions_fd, id);
	if (s->dir_fd < 0)
		return err_set(e, AMBIT_NOT_FOUND, "ambit session list", "there is no session %s", id);
	r = lock(s, id, e);
	if (r < 0)
		return r;
	r = read_head(s->dir_fd, ret_row, ret_description);
	if (r < 0)
		return err_set(e, (enum ambit_code) - r, "ambit session list",
			       r == -AMBIT_NOT_FOUND ? "session %s was never finished being made"
						     : "what session %s is cannot be read",
			       id);
	r = read_labels(s);
	if (r < 0)
		return cannot(e, r, "read the names of the session's labels");
	r = open_events(s, e);
	r = r < 0 ? r : read_events(s, e);
	if (r < 0)
		return r;
	drop_torn(s);
	if (s->unended == 0 || s->unended > s->next)
		s->unended = s->next;
	return find_kept(s, e);
}

/* ---- events ---- */

void shelf_remove(const struct shelf *s, uint64_t n, enum shelf_kind kind)
{
	char name[40];

	name_of(n, kind, name);
	(void)unlinkat(s->dir_fd, name, 0); /* not there is as good */
}

static int keep_run(const struct shelf *s, uint64_t n, const void *run, size_t size)
{
	auto_fd int fd = shelf_file(s, n, SHELF_RUN, O_WRONLY | O_CREAT | O_TRUNC);

	return fd < 0 ? fd : fd_write_all(fd, run, size);
}

int shelf_take(struct shelf *s, struct shelf_asked *asked, const void *run, size_t n, struct err *e)
{
	uint8_t room[HALF];
	struct buf b;
	int r;

	asked->n = s->next;
	buf_init_in(&b, room, sizeof room);
	put_asked(&b, asked);
	r = note(s, asked->n, asked->key);
	r = r < 0 ? r : keep_run(s, asked->n, run, n);
	/* the slot is as long as any other from the first write on: a short file has half a slot */
	if (r == 0 && ftruncate(s->events_fd, (off_t)(asked->n * SHELF_SLOT)) < 0)
		r = -errno;
	r = r < 0 ? r : write_half(s, asked->n, false, &b);
	if (r == 0 && asked->key[0] != 0 && fdatasync(s->events_fd) < 0)
		r = -errno;
	if (r < 0) {
		shelf_remove(s, asked->n, SHELF_RUN);
		(void)!ftruncate(s->events_fd,
				 (off_t)((asked->n - 1) * SHELF_SLOT)); /* or it is found torn, and dropped */
		return cannot(e, r, "write the event down");
	}
	s->next++;
	return 0;
}

int shelf_end(struct shelf *s, const struct event_row *row, struct err *e)
{
	uint8_t room[HALF];
	struct buf b;
	int r;

	buf_init_in(&b, room, sizeof room);
	put_end(&b, row, bits_of(s, &row->labels)); /* the names first */
	r = write_half(s, row->n, true, &b);
	if (r < 0)
		return cannot(e, r, "write down how the event ended");
	shelf_remove(s, row->n, SHELF_RUN);
	(void)retain_add(&s->retain,
			 &(struct retained){ .n = row->n,
					     .ended_ms = row->ended_ms,
					     .bytes = bytes_kept(s, row->n) }); /* or when it is opened again */
	add_cost(s, row);
	return 0;
}

static void note_last(const struct shelf *s, enum shelf_kind kind, uint64_t *bytes, struct event_row *row)
{
	auto_fd int fd = shelf_file(s, row->n, kind, O_PATH);
	struct stat st;
	uint64_t ms;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	*bytes = (uint64_t)st.st_size;
	ms = (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
	row->ended_ms = ms > row->ended_ms ? ms : row->ended_ms;
}

void shelf_last_word(const struct shelf *s, struct event_row *row)
{
	row->begun_ms = row->ended_ms = row->taken_ms;
	note_last(s, SHELF_OUT, &row->out_bytes, row);
	note_last(s, SHELF_ERR, &row->err_bytes, row);
	note_last(s, SHELF_RESULT, &row->result_bytes, row);
}

void shelf_prune(struct shelf *s, uint64_t keep_bytes, uint64_t keep_ms, uint64_t now_ms)
{
	struct retained one;

	while (retain_next(&s->retain, keep_bytes, keep_ms, now_ms, &one)) {
		for (enum shelf_kind k = SHELF_OUT; k < SHELF_KINDS; k++)
			shelf_remove(s, one.n, k);
		s->kept[one.n - 1] = false;
	}
	while (s->oldest < s->next && !s->kept[s->oldest - 1])
		s->oldest++;
}

int shelf_close(struct shelf *s, struct err *e)
{
	auto_fd int fd = openat(s->dir_fd, SHELF_ENDED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 || fsync(s->dir_fd) < 0 ? cannot(e, -errno, "write down that the session ended") : 0;
}
