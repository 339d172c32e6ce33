#include "sample_results.h"
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell/spec.h"
#include "core/kind.h"
#include "stage/changes.h"

#define STARTED_NS UINT64_C(1767225599987654321) /* a millisecond that is not rounded up, at the end of a year */

static void check(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "sample_results: %s\n", what);
	abort();
}

uint32_t sample_grant(struct event_result *r, enum grant_verb verb, const char *object)
{
	struct grant_set *set;
	uint32_t id;

	if (r->grants == NULL) {
		r->grants = calloc(1, sizeof *r->grants);
		r->grant_ids = calloc(GRANTS_MAX, sizeof *r->grant_ids);
	}
	set = (struct grant_set *)(uintptr_t)r->grants; /* made above: not constant */
	check(set != NULL && r->grant_ids != NULL, "no memory");
	check(grant_add(set, verb, object, 0, &id, NULL) == 0, object);
	(void)snprintf(r->grant_ids[id], ID_TEXT_MAX, "g_01KDV%021u", id);
	return id;
}

void sample_effect(struct event_result *r, enum effect_kind kind, enum effect_verdict verdict, uint32_t grant,
		   uint32_t count, const char *object)
{
	struct effect *f;

	if ((r->n_effects & (r->n_effects - 1)) == 0) { /* grows at powers of two */
		f = realloc(r->effects, (r->n_effects == 0 ? 1 : 2 * r->n_effects) * sizeof *f);
		check(f != NULL, "no memory");
		r->effects = f;
	}
	check(strlen(object) < EFFECT_OBJECT_MAX, "an effect");
	f = &r->effects[r->n_effects++];
	memset(f, 0, sizeof *f);
	f->kind = (uint8_t)kind;
	f->verdict = (uint8_t)verdict;
	f->source = EFFECT_REQUESTED;
	f->base = verdict == EFFECT_ALLOWED && grant == GRANT_NONE && kind != EFFECT_OPAQUE;
	f->grant = grant;
	f->count = count;
	memcpy(f->object, object, strlen(object));
}

static void start(struct event_result *r)
{
	static char arg0[] = "python3", arg1[] = "analyse.py";
	static char *const argv[] = { arg0, arg1, NULL };

	*r = (struct event_result){ .n = 1, .exit_status = -1 };
	(void)snprintf(r->event, sizeof r->event, "e_01KDVQJZ00000000000000EVEN");
	(void)snprintf(r->session, sizeof r->session, "s_01KDVQJZ00000000000000SESS");
	r->argv = argv;
	r->workdir = "/home/ann/shop";
	r->home = "/home/ann";
	r->base = CELL_BASE_SYSTEM;
	r->observe = CELL_OBSERVE_FULL;
	limits_default_run(&r->limits, UINT64_C(4) << 30);
	r->achieved = MECHANISM_BIT(MECHANISM_COUNT) - 1;
	r->achieved &= ~(MECHANISM_BIT(MECHANISM_GRANTED) | MECHANISM_BIT(MECHANISM_GIVEN_UP));
	r->usage = (struct event_usage){ .wall_ms = 812,
					 .cpu_user_ms = 640,
					 .cpu_system_ms = 75,
					 .memory_peak_bytes = 48u << 20,
					 .tasks_peak = 3,
					 .written_bytes = 8192,
					 .tasks_exact = 1 };
	r->started_ns = STARTED_NS;
	r->ended_ns = STARTED_NS + UINT64_C(812345678);
	r->ended = true;
	r->cause = CAUSE_EXITED;
	r->exit_status = 0;
	buf_init(&r->out, 1u << 20);
	buf_init(&r->err, 1u << 20);
}

