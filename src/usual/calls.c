#include "usual/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "profile/call_link.h"
#include "profile/verdict.h"
#include "usual/file.h"
#include "usual/layout.h"

#define DAY_MS UINT64_C(86400000)
#define WAITING_MAX 16
#define DOMAIN_DAY 65
#define DOMAIN_RUN 66
#define KEY_BEGINS "\tcalls\t"

_Static_assert(USUAL_REASONS == VERDICT_REASONS && USUAL_REASON_MAX == VERDICT_REASON_MAX, "reasons fit");
_Static_assert(USUAL_ITEMS_MAX >= CALL_BYTES_MAX && USUAL_ITEMS_KEY == CALL_KEY_SIZE, "what a gate has can be told");
_Static_assert(CALL_SERVER_MAX > TOOL_SERVER_MAX && CALL_AGENT_MAX == AGENT_NAME_MAX, "names fit");
_Static_assert(CALL_FORM_BYTES_MAX <= USUAL_TEXT_MAX, "what is kept can be had");

struct table {
	struct call_profile *p; /* owned; NULL: a free place */
	unsigned runs;          /* that go on */
	bool dirty;             /* what was learned could not be written */
	uint64_t used;          /* by order */
};

struct calls {
	int dir_fd; /* borrowed */
	struct table tables[CALLS_HOT];
	uint64_t uses;
};

struct calls_run {
	struct table *of; /* borrowed */
	int dir_fd;       /* likewise */
	struct scopes scopes;
	char agent[AGENT_NAME_MAX], event[ID_TEXT_MAX];
	struct call last; /* that was scored */
	bool has_last, tainted, spoiled;
	size_t n_waiting, n;
	struct waiting {
		uint64_t sum; /* of what the call is made of */
		char event[ID_TEXT_MAX];
	} waiting[WAITING_MAX]; /* calls of which a person is asked */
	struct done {
		struct item item;
		char tool[CALL_TOOL_MAX];
		bool released;
	} done[NOVELTY_MARKS_MAX];
};

/* ---- files ---- */

static void name_of(const char *server, char ret[NAME_MAX + 1])
{
	(void)snprintf(ret, NAME_MAX + 1, USUAL_CALLS_OF "%.64s" USUAL_CALLS, server);
}

static int save(const struct calls *c, struct table *t, struct err *e)
{
	auto_buf text = { .max = CALL_FORM_BYTES_MAX };
	char name[NAME_MAX + 1];
	int r;

	name_of(t->p->server, name);
	call_form_write(t->p, &text);
	r = text.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile of calls")
			: file_write(c->dir_fd, name, &text, e);
	t->dirty = r < 0;
	return r;
}

static int make(const char *server, struct call_profile *ret, struct err *e)
{
	uint8_t key[CALL_KEY_SIZE];

	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes");
	return call_profile_init(ret, server, key, e);
}

static bool is_file(const char *name)
{
	const size_t n = strlen(name), ending = strlen(USUAL_CALLS);

	return n > ending && strncmp(name, USUAL_CALLS_OF, strlen(USUAL_CALLS_OF)) == 0 &&
	       strcmp(name + n - ending, USUAL_CALLS) == 0;
}

static void count_file(void *of, const char *name)
{
	*(size_t *)of += is_file(name);
}

/* Before another is made. */
static int check_room(const struct calls *c, struct err *e)
{
	size_t n = 0;
	const int r = file_each(c->dir_fd, count_file, &n, e);

	if (r < 0 || n < CALLS_FILES_MAX)
		return r;
	return err_set(e, AMBIT_LIMIT, "`ambit profile reset` removes those of no use",
		       "there are profiles of calls of %d servers, and no more can be", CALLS_FILES_MAX);
}

/* *ret_new: there was none. */
static int load(const struct calls *c, const char *server, struct call_profile *ret, bool *ret_new, struct err *e)
{
	auto_buf text = { .max = 0 };
	char name[NAME_MAX + 1];
	int r;

	name_of(server, name);
	r = file_read(c->dir_fd, name, CALL_FORM_BYTES_MAX, &text, e);
	*ret_new = r == -AMBIT_NOT_FOUND;
	if (*ret_new)
		return make(server, ret, e);
	r = r < 0 ? r : call_form_read((const char *)text.data, text.len, ret, e);
	if (r == 0 && strcmp(ret->server, server) != 0) {
		call_profile_finish(ret);
		r = err_set(e, AMBIT_MALFORMED, "move it away", "it is the profile of another server");
	}
	return r < 0 ? err_context(e, r, "%s", name) : 0;
}

