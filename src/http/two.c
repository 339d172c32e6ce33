#include "http/two.h"

#include "http/two_twin.h"

#define DROPPED_MAX (8u << 20) /* of what a program still sends after the end; then it is cut off */

void two_init(struct two *o, const struct memory *memory)
{
	*o = (struct two){ .state = TWO_NEW, .memory = memory, .for_server = { .of = memory } };
	two_frames_init(&o->from_client, true);
	two_frames_init(&o->from_server, false);
	two_fields_init(&o->asked, NULL);
	two_fields_init(&o->answered, NULL);
	two_fields_init(&o->made, memory);
}

static void drop_session(nghttp2_session **session)
{
	nghttp2_session_del(*session);
	*session = NULL;
}

void two_finish(struct two *o)
{
	drop_session(&o->client);
	drop_session(&o->server);
	while (o->twins != NULL)
		twin_free(o, o->twins);
	two_fields_finish(&o->asked);
	two_fields_finish(&o->answered);
	two_fields_finish(&o->made);
}

void two_tell(struct two *o, const struct one_parts *p)
{
	for (struct twin *t = o->twins; t != NULL; t = t->next)
		twin_tell(t, p, HTTP_NO_ANSWER);
}

size_t two_held(const struct two *o)
{
	size_t n = sizeof *o + o->for_client.held + o->for_server.held + o->asked.text.cap + o->answered.text.cap +
		   o->made.text.cap;

	for (const struct twin *t = o->twins; t != NULL; t = t->next)
		n += sizeof *t + t->up.bytes.cap + t->down.bytes.cap + two_fields_held(t->kept) +
		     two_fields_held(t->trailer);
	return n;
}

uint64_t two_unfinished(const struct two *o)
{
	return two_frames_unfinished(&o->from_client);
}

/* ---- both sides ---- */

static struct twin *twin_of(nghttp2_session *session, int32_t id)
{
	return id > 0 ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static bool ends(const nghttp2_frame *frame)
{
	return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/* This connection takes nothing new; what is under way goes on. */
static void leave(struct two *o)
{
	if (o->leaves || o->client == NULL)
		return;
	o->leaves = true;
	(void)nghttp2_submit_goaway(o->client, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(o->client),
				    NGHTTP2_NO_ERROR, NULL, 0);
}

static void put_field(struct two_fields *to, const uint8_t *name, size_t name_n, const uint8_t *value, size_t value_n,
		      uint8_t flags)
{
	const struct http_text n = { .at = (const char *)name, .n = name_n };
	const struct http_text v = { .at = (const char *)value, .n = value_n };

	if (to->cost > HTTP_HEAD_MAX)
		to->over = true; /* nothing more of it is kept */
	two_fields_put(to, &n, &v, (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
}

/* ---- the program ---- */

static int on_client_begin(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;
	struct twin *t;

	o->collects_asked = NULL;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0; /* a trailer, which is dropped: two.h */
	t = o->leaves || o->n_twins >= TWO_TWINS_MAX ? NULL : twin_create(o, frame->hd.stream_id);
	if (t == NULL) {
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
						NGHTTP2_REFUSED_STREAM);
		return 0;
	}
	(void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, t); /* the stream is there */
	two_fields_reset(&o->asked);
	o->collects_asked = t;
	return 0;
}

static int on_client_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
			   const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct two *o = arg;

	(void)session;
	(void)frame;
	if (o->collects_asked != NULL)
		put_field(&o->asked, name, name_n, value, value_n, flags);
	return 0;
}

/* One that the library would leave out. */
static int on_client_bad_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
			       const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct two *o = arg;

	(void)session;
	(void)frame;
	(void)name;
	(void)name_n;
	(void)value;
	(void)value_n;
	(void)flags;
	o->asked.bad = true;
	return 0;
}

static int on_client_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;
	struct twin *t = twin_of(session, frame->hd.stream_id);

	if (t == NULL || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && o->collects_asked == t) {
		o->collects_asked = NULL;
		two_take_request(o, t, ends(frame));
		two_fields_reset(&o->asked);
	} else if (ends(frame)) {
		two_end_body(o, t);
	}
	return 0;
}

static int on_client_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n,
			  void *arg)
{
	struct twin *t = twin_of(session, id);

	(void)flags;
	if (t == NULL)
		(void)nghttp2_session_consume(session, id, n);
	else
		two_take_body(arg, t, bytes, n);
	return 0;
}