/* Two threads, one of which opens a library twice. */
static void sample_trace(struct event_result *r)
{
	static const uint8_t form[] = "\xfftrc\x01\0\x02\0\2\0\2\0\4\0\0\0\5\0\0\0\0\0\0\0"
				      "\x0b"
				      "exec:python\x0d"
				      "read:/usr/lib\0\6\0\1\1";

	buf_init(&r->trace.form, 1u << 20);
	buf_put(&r->trace.form, form, sizeof form - 1);
	r->trace.threads = 2;
	r->trace.calls = 5;
	r->trace.dropped = 1;
}

static void make_plain(struct event_result *r)
{
	const uint32_t work = sample_grant(r, VERB_WORK, "/home/ann/shop");
	const uint32_t data = sample_grant(r, VERB_READ, "/srv/data");

	(void)sample_grant(r, VERB_ENV, "LANG=C.UTF-8");
	sample_effect(r, EFFECT_EXEC, EFFECT_ALLOWED, GRANT_NONE, 1, "/usr/bin/python3.11");
	sample_effect(r, EFFECT_READ, EFFECT_ALLOWED, work, 1, "/home/ann/shop/analyse.py");
	sample_effect(r, EFFECT_READ, EFFECT_ALLOWED, data, 12, "/srv/data/2025.csv");
	sample_effect(r, EFFECT_WRITE, EFFECT_ALLOWED, work, 1, "/home/ann/shop/out/report.txt");
	r->base_effects = 214;
	sample_trace(r);
	(void)snprintf(r->agent, sizeof r->agent, "coder");
	r->workspace = WORKSPACE_DIRECT;
}

static void make_denied(struct event_result *r)
{
	const uint32_t read = sample_grant(r, VERB_READ, "/home/ann/shop");

	sample_effect(r, EFFECT_EXEC, EFFECT_ALLOWED, GRANT_NONE, 1, "/usr/bin/python3.11");
	sample_effect(r, EFFECT_READ, EFFECT_ALLOWED, read, 1, "/home/ann/shop/analyse.py");
	sample_effect(r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 2, "/home/ann/.ssh/id_ed25519");
	sample_effect(r, EFFECT_WRITE, EFFECT_DENIED, GRANT_NONE, 1, "/home/ann/shop/package.json");
	sample_effect(r, EFFECT_WRITE, EFFECT_DENIED_NEW, GRANT_NONE, 1, "/home/ann/shop/.git/hooks/pre-commit");
	sample_effect(r, EFFECT_MKDIR, EFFECT_DENIED, GRANT_NONE, 1, "/srv/new dir");
	sample_effect(r, EFFECT_DELETE, EFFECT_DENIED, GRANT_NONE, 3, "/etc");
	sample_effect(r, EFFECT_EXEC, EFFECT_DENIED, GRANT_NONE, 1, "/home/ann/shop/tool");
	sample_effect(r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 7, "/proc/1/environ");
	sample_effect(r, EFFECT_CONNECT, EFFECT_DENIED, GRANT_NONE, 1, "inet 192.0.2.1:443");
	sample_effect(r, EFFECT_CONNECT, EFFECT_DENIED, GRANT_NONE, 1, "unix /run/user/1000/bus");
	sample_effect(r, EFFECT_OPAQUE, EFFECT_ALLOWED, GRANT_NONE, 1, "openat");
	sample_effect(r, EFFECT_READ, EFFECT_ABSENT, GRANT_NONE, 1, "/srv/nothing");
	r->exit_status = 1;
	r->effects_dropped = 9;
}

