/* Events of which the role tells us, and what their programs wrote. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "rpc/rpc.h"

#define BROUGHT_MAX                                                                                                    \
	(16u << 10) /* of each stream in an answer: three of them are less than what waits for a client at most */

struct followed *followed_find(struct rpc *r, const struct channel *c, uint64_t n)
{
	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		if (r->followed[i].channel == c && r->followed[i].n == n)
			return &r->followed[i];
	return NULL;
}

unsigned followed_count(const struct rpc *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		n += r->followed[i].channel != NULL;
	return n;
}

struct followed *followed_get(struct rpc *r, struct channel *c, uint64_t n, struct err *e)
{
	struct followed *f = followed_find(r, c, n);
	const uint32_t number = rpc_number(r);

	if (f != NULL)
		return f;
	for (size_t i = 0; i < RPC_FOLLOWED_MAX && f == NULL; i++)
		f = r->followed[i].channel == NULL ? &r->followed[i] : NULL;
	if (f == NULL) {
		(void)err_set(e, AMBIT_LIMIT, "unfollow some", "%d events are followed on this connection",
			      RPC_FOLLOWED_MAX);
		return NULL;
	}
	if (channel_ask(c, WIRE_SESSION_FOLLOW, &(struct session_event){ .request = number, .a = 2, .n = n }, e) < 0)
		return NULL;
	*f = (struct followed){ .channel = c, .n = n, .asked = number, .file = { -1, -1, -1 }, .input = -1 };
	return f;
}

void followed_free(struct followed *f)
{
	fd_close(&f->file[0]);
	fd_close(&f->file[1]);
	fd_close(&f->file[2]);
	fd_close(&f->input);
	f->channel = NULL;
}

void followed_tell(struct followed *f, uint64_t out_at, uint64_t err_at)
{
	f->told = f->stirred[0] = f->stirred[1] = true;
	f->at[0] = out_at;
	f->at[1] = err_at;
}

/* ---- its end ---- */

/* Whole, if it is short: else it is read by pages. */
void put_brought(struct rpc *r, struct json *j, const char *key, int fd, uint64_t at, uint64_t size)
{
	const ssize_t n = size > BROUGHT_MAX ? -1 : size == 0 ? 0 : pread(fd, r->page, (size_t)size, (off_t)at);

	(void)json_put_key(j, key);
	if (n >= 0 && (uint64_t)n == size)
		json_put_bytes(j, r->page, (size_t)n);
	else
		json_put_null(j);
}

static void answer_over(struct rpc *r, struct request *q, const struct followed *f)
{
	const struct event_row *row = &f->row;

	struct json j;

	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		if (q->method != METHOD_KERNEL_END) {
			json_put_count(json_put_key(&j, "n"), q->taken.n);
			json_put_word(json_put_key(&j, "event"), q->taken.event);
			json_put_bool(json_put_key(&j, "replayed"), q->taken.replayed != 0);
		}
		json_put_object(json_put_key(&j, "row"));
		say_event(&j, row);
		json_put_object_end(&j);
		if (q->brings) {
			put_brought(r, &j, "stdout", f->file[0], 0, row->out_bytes);
			put_brought(r, &j, "stderr", f->file[1], 0, row->err_bytes);
			put_brought(r, &j, "result", f->file[2], 0, row->result_bytes);
		}
		say_result_end(&j);
	}
	request_free(q);
}

/* The answer of one of its steps brings what is in its files. */
static bool awaits_step(const struct rpc *r, const struct followed *f)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++)
		if (r->requests[i].awaits == AWAIT_STEP && r->requests[i].channel == f->channel &&
		    r->requests[i].n == f->n)
			return true;
	return false;
}

/* All was told that there was to tell; rpc_pump comes back to one whose steps are still waited for. */
static void end(struct rpc *r, struct followed *f)
{
	struct request *input = input_of(r, f->channel, f->n);
	struct json j;
	struct err e;

	if (awaits_step(r, f))
		return;
	if (f->told) {
		say_note(&j, &r->out, NOTE_ENDED);
		json_put_word(json_put_key(&j, "session"), f->channel->session);
		say_event(&j, &f->row);
		say_note_end(&j);
	}
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits == AWAIT_OVER && q->channel == f->channel && q->n == f->n)
			answer_over(r, q, f);
	}
	(void)err_set(&e, AMBIT_GONE, NULL, "the event is over, and takes no input");
	if (input != NULL)
		request_fail(r, input, &e);
	followed_free(f);
}

