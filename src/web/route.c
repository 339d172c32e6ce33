/* Which message of a server is whose, and by which stream it goes. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "web/web.h"

/* ---- requests that wait ---- */

struct asked *asked_new(struct server *s)
{
	for (size_t i = 0; i < WEB_ASKED_MAX; i++)
		if (!s->asked[i].used) {
			s->asked[i] = (struct asked){ .used = true, .own = ++s->last_own };
			return &s->asked[i];
		}
	return NULL;
}

struct asked *asked_of_id(struct server *s, const char *id, struct asked *after)
{
	for (struct asked *a = after == NULL ? s->asked : after + 1; a < s->asked + WEB_ASKED_MAX; a++)
		if (a->used && strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

struct asked *asked_of_own(struct server *s, uint64_t own)
{
	for (size_t i = 0; i < WEB_ASKED_MAX; i++)
		if (s->asked[i].used && s->asked[i].own == own)
			return &s->asked[i];
	return NULL;
}

void asked_free(struct asked *a)
{
	a->used = false;
}

static bool is_newer(const struct asked *a, const struct asked *than)
{
	return than == NULL || a->own > than->own;
}

/* The request that a message is most likely about: the last of those for which somebody waits; only: of more than one none. */
static struct asked *last_asked(struct server *s, bool only, bool logs)
{
	struct asked *last = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < WEB_ASKED_MAX; i++) {
		struct asked *a = &s->asked[i];

		if (!a->used || a->conn == NULL || (logs && !a->logs))
			continue;
		n++;
		if (is_newer(a, last))
			last = a;
	}
	return only && n > 1 ? NULL : last;
}

/* ---- lines ---- */

void cuts_put(struct buf *out, const char *line, size_t n, struct cut *cuts, size_t n_cuts)
{
	size_t at = 0;

	if (n_cuts == 2 && cuts[0].at.from > cuts[1].at.from) {
		const struct cut first = cuts[1];

		cuts[1] = cuts[0];
		cuts[0] = first;
	}
	for (size_t i = 0; i < n_cuts; i++) {
		buf_put(out, line + at, cuts[i].at.from - at);
		buf_put(out, cuts[i].with, strlen(cuts[i].with));
		at = cuts[i].at.to;
	}
	buf_put(out, line + at, n - at);
	buf_put_u8(out, '\n');
}

/* As cuts_put, without the end of the line. */
static void recut(struct buf *out, const char *line, size_t n, struct cut *cuts, size_t n_cuts)
{
	buf_init(out, n + 3 * (size_t)WEB_ID_MAX);
	cuts_put(out, line, n, cuts, n_cuts);
	if (!out->failed)
		out->len--;
}

static bool take_own(const char *line, const struct member *m, uint64_t *ret)
{
	char text[24];

	if (m->to - m->from >= sizeof text)
		return false;
	memcpy(text, line + m->from, m->to - m->from);
	text[m->to - m->from] = 0;
	return parse_u64(text, 1, UINT64_MAX, ret);
}

/* ---- events ---- */

static bool resumes(const struct server *s)
{
	return !s->modern && strcmp(s->version, MCP_RESUMES) >= 0;
}

static void drop_kept(struct server *s, size_t i)
{
	s->kept_bytes -= s->kept[i].line.len;
	buf_finish(&s->kept[i].line);
	memmove(&s->kept[i], &s->kept[i + 1], (--s->n_kept - i) * sizeof s->kept[0]);
}

static void keep(struct server *s, uint32_t stream, uint64_t number, bool told, const void *line, size_t n)
{
	struct kept *k;

	if (n > WEB_KEPT_BYTES)
		return;
	while (s->n_kept == WEB_KEPT_MAX || s->kept_bytes + n > WEB_KEPT_BYTES)
		drop_kept(s, 0);
	k = &s->kept[s->n_kept];
	*k = (struct kept){ .stream = stream, .number = number, .told = told };
	buf_init(&k->line, n);
	buf_put(&k->line, line, n);
	if (k->line.failed) {
		buf_finish(&k->line);
		return;
	}
	s->n_kept++;
	s->kept_bytes += n;
}

/* By the stream of a request, or (a NULL) by that of none. */
static void tell_event(struct server *s, struct asked *a, const void *line, size_t n)
{
	struct conn *c = a != NULL ? a->conn : s->listens;
	const uint32_t stream = a != NULL ? a->stream : 0;
	const uint64_t number = ++s->last_event;

	if (c != NULL)
		stream_event(c, stream, resumes(s) ? number : 0, line, n);
	if (resumes(s) || (a == NULL && !s->modern && c == NULL))
		keep(s, stream, number, c != NULL, line, n);
}

/* An event without data: who heard of it can come back. */
static void prime(struct server *s, struct conn *c, uint32_t stream)
{
	if (resumes(s))
		stream_event(c, stream, ++s->last_event, "", 0);
}

void route_stream(struct web *w, struct server *s, struct asked *a)
{
	if (a->stream != 0 || a->conn == NULL)
		return;
	a->stream = ++s->last_stream;
	stream_begin(w, a->conn, a->initializes ? s->id : NULL);
	prime(s, a->conn, a->stream);
}

/* A message before the answer. */
static void tell_before(struct web *w, struct server *s, struct asked *a, const void *line, size_t n)
{
	route_stream(w, s, a);
	if (a->stream != 0)
		tell_event(s, a, line, n);
}

static void end_stream(struct web *w, struct conn *c)
{
	stream_end(c);
	c->server = NULL;
	c->asked = NULL;
	c->used = true;
	c->state = c->closes ? CONN_ENDS : CONN_HEAD;
	c->since_ms = w->now_ms;
}

/* ---- answers ---- */

/* Errors that are the request's are errors of HTTP, too, from 2026-07-28 on. */
static unsigned status_of(const struct server *s, const char *line, size_t n)
{
	static const char *const where[] = { "error", "code", NULL };
	static const struct {
		const char *code;
		unsigned status;
	} rows[] = { { "-32700", 400 }, { "-32600", 400 }, { "-32601", 404 },
		     { "-32020", 400 }, { "-32021", 400 }, { "-32022", 400 } };
	struct member m;

	if (!s->modern || !member_find_in(line, n, where, &m))
		return 200;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (m.to - m.from == strlen(rows[i].code) && memcmp(line + m.from, rows[i].code, m.to - m.from) == 0)
			return rows[i].status;
	return 200;
}

static void tell_answer(struct web *w, struct server *s, struct asked *a, unsigned status, const struct buf *line)
{
	struct conn *c = a->conn;

	if (a->stream != 0)
		tell_event(s, a, line->data, line->len);
	if (c != NULL && a->stream != 0)
		end_stream(w, c);
	else if (c != NULL)
		answer_json(w, c, status, a->initializes ? s->id : NULL, line);
	asked_free(a);
}

/* Which revision it is: with it the session has begun. */
static void take_version(struct server *s, const char *line, size_t n)
{
	static const char *const where[] = { "result", "protocolVersion", NULL };
	struct member m;

	if (!member_find_in(line, n, where, &m) || m.to - m.from < 2 || m.to - m.from - 2 >= sizeof s->version)
		return;
	memcpy(s->version, line + m.from + 1, m.to - m.from - 2);
}

static void on_answer(struct web *w, struct server *s, const char *line, size_t n, const struct member *id)
{
	static const char *const where[] = { "result", "_meta", META_SUBSCRIPTION, NULL };
	struct asked *a = NULL;
	struct cut cuts[2] = { { .at = *id } };
	struct buf out;
	uint64_t own;
	bool begins;

	if (take_own(line, id, &own))
		a = asked_of_own(s, own);
	if (a == NULL)
		return; /* it was cancelled, or nobody can know whose it is */
	begins = a->initializes;
	cuts[0].with = cuts[1].with = a->id;
	if (begins)
		take_version(s, line, n);
	recut(&out, line, n, cuts, s->modern && member_find_in(line, n, where, &cuts[1].at) ? 2 : 1);
	if (out.failed)
		route_lost(w, s, a, "no memory for its answer");
	else
		tell_answer(w, s, a, status_of(s, line, n), &out);
	buf_finish(&out);
	if (begins && s->version[0] == 0)
		session_end(w, s, NULL); /* it was refused */
}

void route_cancelled(struct web *w, struct asked *a)
{
	if (a->conn != NULL && a->stream != 0)
		end_stream(w, a->conn);
	else if (a->conn != NULL)
		answer_nothing(w, a->conn, 202);
	asked_free(a);
}

void route_lost(struct web *w, struct server *s, struct asked *a, const char *why)
{
	auto_buf line = { .max = 1024 };
	struct no no;

	if (a->stream != 0) {
		buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"%s\"}}", a->id,
			   NO_SERVER, why);
		tell_event(s, a, line.data, line.len);
		route_cancelled(w, a);
		return;
	}
	if (a->conn != NULL) {
		(void)no_set(&no, s->state == SERVER_OPENING ? 503 : 502, NO_SERVER, NULL, "%s", why);
		no.err.code = AMBIT_GONE;
		answer_no(w, a->conn, &no, a->id);
	}
	asked_free(a);
}