static void make_unusual(struct event_result *r)
{
	struct result_usual *u = &r->usual;

	make_plain(r);
	u->judged = true;
	u->profile = PROFILE_ASK;
	u->holds = u->found.asks = u->found.held = true;
	(void)snprintf(u->found.key, sizeof u->found.key, "coder\trun\tpython3\t00000000000000ab");
	u->pause_ms = 2000;
	u->found.others = 1;
	u->found.nearest = (struct likeness){ .event = "e_01KDVQJZ00000000000000SAME", .part = 0.75 };
	(void)snprintf(u->found.nearest.text, sizeof u->found.nearest.text,
		       "the same but for destination paste.example:443");
	u->found.f = (struct unusual){ .events = 412,
				       .p = 0.0029,
				       .least = 0.0029,
				       .scores = { 6.5, 1.25, 0.5 },
				       .ps = { 0.00097, 0.4, 1 },
				       .n_reasons = 2 };
	u->found.f.flagged[PROMISED_LOG] = true;
	u->found.ratio[PROMISED_LOG] = 0.95;
	u->found.f.reasons[0] = (struct reason_of){ .layer = LAYER_FIRSTS, .surprise = 6.0 };
	(void)snprintf(u->found.f.reasons[0].text, REASON_MAX,
		       "first connection to paste.example:443; 0 of 412 earlier events had a new one");
	u->found.f.reasons[1] = (struct reason_of){ .layer = LAYER_AMOUNTS, .surprise = 1.25 };
	(void)snprintf(
		u->found.f.reasons[1].text, REASON_MAX,
		"48000000 bytes sent; none of 412 earlier events had as many, half had at most 512, nearly all at most 2048");
}

static void make_unscored(struct event_result *r)
{
	make_plain(r);
	r->usual.judged = r->usual.holds = true;
	r->usual.profile = PROFILE_HOLD;
	(void)err_set(&r->usual.error, AMBIT_GONE, "try again", "it could not be held against what is usual");
}

static void make_labelled(struct event_result *r)
{
	labels_add(&r->labels, "private");
	labels_add(&r->labels, "untrusted");
}

/* Its supervisor was killed. */
static void make_unlabelled(struct event_result *r)
{
	labels_set_unknown(&r->labels);
	r->cause = CAUSE_LOST;
}

static void make_withdrawn(struct event_result *r)
{
	const uint32_t a = sample_grant(r, VERB_CONNECT, "a.test:443"), b = sample_grant(r, VERB_CONNECT, "b.test:443");

	r->withdrawn_ns = calloc(GRANTS_MAX, sizeof *r->withdrawn_ns);
	check(r->withdrawn_ns != NULL, "no memory");
	r->withdrawn_ns[b] = STARTED_NS + 5000000;
	sample_effect(r, EFFECT_CONNECT, EFFECT_ALLOWED, a, 3, "inet a.test:443");
	sample_effect(r, EFFECT_CONNECT, EFFECT_ALLOWED, b, 2, "inet b.test:443");
	sample_effect(r, EFFECT_CONNECT, EFFECT_DENIED_WITHDRAWN, GRANT_NONE, 9, "inet b.test:443");
	sample_effect(r, EFFECT_REQUEST, EFFECT_ALLOWED, a, 2, "inet a.test:443 GET /x/** 200");
	sample_effect(r, EFFECT_REQUEST, EFFECT_DENIED_REQUEST, GRANT_NONE, 1, "inet a.test:443 DELETE /x 403");
	for (size_t i = 0; i < r->n_effects; i++)
		if (r->effects[i].kind == EFFECT_CONNECT)
			r->effects[i].source = EFFECT_PROVED;
	r->exit_status = 1;
}

static void make_signal(struct event_result *r)
{
	sample_effect(r, EFFECT_EXEC, EFFECT_ALLOWED, GRANT_NONE, 1, "/usr/bin/node");
	r->exit_status = -1;
	r->signal = 6;
}

static void make_limit(struct event_result *r, enum limit which)
{
	r->cause = CAUSE_LIMIT;
	r->limit = which;
	r->exit_status = -1;
	limits_default_code(&r->limits);
}

static void make_limit_wall(struct event_result *r)
{
	make_limit(r, LIMIT_WALL);
}

static void make_limit_cpu(struct event_result *r)
{
	make_limit(r, LIMIT_CPU);
}

static void make_limit_memory(struct event_result *r)
{
	make_limit(r, LIMIT_MEMORY);
	r->usage.memory_exact = 1;
}