static int on_client_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct twin *t = twin_of(session, id);

	if (t == NULL)
		return 0;
	t->client_open = false;
	if (code != NGHTTP2_NO_ERROR || !t->up.ended)
		twin_reset_server(arg, t, code != NGHTTP2_NO_ERROR ? code : NGHTTP2_CANCEL);
	twin_settle(arg, t);
	return 0;
}

/* Who has the whole answer, and whose body nobody wants, is told (RFC 9113, 8.1). */
static void stop_body(struct two *o, struct twin *t)
{
	if (!t->host_cares && t->client_open && nghttp2_session_get_stream_remote_close(o->client, t->client_id) == 0)
		twin_reset_client(o, t, NGHTTP2_NO_ERROR);
}

static int on_client_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;
	struct twin *t = twin_of(session, frame->hd.stream_id);

	if (frame->hd.type == NGHTTP2_DATA)
		two_frames_credit(&o->from_client);
	if (t != NULL && ends(frame) && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
		stop_body(o, t);
	return 0;
}

static int on_client_unsent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *arg)
{
	struct twin *t = twin_of(session, frame->hd.stream_id);

	(void)code;
	if (t != NULL && frame->hd.type == NGHTTP2_HEADERS)
		twin_reset_client(arg, t, NGHTTP2_INTERNAL_ERROR);
	return 0;
}

/* ---- the host ---- */

/* It was told not to push before it had any request. */
static int on_server_head(nghttp2_session *session, const nghttp2_frame_hd *head, void *arg)
{
	(void)session;
	(void)arg;
	return head->type == NGHTTP2_PUSH_PROMISE ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_server_begin(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;
	struct twin *t = twin_of(session, frame->hd.stream_id);

	o->collects_answered = t != NULL && t->state == TWIN_PASSES && !t->down.ended && t->client_open ? t : NULL;
	two_fields_reset(&o->answered);
	return 0;
}

static int on_server_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
			   const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	struct two *o = arg;

	(void)session;
	(void)frame;
	if (o->collects_answered != NULL)
		put_field(&o->answered, name, name_n, value, value_n, flags);
	return 0;
}

static uint32_t streams_of(const struct two *o)
{
	const uint32_t most = nghttp2_session_get_remote_settings(o->server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	return most < TWO_STREAMS_MAX ? most : TWO_STREAMS_MAX;
}

static int take_settings(struct two *o)
{
	const uint32_t most = streams_of(o);
	const nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most };

	o->greeted = true;
	if (++o->n_settings > TWO_SETTINGS_MAX)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (o->client == NULL || most == o->streams_max)
		return 0;
	o->streams_max = most;
	(void)nghttp2_submit_settings(o->client, NGHTTP2_FLAG_NONE, &entry,
				      1); /* it refuses what is too much in any case */
	return 0;
}

static void take_block(struct two *o, struct twin *t, bool ended)
{
	if (o->collects_answered == t) {
		o->collects_answered = NULL;
		if (t->answered)
			two_take_trailer(o, t); /* ended: the library sees to that */
		else
			two_take_answer(o, t, ended);
		two_fields_reset(&o->answered);
	} else if (ended) {
		two_end_answer(o, t);
	}
}

static int on_server_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;
	struct twin *t = twin_of(session, frame->hd.stream_id);

	if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
		return take_settings(o);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		leave(o);
	if (t != NULL && frame->hd.type == NGHTTP2_HEADERS)
		take_block(o, t, ends(frame));
	if (t != NULL && frame->hd.type == NGHTTP2_DATA && ends(frame))
		two_end_answer(o, t);
	return 0;
}

static int on_server_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n,
			  void *arg)
{
	struct twin *t = twin_of(session, id);

	(void)flags;
	if (t == NULL)
		(void)nghttp2_session_consume(session, id, n);
	else
		two_take_answer_body(arg, t, bytes, n);
	return 0;
}

/* The host has done with a stream, or never took it. */
static void close_server(struct two *o, struct twin *t, uint32_t code)
{
	t->server_open = false;
	t->host_cares = false;
	twin_drop_up(o, t);
	if (t->state != TWIN_REFUSED && !t->down.ended)
		twin_reset_client(o, t, code != NGHTTP2_NO_ERROR ? code : NGHTTP2_INTERNAL_ERROR);
	else if (t->client_open && nghttp2_session_get_stream_local_close(o->client, t->client_id) == 1)
		stop_body(o, t);
	twin_settle(o, t);
}

static int on_server_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct twin *t = twin_of(session, id);

	if (t != NULL)
		close_server(arg, t, code);
	return 0;
}