void followed_quiet(struct rpc *r, struct followed *f)
{
	f->told = false;
	if (f->over)
		end(r, f);
}

/* Before its files came it is said to who followed it before, and comes again. */
void followed_over(struct rpc *r, const struct channel *c, const struct event_row *row)
{
	struct followed *f = followed_find(r, c, row->n);

	if (f == NULL || f->asked != 0)
		return;
	f->row = *row;
	f->over = f->stirred[0] = f->stirred[1] = true;
	if (!f->told)
		end(r, f);
}

void followed_grew(struct rpc *r, const struct channel *c, const struct session_grew *g)
{
	struct followed *f = followed_find(r, c, g->n);

	if (f != NULL)
		f->grew = f->stirred[0] = f->stirred[1] = true;
}

void followed_lost(struct rpc *r, struct followed *f, const struct err *why)
{
	struct request *input = input_of(r, f->channel, f->n);
	struct json j;

	if (f->told) {
		say_note(&j, &r->out, NOTE_LOST);
		json_put_word(json_put_key(&j, "session"), f->channel->session);
		json_put_count(json_put_key(&j, "n"), f->n);
		say_why(&j, why);
		say_note_end(&j);
	}
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if ((q->awaits == AWAIT_OVER || q->awaits == AWAIT_FILES) && q->channel == f->channel && q->n == f->n)
			request_fail(r, q, why);
	}
	if (input != NULL)
		request_fail(r, input, why);
	followed_free(f);
}

/* ---- its files ---- */

static void begin_told(struct rpc *r, struct followed *f, struct request *q)
{
	if (q->method == METHOD_EVENT_FOLLOW) {
		followed_tell(f, q->at[0], q->at[1]);
		request_done(r, q);
	} else {
		answer_page(r, q, f->file[q->stream]);
	}
}

bool followed_got_files(struct rpc *r, struct channel *c, struct wire_message *m)
{
	struct link_number n;
	struct followed *f = NULL;

	if (!link_number_take(&m->body, &n) || m->n_fds < 2)
		return false;
	for (size_t i = 0; i < RPC_FOLLOWED_MAX && f == NULL; i++)
		if (r->followed[i].channel == c && n.request != 0 &&
		    (r->followed[i].asked == n.request || r->followed[i].asked_input == n.request))
			f = &r->followed[i];
	if (f == NULL)
		return true; /* it was given up meanwhile */
	if (f->asked == n.request) {
		f->asked = 0;
		f->file[0] = steal_fd(&m->fds[0]);
		f->file[1] = steal_fd(&m->fds[1]);
		if (m->n_fds > 2)
			f->file[2] = steal_fd(&m->fds[2]);
		for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
			struct request *q = &r->requests[i];

			if (q->awaits == AWAIT_FILES && q->channel == c && q->n == f->n)
				begin_told(r, f, q);
		}
	}
	if (f->asked_input == n.request) {
		f->asked_input = 0;
		f->input = m->n_fds > 2 ? steal_fd(&m->fds[2]) : -1;
		input_write(r, f);
	}
	return true;
}

bool followed_failed(struct rpc *r, const struct channel *c, uint32_t number, const struct err *e)
{
	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++) {
		struct followed *f = &r->followed[i];
		struct request *input;

		if (number == 0 || f->channel != c || (f->asked != number && f->asked_input != number))
			continue;
		if (f->asked == number) {
			followed_lost(r, f, e);
			return true;
		}
		f->asked_input = 0;
		input = input_of(r, c, f->n);
		if (input != NULL)
			request_fail(r, input, e);
		return true;
	}
	return false;
}

/* ---- output ---- */

