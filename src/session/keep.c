#include "session/keep.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/delegate.h"
#include "lib/event.h"
#include "lib/stage.h"
#include "lib/standing.h"
#include "lib/throttle.h"
#include "session/lend.h"
#include "session/sealed.h"
#include "session/unended.h"
#include "supervisor/frozen.h"

#define KEEP_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define KEEP_BYTES (UINT64_C(256) << 20)
#define FROZEN_LOOK_MS 100 /* while something waits that may not begin */
#define END_MS 5000        /* for the ends of what runs, when the daemon has gone */
#define SETTLE_MS                                                                                                      \
	12000 /* for commits that go on when the daemon has gone: less than whoever comes next waits for us (SHELF_PATIENCE_MS) */

/* ---- which it is ---- */

static int take_description(struct keep *k, struct err *e)
{
	struct rbuf in;
	int r;

	rbuf_init(&in, k->described.data, k->described.len);
	r = description_take(&in, &k->about, e);
	if (r < 0)
		return r;
	if (ambit_policy_new(&k->policy, NULL) < 0)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for a policy");
	return policy_carried(k->about.policy, k->about.policy_bytes, &k->policy->policy, k->policy->texts, e);
}

/* One that could have no event is not made. */
static int make(struct keep *k, int sessions_fd, const char *id, int description_fd, struct err *e)
{
	struct job_terms terms = { .about = &k->about };
	int r = sealed_read(description_fd, &k->described);

	if (r < 0)
		return err_sys(e, AMBIT_MALFORMED, -r, NULL,
			       "what describes the session is no sealed memory file, or too long");
	r = take_description(k, e);
	terms.policy = k->policy;
	r = r < 0 ? r : job_check(&terms, e);
	if (r < 0)
		return r;
	k->row = (struct session_row){ .state = SESSION_IDLE, .made_ms = clock_unix_ms() };
	(void)text_copy(k->row.session, sizeof k->row.session,
			id); /* fits: an id, and what follows has the same size */
	(void)text_copy(k->row.agent, sizeof k->row.agent, k->policy->policy.agent);
	(void)text_copy(k->row.workspace, sizeof k->row.workspace, k->about.workspace);
	return shelf_make(&k->shelf, sessions_fd, &k->row, &k->described, e);
}

/* What had no end when its process ended is not begun again. */
static int mark_interrupted(struct keep *k, struct err *e)
{
	struct event_row row;
	int r = 0;

	for (uint64_t n = k->shelf.unended; n < k->shelf.next && r == 0; n++) {
		if (!shelf_read(&k->shelf, n, &row) || row.state != EVENT_TAKEN)
			continue;
		shelf_last_word(&k->shelf, &row);
		unended_tell(&row);
		r = shelf_end(&k->shelf, &row, e);
		k->interrupted += row.state == EVENT_INTERRUPTED;
	}
	return r;
}

/* What the policy names is made ready before anybody asked. */
static void want_warm(struct keep *k)
{
	for (unsigned i = 0; i < KIND_COUNT; i++)
		k->ready[i].wanted = k->policy != NULL && k->policy->policy.warm[i][0] != 0;
}

/* A place that cannot be is one of which nobody can tell. */
static void find_frozen(struct keep *k)
{
	char store[GRANT_OBJECT_MAX];

	if (stage_store_path(store, sizeof store) < 0 || !frozen_place(store, k->frozen))
		(void)text_copy(k->frozen, sizeof k->frozen, "/dev/null"); /* fits */
}

int keep_begin(struct keep *k, int sessions_fd, const char *id, int description_fd, struct err *e)
{
	int r;

	find_frozen(k);
	shelf_init(&k->shelf);
	for (unsigned i = 0; i < KIND_COUNT; i++)
		k->ready[i].kind = (enum event_kind)i;
	buf_init(&k->described, DESCRIPTION_BYTES_MAX);
	if (description_fd >= 0) {
		r = make(k, sessions_fd, id, description_fd, e);
		want_warm(k);
		return r;
	}
	r = shelf_open(&k->shelf, sessions_fd, id, &k->row, &k->described, e);
	r = r < 0 ? r : take_description(k, e);
	want_warm(k);
	return r < 0 ? r : mark_interrupted(k, e);
}