/* ---- tables ---- */

static void drop(struct table *t)
{
	if (t->p != NULL)
		call_profile_finish(t->p);
	free(t->p);
	*t = (struct table){ .p = NULL };
}

static struct table *find(struct calls *c, const char *server)
{
	for (size_t i = 0; i < CALLS_HOT; i++)
		if (c->tables[i].p != NULL && strcmp(c->tables[i].p->server, server) == 0)
			return &c->tables[i];
	return NULL;
}

/* The one that nobody has used for longest; NULL: all are in use. */
static struct table *free_one(struct calls *c)
{
	struct table *found = NULL;

	for (size_t i = 0; i < CALLS_HOT; i++) {
		struct table *t = &c->tables[i];

		if (t->p == NULL)
			return t;
		if (t->runs == 0 && (found == NULL || t->used < found->used))
			found = t;
	}
	return found;
}

/* A free place: what nobody has used for longest goes. */
static int make_room(struct calls *c, struct table **ret, struct err *e)
{
	struct table *t = free_one(c);
	int r;

	if (t == NULL) {
		(void)err_set(e, AMBIT_LIMIT, "end a gate", "gates of %d servers are held against profiles", CALLS_HOT);
		return -AMBIT_LIMIT;
	}
	r = t->p != NULL && t->dirty ? save(c, t, e) : 0;
	if (r < 0)
		return r;
	drop(t);
	t->used = ++c->uses;
	*ret = t;
	return 0;
}

/* What is on disk, or, where that is wanted, a new one: its key is for as long as it is there. */
static int fill(struct calls *c, struct table *t, const char *server, bool wanted, struct err *e)
{
	auto_free struct call_profile *p = calloc(1, sizeof *p);
	bool is_new = false;
	int r;

	if (p == NULL) {
		(void)err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile of calls");
		return -AMBIT_MEMORY;
	}
	r = load(c, server, p, &is_new, e);
	if (r < 0)
		return r;
	t->p = steal_ptr(&p);
	if (!is_new)
		return 0;
	r = wanted ? check_room(c, e)
		   : err_set(e, AMBIT_NOT_FOUND, "`ambit profile show` lists them", "there is no such profile");
	r = r < 0 ? r : save(c, t, e);
	if (r < 0)
		drop(t);
	return r;
}

/* wanted: one that is not there is made. */
static int table_of(struct calls *c, const char *server, bool wanted, struct table **ret, struct err *e)
{
	struct table *t = find(c, server);
	int r;

	if (t != NULL) {
		t->used = ++c->uses;
		*ret = t;
		return 0;
	}
	r = make_room(c, &t, e);
	r = r < 0 ? r : fill(c, t, server, wanted, e);
	if (r == 0)
		*ret = t;
	return r;
}

int calls_new(int dir_fd, struct calls **ret, struct err *e)
{
	struct calls *c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profiles of calls");
	c->dir_fd = dir_fd;
	*ret = c;
	return 0;
}

int calls_save(struct calls *c, struct err *e)
{
	struct err ignored;
	int r = 0;

	for (size_t i = 0; i < CALLS_HOT; i++)
		if (c->tables[i].p != NULL && c->tables[i].dirty) {
			const int rc = save(c, &c->tables[i], r == 0 ? e : &ignored);

			r = r < 0 ? r : rc;
		}
	return r;
}

void calls_free(struct calls *c)
{
	for (size_t i = 0; c != NULL && i < CALLS_HOT; i++)
		drop(&c->tables[i]);
	free(c);
}

/* ---- a run ---- */

int calls_begin(struct calls *c, const struct usual_calls *who, struct calls_run **ret, struct usual_begun *ret_begun,
		struct err *e)
{
	auto_free struct calls_run *run = calloc(1, sizeof *run);
	struct table *t = NULL;
	int r = run != NULL ? table_of(c, who->server, true, &t, e)
			    : err_set(e, AMBIT_MEMORY, NULL, "no memory for a run of a gate");

	if (r == 0 && t != NULL && t->dirty)
		r = save(c, t, e);
	if (r < 0 || t == NULL || t->p == NULL || run == NULL)
		return r;
	run->of = t;
	run->dir_fd = c->dir_fd;
	run->scopes = call_profile_scopes(t->p, who->agent);
	memcpy(run->agent, who->agent, sizeof run->agent);
	memcpy(run->event, who->event, sizeof run->event);
	t->runs++;
	memcpy(ret_begun->key, t->p->key, sizeof ret_begun->key);
	ret_begun->runs = novelty_runs(t->p->novelty, &run->scopes);
	*ret = steal_ptr(&run);
	return 0;
}

