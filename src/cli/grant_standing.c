#include "cli/grant_standing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "core/flow.h"
#include "lib/authority.h"

#define LIST_MAX (256u << 20) /* all texts that an authority keeps, each byte as six, and what stands around them */
#define SHOWN_MAX 300         /* of somebody's words in a line */

struct stream {
	authority_ref ref;
	char id[ID_TEXT_MAX], agent[AUTHORITY_NAME_MAX];
};

struct standing_list {
	struct keeper_labels names;
	struct stream *streams; /* owned */
	size_t n, room;
	struct buf out;
	struct json j; /* to out */
	bool json;
};

static void list_finish(struct standing_list *l)
{
	free(l->streams);
	buf_finish(&l->out);
}

/* NULL: nobody ever asked for anything. */
static int reach(struct keeper **ret, struct err *e)
{
	char place[4096];
	const int r = keeper_find(place, sizeof place, e);

	*ret = NULL;
	return r == -AMBIT_NOT_FOUND ? 0 : r < 0 ? r : keeper_open(NULL, NULL, ret, e);
}

static int note_stream(void *of, const struct keeper_row *row)
{
	struct standing_list *l = of;
	struct stream *more;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room; /* no more than the authority has rows */
		more = reallocarray(l->streams, l->room, sizeof *more);
		if (more == NULL)
			return -AMBIT_MEMORY;
		l->streams = more;
	}
	l->streams[l->n].ref = row->badge.ref;
	authority_id_text('b', row->badge.id, l->streams[l->n].id);
	(void)text_copy(l->streams[l->n].agent, AUTHORITY_NAME_MAX, row->badge.agent); /* a name of an agent */
	l->n++;
	return 0;
}

/* One that began since is none. */
static const struct stream *stream_of(const struct standing_list *l, authority_ref badge)
{
	static const struct stream none;

	for (size_t i = 0; i < l->n; i++)
		if (l->streams[i].ref == badge)
			return &l->streams[i];
	return &none;
}

/* ---- one of them in words ---- */

static void take_set(const struct keeper_labels *names, uint64_t labels, struct flow_set *ret)
{
	for (unsigned bit = 0; bit < names->n && ret->n < FLOW_SET_MAX; bit++)
		if ((labels & UINT64_C(1) << bit) != 0)
			(void)text_copy(ret->names[ret->n++], FLOW_LABEL_MAX,
					names->names[bit]); /* or as much as fits */
}

/* As a policy has them. */
static void take_conditions(const struct keeper_labels *names, const struct authority_grant_told *g,
			    struct qualifiers *ret, struct flow *ret_flow)
{
	*ret = g->bounds.q;
	ret->between = g->bounds.window;
	ret->ask = (g->flags & AUTHORITY_ASK) != 0;
	ret->depth = g->depth;
	*ret_flow = (struct flow){ .ask = (g->flags & AUTHORITY_ASK_LABELLED) != 0, .n_unless = g->n_unless };
	take_set(names, g->labels, &ret_flow->label);
	for (uint8_t i = 0; i < g->n_unless && i < FLOW_UNLESS_MAX; i++)
		take_set(names, g->unless[i], &ret_flow->unless[i]);
}

static const char *ended(const struct authority_grant_told *g)
{
	return g->revoked ? "  revoked" : g->expired ? "  expired" : "";
}

/* How much of an object is told: the value of a variable is nobody's affair. */
static int told(const struct authority_grant_told *g)
{
	return (int)(g->verb == VERB_ENV ? strcspn(g->object, "=") : strlen(g->object)); /* GRANT_OBJECT_MAX */
}

/* What it is of, without what it is bound to. */
static const char *what(const struct authority_grant_told *g, char room[SHOWN_MAX])
{
	char object[SHOWN_MAX - 16];

	(void)snprintf(room, SHOWN_MAX, "%s%s%s", verb_word((enum grant_verb)g->verb), g->object[0] != 0 ? " " : "",
		       text_escape(object, sizeof object, g->object, (size_t)told(g)));
	return room;
}

static void add_word(struct buf *out, const char *word)
{
	char shown[4 * TERMS_TEXT_MAX];

	if (word[0] != 0)
		buf_printf(out, " %s", text_escape(shown, sizeof shown, word, strlen(word)));
}

static void add_used(struct buf *out, const char **lead, const char *of, uint64_t used, uint64_t bound)
{
	if (used == 0 && bound == 0)
		return;
	buf_printf(out, "%s%" PRIu64, *lead, used);
	if (bound != 0)
		buf_printf(out, " of %" PRIu64, bound);
	buf_printf(out, " %s used", of);
	*lead = ", ";
}

