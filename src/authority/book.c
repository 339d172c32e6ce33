#include "authority/book.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/text.h"

#define FOLD_AGAIN (1u << 20) /* bytes of journal: when a snapshot did not fit, another is tried after these */
#define PASSED_MAX (UINT32_MAX / 4)

enum record { RECORD_STEP = 1, RECORD_LABEL, RECORD_BOOT };

/* ---- forms ---- */

static bool is_label(const char *name)
{
	const size_t n = strnlen(name, AUTHORITY_NAME_MAX);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return n > 0 && n < AUTHORITY_NAME_MAX;
}

static int find_label(const struct book *b, const char *name)
{
	for (unsigned i = 0; i < b->n_labels; i++)
		if (strcmp(b->labels[i], name) == 0)
			return (int)i;
	return -1;
}

static void add_label(struct book *b, const char *name)
{
	(void)text_copy(b->labels[b->n_labels++], sizeof b->labels[0], name); /* is_label: it fits */
}

static bool take_label(struct book *b, struct rbuf *in)
{
	char name[AUTHORITY_NAME_MAX];

	rbuf_str(in, name, sizeof name);
	if (in->failed || !is_label(name) || find_label(b, name) >= 0 || b->n_labels == BOOK_LABELS_MAX)
		return false;
	add_label(b, name);
	return true;
}

static bool take_boot(struct book *b, struct rbuf *in)
{
	rbuf_text(in, b->boot, sizeof b->boot);
	b->boot_ms = rbuf_u64(in);
	return !in->failed;
}

static void put_boot(const struct book *b, struct buf *out)
{
	buf_put_text(out, b->boot, sizeof b->boot);
	buf_put_u64(out, b->boot_ms);
}

static void put_state(const struct book *b, struct buf *out)
{
	buf_put_u64(out, b->steps);
	put_boot(b, out);
	buf_put_u8(out, (uint8_t)b->n_labels); /* BOOK_LABELS_MAX */
	for (unsigned i = 0; i < b->n_labels; i++)
		buf_put_str(out, b->labels[i]);
	authority_put(b->a, out);
}

static int not_ours(struct err *e)
{
	return err_set(e, AMBIT_PROTOCOL, "was it written by another version of Ambit?",
		       "what stands there is no step");
}

static int take_state(void *of, struct rbuf *in, struct err *e)
{
	struct book *b = of;
	unsigned n;

	b->steps = rbuf_u64(in);
	b->passed_ms = 0;
	buf_reset(&b->owed);
	if (!take_boot(b, in))
		return not_ours(e);
	n = rbuf_u8(in);
	b->n_labels = 0;
	for (unsigned i = 0; i < n; i++)
		if (!take_label(b, in))
			return not_ours(e);
	return authority_take(in, b->a, e);
}

/* ---- what the ledger has not been told ---- */

static bool is_of_clock(const struct authority_request *q)
{
	return q->op == AUTHORITY_TIME || q->op == AUTHORITY_RESTART;
}

/* Step b->steps. More than there is room for is not told: the numbers of the steps show that. */
static void owe(struct book *b, const struct authority_request *q, const struct authority_answer *answer)
{
	auto_buf request = { .max = 64 }; /* without a text or a reference */
	struct authority_closed closed;

	authority_closed(b->a, answer, &closed);
	authority_put_request(&request, q);
	buf_put_u64(&b->owed, b->steps);
	if (!request.failed)
		buf_put_bytes(&b->owed, request.data, request.len);
	buf_put_u8(&b->owed, (uint8_t)closed.n); /* AUTHORITY_CLOSED_MAX */
	for (unsigned i = 0; i < closed.n; i++)
		buf_put(&b->owed, closed.ids[i], AUTHORITY_ID);
	if (b->owed.failed || request.failed)
		buf_reset(&b->owed);
}