int keep_check_same(const struct keep *k, int description_fd, struct err *e)
{
	auto_buf given = { .max = DESCRIPTION_BYTES_MAX };

	if (sealed_read(description_fd, &given) == 0 && buf_is_same(&given, &k->described))
		return 0;
	return err_set(e, AMBIT_CONFLICT, "give each session a key of its own",
		       "that key was given to session %s, which is another", k->row.session);
}

/* Nobody waits for a supervisor that has said its last word: the cell is dead, what it changed is settled, and what is left takes the kernel as long as a short event takes. Where
 * there are roles of a network, ports for instance are free only when they have gone. */
static void leave(struct keep *k, struct job *j)
{
	if (j->ev == NULL || k->n_over == KEEP_OVER_MAX || !event_leaves(j->ev))
		return;
	k->over[k->n_over].ev = steal_ptr(&j->ev);
	k->over[k->n_over++].until_ms = clock_ms() + JOB_LEAVE_MS;
}

/* Those that are gone, or should be; in the end all. */
static void tidy_over(struct keep *k, bool all)
{
	const uint64_t now = clock_ms();
	unsigned kept = 0;

	for (unsigned i = 0; i < k->n_over; i++)
		if (all || event_is_gone(k->over[i].ev) || now >= k->over[i].until_ms)
			event_free_by(k->over[i].ev, k->over[i].until_ms);
		else
			k->over[kept++] = k->over[i];
	k->n_over = kept;
}

void keep_finish(struct keep *k)
{
	tidy_over(k, true);
	for (unsigned i = 0; i < KIND_COUNT; i++)
		ready_finish(&k->ready[i]);
	mould_finish(&k->mould);
	for (unsigned i = 0; i < k->jobs_made; i++)
		job_finish(&k->jobs[i]);
	for (unsigned i = 0; i < k->channels_made; i++)
		channel_finish(&k->channels[i]);
	description_finish(&k->about);
	ambit_policy_free(k->policy);
	buf_finish(&k->described);
	shelf_finish(&k->shelf);
}

/* ---- events ---- */

struct job *keep_job(struct keep *k, uint64_t n)
{
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (n != 0 && k->jobs[i].n == n)
			return &k->jobs[i];
	return NULL;
}

static struct job *free_place(struct keep *k)
{
	unsigned i = 0;

	while (i < k->jobs_made && k->jobs[i].n != 0)
		i++;
	if (i == KEEP_JOBS_MAX)
		return NULL;
	if (i == k->jobs_made)
		job_init(&k->jobs[k->jobs_made++]);
	k->jobs_end = i < k->jobs_end ? k->jobs_end : i + 1;
	return &k->jobs[i];
}

bool keep_row(const struct keep *k, uint64_t n, struct event_row *ret)
{
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (n != 0 && k->jobs[i].n == n) {
			*ret = k->jobs[i].row;
			if (ret->state == EVENT_OVER)
				ret->state = EVENT_RUNS; /* for everybody, until that is written down */
			return true;
		}
	return shelf_read(&k->shelf, n, ret);
}

/* Those who follow all are told of each change; whoever is far behind, of how those events are when he is told. */
static void changed(struct keep *k, uint64_t n)
{
	for (unsigned i = 0; i < k->channels_end; i++) {
		struct channel *c = &k->channels[i];

		if (!c->follows_all || k->n_changes - c->changes_seen < KEEP_CHANGES)
			continue;
		channel_missed(c, k->changes[c->changes_seen % KEEP_CHANGES]);
		c->changes_seen++;
	}
	k->changes[k->n_changes++ % KEEP_CHANGES] = n;
}

/* It never started, so there is nothing that could be done twice: what it lacked may be there now. */
static bool was_refused(const struct keep *k, uint64_t n)
{
	struct event_row row;

	return keep_row((struct keep *)(uintptr_t)k, n, &row) && row.state == EVENT_OVER &&
	       row.outcome.cause == CAUSE_REFUSED;
}

/* 1: it is there; 0: it is new. */
static int look_for_key(const struct keep *k, const char *key, const uint8_t digest[32], struct session_taken *ret,
			struct err *e)
{
	struct shelf_asked before;
	const uint64_t n = key[0] != 0 ? shelf_find(&k->shelf, key, &before) : 0;

	if (n == 0 || was_refused(k, n))
		return 0;
	if (memcmp(before.digest, digest, sizeof before.digest) != 0)
		return err_set(e, AMBIT_CONFLICT, "give each request a key of its own",
			       "that key was given to event %llu, which is another request", (unsigned long long)n);
	*ret = (struct session_taken){ .replayed = 1, .n = n };
	(void)text_copy(ret->event, sizeof ret->event, before.event); /* of the same size */
	return 1;
}