static void say_grant(struct standing_list *l, const struct authority_grant_told *g, const char *id,
		      const struct stream *s)
{
	char room[SHOWN_MAX], numbers[QUALIFIERS_TEXT_MAX], labels[FLOW_TEXT_MAX];
	const char *lead = "  ";
	struct qualifiers q;
	struct flow f;

	take_conditions(&l->names, g, &q, &f);
	qualifiers_format(&q, numbers);
	flow_format(&f, labels);
	buf_printf(&l->out, "%s  %s  %s  %s", id, s->id, s->agent, what(g, room));
	add_word(&l->out, g->terms);
	add_word(&l->out, numbers);
	add_word(&l->out, labels);
	add_used(&l->out, &lead, "uses", g->uses, g->bounds.q.uses);
	add_used(&l->out, &lead, "bytes", g->bytes, g->bounds.q.bytes);
	add_used(&l->out, &lead, "rows", g->rows, g->bounds.rows);
	buf_printf(&l->out, "%s\n", ended(g));
}

static void put_grant(struct standing_list *l, const struct authority_grant_told *g, const char *id,
		      const struct stream *s)
{
	struct qualifiers q;
	char object[GRANT_OBJECT_MAX];
	struct json *j = &l->j;
	struct flow f;

	take_conditions(&l->names, g, &q, &f);
	json_put_object(j);
	json_put_word(json_put_key(j, "grant"), id);
	json_put_word(json_put_key(j, "stream"), s->id);
	json_put_word(json_put_key(j, "agent"), s->agent);
	json_put_word(json_put_key(j, "verb"), verb_word((enum grant_verb)g->verb));
	(void)snprintf(object, sizeof object, "%.*s", told(g), g->object);
	json_put_name(json_put_key(j, "object"), object);
	qualifiers_put_json(json_put_key(j, "qualifiers"), &q, g->verb == VERB_TOOL ? "" : g->terms, &f);
	if (g->verb == VERB_TOOL && g->terms[0] != 0)
		json_put_name(json_put_key(j, "where"), g->terms);
	json_put_object(json_put_key(j, "used"));
	json_put_count(json_put_key(j, "uses"), g->uses);
	json_put_count(json_put_key(j, "bytes"), g->bytes);
	json_put_count(json_put_key(j, "rows"), g->rows);
	json_put_object_end(j);
	json_put_bool(json_put_key(j, "revoked"), g->revoked);
	json_put_bool(json_put_key(j, "expired"), g->expired);
	json_put_object_end(j);
}

/* ---- list ---- */

static int add_grant(void *of, const struct keeper_row *row)
{
	struct standing_list *l = of;
	char id[ID_TEXT_MAX];

	authority_id_text('g', row->grant.id, id);
	(l->json ? put_grant : say_grant)(l, &row->grant, id, stream_of(l, row->grant.badge));
	return 0;
}

static int gather(struct standing_list *l, struct keeper *k, struct err *e)
{
	int r = keeper_labels(k, &l->names, e);

	r = r < 0 ? r : keeper_list(k, KEEPER_BADGES, note_stream, l, e);
	if (r == -AMBIT_MEMORY)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the list");
	return r < 0 ? r : keeper_list(k, KEEPER_GRANTS, add_grant, l, e);
}

static int fill(struct standing_list *l, struct keeper *k, struct err *e)
{
	int r = 0;

	json_begin(&l->j, &l->out);
	if (l->json) {
		json_put_object(&l->j);
		json_put_array(json_put_key(&l->j, "grants"));
	}
	if (k != NULL)
		r = gather(l, k, e);
	if (r < 0)
		return r;
	if (l->json) {
		json_put_array_end(&l->j);
		json_put_object_end(&l->j);
		buf_put_u8(&l->out, '\n');
	} else if (l->out.len == 0) {
		buf_printf(&l->out, "your authority has no grants\n");
	}
	return l->out.failed ? err_set(e, AMBIT_MEMORY, NULL, "no memory for the list") : 0;
}

int grant_standing_list(bool json, struct err *e)
{
	__attribute__((cleanup(list_finish))) struct standing_list l = { .json = json };
	struct keeper *k;
	int r = reach(&k, e);

	buf_init(&l.out, LIST_MAX);
	r = r < 0 ? r : fill(&l, k, e);
	keeper_close(k);
	return r < 0 ? r : cli_write(l.out.data, l.out.len);
}

/* ---- revoke and restore ---- */