bool book_owed(struct rbuf *in, uint64_t *ret_step, struct authority_request *ret, struct authority_closed *ret_closed)
{
	static char texts[AUTHORITY_TEXTS_MAX]; /* stays empty */
	struct rbuf request;
	const uint8_t *bytes;
	uint32_t n;

	if (rbuf_left(in) == 0)
		return false;
	*ret_step = rbuf_u64(in);
	n = rbuf_u32(in);
	bytes = rbuf_bytes(in, n);
	ret_closed->n = rbuf_u8(in);
	for (unsigned i = 0; i < ret_closed->n && i < AUTHORITY_CLOSED_MAX; i++) {
		const uint8_t *id = rbuf_bytes(in, AUTHORITY_ID);

		if (id != NULL)
			memcpy(ret_closed->ids[i], id, AUTHORITY_ID);
	}
	if (in->failed)
		return false;
	rbuf_init(&request, bytes, n);
	return authority_take_request(&request, ret, texts);
}

/* ---- what is on disk ---- */

static bool take_step(struct book *b, struct rbuf *in)
{
	char texts[AUTHORITY_TEXTS_MAX];
	struct authority_request q;
	struct authority_answer answer;

	b->boot_ms = rbuf_u64(in);
	if (!authority_take_request(in, &q, texts))
		return false;
	authority_step(b->a, &q, &answer);
	b->steps++;
	b->passed_ms = 0;
	if (is_of_clock(&q))
		owe(b, &q, &answer);
	else
		buf_reset(&b->owed); /* it took them along */
	return true;
}

static int take_group(void *of, struct rbuf *in, struct err *e)
{
	struct book *b = of;

	while (rbuf_left(in) > 0) {
		bool good = false;

		switch ((enum record)rbuf_u8(in)) {
		case RECORD_STEP: good = take_step(b, in); break;
		case RECORD_LABEL: good = take_label(b, in); break;
		case RECORD_BOOT: good = take_boot(b, in); break;
		}
		if (!good)
			return not_ours(e);
	}
	return 0;
}

/* ---- steps ---- */

static uint32_t passed(const struct book *b, uint64_t boot_ms)
{
	const uint64_t n = boot_ms > b->boot_ms ? boot_ms - b->boot_ms : 0;

	return n < PASSED_MAX ? (uint32_t)n : PASSED_MAX;
}

bool book_step(struct book *b, struct authority_request *q, const struct book_time *t, struct authority_answer *ret)
{
	const uint32_t before = b->passed_ms;
	bool keep;

	q->now_ms = t->now_ms;
	q->passed_ms = passed(b, t->boot_ms);
	keep = t->now_ms >= authority_next_ms(b->a);
	authority_step(b->a, q, ret);
	b->boot_ms = t->boot_ms > b->boot_ms ? t->boot_ms : b->boot_ms;
	b->passed_ms += q->passed_ms; /* PASSED_MAX twice at most */
	if (!keep && authority_left_alone(q, ret) && b->passed_ms < PASSED_MAX)
		return false;
	q->passed_ms += before;
	buf_put_u8(&b->group, RECORD_STEP);
	buf_put_u64(&b->group, b->boot_ms);
	authority_put_request(&b->group, q);
	b->passed_ms = 0;
	b->steps++;
	if (is_of_clock(q))
		owe(b, q, ret);
	return true;
}

int book_label(struct book *b, const char *name, bool may_make)
{
	const int bit = find_label(b, name);

	if (bit >= 0)
		return bit;
	if (!is_label(name))
		return -AMBIT_MALFORMED;
	if (!may_make || b->n_labels == BOOK_LABELS_MAX)
		return may_make ? -AMBIT_LIMIT : -AMBIT_NOT_FOUND;
	add_label(b, name);
	buf_put_u8(&b->group, RECORD_LABEL);
	buf_put_str(&b->group, name);
	return (int)b->n_labels - 1;
}

/* ---- keeping ---- */

int book_write(struct book *b)
{
	int r = 0;

	if (b->group.failed)
		r = -ENOMEM;
	else if (b->group.len > 0)
		r = journal_append(&b->journal, b->group.data, b->group.len);
	buf_reset(&b->group);
	return r;
}

int book_sync(struct book *b)
{
	return journal_sync(&b->journal);
}

static struct journal_reader reader_of(struct book *b)
{
	return (struct journal_reader){ .of = b, .state = take_state, .group = take_group };
}

