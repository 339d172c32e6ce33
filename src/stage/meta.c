/* What is remembered of a stage, as bytes. */
#include <string.h>

#include "core/grant.h"
#include "stage/store.h"

#define META_VERSION                                                                                                   \
	5 /* 2 was without the ledger, 3 without session, agent and workspace, and what is asked for, 4 without labels */

bool stage_waits(const struct stage_meta *m)
{
	return m->state == STAGE_RUNNING && m->command[0] == 0;
}

void stage_meta_encode(struct buf *out, const struct stage_meta *m)
{
	buf_put_u32(out, META_VERSION);
	buf_put_str(out, m->event);
	buf_put_u32(out, m->state);
	buf_put_u32(out, m->why);
	buf_put_u64(out, m->started_ns);
	buf_put_u64(out, m->ended_ns);
	buf_put_u64(out, m->keep_until_ns);
	buf_put_u32(out, m->commits);
	buf_put_u64(out, m->bytes);
	buf_put_str(out, m->boot);
	buf_put_u8(out, (uint8_t)m->disk);
	buf_put_str(out, m->command);
	buf_put_str(out, m->ledger);
	buf_put_str(out, m->session);
	buf_put_str(out, m->agent);
	buf_put_str(out, m->workspace);
	buf_put_u32(out, m->undone);
	buf_put_str(out, m->stream);
	buf_put_u64(out, m->labels);
	buf_put_u32(out, m->n_declassify);
	for (uint32_t i = 0; i < m->n_declassify; i++) {
		buf_put_str(out, m->declassify[i].label);
		buf_put_u32(out, m->declassify[i].uses);
		buf_put_u8(out, m->declassify[i].asks);
	}
	buf_put_u32(out, m->n_trees);
	for (uint32_t i = 0; i < m->n_trees; i++) {
		buf_put_str(out, m->trees[i].real);
		buf_put_str(out, m->trees[i].dir);
		buf_put_u64(out, m->trees[i].dev);
		buf_put_u64(out, m->trees[i].ino);
		buf_put_u64(out, m->trees[i].part_ino);
		buf_put_u8(out, m->trees[i].whole ? 1 : 0);
	}
	buf_put_u32(out, m->n_names);
	for (uint32_t i = 0; i < m->n_names; i++) {
		buf_put_str(out, m->names[i]);
		buf_put_u8(out, m->asks[i]);
	}
}

static bool tree_decode(struct rbuf *in, struct stage_tree *t)
{
	uint8_t whole;

	rbuf_str(in, t->real, sizeof t->real);
	rbuf_str(in, t->dir, sizeof t->dir);
	t->dev = rbuf_u64(in);
	t->ino = rbuf_u64(in);
	t->part_ino = rbuf_u64(in);
	whole = rbuf_u8(in);
	t->whole = whole == 1;
	return !in->failed && whole <= 1 && path_is_normal(t->real) && path_is_normal(t->dir);
}

static void labels_decode(struct rbuf *in, struct stage_meta *m, bool there)
{
	m->stream[0] = 0;
	m->labels = 0;
	m->n_declassify = 0;
	if (!there)
		return;
	rbuf_str(in, m->stream, sizeof m->stream);
	m->labels = rbuf_u64(in);
	m->n_declassify = rbuf_u32(in);
	in->failed = in->failed || m->n_declassify > STAGE_DECLASSIFY_MAX;
	for (uint32_t i = 0; !in->failed && i < m->n_declassify; i++) {
		rbuf_str(in, m->declassify[i].label, sizeof m->declassify[i].label);
		m->declassify[i].uses = rbuf_u32(in);
		m->declassify[i].asks = rbuf_u8(in);
		in->failed = in->failed || m->declassify[i].asks > 1 || !flow_is_name(m->declassify[i].label);
	}
}

static bool head_decode(struct rbuf *in, struct stage_meta *m, uint32_t *ret_version)
{
	const uint32_t version = *ret_version = rbuf_u32(in);

	rbuf_str(in, m->event, sizeof m->event);
	m->state = rbuf_u32(in);
	m->why = rbuf_u32(in);
	m->started_ns = rbuf_u64(in);
	m->ended_ns = rbuf_u64(in);
	m->keep_until_ns = rbuf_u64(in);
	m->commits = rbuf_u32(in);
	m->bytes = rbuf_u64(in);
	rbuf_str(in, m->boot, sizeof m->boot);
	m->disk = rbuf_u8(in);
	rbuf_str(in, m->command, sizeof m->command);
	m->ledger[0] = 0;
	if (version > 2)
		rbuf_str(in, m->ledger, sizeof m->ledger);
	m->session[0] = m->agent[0] = m->workspace[0] = 0;
	m->undone = 0;
	if (version > 3) {
		rbuf_str(in, m->session, sizeof m->session);
		rbuf_str(in, m->agent, sizeof m->agent);
		rbuf_str(in, m->workspace, sizeof m->workspace);
		m->undone = rbuf_u32(in);
	}
	labels_decode(in, m, version > 4);
	m->n_trees = rbuf_u32(in);
	return !in->failed && version >= 2 && version <= META_VERSION &&
	       (m->ledger[0] == 0 || path_is_normal(m->ledger)) &&
	       (m->session[0] == 0 || id_is('s', m->session, strlen(m->session))) &&
	       (m->stream[0] == 0 || id_is('b', m->stream, strlen(m->stream))) &&
	       (m->workspace[0] == 0 || path_is_normal(m->workspace)) && m->state >= STAGE_RUNNING &&
	       m->state <= STAGE_COMMITTED && m->why <= STAGE_WHY_LAST && m->disk <= STAGE_DISK_LAST &&
	       m->n_trees <= STAGE_TREES_MAX;
}

int stage_meta_decode(struct rbuf *in, struct stage_meta *ret, struct err *e)
{
	uint32_t version;
	bool good = head_decode(in, ret, &version);

	for (uint32_t i = 0; good && i < ret->n_trees; i++)
		good = tree_decode(in, &ret->trees[i]);
	ret->n_names = good ? rbuf_u32(in) : 0;
	good = good && !in->failed && ret->n_names <= STAGE_NAMES_MAX;
	for (uint32_t i = 0; good && i < ret->n_names; i++) {
		rbuf_str(in, ret->names[i], sizeof ret->names[i]);
		ret->asks[i] = version > 3 ? rbuf_u8(in) : STAGE_ASKS_NOT;
		good = good && !in->failed && ret->asks[i] < STAGE_ASKS_COUNT && path_is_normal(ret->names[i]);
	}
	if (!good || !rbuf_done(in))
		return err_set(e, AMBIT_MALFORMED, "`ambit discard EVENT` removes it",
			       "what is known of the stage is damaged");
	return 0;
}