static int on_server_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct two *o = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_DATA)
		two_frames_credit(&o->from_server);
	return 0;
}

/* A request that the host may no longer be sent. */
static int on_server_unsent(nghttp2_session *session, const nghttp2_frame *frame, int code, void *arg)
{
	struct two *o = arg;

	(void)session;
	(void)code;
	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	for (struct twin *t = o->twins; t != NULL; t = t->next)
		if (t->server_open && t->server_id == frame->hd.stream_id) {
			(void)nghttp2_session_set_stream_user_data(session, t->server_id,
								   NULL); /* where there is one */
			t->untold = false;
			close_server(o, t, NGHTTP2_REFUSED_STREAM);
			return 0;
		}
	return 0;
}

/* ---- sessions ---- */

static nghttp2_session_callbacks *client_calls(void)
{
	nghttp2_session_callbacks *c = NULL;

	if (nghttp2_session_callbacks_new(&c) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_client_begin);
	nghttp2_session_callbacks_set_on_header_callback(c, on_client_field);
	nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_client_bad_field);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_client_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_client_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_client_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_client_sent);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_client_unsent);
	return c;
}

static nghttp2_session_callbacks *server_calls(void)
{
	nghttp2_session_callbacks *c = NULL;

	if (nghttp2_session_callbacks_new(&c) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_server_head);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_server_begin);
	nghttp2_session_callbacks_set_on_header_callback(c, on_server_field);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_server_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_server_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_server_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_server_sent);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_server_unsent);
	return c;
}

static nghttp2_option *options(void)
{
	nghttp2_option *p = NULL;

	if (nghttp2_option_new(&p) != 0)
		return NULL;
	nghttp2_option_set_no_auto_window_update(p, 1);
	nghttp2_option_set_no_closed_streams(p, 1);
	nghttp2_option_set_max_send_header_block_length(p, 2 * TWO_TEXT_MAX);
	nghttp2_option_set_max_continuations(p, TWO_CONTINUATIONS_MAX);
	return p;
}

typedef int session_new(nghttp2_session **, const nghttp2_session_callbacks *, void *, const nghttp2_option *,
			nghttp2_mem *);

static nghttp2_session *new_session(struct two *o, session_new *create, nghttp2_session_callbacks *calls,
				    struct two_memory *from)
{
	nghttp2_mem memory = two_memory(from);
	nghttp2_option *p = options();
	nghttp2_session *session = NULL;

	if (p != NULL && calls != NULL && create(&session, calls, o, p, &memory) != 0)
		session = NULL;
	nghttp2_option_del(p);
	nghttp2_session_callbacks_del(calls);
	return session;
}

static bool greet_host(struct two *o)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, TWO_DOWN_STREAM },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX },
	};

	o->server = new_session(o, nghttp2_session_client_new3, server_calls(), &o->for_server);
	return o->server != NULL &&
	       nghttp2_submit_settings(o->server, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) ==
		       0 &&
	       nghttp2_session_set_local_window_size(o->server, NGHTTP2_FLAG_NONE, 0, TWO_DOWN_ALL) == 0;
}

static bool greet_program(struct two *o)
{
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_of(o) },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, TWO_UP_STREAM },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};

	o->streams_max = streams_of(o);
	o->client = new_session(o, nghttp2_session_server_new3, client_calls(), &o->for_client);
	return o->client != NULL &&
	       nghttp2_submit_settings(o->client, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]) ==
		       0 &&
	       nghttp2_session_set_local_window_size(o->client, NGHTTP2_FLAG_NONE, 0, TWO_UP_ALL) == 0;
}

/* ---- the end ---- */

static bool finish(struct two *o)
{
	drop_session(&o->server);
	drop_session(&o->client);
	o->state = TWO_LAST;
	return true;
}

static void lose_twin(struct two *o, struct twin *t, const char *why)
{
	t->server_open = false;
	t->server_id = 0;
	if (!t->client_open) {
		twin_free(o, t);
	} else if (t->state == TWIN_PASSES && !t->answered) {
		two_fail(o, t, why);
	} else if (t->state == TWIN_GATHER) {
		judge_refuse(o->parts->verdict, 502, AMBIT_GONE, NULL, "there is no host any more: %s", why);
		two_refuse(o, t);
	} else if (t->state == TWIN_PASSES && !t->down.ended) {
		twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
	}
}

static bool lose_host(struct two *o, const char *why)
{
	struct twin *next;

	drop_session(&o->server);
	if (o->client == NULL)
		return finish(o);
	for (struct twin *t = o->twins; t != NULL; t = next) {
		next = t->next;
		lose_twin(o, t, why);
	}
	leave(o);
	return true;
}