void answer_page(struct rpc *r, struct request *q, int fd)
{
	struct stat st = { .st_size = 0 };
	const ssize_t n = fstat(fd, &st) < 0 ? -1 : pread(fd, r->page, q->bytes, (off_t)q->at[0]);
	struct json j;
	struct err e;
	size_t whole;

	if (n < 0) {
		(void)err_sys(&e, AMBIT_SYSTEM, errno, NULL, "cannot read what is kept of the event");
		request_fail(r, q, &e);
		return;
	}
	whole = chunk_whole(r->page, (size_t)n, false);
	if (whole == 0) /* no more than the beginning of a character */
		whole = (size_t)n;
	if (q->id[0] != 0) {
		say_result(&j, &r->out, q->id);
		json_put_count(json_put_key(&j, "offset"), q->at[0]);
		json_put_bytes(json_put_key(&j, "data"), r->page, whole);
		json_put_count(json_put_key(&j, "size"), (uint64_t)st.st_size);
		say_result_end(&j);
	}
	request_free(q);
}

static void tell(struct rpc *r, const struct followed *f, unsigned stream, const void *bytes, size_t n)
{
	struct json j;

	say_note(&j, &r->out, NOTE_OUTPUT);
	json_put_word(json_put_key(&j, "session"), f->channel->session);
	json_put_count(json_put_key(&j, "n"), f->n);
	json_put_word(json_put_key(&j, "stream"), stream == 0 ? "stdout" : "stderr");
	json_put_count(json_put_key(&j, "offset"), f->at[stream]);
	json_put_bytes(json_put_key(&j, "data"), bytes, n);
	say_note_end(&j);
}

/* What is kept of it, when it is over; else as much as there is. */
static size_t want(const struct followed *f, unsigned stream)
{
	const uint64_t all = stream == 0 ? f->row.out_bytes : f->row.err_bytes;

	if (!f->over)
		return RPC_CHUNK;
	if (f->at[stream] >= all)
		return 0;
	return all - f->at[stream] < RPC_CHUNK ? (size_t)(all - f->at[stream]) : RPC_CHUNK;
}

static bool pump_stream(struct rpc *r, struct followed *f, unsigned stream)
{
	const size_t wanted = want(f, stream);
	const ssize_t n = wanted == 0 ? 0 : pread(f->file[stream], r->page, wanted, (off_t)f->at[stream]);
	struct err e;
	size_t whole;

	if (n < 0) {
		(void)err_sys(&e, AMBIT_SYSTEM, errno, NULL, "cannot read what the event wrote");
		followed_lost(r, f, &e);
		return false;
	}
	whole = chunk_whole(r->page, (size_t)n, f->over && (size_t)n == wanted && n < RPC_CHUNK);
	if (whole == 0 && f->over)
		whole = (size_t)n; /* the beginning of a character, and then the end */
	f->stirred[stream] = whole > 0 && (size_t)n == wanted;
	if (whole > 0) {
		tell(r, f, stream, r->page, whole);
		f->at[stream] += whole;
	}
	return true;
}

/* What the role told is taken up. */
static void see(struct followed *f)
{
	const struct session_event seen = { .n = f->n };

	f->grew = channel_ask(f->channel, WIRE_SESSION_SEEN, &seen, NULL) < 0;
}

static bool pump_one(struct rpc *r, struct followed *f)
{
	const unsigned stream = f->stirred[0] ? 0 : 1;

	if (f->channel != NULL && f->over && !f->told)
		end(r, f);
	if (f->channel == NULL || !f->told || f->file[0] < 0)
		return false;
	if (f->stirred[stream])
		return !pump_stream(r, f, stream) || f->stirred[0] || f->stirred[1] || f->over || f->grew;
	if (f->over)
		end(r, f);
	else if (f->grew)
		see(f);
	return false;
}

bool rpc_pump(struct rpc *r)
{
	for (unsigned i = 0; i < RPC_FOLLOWED_MAX; i++) {
		const unsigned which = (r->turn + i) % RPC_FOLLOWED_MAX;

		if (!pump_one(r, &r->followed[which]))
			continue;
		r->turn = which + 1;
		return true;
	}
	return false;
}