static int check_room(const struct keep *k, struct err *e)
{
	static const char hint[] = "ambit session new";
	const struct description *d = &k->about;

	if (k->row.state == SESSION_ENDED)
		return err_set(e, AMBIT_GONE, hint, "the session has ended");
	if (frozen_refuse(k->frozen, k->row.session, "", e) < 0)
		return -AMBIT_FROZEN;
	if (d->events_max != 0 && k->shelf.next > d->events_max)
		return err_set(e, AMBIT_LIMIT, hint, "the session has had its %llu events",
			       (unsigned long long)d->events_max);
	if (d->wall_ms_max != 0 && k->shelf.wall_ms >= d->wall_ms_max)
		return err_set(e, AMBIT_LIMIT, hint, "the events of the session have taken all of its time");
	if (d->cpu_ms_max != 0 && k->shelf.cpu_ms >= d->cpu_ms_max)
		return err_set(e, AMBIT_LIMIT, hint, "the events of the session have taken all of its processor time");
	return 0;
}

/* The kernel of that name that takes steps; NULL: there is none. */
static const struct job *kernel_named(const struct keep *k, const struct run *run)
{
	char command[SESSION_COMMAND_MAX];

	if ((run->flags & EVENT_KERNEL) == 0 || run->argv[1][0] == 0)
		return NULL;
	kernel_describe(event_kind_of(run->flags), run->argv[1], command, sizeof command);
	for (unsigned i = 0; i < k->jobs_end; i++) {
		const struct job *j = &k->jobs[i];

		if (j->n != 0 && j->kernel != NULL && !j->kernel->ends && !j->kernel->killed && j->cancelled_ms == 0 &&
		    j->row.state != EVENT_OVER && strcmp(j->row.command, command) == 0)
			return j;
	}
	return NULL;
}

static int check_kernels(const struct keep *k, const struct run *run, struct err *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->jobs_end; i++)
		n += k->jobs[i].n != 0 && k->jobs[i].kernel != NULL;
	return (run->flags & EVENT_KERNEL) == 0 || n < KERNELS_MAX
		       ? 0
		       : err_set(e, AMBIT_LIMIT,
				 "use one, or end one: `ambit ps` has them, and `ambit run --kernel NAME --end` (event.list, kernel.end)",
				 "the session has %u kernels already", n);
}

/* Whether the next event may have a cell that was made before: none does whose turn is to come. What runs behind (a kernel, in the background) is in nobody's way, if it lends nothing, which
 * a cell made without it lacks. */
static bool may_be_ready(const struct keep *k)
{
	bool front = false;

	for (unsigned i = 0; i < k->jobs_end; i++) {
		const struct job *j = &k->jobs[i];

		front = front || (j->n != 0 && j->kernel == NULL && (j->flags & EVENT_BACKGROUND) == 0);
	}
	return !front && (keep_running(k) == 0 || !lend_is_needed(&k->policy->policy));
}

/* One whose interpreter was started has the session's variables alone, and reads nothing. */
static const char *promise(struct keep *k, const struct run *run)
{
	const enum event_kind kind = event_kind_of(run->flags);
	const bool is_plain = (run->flags & EVENT_INPUT) == 0 && run->env[0] == NULL;
	const char *ready = kind != KIND_RUN && is_plain ? ready_promise(&k->ready[kind]) : NULL;

	return ready != NULL ? ready : ready_promise(&k->ready[KIND_RUN]);
}

/* NULL: nothing was. */
static struct ambit_event *promised_to(struct keep *k, const char *event)
{
	struct ambit_event *ev = NULL;

	for (unsigned i = 0; i < KIND_COUNT && ev == NULL; i++)
		ev = ready_take(&k->ready[i], event);
	return ev;
}