/* ---- what nobody asked ---- */

static bool is_method(const char *line, const struct member *m, const char *word)
{
	const size_t n = strlen(word);

	return m->to - m->from == n + 2 && memcmp(line + m->from + 1, word, n) == 0;
}

/* Of 2026-07-28: all that is said is about a request, and says which. */
static void on_note_modern(struct web *w, struct server *s, const char *line, size_t n, const struct member *method)
{
	static const char *const token[] = { "params", "progressToken", NULL };
	static const char *const listens[] = { "params", "_meta", META_SUBSCRIPTION, NULL };
	struct cut cut = { .with = NULL };
	struct asked *a = NULL;
	struct buf out;
	uint64_t own;

	if (member_find_in(line, n, token, &cut.at) || member_find_in(line, n, listens, &cut.at)) {
		a = take_own(line, &cut.at, &own) ? asked_of_own(s, own) : NULL;
		cut.with = a == NULL ? NULL : is_method(line, method, "notifications/progress") ? a->token : a->id;
	} else {
		a = last_asked(s, false, is_method(line, method, "notifications/message"));
	}
	if (a == NULL || (cut.with != NULL && cut.with[0] == 0))
		return;
	recut(&out, line, n, &cut, cut.with != NULL ? 1 : 0);
	if (!out.failed)
		tell_before(w, s, a, out.data, out.len);
	buf_finish(&out);
}

