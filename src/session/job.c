#include "session/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "lib/delegate.h"
#include "lib/event.h"
#include "lib/hook.h"
#include "lib/launch.h"
#include "lib/public.h"
#include "lib/record_usual.h"
#include "session/lend.h"

#define OUTPUT_DEFAULT (UINT64_C(64) << 20) /* kept on disk, and so bounded, also where the policy says nothing */
#define START_MS 90000  /* for a supervisor to start a program: longer than it waits for whatever it may wait for */
#define CANCEL_MS 10000 /* for a supervisor to end what it is told to end */
#define TERMINAL_CHUNK (64u << 10)
#define TERMINAL_TURN 16
#define KEYS_AT_ONCE 256 /* a terminal that has room takes as many without waiting */

void job_init(struct job *j)
{
	*j = (struct job){ .input_fd = -1,
			   .inner_fd = -1,
			   .terminal_fd = -1,
			   .held_fd = -1,
			   .out_fd = -1,
			   .err_fd = -1,
			   .result_fd = -1 };
}

void job_finish(struct job *j)
{
	event_free_by(j->ev, clock_ms() + JOB_LEAVE_MS);
	fd_close(&j->input_fd);
	fd_close(&j->inner_fd);
	fd_close(&j->terminal_fd);
	fd_close(&j->held_fd);
	fd_close(&j->out_fd);
	fd_close(&j->err_fd);
	fd_close(&j->result_fd);
	kernel_free(j->kernel);
	job_init(j);
}

/* ---- its end ---- */

static void say(struct event_row *row, const struct err *why)
{
	row->code = (uint32_t)why->code;
	(void)text_copy(row->message, sizeof row->message, why->msg); /* of the same size, as below */
	(void)text_copy(row->hint, sizeof row->hint, why->hint);
}

static int refused(struct job *j, const struct ambit_error *why)
{
	struct event_row *row = &j->row;

	job_end_steps(j);
	row->state = EVENT_OVER;
	row->ended_ms = clock_unix_ms();
	row->outcome = (struct event_outcome){ .cause = CAUSE_REFUSED, .workspace = WORKSPACE_NONE };
	row->exit_status = (uint32_t)err_code_exit(why->code) & 255;
	row->code = (uint32_t)why->code;
	(void)text_copy(row->message, sizeof row->message, why->message);
	(void)text_copy(row->hint, sizeof row->hint, why->hint);
	fd_close(&j->input_fd);
	return 1;
}

static const struct err *reason(const struct event_result *r)
{
	if (r->unrecorded.code != AMBIT_OK)
		return &r->unrecorded;
	return r->error.code != AMBIT_OK ? &r->error : &r->stage_error;
}

static void take_result(struct event_row *row, const struct ambit_event *ev)
{
	const struct event_result *r = event_result(ev);

	row->state = EVENT_OVER;
	row->ended_ms = r->ended_ns / 1000000;
	row->exit_status = (uint32_t)ambit_event_exit_status(ev) & 255;
	row->denied = result_was_denied(r) ? 1 : 0;
	row->flags |= (usual_is_unusual(&r->usual) ? EVENT_UNUSUAL : 0) | (r->usual.holds ? EVENT_HELD : 0);
	row->outcome = (struct event_outcome){ .cause = r->cause,
					       .limit = r->limit,
					       .status = r->signal != 0 ? r->signal : (r->exit_status & 255) << 8,
					       .workspace = r->workspace,
					       .usage = r->usage,
					       .effects_seen = r->n_effects,
					       .effects_dropped = r->effects_dropped,
					       .base_effects = r->base_effects };
	row->labels = r->labels;
	say(row, reason(r));
}

/* Who asks for it later finds it, or that there was no room. */
static void write_record(struct job *j, const struct shelf *shelf)
{
	const char *json;
	size_t n;
	auto_fd int fd = -1;

	if (ambit_event_record(j->ev, &json, &n, NULL) < 0)
		return;
	fd = shelf_file(shelf, j->n, SHELF_RECORD, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd >= 0 && fd_write_all(fd, json, n) < 0)
		shelf_remove(shelf, j->n, SHELF_RECORD); /* half a record is none */
}