static int begin_taking(struct keep *k, const struct run *run, struct shelf_asked *asked, struct err *e)
{
	const char *ready;
	int r;

	asked->taken_ms = clock_unix_ms();
	asked->flags = run->flags;
	(void)text_copy(asked->key, sizeof asked->key, run->key); /* of the same size */
	if ((run->flags & EVENT_KERNEL) != 0)
		kernel_describe(event_kind_of(run->flags), run->argv[1], asked->command, sizeof asked->command);
	else
		kind_describe(event_kind_of(run->flags), run->argv, asked->command, sizeof asked->command);
	if ((k->about.changes & AMBIT_CHANGES_DIRECT) != 0 &&
	    (run->changes & (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD)) != 0)
		return err_set(e, AMBIT_USAGE, "make a session without --direct",
			       "events of this session write in place: there is nothing to keep or to throw away");
	ready = may_be_ready(k) && (run->flags & (EVENT_BACKGROUND | EVENT_TERMINAL)) == 0 ? promise(k, run) : NULL;
	r = ready != NULL ? 0 : event_new_id('e', asked->taken_ms, asked->event);
	if (ready != NULL)
		memcpy(asked->event, ready, sizeof asked->event);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot get random numbers") : check_room(k, e);
}

static void fill(struct job *j, const struct shelf_asked *a)
{
	j->n = a->n;
	j->flags = a->flags;
	j->row = (struct event_row){ .n = a->n, .state = EVENT_TAKEN, .flags = a->flags, .taken_ms = a->taken_ms };
	memcpy(j->row.event, a->event, sizeof j->row.event);
	memcpy(j->row.command, a->command, sizeof j->row.command);
}

static int take(struct keep *k, const void *bytes, size_t n, const struct run *run, const uint8_t digest[32],
		struct session_taken *ret, struct err *e)
{
	struct shelf_asked asked = { .n = 0 };
	struct job *j = free_place(k);
	const struct job *there;
	int r = look_for_key(k, run->key, digest, ret, e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (j == NULL)
		return err_set(e, AMBIT_LIMIT, "ask again when some have ended", "%d events of the session run or wait",
			       KEEP_JOBS_MAX);
	there = kernel_named(k, run);
	if (there != NULL && run->labels.text[0] != 0)
		return err_set(e, AMBIT_CONFLICT, "run it as an event of its own, or start another kernel",
			       "the kernel is there already, and labels of what it is given count when it is started");
	if (there != NULL) {
		*ret = (struct session_taken){ .replayed = 1, .n = there->n };
		memcpy(ret->event, there->row.event, sizeof ret->event);
		return 0;
	}
	r = check_kernels(k, run, e);
	if (r < 0)
		return r;
	memcpy(asked.digest, digest, sizeof asked.digest);
	r = begin_taking(k, run, &asked, e);
	asked.n = k->shelf.next;
	if (r == 0) {
		fill(j, &asked);
		r = job_prepare(j, &k->shelf, e);
	}
	if (r == 0 && (run->flags & EVENT_KERNEL) != 0) {
		j->kernel = kernel_new(&k->shelf, asked.n, event_kind_of(run->flags), run->idle_ms);
		r = j->kernel == NULL ? err_set(e, AMBIT_MEMORY, NULL, "no memory for a kernel") : 0;
	}
	r = r < 0 ? r : shelf_take(&k->shelf, &asked, bytes, n, e);
	if (r < 0) {
		event_free_by(promised_to(k, asked.event), clock_ms() + READY_LEAVE_MS);
		job_finish(j);
		return r;
	}
	k->taken++;
	changed(k, asked.n);
	*ret = (struct session_taken){ .n = asked.n };
	memcpy(ret->event, asked.event, sizeof ret->event);
	return 0;
}

int keep_take(struct keep *k, const void *bytes, size_t n, struct session_taken *ret, struct err *e)
{
	__attribute__((cleanup(run_finish))) struct run run = { .argv = NULL };
	uint8_t digest[32];
	int r = run_take(bytes, n, &run, digest, e);

	return r < 0 ? r : take(k, bytes, n, &run, digest, ret, e);
}

/* By its first word, as it is told; one that has a space in it gets nothing ready, since there is no such program. */
static void note_program(struct keep *k, const struct job *j)
{
	if (event_kind_of(j->flags) != KIND_RUN || (j->flags & EVENT_BACKGROUND) != 0 ||
	    j->row.outcome.cause == CAUSE_REFUSED)
		return;
	(void)snprintf(k->program, sizeof k->program, "%.*s", (int)strcspn(j->row.command, " "),
		       j->row.command); /* fits */
}

/* It is written down before anybody is told. What cannot be, stays as it is and is tried again. */
static void end(struct keep *k, struct job *j)
{
	const uint64_t n = j->n;
	struct err e;

	if (shelf_end(&k->shelf, &j->row, &e) < 0)
		return;
	k->ended++;
	k->failed += j->row.exit_status != 0;
	k->denials += j->row.denied;
	note_program(k, j);
	event_free_by(promised_to(k, j->row.event), clock_ms() + READY_LEAVE_MS); /* of one that never began */
	k->ready[event_kind_of(j->flags)].wanted = true;
	if (event_kind_of(j->flags) == KIND_PYTHON && (j->flags & EVENT_BACKGROUND) == 0)
		mould_note(&k->mould, j->ev);
	leave(k, j);
	job_finish(j);
	changed(k, n);
}

uint64_t keep_oldest_job(const struct keep *k)
{
	uint64_t n = k->shelf.next;

	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].n < n)
			n = k->jobs[i].n;
	return n;
}