int book_again(struct book *b, struct err *e)
{
	const struct journal_reader reader = reader_of(b);

	buf_reset(&b->group);
	return journal_again(&b->journal, &reader, e);
}

static int fold(struct book *b, bool *ret_lost)
{
	auto_buf state = { .max = 0 };
	int r;

	*ret_lost = false;
	buf_init(&state, JOURNAL_STATE_MAX);
	put_state(b, &state);
	r = state.failed ? -ENOMEM : journal_fold(&b->journal, state.data, state.len, ret_lost);
	if (r == 0)
		b->passed_ms = 0; /* it is in the snapshot */
	return r;
}

int book_fold(struct book *b)
{
	bool lost;
	int r;

	if (b->journal.end < JOURNAL_FOLD || b->journal.end < b->folded + FOLD_AGAIN)
		return 0;
	r = fold(b, &lost);
	b->folded = r < 0 ? b->journal.end : 0;
	return lost ? r : 0;
}

/* ---- beginning and end ---- */

static int make_room(struct book *b, const struct authority_size *size, struct err *e)
{
	b->room_bytes = authority_bytes(size);
	if (b->room_bytes == 0)
		return err_set(e, AMBIT_INTERNAL, NULL, "an authority of no size");
	b->room = mmap(NULL, b->room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b->room == MAP_FAILED) {
		b->room = NULL;
		return err_sys(e, AMBIT_MEMORY, errno, NULL, "no memory for the authority");
	}
	b->a = authority_init(b->room, size);
	return 0;
}

/* From here on time is counted from this boot: what passed between two is not known. */
static void begin_boot(struct book *b, const char *boot, const struct book_time *t)
{
	if (strcmp(b->boot, boot) == 0)
		return;
	(void)text_copy(b->boot, sizeof b->boot, boot); /* of its length: book_open */
	b->boot_ms = t->boot_ms;
	buf_put_u8(&b->group, RECORD_BOOT);
	put_boot(b, &b->group);
}

static int unwritten(struct err *e, int r)
{
	return err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
		       "make room, or see who may write there", "cannot write the authority's files");
}

static int begin(struct book *b, bool anew, const char *boot, const struct book_time *t, struct err *e)
{
	struct authority_request q = { .op = AUTHORITY_RESTART, .object = "", .terms = "" };
	struct authority_answer answer;
	bool lost;
	int r = 0;

	if (b->n_labels == 0) {
		add_label(b, "private"); /* LABEL_PRIVATE */
		add_label(b, "untrusted");
	}
	if (anew)
		r = fold(b, &lost);
	if (r < 0)
		return unwritten(e, r);
	begin_boot(b, boot, t);
	(void)book_step(b, &q, t, &answer);
	r = book_write(b);
	r = r < 0 ? r : book_sync(b);
	return r < 0 ? unwritten(e, r) : 0;
}

int book_open(struct book *b, int dir_fd, const struct authority_size *size, const char *boot,
	      const struct book_time *t, struct journal_found *ret, struct err *e)
{
	const struct journal_reader reader = reader_of(b);
	int r;

	memset(b, 0, sizeof *b);
	b->journal.fd = -1;
	buf_init(&b->group, JOURNAL_GROUP_MAX);
	buf_init(&b->owed, BOOK_OWED_MAX);
	if (strlen(boot) != BOOK_BOOT_LEN)
		return err_set(e, AMBIT_USAGE, NULL, "the id of a boot has %d characters", BOOK_BOOT_LEN);
	r = make_room(b, size, e);
	r = r < 0 ? r : journal_open(&b->journal, dir_fd, &reader, ret, e);
	return r < 0 ? r : begin(b, b->journal.number == 0 || ret->is_stale || ret->cut_bytes > 0, boot, t, e);
}

void book_close(struct book *b)
{
	journal_close(&b->journal);
	buf_finish(&b->group);
	buf_finish(&b->owed);
	if (b->room != NULL)
		(void)munmap(b->room, b->room_bytes);
	b->room = NULL;
	b->a = NULL;
}