static uint64_t length(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void job_measure(struct job *j)
{
	j->row.out_bytes = length(j->out_fd);
	j->row.err_bytes = length(j->err_fd);
	j->row.result_bytes = length(j->result_fd);
}

static void remove_empty(const struct job *j, const struct shelf *shelf)
{
	if (j->row.out_bytes == 0)
		shelf_remove(shelf, j->n, SHELF_OUT);
	if (j->row.err_bytes == 0)
		shelf_remove(shelf, j->n, SHELF_ERR);
	if (j->row.result_bytes == 0 && j->result_fd >= 0)
		shelf_remove(shelf, j->n, SHELF_RESULT);
}

/* ---- its beginning ---- */

static int open_output(struct job *j, const struct shelf *shelf, int flags)
{
	j->out_fd = shelf_file(shelf, j->n, SHELF_OUT, O_WRONLY | O_APPEND | flags);
	j->err_fd = shelf_file(shelf, j->n, SHELF_ERR, O_WRONLY | O_APPEND | flags);
	if (event_kind_of(j->flags) != KIND_RUN)
		j->result_fd = shelf_file(shelf, j->n, SHELF_RESULT, O_WRONLY | O_APPEND | flags);
	else
		j->result_fd = -1;
	return j->out_fd < 0 ? j->out_fd : j->err_fd < 0 ? j->err_fd : j->result_fd < -1 ? j->result_fd : 0;
}

/* Of the files the names alone: whoever waits for his turn holds no more descriptors than he must. */
static int make_files(struct job *j, const struct shelf *shelf)
{
	const int r = open_output(j, shelf, O_CREAT | O_TRUNC);
	int pair[2];

	fd_close(&j->out_fd);
	fd_close(&j->err_fd);
	fd_close(&j->result_fd);
	if (r < 0)
		return r;
	if ((j->flags & (EVENT_INPUT | EVENT_TERMINAL)) == 0)
		return 0;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	j->inner_fd = pair[0];
	j->input_fd = pair[1];
	return 0;
}

static int cannot_open(int r, struct err *e)
{
	return err_sys(e, AMBIT_SYSTEM, -r, "make room, or end other events",
		       "cannot open what the event reads and writes");
}

int job_prepare(struct job *j, const struct shelf *shelf, struct err *e)
{
	const int r = make_files(j, shelf);

	return r < 0 ? cannot_open(r, e) : 0;
}

/* A terminal that stands for the client's: the program's own starts with its size. */
static int open_model(const struct run *run, int *ret_outer, int *ret_inner)
{
	const struct winsize size = { .ws_row = (unsigned short)(run->rows != 0 ? run->rows : 24), /* both checked */
				      .ws_col = (unsigned short)(run->columns != 0 ? run->columns : 80) };

	return openpty(ret_outer, ret_inner, NULL, NULL, &size) < 0 ? -errno : 0;
}

struct model {
	int outer, inner; /* owned, until it is started */
};

static void model_finish(struct model *m)
{
	fd_close(&m->outer);
	fd_close(&m->inner);
}

static int open_streams(const struct job *j, const struct run *run, struct model *model, struct ambit_event_options *o)
{
	int r = 0;

	o->stream[0] = j->inner_fd >= 0 ? AMBIT_STREAM_PASS : AMBIT_STREAM_NULL;
	o->stream_fd[0] = j->inner_fd;
	o->stream_fd[1] = j->out_fd;
	o->stream_fd[2] = j->err_fd;
	if (event_kind_of(j->flags) != KIND_RUN) {
		o->code = j->kernel != NULL               ? LAUNCH_KERNEL
			  : (j->flags & EVENT_SHOWS) != 0 ? AMBIT_CODE_SHOWN
							  : AMBIT_CODE;
		o->result_fd = j->result_fd;
	}
	if ((j->flags & EVENT_TERMINAL) != 0) {
		r = open_model(run, &model->outer, &model->inner);
		o->terminal = 1;
		o->stream_fd[0] = o->stream_fd[1] = o->stream_fd[2] = model->inner;
	}
	return r;
}

/* An event of the background takes no more than half of what is left, unless it has a limit of its own: others are to run beside it. */
static int set_share(struct policy *p, enum limit which, bool beside, uint64_t left, uint64_t *ret_share, struct err *e)
{
	const bool given = (p->limits_given >> which & 1u) != 0;
	char text[64];
	int r;

	if (left == 0)
		return 0;
	(void)snprintf(text, sizeof text, "%s=%llums", limit_word(which),
		       (unsigned long long)(beside && !given ? (left + 1) / 2 : left));
	r = policy_add_limit(p, text, e);
	*ret_share = p->limits.value[which];
	return r;
}

/* The session's limits, the event's, and what the session has left: always the smaller. */
static int narrow(struct job *j, struct policy *p, const struct job_terms *t, const struct run *run, struct err *e)
{
	const bool beside = (j->flags & EVENT_BACKGROUND) != 0;
	int r = run->limits[0] != 0 ? policy_add_limit(p, run->limits, e) : 0;

	if (r == 0 && (p->limits_given >> LIMIT_OUTPUT & 1u) == 0) {
		p->limits_given |= 1u << LIMIT_OUTPUT;
		p->limits.value[LIMIT_OUTPUT] = OUTPUT_DEFAULT;
	}
	r = r < 0 ? r : set_share(p, LIMIT_WALL, beside, t->left.wall_ms, &j->share.wall_ms, e);
	return r < 0 ? r : set_share(p, LIMIT_CPU, beside, t->left.cpu_ms, &j->share.cpu_ms, e);
}

static const char *word(const char *w)
{
	return w[0] != 0 ? w : NULL;
}

/* The event's go before the session's: the first of a name is taken. Owned, with texts of both; NULL: no memory. */
static char **environment_of(char *const *first, char *const *second)
{
	size_t n = 0, m = 0;
	char **all;

	while (first != NULL && first[n] != NULL)
		n++;
	while (second != NULL && second[m] != NULL)
		m++;
	all = calloc(n + m + 1, sizeof *all);
	for (size_t i = 0; all != NULL && i < n + m; i++)
		all[i] = i < n ? first[i] : second[i - n];
	return all;
}

static void options_of(const struct job_terms *t, const struct run *run, bool beside, char *const *environment,
		       struct ambit_event_options *ret)
{
	*ret = (struct ambit_event_options){ .size = sizeof *ret,
					     .argv = run->argv,
					     .workspace = t->about->workspace,
					     .base = word(t->about->base),
					     .observe = word(t->about->observe),
					     .without = word(t->about->without),
					     .environment = environment,
					     .changes = t->about->changes | run->changes |
							(beside ? AMBIT_CHANGES_BESIDE : 0),
					     .on_conflict = word(run->on_conflict),
					     .labels = run->labels.text };
}

int job_check(const struct job_terms *t, struct err *e)
{
	const struct run none = { .argv = NULL };
	struct ambit_event_options o;

	options_of(t, &none, false, NULL, &o);
	return launch_check(t->policy, &o, e);
}

/* One of the background may outlive what it is a copy of. */
static bool beside_of(const struct job *j)
{
	return (j->flags & EVENT_BACKGROUND) != 0;
}

static int start(struct job *j, const struct job_terms *t, const struct run *run, struct ambit_error *ret_error)
{
	/* of one that was handed over its caller's alone: what the session has, that may have had otherwise */
	auto_free char **environment = environment_of(run->env, t->handed != NULL ? NULL : t->about->env);
	const struct limits limits = t->policy->policy.limits;
	const uint32_t given = t->policy->policy.limits_given;
	__attribute__((cleanup(model_finish))) struct model model = { -1, -1 };
	struct ambit_event_options o;
	struct event_names names = { .n = j->n };
	struct lent lent = { .lines = NULL };
	struct err e;
	int r = open_output(j, t->shelf, 0);

	options_of(t, run, (j->flags & EVENT_BACKGROUND) != 0, environment, &o);
	r = r < 0 ? r : open_streams(j, run, &model, &o);
	if (r < 0) {
		event_free_by(t->ready, clock_ms() + JOB_LEAVE_MS);
		return public_error(ret_error, cannot_open(r, &e), &e);
	}
	(void)text_copy(names.event, sizeof names.event, j->row.event); /* ids, as is the next */
	(void)text_copy(names.session, sizeof names.session, t->session);
	r = environment == NULL ? err_set(&e, AMBIT_MEMORY, NULL, "no memory for an environment")
				: narrow(j, &t->policy->policy, t, run, &e);
	j->output_max = t->policy->policy.limits.value[LIMIT_OUTPUT];
	r = r < 0 || t->holder == NULL || t->handed != NULL ? r : lend(&t->policy->policy, t->holder, &lent, &e);
	if (r < 0)
		event_free_by(t->ready, clock_ms() + JOB_LEAVE_MS);
	if (r < 0)
		r = public_error(ret_error, r, &e);
	else if (t->handed != NULL)
		r = launch_handed(t->policy, &o, &names, t->caller, t->handed, &j->ev, ret_error);
	else
		r = launch_in_session(t->policy, &o, &names, t->ready, beside_of(j) ? NULL : t->template, &j->ev,
				      ret_error);
	if (r == 0)
		delegate_hands_over(j->ev);
	lend_back(&t->policy->policy, &lent);
	j->holds_ports = t->holder == NULL && t->handed == NULL && lend_is_needed(&t->policy->policy);
	t->policy->policy.limits = limits;
	t->policy->policy.limits_given = given;
	if ((j->flags & EVENT_TERMINAL) == 0)
		fd_close(&j->inner_fd); /* the program's alone */
	return r;
}

/* Its pipes are made now, and get where they lead when it is known whose they are. */
static void lead_nowhere(struct ambit_event_options *o, int fd)
{
	o->code = AMBIT_CODE;
	o->stream[1] = o->stream[2] = AMBIT_STREAM_PASS;
	o->stream_fd[1] = o->stream_fd[2] = o->result_fd = fd;
}

int job_make_ready(const struct job_terms *t, enum event_kind kind, char ret_event[ID_TEXT_MAX],
		   struct ambit_event **ret)
{
	auto_fd int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char word[GRANT_OBJECT_MAX], *argv[] = { word, kind == KIND_RUN ? NULL : (char[]){ "" }, NULL };
	const struct run run = { .argv = argv };
	auto_free char **environment = environment_of(NULL, t->about->env);
	const struct limits limits = t->policy->policy.limits;
	const uint32_t given = t->policy->policy.limits_given;
	struct job like = { .n = 1 };
	struct event_names names = { .n = 1 };
	struct ambit_event_options o;
	struct err e;
	int r = environment == NULL || nowhere < 0 ? -ENOMEM : event_new_id('e', clock_unix_ms(), names.event);

	(void)text_copy(names.session, sizeof names.session, t->session);
	(void)memcpy(ret_event, names.event, sizeof names.event);
	options_of(t, &run, false, environment, &o);
	o.stream[0] = o.stream[1] = o.stream[2] = AMBIT_STREAM_NULL;
	(void)text_copy(word, sizeof word, kind == KIND_RUN ? t->program : kind_word(kind)); /* as it came, or fits */
	if (kind != KIND_RUN)
		lead_nowhere(&o, nowhere);
	r = r < 0 ? r : narrow(&like, &t->policy->policy, t, &run, &e);
	r = r < 0 ? r : launch_waiting(t->policy, &o, &names, t->template, ret, NULL);
	t->policy->policy.limits = limits;
	t->policy->policy.limits_given = given;
	return r;
}

int job_make_template(const struct job_terms *t, enum event_kind kind, struct template *template)
{
	char word[16], *argv[] = { word, (char[]){ "" }, NULL };
	const struct run run = { .argv = argv };
	auto_free char **environment = environment_of(NULL, t->about->env);
	const struct limits limits = t->policy->policy.limits;
	const uint32_t given = t->policy->policy.limits_given;
	struct job like = { .n = 1 };
	struct ambit_event_options o;
	struct err e;
	int r = environment == NULL ? -ENOMEM : narrow(&like, &t->policy->policy, t, &run, &e);

	options_of(t, &run, false, environment, &o);
	(void)text_copy(word, sizeof word, kind_word(kind)); /* fits */
	o.code = AMBIT_CODE;
	o.stream[0] = AMBIT_STREAM_NULL;
	o.stream[1] = o.stream[2] = AMBIT_STREAM_CAPTURE; /* pipes, as its copies have */
	r = r < 0 ? r : launch_template(t->policy, &o, template, NULL);
	t->policy->policy.limits = limits;
	t->policy->policy.limits_given = given;
	return r;
}

static int take_run(const struct job *j, const struct shelf *shelf, struct run *ret, struct err *e)
{
	auto_fd int fd = shelf_file(shelf, j->n, SHELF_RUN, O_RDONLY);
	auto_buf bytes = { .max = 0 };
	uint8_t digest[32];

	buf_init(&bytes, RUN_BYTES_MAX);
	if (fd < 0 || fd_read_into(fd, &bytes) < 0)
		return err_set(e, AMBIT_SYSTEM, "see who may write in the directory of sessions",
			       "what is to be run cannot be read any more");
	return run_take(bytes.data, bytes.len, ret, digest, e);
}

int job_begin(struct job *j, const struct job_terms *t)
{
	__attribute__((cleanup(run_finish))) struct run run = { .argv = NULL };
	struct ambit_error why = { .size = sizeof why };
	struct err e;
	int r = take_run(j, t->shelf, &run, &e);

	j->row.begun_ms = clock_unix_ms();
	if (r < 0)
		event_free_by(t->ready, clock_ms() + JOB_LEAVE_MS);
	r = r < 0 ? public_error(&why, r, &e) : start(j, t, &run, &why);
	if (r < 0) {
		remove_empty(j, t->shelf);
		return refused(j, &why);
	}
	j->began_ms = clock_ms();
	j->runs = true;
	j->row.state = EVENT_RUNS;
	return 0;
}

/* ---- while it runs ---- */

/* The library bounds what passes through it, which a terminal's output does not. */
static void bound_terminal(struct job *j)
{
	if (j->over_output || length(j->out_fd) <= j->output_max)
		return;
	j->over_output = true;
	(void)ambit_event_kill(j->ev, NULL); /* ended meanwhile: then it is over as well */
}

/* All of the program's ends are closed, by itself or since its leader went, and it may open one again: an end of ours lets it. false: nothing more comes. */
static bool hold_terminal(struct job *j, bool ended)
{
	fd_close(&j->held_fd); /* hung up with the others, or there is none */
	if (!ended)
		j->held_fd = ioctl(j->terminal_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return j->held_fd >= 0;
}

/* What came out of its terminal, some of it each time, so that others have their turn; at the end, which is the event's, all. */
static void copy_terminal(struct job *j, bool ended)
{
	static uint8_t room[TERMINAL_CHUNK];
	struct pollfd p = { .fd = j->terminal_fd, .events = POLLIN };

	for (unsigned i = 0; j->terminal_fd >= 0 && (ended || i < TERMINAL_TURN) && poll(&p, 1, 0) == 1; i++) {
		const ssize_t n = read(j->terminal_fd, room, sizeof room);
		int r = 0;

		if (n <= 0 && hold_terminal(j, ended))
			continue;
		if (n <= 0) {
			fd_close(&j->terminal_fd);
			return;
		}
		if (!j->over_output)
			r = fd_write_all(j->out_fd, room, (size_t)n);
		j->lost_errno = r < 0 ? -r : j->lost_errno;
		bound_terminal(j);
	}
}

/* What is typed goes to the terminal as far as it takes it; the end of that is told as a terminal tells it. */
static void copy_keys(struct job *j)
{
	struct pollfd out = { .fd = j->terminal_fd, .events = POLLOUT }, in = { .fd = j->inner_fd, .events = POLLIN };
	ssize_t n;

	if (j->terminal_fd < 0)
		return;
	if (j->n_keys == 0 && j->inner_fd >= 0 &&
	    poll(&in, 1, 0) == 1) { /* read even if the terminal is full: then its room is what is waited for */
		n = read(j->inner_fd, j->keys, sizeof j->keys);
		if (n <= 0) {
			fd_close(&j->inner_fd);
			j->keys[0] = 'D' & 31; /* Ctrl-D */
		}
		j->n_keys = n <= 0 ? 1 : (size_t)n;
	}
	if (j->n_keys == 0 || poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return;
	n = write(j->terminal_fd, j->keys, j->n_keys < KEYS_AT_ONCE ? j->n_keys : KEYS_AT_ONCE);
	if (n > 0) {
		memmove(j->keys, j->keys + n, j->n_keys - (size_t)n);
		j->n_keys -= (size_t)n;
	}
}

/* What cannot be kept ends it: nobody would be told, since who gave it to us has no error of it, or one too late. */
static void bound_lost(struct job *j)
{
	if (j->lost_errno == 0)
		j->lost_errno = event_lost_output(j->ev);
	if (j->lost_errno == 0 || j->over_output)
		return;
	j->over_output = true;
	(void)ambit_event_kill(j->ev, NULL); /* ended meanwhile: then it is over as well */
}

/* What a limit ended has no other word of its own. */
static void say_limit(struct job *j)
{
	struct err e;

	if (j->row.outcome.cause != CAUSE_LIMIT || j->row.message[0] != 0)
		return;
	limits_tell(&event_result(j->ev)->limits, j->row.outcome.limit, "a session's own in a new session", &e);
	say(&j->row, &e);
}

/* Also of one that ended by itself before it could be killed: then how it ended stands, and what is missing is said. */
static void say_lost(struct job *j)
{
	struct err e;

	if (j->lost_errno == 0 || j->row.message[0] != 0)
		return;
	(void)err_set(&e, AMBIT_SYSTEM, "make room on the disk where sessions are kept, and run it again",
		      "what it wrote is not all kept: %s", strerror(j->lost_errno));
	say(&j->row, &e);
}

static void say_held(struct job *j)
{
	const struct result_usual *u = &event_result(j->ev)->usual;
	struct err e;

	if (!u->holds || j->row.message[0] != 0)
		return;
	(void)usual_held(u, &e);
	say(&j->row, &e);
}

static struct kernel_files files_of(const struct job *j)
{
	return (struct kernel_files){ .out_fd = j->out_fd, .err_fd = j->err_fd, .result_fd = j->result_fd };
}

void job_end_steps(struct job *j)
{
	const struct kernel_files files = files_of(j);

	if (j->kernel != NULL)
		kernel_over(j->kernel, &files);
}

/* Why it was killed, if that was for one of its steps. */
static void end_kernel(struct job *j)
{
	if (j->kernel == NULL)
		return;
	job_end_steps(j);
	if (j->kernel->why.code != AMBIT_OK && j->row.message[0] == 0)
		say(&j->row, &j->kernel->why);
}

static void step_kernel(struct job *j)
{
	const struct kernel_files files = files_of(j);

	if (j->kernel != NULL)
		kernel_step(j->kernel, j->ev, &files);
}

/* Stopped by its terminal, or by a signal: who sits at the terminal has to know. */
static void note_stop(struct job *j, bool ended)
{
	if (ambit_event_stopped(j->ev) != 0)
		j->row.flags |= EVENT_STOPPED;
	if (j->continued || ended)
		j->row.flags &= ~(uint32_t)EVENT_STOPPED;
	j->continued = false;
	j->row.flags &= ~(uint32_t)EVENT_FROZEN;
	if (event_is_frozen(j->ev))
		j->row.flags |= EVENT_FROZEN;
}

int job_step(struct job *j, const struct shelf *shelf)
{
	const int ended = ambit_event_step(j->ev, NULL);

	note_stop(j, ended != 0);
	if ((j->flags & EVENT_TERMINAL) != 0 && j->terminal_fd < 0)
		j->terminal_fd = ambit_event_terminal(j->ev); /* also of a short program, when it has ended */
	if ((!event_has_started(j->ev) && clock_ms() - j->began_ms > START_MS) ||
	    (j->cancelled_ms != 0 && clock_ms() - j->cancelled_ms > CANCEL_MS))
		event_abandon(j->ev);
	copy_keys(j);
	copy_terminal(j, ended != 0);
	bound_lost(j);
	step_kernel(j); /* also at the end: how the last one ended may have come just before */
	if (ended == 0)
		return 0;
	take_result(&j->row, j->ev);
	if (j->over_output && j->row.outcome.cause == CAUSE_KILLED) {
		j->row.outcome.cause = CAUSE_LIMIT;
		j->row.outcome.limit = j->lost_errno != 0 ? LIMIT_DISK : LIMIT_OUTPUT;
		j->row.exit_status = 125;
	}
	say_lost(j);
	end_kernel(j);
	say_limit(j);
	say_held(j);
	job_measure(j);
	write_record(j, shelf);
	if (result_question(event_result(j->ev))[0] != 0)
		hook_asked(result_question(event_result(j->ev)), event_result(j->ev)->event);
	fd_close(&j->input_fd);
	fd_close(&j->inner_fd);
	remove_empty(j, shelf);
	return 1;
}

unsigned job_wants(const struct job *j, struct pollfd *ret)
{
	unsigned n = 0;

	if (!j->runs)
		return 0;
	ret[n++] = (struct pollfd){ .fd = ambit_event_fd(j->ev), .events = POLLIN };
	if (j->terminal_fd >= 0)
		ret[n++] = (struct pollfd){ .fd = j->terminal_fd, .events = POLLIN | (j->n_keys > 0 ? POLLOUT : 0) };
	if (j->terminal_fd >= 0 && j->n_keys == 0 && j->inner_fd >= 0)
		ret[n++] = (struct pollfd){ .fd = j->inner_fd, .events = POLLIN };
	return n;
}

static int not_running(struct err *e)
{
	return err_set(e, AMBIT_GONE, "ambit events", "the event does not run");
}

int job_signal(struct job *j, int number, struct err *e)
{
	int r;

	if (!j->runs)
		return not_running(e);
	if (number < 1 || number > 64)
		return err_set(e, AMBIT_USAGE, "kill -l lists them", "there is no signal %d", number);
	r = ambit_event_signal(j->ev, number, NULL);
	if (r == -AMBIT_LIMIT)
		return err_set(e, AMBIT_LIMIT, "try again", "more signals come than the event takes");
	j->continued = j->continued || (r >= 0 && number == SIGCONT);
	return r < 0 ? not_running(e) : 0;
}

bool job_cancel(struct job *j)
{
	if (j->runs) {
		(void)ambit_event_kill(j->ev, NULL); /* ended meanwhile is as good */
		if (j->cancelled_ms == 0)
			j->cancelled_ms = clock_ms();
		return false;
	}
	job_end_steps(j);
	j->row.state = EVENT_OVER;
	j->row.ended_ms = clock_unix_ms();
	j->row.exit_status = 128 + SIGKILL;
	j->row.outcome = (struct event_outcome){ .cause = CAUSE_KILLED, .workspace = WORKSPACE_NONE };
	return true;
}

int job_resize(struct job *j, uint32_t rows, uint32_t columns, struct err *e)
{
	struct winsize size = { .ws_row = (unsigned short)(rows & 0xffff),
				.ws_col = (unsigned short)(columns & 0xffff) };

	if (!j->runs || j->terminal_fd < 0)
		return err_set(e, AMBIT_GONE, NULL, "the event has no terminal now");
	if (rows == 0 || columns == 0 || rows > 0xffff || columns > 0xffff)
		return err_set(e, AMBIT_USAGE, NULL, "a terminal of %u rows and %u columns", rows, columns);
	return ioctl(j->terminal_fd, TIOCSWINSZ, &size) < 0
		       ? err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot set the size")
		       : 0;
}