/* What those that run have set aside for themselves, of both. */
static struct job_share set_aside(const struct keep *k)
{
	struct job_share sum = { .wall_ms = 0 };

	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].runs) {
			sum.wall_ms += k->jobs[i].share.wall_ms;
			sum.cpu_ms += k->jobs[i].share.cpu_ms;
		}
	return sum;
}

/* Of the session's, for the next event; 0: it is not bounded. Where nothing is left: 1, with which it ends at once. */
static uint64_t left(uint64_t most, uint64_t used)
{
	return most == 0 ? 0 : used < most ? most - used : 1;
}

/* What is set aside is given back when its event is over. */
static bool waits_for_share(const struct keep *k)
{
	const struct job_share aside = set_aside(k);
	const struct description *d = &k->about;

	return (aside.wall_ms > 0 && k->shelf.wall_ms + aside.wall_ms >= d->wall_ms_max) ||
	       (aside.cpu_ms > 0 && k->shelf.cpu_ms + aside.cpu_ms >= d->cpu_ms_max);
}

/* Who has the session's ports; NULL: nobody, or there are none. */
static struct job *holder(struct keep *k)
{
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].runs && k->jobs[i].holds_ports)
			return &k->jobs[i];
	return NULL;
}

/* One of the background is there to be reached: it waits for ports that the foreground has. What is to reach them waits until it is known where they are. */
static bool waits_for_ports(const struct keep *k, const struct job *j, const struct job *has)
{
	if (has == NULL)
		return false;
	if ((j->flags & EVENT_BACKGROUND) != 0 && (has->flags & EVENT_BACKGROUND) == 0)
		return true;
	return !lend_is_known(&k->policy->policy, has->ev);
}

static struct job_terms terms_of(struct keep *k)
{
	const struct job *has = holder(k);
	const struct job_share aside = set_aside(k);

	return (struct job_terms){ .shelf = &k->shelf,
				   .holder = has != NULL ? has->ev : NULL,
				   .policy = k->policy,
				   .about = &k->about,
				   .session = k->row.session,
				   .program = k->program,
				   .template = mould_template(&k->mould),
				   .left = { .wall_ms = left(k->about.wall_ms_max, k->shelf.wall_ms + aside.wall_ms),
					     .cpu_ms = left(k->about.cpu_ms_max, k->shelf.cpu_ms + aside.cpu_ms) } };
}

static void begin(struct keep *k, struct job *j)
{
	struct job_terms terms = terms_of(k);

	terms.ready = promised_to(k, j->row.event);
	if (job_begin(j, &terms) != 0)
		end(k, j);
	else
		changed(k, j->n);
}

static bool has_clients(const struct keep *k)
{
	for (unsigned i = 0; i < k->channels_end; i++)
		if (k->channels[i].line.sock >= 0)
			return true;
	return false;
}

/* Who had one event asks for another, mostly. What has a bound over the session is made when that is known. */
static void make_ready(struct keep *k)
{
	struct job_terms terms;

	for (unsigned i = 0; i < KIND_COUNT; i++)
		ready_step(&k->ready[i]);
	mould_step(&k->mould);
	if (k->row.state == SESSION_ENDED) {
		for (unsigned i = 0; i < KIND_COUNT; i++)
			ready_finish(&k->ready[i]);
		mould_finish(&k->mould);
	}
	if (!may_be_ready(k) || !has_clients(k) || k->row.state == SESSION_ENDED ||
	    (k->about.changes & AMBIT_CHANGES_DIRECT) != 0 || k->about.wall_ms_max != 0 || k->about.cpu_ms_max != 0)
		return;
	terms = terms_of(k);
	for (unsigned i = 0; i < KIND_COUNT; i++)
		ready_make(&k->ready[i], &terms);
	mould_make(&k->mould, &terms);
}