static struct asked *asked_of_token(struct server *s, const char *line, size_t n)
{
	static const char *const where[] = { "params", "progressToken", NULL };
	struct member m;

	if (!member_find_in(line, n, where, &m))
		return NULL;
	for (size_t i = 0; i < WEB_ASKED_MAX; i++) {
		struct asked *a = &s->asked[i];

		if (a->used && a->token[0] != 0 && strlen(a->token) == m.to - m.from &&
		    memcmp(a->token, line + m.from, m.to - m.from) == 0)
			return a;
	}
	return NULL;
}

/* Of the revisions before, nothing says what a message is about but its token. What the server asks comes by a stream where somebody listens, as soon as there is one. */
static void on_other_legacy(struct web *w, struct server *s, const char *line, size_t n, bool asks)
{
	struct asked *a = asked_of_token(s, line, n);

	if (a == NULL)
		a = last_asked(s, !asks && s->listens != NULL, false);
	if (a != NULL)
		tell_before(w, s, a, line, n);
	else
		tell_event(s, NULL, line, n);
}

void route_line(struct web *w, struct server *s, const char *line, size_t n)
{
	const struct member all = { .to = n };
	struct member id, method;
	const bool has_id = member_find(line, all, "id", &id), has_method = member_find(line, all, "method", &method);

	if (n > WEB_LINE_MAX)
		return;
	if (!has_method && has_id)
		on_answer(w, s, line, n, &id);
	else if (has_method && !s->modern)
		on_other_legacy(w, s, line, n, has_id);
	else if (has_method && !has_id)
		on_note_modern(w, s, line, n, &method);
}

/* ---- streams that are taken up ---- */

static void leave_stream(struct web *w, struct conn *c)
{
	if (c == NULL)
		return;
	end_stream(w, c);
	c->closes = true;
	c->state = CONN_ENDS;
}

static void attach(struct web *w, struct server *s, struct conn *c)
{
	c->server = c->from = s;
	stream_begin(w, c, s->id);
}

void route_listen(struct web *w, struct server *s, struct conn *c)
{
	leave_stream(w, s->listens); /* who lost it begins another before we know */
	s->listens = c;
	s->was_heard = true;
	attach(w, s, c);
	prime(s, c, 0);
	for (size_t i = 0; i < s->n_kept; i++) {
		struct kept *k = &s->kept[i];

		if (k->stream == 0 && !k->told)
			stream_event(c, 0, resumes(s) ? k->number : 0, k->line.data, k->line.len);
		k->told = k->told || k->stream == 0;
	}
}

static struct asked *asked_of_stream(struct server *s, uint32_t stream)
{
	for (size_t i = 0; i < WEB_ASKED_MAX; i++)
		if (s->asked[i].used && s->asked[i].stream == stream && stream != 0)
			return &s->asked[i];
	return NULL;
}

/* "STREAM-NUMBER" */
static bool take_event(const char *text, uint32_t *ret_stream, uint64_t *ret_number)
{
	const char *dash = strchr(text, '-');
	char stream[16];

	if (dash == NULL || (size_t)(dash - text) >= sizeof stream)
		return false;
	memcpy(stream, text, (size_t)(dash - text));
	stream[dash - text] = 0;
	return parse_u32(stream, 0, UINT32_MAX, ret_stream) && parse_u64(dash + 1, 1, UINT64_MAX, ret_number);
}

bool route_resume(struct web *w, struct server *s, struct conn *c, const char *event, struct no *no)
{
	struct asked *a;
	uint32_t stream;
	uint64_t number;
	unsigned told = 0;

	if (!take_event(event, &stream, &number) || stream > s->last_stream || number > s->last_event)
		return no_set(no, 400, NO_HTTP, "Last-Event-ID is that of the last event that came",
			      "there was no such event");
	a = asked_of_stream(s, stream);
	for (size_t i = 0; i < s->n_kept; i++)
		told += s->kept[i].stream == stream && s->kept[i].number > number;
	if (stream != 0 && a == NULL && told == 0)
		return no_set(no, 400, NO_HTTP, "ask again; with an idempotency key it has no second effect",
			      "what came behind that event is not kept any longer");
	leave_stream(w, a != NULL ? a->conn : stream == 0 ? s->listens : NULL);
	attach(w, s, c);
	for (size_t i = 0; i < s->n_kept; i++) {
		struct kept *k = &s->kept[i];

		if (k->stream != stream || k->number <= number)
			continue;
		stream_event(c, stream, k->number, k->line.data, k->line.len);
		k->told = true;
	}
	if (stream == 0) {
		s->listens = c;
	} else if (a != NULL) {
		a->conn = c;
		c->asked = a;
	} else {
		end_stream(w, c);
	}
	return true;
}