static struct done *done_by(struct calls_run *run, uint64_t item)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->done[i].item.mark.item == item)
			return &run->done[i];
	return NULL;
}

/* What this run did already, or a person released of it, is not new: ret has the rest. */
static void leave_out_done(struct calls_run *run, struct call *ret)
{
	const struct call *c = &run->last;

	memcpy(ret->tool, c->tool, sizeof ret->tool);
	ret->acts = c->acts;
	ret->n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (done_by(run, c->items[i].mark.item) == NULL)
			ret->items[ret->n++] = c->items[i];
}

static void put_verdict(const struct verdict *v, struct usual_verdict *ret)
{
	*ret = (struct usual_verdict){ .unusual = v->unusual,
				       .young = v->young,
				       .asks = v->unusual && !v->young,
				       .runs = v->runs,
				       .bits = v->bits,
				       .n = (unsigned)v->n };
	for (size_t i = 0; i < v->n; i++) {
		ret->reasons[i].bits = v->reasons[i].bits;
		memcpy(ret->reasons[i].text, v->reasons[i].text, sizeof ret->reasons[i].text);
	}
}

int calls_score(struct calls_run *run, const struct usual_call *q, struct usual_verdict *ret, struct err *e)
{
	static struct call fresh; /* 24 kilobytes, and one thread */
	struct verdict v;
	struct rbuf in;
	int r = q->before.fate != 0 ? calls_said(run, &q->before, e) : 0;

	if (r < 0)
		return r;
	rbuf_init(&in, q->items, q->n);
	run->has_last = call_take(&in, &run->last);
	if (!run->has_last)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a call that is none");
	for (size_t i = 0; i < run->last.n && q->untrusted; i++)
		if ((run->last.items[i].mark.from & (ITEM_OF_ANSWER | ITEM_OF_MANY)) != 0)
			mark_join(&run->last.items[i].mark, ITEM_UNTRUSTED);
	leave_out_done(run, &fresh);
	verdict_begin(&v, run->of->p->novelty, &run->scopes);
	verdict_call(&v, run->of->p->novelty, &run->scopes, &VERDICT_RULES, &fresh);
	put_verdict(&v, ret);
	return 0;
}

static uint64_t sum_of(const struct call *c)
{
	uint64_t sum = c->tool_hash;

	for (size_t i = 0; i < c->n; i++)
		sum += c->items[i].mark.item;
	return sum;
}

/* ---- calls that wait ---- */

#define HELD_FORM 1

static void held_name(const char *event, char ret[NAME_MAX + 1])
{
	(void)snprintf(ret, NAME_MAX + 1, USUAL_HELD_CALL "%s", event);
}

struct held {
	size_t n;
	char oldest[NAME_MAX + 1];
};

/* Ids of events are in the order of their time. */
static void put_held(void *of, const char *name)
{
	struct held *h = of;

	if (strncmp(name, USUAL_HELD_CALL, strlen(USUAL_HELD_CALL)) != 0)
		return;
	if (h->n++ == 0 || strcmp(name, h->oldest) < 0)
		(void)text_copy(h->oldest, sizeof h->oldest, name); /* of a directory */
}

/* What it is made of, under which key, of whom. It waits also where this cannot be kept: then nobody can say later what it was. */
static int hold(const struct calls_run *run, const char *event, struct err *e)
{
	auto_buf bytes = { .max = CALL_BYTES_MAX + 512 };
	struct held h = { .n = 0 };
	char name[NAME_MAX + 1];
	int r = file_each(run->dir_fd, put_held, &h, e);

	if (r == 0 && h.n >= CALLS_HELD_MAX && unlinkat(run->dir_fd, h.oldest, 0) < 0 && errno != ENOENT)
		r = file_cannot(e, "remove", h.oldest);
	if (r < 0)
		return r;
	buf_put_u8(&bytes, HELD_FORM);
	buf_put_str(&bytes, run->of->p->server);
	buf_put_str(&bytes, run->agent);
	buf_put(&bytes, run->of->p->key, sizeof run->of->p->key);
	call_put(&bytes, &run->last);
	held_name(event, name);
	return bytes.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a call that waits")
			    : file_write(run->dir_fd, name, &bytes, e);
}