/* How many run, in the background and else. */
static void count_running(const struct keep *k, unsigned *ret_beside, unsigned *ret_front)
{
	*ret_beside = *ret_front = 0;
	for (unsigned i = 0; i < k->jobs_end; i++) {
		const struct job *j = &k->jobs[i];

		if (j->n != 0 && j->runs && (j->flags & EVENT_BACKGROUND) != 0)
			++*ret_beside;
		else if (j->n != 0 && j->runs)
			++*ret_front;
	}
}

/* The next whose turn it is; NULL: none. */
static struct job *next_in_turn(struct keep *k)
{
	const struct job *has = holder(k);
	unsigned front, beside;
	struct job *next = NULL;

	if (waits_for_share(k))
		return NULL;
	count_running(k, &beside, &front);
	for (unsigned i = 0; i < k->jobs_end; i++) {
		struct job *j = &k->jobs[i];
		const bool may = (j->flags & EVENT_BACKGROUND) != 0 ? beside < KEEP_BESIDE_MAX : front == 0;

		if (j->n != 0 && j->row.state == EVENT_TAKEN && may && !waits_for_ports(k, j, has) &&
		    (next == NULL || j->n < next->n))
			next = j;
	}
	return next;
}

/* ---- what is handed over ---- */

/* What waits for its turn waits until that is over. */
static bool is_frozen(const struct keep *k)
{
	return frozen_refuse(k->frozen, k->row.session, "", NULL) < 0;
}

/* Milliseconds until one may begin; 0: it has had its turn. */
static uint64_t turn_in(const struct keep *k)
{
	char stream[ID_TEXT_MAX];

	standing_stream(k->row.session, "", "", stream);
	return throttle_turn(k->frozen, stream, clock_unix_ms());
}

/* It begins at once, while its caller is there: of that its grants are derived. */
static int check_turn(const struct keep *k, const struct job *caller, struct err *e)
{
	unsigned beside, front;

	count_running(k, &beside, &front);
	if (k->ends || caller->cancelled_ms != 0)
		return err_set(e, AMBIT_GONE, NULL, "who asks is being ended");
	if (is_frozen(k))
		return err_set(e, AMBIT_FROZEN, NULL, "the session is frozen");
	if (turn_in(k) > 0)
		return err_set(e, AMBIT_LIMIT, "ask again in a while",
			       "the events of the session begin apart, since one of them did much");
	if (beside >= KEEP_BESIDE_MAX)
		return err_set(e, AMBIT_LIMIT, "ask again when one has ended",
			       "as many events of the session run in the background as may");
	if (waits_for_share(k))
		return err_set(e, AMBIT_LIMIT, "begin the caller with a limit of its own (--limit wall=, cpu=)",
			       "events that run have set aside all that is left of the session's time");
	return 0;
}

/* What its caller's changes have to go through, its own have as well. */
static int take_handed(struct keep *k, const struct job *caller, const struct handed *h, struct session_taken *ret,
		       struct err *e)
{
	const struct run run = { .flags = EVENT_BACKGROUND,
				 .changes = event_changes(caller->ev) &
					    (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD | AMBIT_CHANGES_STRICT),
				 .argv = h->program.argv,
				 .env = h->program.envp };
	auto_buf bytes = { .max = RUN_BYTES_MAX };
	int r = check_turn(k, caller, e);

	run_put(&bytes, &run);
	return r < 0 ? r : keep_take(k, bytes.data, bytes.len, ret, e);
}

static struct job *job_of(struct keep *k, uint64_t n)
{
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n == n)
			return &k->jobs[i];
	return NULL;
}

static void hand_over(struct keep *k, const struct job *caller, const struct handed *h)
{
	struct job_terms terms = terms_of(k);
	struct session_taken taken;
	struct job *j = NULL;
	struct err e;
	int r = take_handed(k, caller, h, &taken, &e);

	if (r == 0)
		j = job_of(k, taken.n);
	terms.caller = caller->ev;
	terms.handed = h;
	if (j != NULL && job_begin(j, &terms) != 0) {
		(void)err_set(&e, (enum ambit_code)j->row.code, j->row.hint, "%s", j->row.message);
		end(k, j);
		j = NULL;
	} else if (j != NULL) {
		changed(k, j->n);
	}
	delegate_handed_done(caller->ev, h->number, j != NULL ? taken.event : NULL, &e);
}