/* Whoever closes with something unread resets: the answer would be lost. */
static bool end(struct two *o, struct one_parts *p)
{
	const size_t has = stream_has(p->client);
	bool any = has > 0 || stream_close(p->client);

	o->dropped += has < DROPPED_MAX ? (uint32_t)has : DROPPED_MAX;
	stream_take(p->client, has);
	if (p->client->broken || (p->client->closed && p->client->ended) || o->dropped > DROPPED_MAX) {
		o->state = TWO_DONE;
		any = true;
	}
	return any;
}

/* ---- one turn ---- */

static bool is_over(nghttp2_session *session)
{
	return nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0;
}

/* 1: some went in. 0: there is none. -1: the session is of no more use. */
static int feed(nghttp2_session *session, struct two_frames *frames, struct stream *from, uint64_t now_ms)
{
	const size_t n = stream_has(from) < TWO_PIECE ? stream_has(from) : TWO_PIECE;
	bool quiet;

	if (n == 0)
		return 0;
	quiet = two_frames_run(frames, stream_at(from), n, now_ms);
	if (quiet && nghttp2_session_mem_recv(session, stream_at(from), n) < 0)
		return -1;
	if (!quiet && nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM) != 0)
		return -1;
	stream_take(from, n);
	return 1;
}

/* 1: some came out. -1: the session is of no more use. */
static int drain(nghttp2_session *session, struct stream *to)
{
	const uint8_t *bytes = NULL;
	ssize_t n = 0;
	bool any = false;

	while (stream_waits(to) < TWO_WAITS_MAX && (n = nghttp2_session_mem_send(session, &bytes)) > 0) {
		buf_put(stream_head(to), bytes, (size_t)n);
		any = true;
	}
	return n < 0 ? -1 : any;
}

static bool has_room(nghttp2_session *session)
{
	return nghttp2_session_get_outbound_queue_size(session) < TWO_QUEUE_MAX;
}

static bool run_server(struct two *o, struct one_parts *p)
{
	bool late;
	int in = 0, out;

	if (o->server == NULL)
		return false;
	if (has_room(o->server) && stream_waits(p->client) < TWO_WAITS_MAX)
		in = feed(o->server, &o->from_server, p->server, p->now_ms);
	late = in >= 0 && two_let_go_late(o, in > 0 || stream_has(p->server) > 0);
	out = in < 0 ? -1 : drain(o->server, p->server);
	if (out < 0 || is_over(o->server))
		return lose_host(o, "it breaks the protocol, or has ended it");
	if ((p->server->ended || p->server->broken) && stream_has(p->server) == 0)
		return lose_host(o, "it ends too early");
	return late || in > 0 || out > 0;
}

/* The program has all answers, and the last of what it sent is still to leave. */
static bool owes_host(const struct two *o)
{
	for (const struct twin *t = o->twins; t != NULL; t = t->next)
		if (!t->client_open && t->server_open)
			return true;
	return false;
}

static bool run_client(struct two *o, struct one_parts *p)
{
	int in = 0, out;

	if (o->client == NULL)
		return false;
	if (has_room(o->client) && stream_waits(p->server) < TWO_WAITS_MAX)
		in = feed(o->client, &o->from_client, p->client, p->now_ms);
	out = in < 0 ? -1 : drain(o->client, p->client);
	if (out < 0 || (is_over(o->client) && !(o->leaves && owes_host(o))))
		return finish(o);
	return in > 0 || out > 0;
}

static bool run(struct two *o, struct one_parts *p)
{
	bool any;

	if (p->client->broken || (p->client->ended && stream_has(p->client) == 0)) {
		o->state = TWO_DONE;
		return true;
	}
	any = run_server(o, p);
	if (o->state == TWO_RUNS && o->client == NULL && o->greeted)
		any |= greet_program(o) || finish(o);
	if (o->state == TWO_RUNS)
		any |= run_client(o, p);
	return any;
}

static bool step(struct two *o, struct one_parts *p)
{
	switch ((enum two_state)o->state) {
	case TWO_NEW: o->state = TWO_RUNS; return greet_host(o) || finish(o);
	case TWO_RUNS: return run(o, p);
	case TWO_LAST: return end(o, p);
	case TWO_DONE: break;
	}
	return false;
}

bool two_step(struct two *o, struct one_parts *p)
{
	bool any;

	o->parts = p;
	any = step(o, p);
	o->parts = NULL;
	return any;
}