static int wait_for(struct calls_run *run, uint64_t sum, const char *event, struct err *e)
{
	for (size_t i = 0; i < run->n_waiting; i++)
		if (run->waiting[i].sum == sum)
			return 0;
	if (run->n_waiting == WAITING_MAX) {
		run->spoiled = true;
		return 0;
	}
	run->waiting[run->n_waiting] = (struct waiting){ .sum = sum };
	memcpy(run->waiting[run->n_waiting++].event, event, ID_TEXT_MAX);
	return event[0] != 0 ? hold(run, event, e) : 0;
}

/* A person has said it by the question. */
static void wait_no_more(struct calls_run *run, uint64_t sum)
{
	char name[NAME_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < run->n_waiting; i++) {
		if (run->waiting[i].sum != sum) {
			run->waiting[n++] = run->waiting[i];
			continue;
		}
		held_name(run->waiting[i].event, name);
		(void)unlinkat(run->dir_fd, name, 0); /* or it is settled already */
	}
	run->n_waiting = n;
}

struct waited {
	char server[CALL_SERVER_MAX], agent[CALL_AGENT_MAX];
	uint8_t key[CALL_KEY_SIZE];
	struct call call;
};

static bool take_waited(const struct buf *bytes, struct waited *ret)
{
	const uint8_t *key;
	struct rbuf in;

	rbuf_init(&in, bytes->data, bytes->len);
	if (rbuf_u8(&in) != HELD_FORM)
		return false;
	rbuf_str(&in, ret->server, sizeof ret->server);
	rbuf_str(&in, ret->agent, sizeof ret->agent);
	key = rbuf_bytes(&in, sizeof ret->key);
	if (key == NULL || in.failed)
		return false;
	memcpy(ret->key, key, sizeof ret->key);
	return tool_is_server(ret->server) && call_take(&in, &ret->call);
}

/* As a run that had this call alone, which a person released. */
static int release(struct calls *c, const struct waited *w, const char *event, struct err *e)
{
	const uint32_t day = (uint32_t)(clock_unix_ms() / DAY_MS);
	struct mark marks[CALL_ITEMS_MAX + 1];
	struct table *t = NULL;
	struct scopes scopes;
	uint64_t principal;
	int r = table_of(c, w->server, false, &t, e);

	if (r < 0 || t == NULL)
		return r;
	if (memcmp(t->p->key, w->key, sizeof w->key) != 0)
		return err_set(e, AMBIT_CONFLICT, "`ambit profile refuse` forgets it",
			       "the profile of %s was begun anew since", w->server);
	for (size_t i = 0; i < w->call.n; i++)
		marks[i] = w->call.items[i].mark;
	scopes = call_profile_scopes(t->p, w->agent);
	principal = call_hash(t->p->key, DOMAIN_RUN, 0, 0, event, strlen(event));
	r = novelty_learn(t->p->novelty, &scopes, principal, day,
			  &(struct doings){ .marks = marks, .n_marks = w->call.n });
	if (r < 0 && r != -AMBIT_LIMIT) /* it was learned already */
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile of calls");
	call_profile_note_agent(t->p, w->agent);
	for (size_t i = 0; i < w->call.n; i++)
		call_profile_note(t->p, w->call.tool, &w->call.items[i], day);
	return save(c, t, e);
}