static void step_jobs(struct keep *k)
{
	for (unsigned i = 0; i < k->jobs_end; i++) {
		struct job *j = &k->jobs[i];
		const uint32_t flags = j->row.flags;
		const struct handed *h;

		if (j->n == 0)
			continue;
		if (j->row.state == EVENT_OVER)
			end(k, j);
		else if (j->runs && job_step(j, &k->shelf) != 0)
			end(k, j);
		else if (j->runs)
			job_measure(j);
		while (j->n != 0 && j->runs && (h = delegate_handed(j->ev)) != NULL)
			hand_over(k, j, h);
		if (j->n != 0 && j->row.flags != flags)
			changed(k, j->n);
	}
}

/* Gives up the places at the end that became free. */
static void trim(struct keep *k)
{
	while (k->jobs_end > 0 && k->jobs[k->jobs_end - 1].n == 0)
		k->jobs_end--;
	while (k->channels_end > 0 && k->channels[k->channels_end - 1].line.sock < 0)
		k->channels_end--;
}

static void end_stream(struct keep *k)
{
	char store[STANDING_PATH_MAX];

	if (!k->stream_lasts || keep_running(k) > 0)
		return;
	k->stream_lasts = false;
	if (stage_store_path(store, sizeof store) == 0)
		standing_end(store, NULL, k->row.session);
}

void keep_step(struct keep *k)
{
	struct job *j;

	trim(k);
	tidy_over(k, false);
	for (unsigned i = 0; i < k->channels_end; i++)
		if (k->channels[i].line.sock >= 0)
			channel_hear(&k->channels[i], k);
	step_jobs(k); /* after what was asked of them, so that nothing is left to be done when this waits */
	while ((j = next_in_turn(k)) != NULL && !is_frozen(k) && turn_in(k) == 0)
		begin(k, j);
	k->waits_frozen = j != NULL;
	shelf_prune(&k->shelf, k->about.keep_bytes != 0 ? k->about.keep_bytes : KEEP_BYTES,
		    k->about.keep_ms != 0 ? k->about.keep_ms : KEEP_MS, clock_unix_ms());
	k->row.running = keep_running(k);
	end_stream(k);
	if (k->row.state != SESSION_ENDED)
		k->row.state = k->row.running > 0 ? SESSION_BUSY : SESSION_IDLE;
}

/* Who wanted that the session ends with them has gone, however that was. */
static void end_with_channels(struct keep *k)
{
	struct err e;

	for (unsigned i = 0; i < k->channels_end; i++) {
		if (k->channels[i].line.sock >= 0 || !k->channels[i].was_tied)
			continue;
		k->channels[i].was_tied = false;
		(void)keep_close(k, &e); /* what is not written down is not ended: it stays, and is listed */
	}
}

void keep_tell(struct keep *k)
{
	for (unsigned i = 0; i < k->channels_end; i++)
		if (k->channels[i].line.sock >= 0)
			channel_tell(&k->channels[i], k);
	end_with_channels(k);
	make_ready(k); /* when everybody knows how the last one ended */
}

int keep_cancel(struct keep *k, uint64_t n, struct err *e)
{
	struct job *j = keep_job(k, n);

	if (j == NULL)
		return err_set(e, AMBIT_GONE, "ambit events", "event %llu does not run", (unsigned long long)n);
	(void)job_cancel(j); /* what waited is over, and written down with the next step */
	return 0;
}

int keep_close(struct keep *k, struct err *e)
{
	const int r = shelf_close(&k->shelf, e);

	if (r < 0)
		return r;
	k->row.state = SESSION_ENDED;
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].row.state != EVENT_OVER)
			(void)job_cancel(&k->jobs[i]); /* as above */
	k->stream_lasts = true;
	end_stream(k);
	return 0;
}

static bool settles(const struct job *j)
{
	return j->n != 0 && j->runs && event_settles(j->ev);
}

static void interrupt(struct keep *k, struct job *j, uint64_t until_ms)
{
	struct err e;

	job_measure(j);
	job_end_steps(j);
	j->row.state = EVENT_INTERRUPTED;
	j->row.ended_ms = clock_unix_ms();
	event_free_by(j->ev, until_ms); /* the cell is dead when this is done, and its stage kept */
	j->ev = NULL;
	j->runs = false;
	(void)shelf_end(&k->shelf, &j->row, &e); /* or the next who opens it finds that it has no end */
}