struct wanted {
	const char *word;
	unsigned n; /* that begin so */
	authority_ref ref;
	enum grant_verb verb;
	char id[ID_TEXT_MAX], what[SHOWN_MAX];
};

static int look(void *of, const struct keeper_row *row)
{
	struct wanted *want = of;
	char id[ID_TEXT_MAX];

	authority_id_text('g', row->grant.id, id);
	if (strncmp(id, want->word, strlen(want->word)) != 0)
		return 0;
	want->n++;
	want->ref = row->grant.ref;
	want->verb = (enum grant_verb)row->grant.verb;
	(void)text_copy(want->id, sizeof want->id, id); /* of the same size */
	(void)what(&row->grant, want->what);
	return 0;
}

static int not_there(const struct wanted *want, struct err *e)
{
	char shown[80];

	(void)text_escape(shown, sizeof shown, want->word, strlen(want->word));
	return want->n == 0
		       ? err_set(e, AMBIT_NOT_FOUND,
				 "`ambit grant list --standing` lists them; of an event that runs: `ambit grant revoke EVENT GRANT`",
				 "your authority has no grant '%s'", shown)
		       : err_set(e, AMBIT_CONFLICT, "write more of it", "several grants begin with '%s'", shown);
}

static int refused(const struct wanted *want, const struct keeper_answer *a, struct err *e)
{
	if (a->why == WHY_NOT_HELD)
		return err_set(e, AMBIT_NOT_FOUND, "`ambit grant list --standing` lists them", "%s ended meanwhile",
			       want->id);
	return err_set(e, AMBIT_DENIED, "restore what it was derived from first", "%s cannot be restored (%s)",
		       want->id, authority_why_word((enum authority_why)a->why));
}

/* What a cell was given at its start it has. */
static bool is_lasting(enum grant_verb verb)
{
	return verb != VERB_CONNECT && verb != VERB_LISTEN;
}

static int say_done(const struct wanted *was, const struct keeper_answer *a, bool back)
{
	const char *done = back ? "restored" : "revoked";

	(void)printf("%s%s: %s  %s\n", done, a->why == WHY_ALREADY ? " before" : "", was->id, was->what);
	if (!back && is_lasting(was->verb))
		(void)printf(
			"  what runs has what it was given by it until it ends; nothing begins with it any more\n");
	return cli_flush();
}

static int put_done(const struct wanted *was, const struct keeper_answer *a, bool back)
{
	auto_buf out = { .max = 4096 };
	struct json j;

	json_begin(&j, &out);
	json_put_object(&j);
	json_put_word(json_put_key(&j, "grant"), was->id);
	json_put_word(json_put_key(&j, "result"), a->why == WHY_ALREADY ? "already" : back ? "restored" : "revoked");
	json_put_count(json_put_key(&j, "unconfirmed"), a->n_late);
	json_put_object_end(&j);
	buf_put_u8(&out, '\n');
	return cli_write(out.data, out.len);
}

/* Revoked it is; what was open by it may be so still. */
static int tell_late(uint32_t n, bool json)
{
	if (n > 0 && !json)
		(void)fprintf(stderr,
			      "ambit: %u event%s %s not said that what was open by it is closed\n"
			      "  hint: `ambit ps` shows what runs; `ambit kill EVENT` ends it\n",
			      n, text_plural(n), n == 1 ? "has" : "have");
	return n > 0 ? EXIT_REFUSED : 0;
}

static int revoke(struct wanted *want, bool back, bool json, struct keeper *k, struct err *e)
{
	struct authority_request q = { .op = back ? AUTHORITY_RESTORE : AUTHORITY_REVOKE, .object = "", .terms = "" };
	struct keeper_answer a;
	int r = k == NULL ? 0 : keeper_list(k, KEEPER_GRANTS, look, want, e);

	if (r < 0 || want->n != 1)
		return r < 0 ? r : not_there(want, e);
	q.grant = want->ref;
	r = keeper_step(k, &q, &a, e);
	if (r < 0)
		return r;
	if (a.verdict != AUTHORITY_ALLOWED)
		return refused(want, &a, e);
	r = (json ? put_done : say_done)(want, &a, back);
	return r != 0 ? r : tell_late(a.n_late, json);
}

int grant_standing_revoke(const char *word, bool back, bool json, struct err *e)
{
	struct wanted want = { .word = word };
	struct keeper *k;
	int r = reach(&k, e);

	r = r < 0 ? r : revoke(&want, back, json, k, e);
	keeper_close(k);
	return r;
}