int calls_settle(struct calls *c, const struct usual_settle *s, struct err *e)
{
	auto_free struct waited *w = calloc(1, sizeof *w);
	auto_buf bytes = { .max = 0 };
	char name[NAME_MAX + 1];
	int r;

	held_name(s->event, name);
	r = file_read(c->dir_fd, name, CALL_BYTES_MAX + 512, &bytes, e);
	if (r == -AMBIT_NOT_FOUND)
		return r;
	if (s->released && r == 0) { /* else whatever it says */
		if (w == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for a call that waits");
		r = take_waited(&bytes, w) ? release(c, w, s->event, e)
					   : err_set(e, AMBIT_MALFORMED, "`ambit profile refuse` forgets it",
						     "%s is no call that waits", name);
	}
	if (s->released && r < 0)
		return r;
	return unlinkat(c->dir_fd, name, 0) == 0 ? 0 : file_cannot(e, "remove", name);
}

/* ---- what became of a call ---- */

/* What has no room in a run is not learned of it. */
static void add(struct calls_run *run, const struct item *item, bool released)
{
	struct done *d = done_by(run, item->mark.item);

	if (d == NULL && run->n == NOVELTY_MARKS_MAX)
		return;
	if (d == NULL) {
		d = &run->done[run->n++];
		*d = (struct done){ .item = *item };
		memcpy(d->tool, run->last.tool, sizeof d->tool);
	}
	d->released = d->released || released;
}

int calls_said(struct calls_run *run, const struct usual_called *q, struct err *e)
{
	const uint64_t sum = sum_of(&run->last);

	if (!run->has_last)
		return err_set(e, AMBIT_PROTOCOL, NULL, "a word on no call");
	run->has_last = false;
	if (q->fate == USUAL_WAITS)
		return wait_for(run, sum, q->event, e);
	if (q->fate == USUAL_NEVER)
		wait_no_more(run, sum);
	run->spoiled = run->spoiled || q->fate == USUAL_NEVER;
	if (q->fate != USUAL_LET && q->fate != USUAL_RELEASED)
		return 0;
	wait_no_more(run, sum);
	run->tainted = run->tainted || (q->untrusted && run->last.acts);
	for (size_t i = 0; i < run->last.n; i++)
		add(run, &run->last.items[i], q->fate == USUAL_RELEASED);
	return 0;
}

/* Those that a person released; and if all may teach, all. *ret_released: there is one of the former. */
static size_t take_lessons(struct calls_run *run, struct mark ret[NOVELTY_MARKS_MAX], bool *ret_released)
{
	const bool all = !run->tainted && !run->spoiled && run->n_waiting == 0;
	size_t n = 0;

	*ret_released = false;
	for (size_t i = 0; i < run->n; i++) {
		struct done *d = &run->done[i];

		*ret_released = *ret_released || d->released;
		d->released = all || d->released; /* from here on: it teaches */
		if (d->released)
			ret[n++] = d->item.mark;
	}
	return n;
}

static void teach(struct calls_run *run, uint32_t day)
{
	struct call_profile *p = run->of->p;
	struct mark marks[NOVELTY_MARKS_MAX];
	bool released;
	const struct doings d = { .marks = marks, .n_marks = take_lessons(run, marks, &released) };
	const uint64_t principal = released ? call_hash(p->key, DOMAIN_RUN, 0, 0, run->event, strlen(run->event))
					    : call_hash(p->key, DOMAIN_DAY, day, 0, NULL, 0);

	if (d.n_marks == 0 || novelty_learn(p->novelty, &run->scopes, principal, day, &d) < 0)
		return; /* or enough was taught */
	call_profile_note_agent(p, run->agent);
	for (size_t i = 0; i < run->n; i++)
		if (run->done[i].released)
			call_profile_note(p, run->done[i].tool, &run->done[i].item, day);
	run->of->dirty = true;
}

void calls_end(struct calls *c, struct calls_run *run)
{
	struct err e;

	if (run == NULL)
		return;
	run->of->runs--;
	teach(run, (uint32_t)(clock_unix_ms() / DAY_MS));
	if (run->of->dirty)
		(void)save(c, run->of, &e);
	free(run);
}

/* ---- for a person ---- */

/* "\tcalls\tSERVER\t": as keys of other profiles have their parts. */
static bool server_of(const char *key, char ret[TOOL_SERVER_MAX + 1])
{
	const size_t n = strlen(KEY_BEGINS), all = strlen(key);

	if (all < n + 2 || all - n - 1 > TOOL_SERVER_MAX || strncmp(key, KEY_BEGINS, n) != 0 || key[all - 1] != '\t')
		return false;
	memcpy(ret, key + n, all - n - 1);
	ret[all - n - 1] = 0;
	return tool_is_server(ret);
}

bool calls_is_key(const char *key)
{
	char server[TOOL_SERVER_MAX + 1];

	return server_of(key, server);
}

struct page {
	const char *after;
	size_t most, n;
	char (*names)[NAME_MAX + 1]; /* the least ones behind it, in their order */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void put_name(void *of, const char *name)
{
	struct page *page = of;

	if (!is_file(name) || strcmp(name, page->after) <= 0 ||
	    (page->n == page->most && strcmp(name, page->names[page->most - 1]) >= 0))
		return;
	(void)text_copy(page->names[page->n < page->most ? page->n++ : page->most - 1], NAME_MAX + 1, name);
	qsort(page->names, page->n, sizeof page->names[0], by_name);
}

static void row_of(const struct calls *c, const char *name, struct usual_row *ret)
{
	char head[CALL_FORM_HEAD_MAX], server[CALL_SERVER_MAX];
	auto_fd int fd = openat(c->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : fd_read_all(fd, head, sizeof head);
	struct stat st;

	*ret = (struct usual_row){ .epoch = 0 };
	(void)text_escape(ret->id, sizeof ret->id, name, strlen(name) - strlen(USUAL_CALLS));
	if (n <= 0 || fstat(fd, &st) < 0 || !call_form_head(head, (size_t)n, server, &ret->events) ||
	    !tool_is_server(server)) {
		ret->key[0] = '?';
		(void)text_escape(ret->key + 1, sizeof ret->key - 1, name, strlen(name));
		return;
	}
	(void)snprintf(ret->key, sizeof ret->key, KEY_BEGINS "%s\t", server);
	ret->shadow_events = ret->events;
	ret->bytes = (uint64_t)st.st_size;
}

int calls_page(struct calls *c, const char *after, struct usual_row *rows, size_t most, size_t *ret_n,
	       char ret_last[NAME_MAX + 1], struct err *e)
{
	auto_free char(*names)[NAME_MAX + 1] = calloc(most, sizeof *names);
	struct page page = { .after = after, .most = most, .names = names };
	int r;

	if (names == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a list");
	r = file_each(c->dir_fd, put_name, &page, e);
	if (r < 0)
		return r;
	for (*ret_n = 0; *ret_n < page.n; ++*ret_n)
		row_of(c, names[*ret_n], &rows[*ret_n]);
	(void)text_copy(ret_last, NAME_MAX + 1, page.n > 0 ? names[page.n - 1] : "");
	return 0;
}

static int of_key(struct calls *c, const char *key, struct table **ret, struct err *e)
{
	char server[TOOL_SERVER_MAX + 1];

	return server_of(key, server) ? table_of(c, server, false, ret, e)
				      : err_set(e, AMBIT_USAGE, NULL, "a profile of calls that is none");
}

int calls_get(struct calls *c, const char *key, struct buf *out, struct err *e)
{
	struct table *t = NULL;
	const int r = of_key(c, key, &t, e);

	if (r < 0 || t == NULL)
		return r;
	call_form_write(t->p, out);
	return out->failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile") : 0;
}

static int goes_on(const struct table *t, struct err *e)
{
	return err_set(e, AMBIT_CONFLICT, "end it, and then again", "a gate of %s goes on", t->p->server);
}

/* In the place of what there is of it. */
static int put(struct calls *c, const struct call_profile *p, struct table **ret, struct err *e)
{
	struct table *t = find(c, p->server);

	if (!tool_is_server(p->server))
		return err_set(e, AMBIT_MALFORMED, NULL, "line 2: no name of a server");
	if (t == NULL)
		return make_room(c, ret, e);
	if (t->runs > 0)
		return goes_on(t, e);
	drop(t);
	*ret = t;
	return 0;
}

int calls_put(struct calls *c, const char *text, size_t n, char ret_key[PROFILE_NAME_MAX], struct err *e)
{
	auto_free struct call_profile *p = calloc(1, sizeof *p);
	struct table *t = NULL;
	int r = p != NULL ? call_form_read(text, n, p, e)
			  : err_set(e, AMBIT_MEMORY, NULL, "no memory for a profile of calls");

	if (r < 0 || p == NULL)
		return r;
	r = put(c, p, &t, e);
	if (r < 0 || t == NULL) {
		call_profile_finish(p);
		return r;
	}
	(void)snprintf(ret_key, PROFILE_NAME_MAX, KEY_BEGINS "%s\t", p->server);
	*t = (struct table){ .p = steal_ptr(&p), .used = ++c->uses };
	return save(c, t, e);
}

int calls_reset(struct calls *c, const char *key, struct err *e)
{
	char server[TOOL_SERVER_MAX + 1], name[NAME_MAX + 1];
	struct table *t;

	if (!server_of(key, server))
		return err_set(e, AMBIT_USAGE, NULL, "a profile of calls that is none");
	t = find(c, server);
	if (t != NULL && t->runs > 0)
		return goes_on(t, e);
	if (t != NULL)
		drop(t);
	name_of(server, name);
	if (unlinkat(c->dir_fd, name, 0) < 0)
		return errno == ENOENT ? err_set(e, AMBIT_NOT_FOUND, "`ambit profile show` lists them",
						 "there is no such profile")
				       : file_cannot(e, "remove", name);
	return 0;
}