/* What is being committed comes to its end; what takes too long is left without one, and whoever opens the session next asks the stage (unended.h). */
static void let_settle(struct keep *k, uint64_t until)
{
	for (;;) {
		struct pollfd polled[KEEP_JOBS_MAX * JOB_FDS];
		unsigned n = 0;
		const uint64_t now = clock_ms();

		for (unsigned i = 0; i < k->jobs_end; i++)
			if (settles(&k->jobs[i]))
				n += job_wants(&k->jobs[i], polled + n);
		if (n == 0 || now >= until)
			return;
		(void)poll(polled, n, (int)(until - now)); /* interrupted: it is looked at again */
		step_jobs(k);
	}
}

void keep_interrupt(struct keep *k)
{
	const uint64_t begun = clock_ms();

	k->ends = true;
	step_jobs(k); /* what has ended has, though nobody looked yet */
	for (unsigned i = 0; i < k->jobs_end; i++) {
		struct job *j = &k->jobs[i];

		if (j->n != 0 && j->row.state != EVENT_OVER && !settles(j))
			interrupt(k, j, begun + END_MS);
	}
	let_settle(k, begun + SETTLE_MS);
}

/* ---- who waits for what ---- */

void keep_client(struct keep *k, int sock, const struct err *why)
{
	struct channel *c, refused;
	unsigned i = 0;
	struct err e;

	k->came++;
	while (i < k->channels_made && k->channels[i].line.sock >= 0)
		i++;
	c = &k->channels[i];
	if (i < KEEP_CHANNELS_MAX) {
		k->channels_made = i < k->channels_made ? k->channels_made : i + 1;
		k->channels_end = i < k->channels_end ? k->channels_end : i + 1;
	} else {
		(void)err_set(&e, AMBIT_LIMIT, "close some", "the session has %d connections", KEEP_CHANNELS_MAX);
		why = why != NULL ? why : &e;
		c = &refused;
	}
	channel_init(c);
	line_open(&c->line, sock);
	channel_begin(c, k, why);
}

unsigned keep_wants(struct keep *k, struct pollfd *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0)
			n += job_wants(&k->jobs[i], ret + n);
	for (unsigned i = 0; i < k->channels_end; i++) {
		struct channel *c = &k->channels[i];

		if (c->line.sock < 0)
			continue;
		ret[n++] = (struct pollfd){ .fd = c->line.sock, .events = line_wants(&c->line) };
		if (c->halts.n > 0 && c->line.answer == 0) /* else it waits for room, as that does */
			ret[n++] = halts_wants(&c->halts);
	}
	for (unsigned i = 0; i < k->n_over; i++)
		ret[n++] = (struct pollfd){ .fd = event_wait_fd(k->over[i].ev), .events = POLLIN };
	for (unsigned i = 0; i < KIND_COUNT; i++)
		if (ready_fd(&k->ready[i]) >= 0)
			ret[n++] = (struct pollfd){ .fd = ready_fd(&k->ready[i]), .events = POLLIN };
	if (mould_fd(&k->mould) >= 0)
		ret[n++] = (struct pollfd){ .fd = mould_fd(&k->mould), .events = POLLIN };
	return n;
}

int keep_patience(const struct keep *k, int timeout)
{
	const uint64_t now = clock_ms();

	if (k->waits_frozen && (timeout < 0 || timeout > FROZEN_LOOK_MS))
		timeout = FROZEN_LOOK_MS;
	for (unsigned i = 0; i < k->n_over; i++) { /* those that are stopped */
		const int left = k->over[i].until_ms > now ? (int)(k->over[i].until_ms - now) : 0;

		timeout = timeout < 0 || left < timeout ? left : timeout;
	}
	for (unsigned i = 0; i < k->channels_end; i++)
		timeout = line_patience(&k->channels[i].line, timeout);
	for (unsigned i = 0; i < KIND_COUNT; i++)
		timeout = ready_timeout(&k->ready[i], timeout);
	timeout = mould_timeout(&k->mould, timeout);
	for (unsigned i = 0; i < k->jobs_end; i++)
		if (k->jobs[i].n != 0 && k->jobs[i].runs && k->jobs[i].kernel != NULL)
			timeout = kernel_patience(k->jobs[i].kernel, timeout);
	return timeout;
}

uint32_t keep_running(const struct keep *k)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < k->jobs_end; i++)
		n += k->jobs[i].n != 0;
	return n;
}

bool keep_is_at_rest(const struct keep *k)
{
	return !has_clients(k) && keep_running(k) == 0;
}
