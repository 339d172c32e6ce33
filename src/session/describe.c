/* What a session and a run are described by (link.h). */
#include <stdlib.h>
#include <string.h>

#include "ambit/ambit.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cell/spec.h"
#include "session/link.h"

#define DESCRIPTION_VERSION 1
#define RUN_VERSION 3

/* AMBIT_CHANGES_*: those of a session; and of a run, which narrows: what is staged for the session is not written in place for one of its events. */
#define SESSION_CHANGES                                                                                                \
	(AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD | AMBIT_CHANGES_DIRECT | AMBIT_CHANGES_STRICT |                   \
	 AMBIT_CHANGES_UNHASHED)
#define RUN_CHANGES (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD | AMBIT_CHANGES_STRICT | AMBIT_CHANGES_UNHASHED)

/* ---- lists of texts ---- */

static void put_list(struct buf *out, char *const *list)
{
	uint32_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	buf_put_u32(out, n);
	for (uint32_t i = 0; i < n; i++)
		buf_put_str(out, list[i]);
}

static void free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static char *take_one(struct rbuf *in)
{
	struct rbuf ahead = *in;
	const uint32_t n = rbuf_u32(&ahead);
	char *text = ahead.failed || n > rbuf_left(&ahead) ? NULL : malloc((size_t)n + 1);

	if (text != NULL)
		rbuf_str(in, text, (size_t)n + 1);
	else
		in->failed = true;
	return text;
}

/* Owned; NULL, and the cursor fails. Each text has at least its length, so what is allocated is bounded by what came. */
static char **take_list(struct rbuf *in, uint32_t most)
{
	const uint32_t n = rbuf_u32(in);
	char **list = in->failed || n > most || n > rbuf_left(in) / 4 ? NULL : calloc((size_t)n + 1, sizeof *list);

	for (uint32_t i = 0; list != NULL && i < n && !in->failed; i++)
		list[i] = take_one(in);
	if (list == NULL)
		in->failed = true;
	if (!in->failed)
		return list;
	free_list(list);
	return NULL;
}

/* Each is NAME=value. */
static bool is_environment(char *const *env)
{
	for (size_t i = 0; env[i] != NULL; i++)
		if (env[i][0] == '=' || strchr(env[i], '=') == NULL)
			return false;
	return true;
}

/* What is written in place is not staged. */
static bool is_contradiction(uint32_t changes)
{
	return (changes & AMBIT_CHANGES_DIRECT) != 0 && (changes & (AMBIT_CHANGES_STAGE | AMBIT_CHANGES_DISCARD)) != 0;
}

static bool is_key(const char *key)
{
	return text_is_utf8(key, strlen(key), NULL);
}

/* ---- a session ---- */

void description_finish(struct description *d)
{
	free_list(d->env);
	d->env = NULL;
}

void description_put(struct buf *out, const struct description *d)
{
	buf_put_u32(out, DESCRIPTION_VERSION);
	buf_put_str(out, d->key);
	buf_put_str(out, d->workspace);
	buf_put_str(out, d->base);
	buf_put_str(out, d->observe);
	buf_put_str(out, d->without);
	buf_put_u32(out, d->changes);
	buf_put_u64(out, d->events_max);
	buf_put_u64(out, d->wall_ms_max);
	buf_put_u64(out, d->cpu_ms_max);
	buf_put_u64(out, d->keep_ms);
	buf_put_u64(out, d->keep_bytes);
	put_list(out, d->env);
	buf_put_bytes(out, d->policy, d->policy_bytes);
}

int description_take(struct rbuf *in, struct description *ret, struct err *e)
{
	struct description d = { .env = NULL };
	const uint32_t version = rbuf_u32(in);

	if (!in->failed && version != DESCRIPTION_VERSION)
		return err_set(e, AMBIT_PROTOCOL, "was it made by a later Ambit?",
			       "the session is described in version %u, and this is %d", version, DESCRIPTION_VERSION);
	rbuf_str(in, d.key, sizeof d.key);
	rbuf_str(in, d.workspace, sizeof d.workspace);
	rbuf_str(in, d.base, sizeof d.base);
	rbuf_str(in, d.observe, sizeof d.observe);
	rbuf_str(in, d.without, sizeof d.without);
	d.changes = rbuf_u32(in);
	d.events_max = rbuf_u64(in);
	d.wall_ms_max = rbuf_u64(in);
	d.cpu_ms_max = rbuf_u64(in);
	d.keep_ms = rbuf_u64(in);
	d.keep_bytes = rbuf_u64(in);
	d.env = take_list(in, DESCRIPTION_ENV_MAX);
	d.policy_bytes = rbuf_u32(in);
	d.policy = rbuf_bytes(in, d.policy_bytes);
	if (!rbuf_done(in) || !is_key(d.key) || d.workspace[0] != '/' ||
	    (d.changes & ~(unsigned)SESSION_CHANGES) != 0 || is_contradiction(d.changes) || !is_environment(d.env)) {
		description_finish(&d);
		return err_set(e, AMBIT_MALFORMED, NULL, "the description of a session is not well-formed");
	}
	*ret = d;
	return 0;
}