static void make_limit_tasks(struct event_result *r)
{
	make_limit(r, LIMIT_TASKS);
}

static void make_limit_files(struct event_result *r)
{
	make_limit(r, LIMIT_FILES);
}

static void make_limit_disk(struct event_result *r)
{
	make_limit(r, LIMIT_DISK);
	r->usage.disk_exact = 1;
}

static void make_limit_output(struct event_result *r)
{
	make_limit(r, LIMIT_OUTPUT);
}

static void make_killed(struct event_result *r)
{
	sample_effect(r, EFFECT_EXEC, EFFECT_DENIED_WRITTEN, GRANT_NONE, 2, "/tmp/tool");
	sample_effect(r, EFFECT_WRITE, EFFECT_DENIED_NEW, GRANT_NONE, 1, "/usr/share/new");
	r->effects[r->n_effects - 1].beyond = 1;
	r->cause = CAUSE_KILLED;
	r->exit_status = -1;
	r->signal = 9;
}

static void add_canary(struct event_result *r, const char *path)
{
	if (r->canaries == NULL)
		r->canaries = calloc(2, sizeof *r->canaries);
	r->canaries[r->n_canaries++] = strdup(path);
}

static void make_canary(struct event_result *r)
{
	sample_effect(r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/home/ann/.aws/credentials.prod");
	add_canary(r, "/home/ann/.aws/credentials.prod");
	r->cause = CAUSE_CANARY;
	r->exit_status = -1;
	(void)err_set(&r->error, AMBIT_DENIED, "`ambit explain` and its id say to a person which",
		      "it touched a canary, and was ended");
}

static void make_canary_told(struct event_result *r)
{
	add_canary(r, "/home/ann/shop/passwords.txt");
	add_canary(r, "/home/ann/.ssh/id_ed25519_deploy");
}

static void make_lost(struct event_result *r)
{
	r->cause = CAUSE_LOST;
	r->exit_status = -1;
	(void)err_set(&r->error, AMBIT_GONE, "look at the kernel's log", "the warden ended before the cell");
}

static void make_refused(struct event_result *r)
{
	const struct limits none = { .value = { 0 } };

	r->cause = CAUSE_REFUSED;
	r->exit_status = -1;
	r->achieved = 0;
	r->limits = none;
	r->started_ns = 0;
	r->ended_ns = 0;
	r->usage = (struct event_usage){ .wall_ms = 0 };
	r->home = NULL;
	(void)err_why(&r->error,
		      err_set(&r->error, AMBIT_NO_PROGRAM, "check the spelling, or install it",
			      "program 'pyhton3' is not in the cell"),
		      "no directory of its PATH has it");
}

static void make_given_up(struct event_result *r)
{
	r->without = 1u << PROPERTY_DISK | 1u << PROPERTY_MEMORY;
	r->achieved &= ~(MECHANISM_BIT(MECHANISM_SAMPLER) | MECHANISM_BIT(MECHANISM_CGROUP_MEMORY));
	r->achieved |= MECHANISM_BIT(MECHANISM_GIVEN_UP);
	r->base = CELL_BASE_MINIMAL;
	r->observe = CELL_OBSERVE_EFFECTS;
}

static void make_names(struct event_result *r)
{
	static char arg0[] = "./\xff\xfe", arg1[] = "\xed\xa0\x80", arg2[] = "line\nend\t\"quoted\" \\ \033[2J",
		    arg3[] = "\xe2\x80\xaegpj.exe", arg4[] = "caf\xc3\xa9", arg5[] = "";
	static char *const argv[] = { arg0, arg1, arg2, arg3, arg4, arg5, NULL };
	const uint32_t id = sample_grant(r, VERB_READ, "/srv/\xc3");

	r->argv = argv;
	r->workdir = "/tmp/\xc3(";
	r->home = "/home/\xff";
	sample_effect(r, EFFECT_READ, EFFECT_ALLOWED, id, 1, "/srv/\xc3/caf\xc3\xa9");
	sample_effect(r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/srv/\xed\xb0\x80");
	sample_effect(r, EFFECT_READ, EFFECT_DENIED, GRANT_NONE, 1, "/srv/it's \"here\"\n");
	sample_effect(r, EFFECT_WRITE, EFFECT_DENIED, GRANT_NONE, 1, "/srv/\xe2\x80\xaetxt.exe");
	sample_effect(r, EFFECT_WRITE, EFFECT_DENIED, GRANT_NONE, UINT32_MAX, "/srv/\x01\x7f");
}

static void output(struct event_result *r, const void *out, size_t n_out, const char *err)
{
	r->captured = true;
	buf_put(&r->out, out, n_out);
	buf_put(&r->err, err, strlen(err));
	r->out_total = n_out;
	r->err_total = strlen(err);
}

static void make_output_text(struct event_result *r)
{
	output(r, "total: 12\ncaf\xc3\xa9\n", 16, "");
}

static void make_output_binary(struct event_result *r)
{
	output(r, "\x89PNG\r\n\x1a\n\0\xff", 10, "warning\n");
}

/* NULs are characters of UTF-8, but a text of them is larger than base64. */
static void make_output_nul(struct event_result *r)
{
	output(r, "\0\0\0\0\0\0\0\0\0", 9, "one\0");
}

/* The cut goes through the last character. */
static void make_output_cut(struct event_result *r)
{
	output(r, "price: 5 \xe2\x82", 11, "tail\n");
	r->out_total = 70000000000;
}

struct sample_change {
	uint8_t kind, type, held, later;
	uint32_t mode_old, mode_new;
	uint64_t size_old, size_new;
	const char *path, *from, *reason;
};

static void add_change(struct event_result *r, const struct sample_change *s)
{
	struct stage_answer *a = &r->stage;
	struct change c = { .kind = s->kind,
			    .type = s->type,
			    .held = s->held,
			    .later = s->later,
			    .mode_old = s->mode_old,
			    .mode_new = s->mode_new,
			    .size_old = s->size_old,
			    .size_new = s->size_new,
			    .path = s->path,
			    .from = s->from != NULL ? s->from : "",
			    .reason = s->reason != NULL ? s->reason : "" };

	c.has_digest = s->type == CHANGE_FILE && s->kind != CHANGE_DELETED;
	for (size_t i = 0; c.has_digest != 0 && i < sizeof c.digest; i++)
		c.digest[i] = (uint8_t)(17 * i + s->size_new);
	check(changes_add(&a->changes, &a->n_changes, &c) == 0, "no memory");
}

static void add_tree(struct event_result *r, const char *path)
{
	r->stage.trees = calloc(1, sizeof *r->stage.trees);
	check(r->stage.trees != NULL, "no memory");
	(void)snprintf(r->stage.trees[0], sizeof r->stage.trees[0], "%s", path);
	r->stage.n_trees = 1;
}

static void make_committed(struct event_result *r)
{
	static const struct sample_change changes[] = {
		{ CHANGE_ADDED, CHANGE_DIRECTORY, 0, 0, 0, 0755, 0, 0, "out", NULL, NULL },
		{ CHANGE_ADDED, CHANGE_FILE, 0, 0, 0, 0644, 0, 8192, "out/report.md", NULL, NULL },
		{ CHANGE_MODIFIED, CHANGE_FILE, 0, 1, 0644, 0644, 120, 140, "Makefile", NULL, "make runs it" },
		{ CHANGE_DELETED, CHANGE_FILE, 0, 0, 0600, 0, 17, 0, "old.txt", NULL, NULL },
		{ CHANGE_RENAMED, CHANGE_FILE, 0, 0, 0644, 0644, 40, 40, "src/new.py", "src/old.py", NULL },
		{ CHANGE_MODE, CHANGE_FILE, 0, 0, 0644, 0755, 33, 33, "run.sh", NULL, NULL },
		{ CHANGE_LINK, CHANGE_FILE, 0, 0, 0, 0644, 0, 8192, "out/same.md", "out/report.md", NULL },
		{ CHANGE_ADDED, CHANGE_SYMLINK, 0, 0, 0, 0777, 0, 0, "caf\xe9", NULL, NULL },
	};

	(void)sample_grant(r, VERB_WORK, "/home/ann/shop");
	add_tree(r, "/home/ann/shop");
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
		add_change(r, &changes[i]);
	r->workspace = WORKSPACE_COMMITTED;
}

static void make_held(struct event_result *r)
{
	static const struct sample_change changes[] = {
		{ CHANGE_ADDED, CHANGE_FILE, HELD_PROTECTED, 0, 0, 0755, 0, 31, ".git/hooks/post-commit", NULL,
		  "git runs them" },
		{ CHANGE_MODIFIED, CHANGE_FILE, HELD_CONFLICT, 0, 0644, 0644, 5, 6, "notes.txt", NULL, NULL },
		{ CHANGE_ADDED, CHANGE_OTHER, HELD_REFUSED, 0, 0, 0600, 0, 0, "x", NULL, "a device" },
	};
	char name[32];

	(void)sample_grant(r, VERB_WORK, "/home/ann/shop");
	add_tree(r, "/home/ann/shop");
	for (unsigned int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof name, "out/%02u", i);
		add_change(r,
			   &(struct sample_change){ CHANGE_ADDED, CHANGE_FILE, 0, 0, 0, 0644, 0, i, name, NULL, NULL });
	}
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
		add_change(r, &changes[i]);
	r->workspace = WORKSPACE_KEPT;
}

static void add_meter(struct event_result *r, uint32_t grant, const char *address, struct meter meter)
{
	sample_effect(r, EFFECT_CONNECT, EFFECT_ALLOWED, grant, meter_asked(&meter), address);
	r->effects[r->n_effects - 1].source = EFFECT_PROVED;
	r->effects[r->n_effects - 1].meter = meter;
}

static uint32_t add_connect(struct event_result *r, const char *object, struct qualifiers q)
{
	const uint32_t id = sample_grant(r, VERB_CONNECT, object);

	((struct grant_set *)(uintptr_t)r->grants)->grants[id].qualifiers = q; /* made by sample_grant: not constant */
	return id;
}

static void add_with_terms(struct event_result *r)
{
	static const struct qualifiers times = { .until_s = 1796083200, .between = { 540, 1080, "Europe/Berlin" } };
	struct grant_set *set = (struct grant_set *)(uintptr_t)r->grants; /* made by sample_grant: not constant */
	uint32_t id, tool;

	check(grant_add_qualified(set, VERB_CONNECT, "api.example.com:443", 0, &times,
				  "http='GET /repos/**, GRAPHQL /graphql' graphql='query *, mutation createIssue' "
				  "secret='github as bearer' credentials=replace",
				  "label=mail+untrusted unless=private+untrusted,secret ask=labelled", &id, NULL) == 0,
	      "terms");
	(void)snprintf(r->grant_ids[id], ID_TEXT_MAX, "g_01KDV%021u", id);
	check(grant_add_qualified(set, VERB_TOOL, "files/read_file", 0, &(const struct qualifiers){ .uses = 5 },
				  "where='{\"path\":[\"./it\\u0027s/*\",\"a\\\\*\"],\"size\":{\"max\":100}}'",
				  "ask=labelled", &tool, NULL) == 0,
	      "a tool");
	(void)snprintf(r->grant_ids[tool], ID_TEXT_MAX, "g_01KDV%021u", tool);
	sample_effect(r, EFFECT_REQUEST, EFFECT_ALLOWED, id, 3, "inet api.example.com:443 GET /repos/** 200");
	sample_effect(r, EFFECT_REQUEST, EFFECT_DENIED_REQUEST, GRANT_NONE, 2,
		      "inet api.example.com:443 DELETE /repos/acme/shop 403");
	sample_effect(r, EFFECT_REQUEST, EFFECT_DENIED_REQUEST, GRANT_NONE, 1,
		      "inet api.example.com:443 GET /repos/acme/shop 429");
}

/* Closed by what came from all sides; names as bad as they can be. */
static void add_closed(struct event_result *r)
{
	static const struct result_closing closing[] = {
		{ .label = "bees", .by = "stream", .event = "e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1B" },
		{ .label = "garden", .by = "given" },
		{ .label = "lost" },
		{ .label = "private", .by = "read", .event = "e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1A" },
		{ .label = "untrusted", .by = "path", .event = "e_01JZ8Q6S1R9C8T7W5V4X3Y2Z1B" },
	};
	static const char *const objects[] = { "b_01JZ8Q6S1R9C8T7W5V4X3Y2Z1C", NULL, NULL, "/home/u/notes",
					       "/srv/a\x1b[1m\xff b" };
	const size_t n = sizeof closing / sizeof closing[0];

	add_meter(r, add_connect(r, "closed.example.com:443", (struct qualifiers){ .uses = 0 }),
		  "inet closed.example.com:443", (struct meter){ .refused = 2, .stopped = METER_BY(METER_LABELLED) });
	(void)snprintf(r->stream, sizeof r->stream, "b_01JZ8Q6S1R9C8T7W5V4X3Y2Z1D");
	r->closing = calloc(n, sizeof *r->closing);
	if (r->closing == NULL)
		abort();
	for (r->n_closing = 0; r->n_closing < n; r->n_closing++) {
		r->closing[r->n_closing] = closing[r->n_closing];
		r->closing[r->n_closing].object = objects[r->n_closing] != NULL ? strdup(objects[r->n_closing]) : NULL;
	}
}

static void make_connected(struct event_result *r)
{
	const struct qualifiers none = { .uses = 0 };
	const struct qualifiers all = { .uses = 50, .bytes = 10u << 20, .rate = 10, .period_s = 1, .ech = 1 };
	const uint32_t index = add_connect(r, "packages.example.com:443", all);
	const uint32_t down = add_connect(r, "down.example.com:443", none);
	const uint32_t once = add_connect(r, "once.example.com:443", (struct qualifiers){ .uses = 1 });

	add_meter(r, index, "inet packages.example.com:443",
		  (struct meter){ .opened = 3,
				  .failed = 1,
				  .refused = 2,
				  .stopped = 1u << QUALIFIER_BYTES | 1u << QUALIFIER_RATE,
				  .sys_errno = 110,
				  .up = 4096,
				  .down = 10485761 });
	add_meter(r, down, "inet down.example.com:443", (struct meter){ .failed = 2, .sys_errno = 1 });
	add_meter(r, once, "inet once.example.com:443",
		  (struct meter){ .opened = 1, .refused = 1, .stopped = 1u << QUALIFIER_USES, .up = 10, .down = 20 });
	add_meter(r, add_connect(r, "held.example.com:443", none), "inet held.example.com:443",
		  (struct meter){ .opened = 2,
				  .refused = 3,
				  .stopped = METER_BY(METER_FROZEN) | METER_BY(METER_ASKED),
				  .up = 30,
				  .down = 40 });
	add_with_terms(r);
	add_closed(r);
}

static void make_many(struct event_result *r)
{
	char name[EFFECT_OBJECT_MAX];

	for (unsigned int i = 0; i < EFFECTS_MAX; i++) {
		const int n = snprintf(name, sizeof name, "/srv/%u/", i);

		memset(name + n, 0x01, sizeof name - 1 - (size_t)n);
		name[sizeof name - 1] = 0;
		sample_effect(r, EFFECT_WRITE, EFFECT_DENIED, GRANT_NONE, 1, name);
	}
	r->effects_dropped = 1000;
}

static void make_thousands(struct event_result *r)
{
	const uint32_t id = sample_grant(r, VERB_READ, "/srv");
	char name[64];

	for (unsigned int i = 0; i < EFFECTS_MAX; i++) {
		(void)snprintf(name, sizeof name, "/srv/tree/%u/%u.js", i % 37, i);
		sample_effect(r, EFFECT_READ, EFFECT_ALLOWED, id, i + 1, name);
	}
}

static void add_step(struct event_result *r, const char *source, uint32_t how)
{
	struct result_kernel *k = &r->kernel;
	struct result_step *s;

	k->told = realloc(k->told, (k->n + 1) * sizeof *k->told);
	s = &k->told[k->n++];
	*s = (struct result_step){ .step = k->n,
				   .bytes = source != NULL ? strlen(source) : 1u << 20,
				   .sha256 = { (uint8_t)k->n },
				   .source = source != NULL ? strdup(source) : NULL,
				   .begun_ns = r->started_ns + k->n * 1000000,
				   .ended_ns = r->started_ns + k->n * 2000000,
				   .how = how };
}

/* The last, which has no room for its source, ended with the kernel. */
static void make_kernel(struct event_result *r)
{
	static char language[] = "python", name[] = "mine";
	static char *const argv[] = { language, name, NULL };

	(void)sample_grant(r, VERB_WORK, "/home/ann/shop");
	r->argv = argv;
	r->kind = KIND_PYTHON;
	r->kernel.is = true;
	r->kernel.steps = 1004;
	add_step(r, "x = 1", 1 + STEP_SAYS_OK);
	add_step(r, "1/0\n\"\xff", 1 + STEP_SAYS_ERROR);
	add_step(r, "", 1 + STEP_SAYS_EXIT);
	add_step(r, NULL, 0);
	r->workspace = WORKSPACE_KEPT;
}

static const struct {
	const char *name;
	void (*make)(struct event_result *r);
} samples[] = {
	{ "plain", make_plain },
	{ "denied", make_denied },
	{ "labelled", make_labelled },
	{ "unusual", make_unusual },
	{ "unscored", make_unscored },
	{ "labels-unknown", make_unlabelled },
	{ "withdrawn", make_withdrawn },
	{ "signal", make_signal },
	{ "limit-wall", make_limit_wall },
	{ "limit-cpu", make_limit_cpu },
	{ "limit-memory", make_limit_memory },
	{ "limit-tasks", make_limit_tasks },
	{ "limit-files", make_limit_files },
	{ "limit-disk", make_limit_disk },
	{ "limit-output", make_limit_output },
	{ "killed", make_killed },
	{ "canary", make_canary },
	{ "canary-told", make_canary_told },
	{ "lost", make_lost },
	{ "refused", make_refused },
	{ "given-up", make_given_up },
	{ "names", make_names },
	{ "output-text", make_output_text },
	{ "output-binary", make_output_binary },
	{ "output-nul", make_output_nul },
	{ "output-cut", make_output_cut },
	{ "committed", make_committed },
	{ "held", make_held },
	{ "connected", make_connected },
	{ "kernel", make_kernel },
	{ "many", make_many },
	{ "thousands", make_thousands },
};

size_t sample_count(void)
{
	return sizeof samples / sizeof samples[0];
}

const char *sample_name(size_t i)
{
	return samples[i].name;
}

size_t sample_find(const char *name)
{
	for (size_t i = 0; i < sample_count(); i++)
		if (strcmp(samples[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

void sample_make(size_t i, struct event_result *ret)
{
	start(ret);
	samples[i].make(ret);
}

void sample_finish(struct event_result *r)
{
	free((void *)(uintptr_t)r->grants); /* the sample's own, see sample_grant */
	result_finish(r);
}