/* ---- a run ---- */

void run_finish(struct run *r)
{
	free_list(r->argv);
	free_list(r->env);
	r->argv = r->env = NULL;
}

/* The key comes first, so that what is behind it can be compared as it stands. */
void run_put(struct buf *out, const struct run *r)
{
	buf_put_u32(out, RUN_VERSION);
	buf_put_str(out, r->key);
	buf_put_u32(out, r->flags);
	buf_put_u32(out, r->changes);
	buf_put_u32(out, r->rows);
	buf_put_u32(out, r->columns);
	buf_put_u64(out, r->idle_ms);
	buf_put_str(out, r->limits);
	buf_put_str(out, r->on_conflict);
	labels_put(out, &r->labels);
	put_list(out, r->argv);
	put_list(out, r->env);
}

static void digest(const struct rbuf *in, uint8_t ret[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, in->data + in->at, in->len - in->at);
	sha256_end(&s, ret);
}

/* Code is a language and a source, and has no terminal. */
static bool is_code(const struct run *r)
{
	const enum event_kind kind = event_kind_of(r->flags);

	return kind == KIND_RUN || (strcmp(r->argv[0], kind_word(kind)) == 0 && r->argv[1] != NULL &&
				    r->argv[2] == NULL && (r->flags & EVENT_TERMINAL) == 0);
}

/* A kernel is of the background, reads nothing but steps, and prints what each of them wants printed. */
static bool is_kernel(const struct run *r)
{
	const enum event_kind kind = event_kind_of(r->flags);

	if ((r->flags & EVENT_KERNEL) == 0)
		return r->idle_ms == 0;
	return (kind == KIND_PYTHON || kind == KIND_NODE) && kernel_name_is(r->argv[1]) &&
	       (r->flags & (EVENT_BACKGROUND | EVENT_INPUT | EVENT_SHOWS)) == EVENT_BACKGROUND;
}

/* As they are written down: what is the same is asked for by the same bytes. */
static bool is_given(const struct labels *l)
{
	struct labels own;

	return labels_take_given(l->text, &own, NULL) == 0 && strcmp(own.text, l->text) == 0;
}

int run_take(const void *bytes, size_t n, struct run *ret, uint8_t ret_digest[32], struct err *e)
{
	struct run r = { .argv = NULL };
	struct rbuf in;
	uint32_t version;

	rbuf_init(&in, bytes, n);
	version = rbuf_u32(&in);
	rbuf_str(&in, r.key, sizeof r.key);
	if (!in.failed)
		digest(&in, ret_digest);
	r.flags = rbuf_u32(&in);
	r.changes = rbuf_u32(&in);
	r.rows = rbuf_u32(&in);
	r.columns = rbuf_u32(&in);
	r.idle_ms = rbuf_u64(&in);
	rbuf_str(&in, r.limits, sizeof r.limits);
	rbuf_str(&in, r.on_conflict, sizeof r.on_conflict);
	labels_take(&in, &r.labels);
	r.argv = take_list(&in, CELL_ARGS_MAX);
	r.env = take_list(&in, CELL_ARGS_MAX);
	if (!rbuf_done(&in) || version != RUN_VERSION || !is_key(r.key) || r.argv[0] == NULL || r.argv[0][0] == 0 ||
	    (r.flags & ~(unsigned)(EVENT_BACKGROUND | EVENT_INPUT | EVENT_TERMINAL | EVENT_SHOWS | EVENT_KERNEL |
				   3u << EVENT_KIND_SHIFT)) != 0 ||
	    !is_code(&r) || !is_kernel(&r) || !is_given(&r.labels) || (r.changes & ~(unsigned)RUN_CHANGES) != 0 ||
	    r.rows > 65535 || r.columns > 65535 || !is_environment(r.env)) {
		run_finish(&r);
		return err_set(e, AMBIT_MALFORMED, NULL, "what is to be run is not well-formed");
	}
	*ret = r;
	return 0;
}
