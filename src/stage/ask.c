#include "stage/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/authority.h"
#include "core/grant.h"

#define ASK_VERSION 3

void stage_ask_finish(struct stage_ask *a)
{
	for (uint32_t i = 0; i < a->n_selected; i++)
		free(a->selected[i]);
	for (uint32_t i = 0; i < a->n_granted; i++)
		free(a->granted[i]);
	a->n_selected = a->n_granted = 0;
}

void stage_ask_encode(struct buf *out, const struct stage_ask *a)
{
	const uint32_t head[] = { ASK_VERSION, a->op, a->flags, a->conflict, a->why, a->wait_ms, a->width };

	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		buf_put_u32(out, head[i]);
	buf_put_u64(out, a->keep_ns);
	buf_put_u64(out, a->space_bytes);
	buf_put_str(out, a->store);
	buf_put_str(out, a->home);
	buf_put_str(out, a->event);
	buf_put_str(out, a->here);
	buf_put_u32(out, a->n_selected);
	for (uint32_t i = 0; i < a->n_selected; i++)
		buf_put_str(out, a->selected[i]);
	buf_put_u32(out, a->n_granted);
	for (uint32_t i = 0; i < a->n_granted; i++)
		buf_put_str(out, a->granted[i]);
}

/* It becomes part of a file name. */
static bool is_id(const char *s)
{
	return strspn(s, "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(s);
}

static int decode_paths(struct rbuf *in, char **ret, uint32_t *ret_n, struct err *e)
{
	const uint32_t n = rbuf_u32(in);
	char path[STAGE_PATH_MAX];

	if (in->failed || n > STAGE_SELECTED_MAX)
		return err_set(e, AMBIT_LIMIT, "name directories, or a pattern", "more than %d paths",
			       STAGE_SELECTED_MAX);
	for (uint32_t i = 0; i < n; i++) {
		rbuf_str(in, path, sizeof path);
		if (in->failed || path[0] != '/')
			return err_set(e, AMBIT_MALFORMED, NULL, "stage: path %u is not well-formed", i);
		ret[i] = strdup(path);
		if (ret[i] == NULL)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for the paths");
		*ret_n = i + 1;
	}
	return 0;
}

int stage_ask_decode(struct rbuf *in, struct stage_ask *ret, struct err *e)
{
	const uint32_t version = rbuf_u32(in);
	int r;

	ret->op = rbuf_u32(in);
	ret->flags = rbuf_u32(in);
	ret->conflict = rbuf_u32(in);
	ret->why = rbuf_u32(in);
	ret->wait_ms = rbuf_u32(in);
	ret->width = rbuf_u32(in);
	ret->keep_ns = rbuf_u64(in);
	ret->space_bytes = rbuf_u64(in);
	ret->n_selected = ret->n_granted = 0;
	rbuf_str(in, ret->store, sizeof ret->store);
	rbuf_str(in, ret->home, sizeof ret->home);
	rbuf_str(in, ret->event, sizeof ret->event);
	rbuf_str(in, ret->here, sizeof ret->here);
	if (in->failed || version != ASK_VERSION || ret->op < STAGE_OP_SETTLE || ret->op >= STAGE_OP_COUNT ||
	    (ret->flags & ~STAGE_FLAGS) != 0 || ret->conflict >= STAGE_CONFLICT_COUNT || ret->why > STAGE_WHY_LAST ||
	    !path_is_normal(ret->store) || (ret->home[0] != 0 && !path_is_normal(ret->home)) || !is_id(ret->event) ||
	    (ret->here[0] != 0 && !path_is_normal(ret->here)))
		return err_set(e, AMBIT_MALFORMED, NULL, "stage: not a request of this version");
	r = decode_paths(in, ret->selected, &ret->n_selected, e);
	r = r < 0 ? r : decode_paths(in, ret->granted, &ret->n_granted, e);
	if (r == 0 && !rbuf_done(in))
		r = err_set(e, AMBIT_MALFORMED, NULL, "stage: a request with something left over");
	if (r < 0)
		stage_ask_finish(ret);
	return r;
}

void stage_entry_encode(struct buf *out, const struct stage_entry *s)
{
	buf_put_str(out, s->event);
	buf_put_str(out, s->command);
	buf_put_str(out, s->tree);
	buf_put_u32(out, s->n_trees);
	buf_put_u32(out, s->state);
	buf_put_u32(out, s->why);
	buf_put_u32(out, s->commits);
	buf_put_u8(out, (uint8_t)((s->in_use ? 1u : 0u) | (s->damaged ? 2u : 0u) | (s->incomplete ? 4u : 0u)));
	buf_put_u64(out, s->started_ns);
	buf_put_u64(out, s->ended_ns);
	buf_put_u64(out, s->keep_until_ns);
	buf_put_u64(out, s->bytes);
}

void stage_entry_decode(struct rbuf *in, struct stage_entry *ret)
{
	uint8_t bits;

	rbuf_str(in, ret->event, sizeof ret->event);
	rbuf_str(in, ret->command, sizeof ret->command);
	rbuf_str(in, ret->tree, sizeof ret->tree);
	ret->n_trees = rbuf_u32(in);
	ret->state = rbuf_u32(in);
	ret->why = rbuf_u32(in);
	ret->commits = rbuf_u32(in);
	bits = rbuf_u8(in);
	ret->in_use = (bits & 1) != 0;
	ret->damaged = (bits & 2) != 0;
	ret->incomplete = (bits & 4) != 0;
	ret->started_ns = rbuf_u64(in);
	ret->ended_ns = rbuf_u64(in);
	ret->keep_until_ns = rbuf_u64(in);
	ret->bytes = rbuf_u64(in);
	if (bits > 7 || ret->state < STAGE_RUNNING || ret->state > STAGE_COMMITTED || ret->why > STAGE_WHY_LAST)
		in->failed = true;
}

void stage_label(char ret[STAGE_LABEL_MAX], const char *event, const char *command, const char *tree, uint32_t n_trees)
{
	char what[64], where[96], more[24] = "";

	(void)text_escape(what, sizeof what, command, strlen(command));
	(void)text_escape(where, sizeof where, tree, strlen(tree));
	if (n_trees > 1)
		(void)snprintf(more, sizeof more, " and %u more", n_trees - 1);
	if (tree[0] == 0)
		(void)snprintf(ret, STAGE_LABEL_MAX, "%s", event);
	else
		(void)snprintf(ret, STAGE_LABEL_MAX, "%s (%s%sin %s%s)", event, what, what[0] != 0 ? ", " : "", where,
			       more); /* all of it fits */
}

void stage_end_encode(struct buf *out, const struct stage_end *s)
{
	buf_put_str(out, s->event);
	buf_put_u32(out, (uint32_t)s->workspace);
	buf_put_u32(out, s->why);
	buf_put_u64(out, s->changes);
	buf_put_u64(out, s->held);
	buf_put_u64(out, s->untold);
	buf_put_u64(out, s->left);
	buf_put_u64(out, s->dropped);
	buf_put_u32(out, s->commits);
	buf_put_u8(out, s->lost ? 1 : 0);
	buf_put_u64(out, s->keep_until_ns);
	buf_put_u32(out, s->caches);
	buf_put_u64(out, s->cache_bytes);
	buf_put_str(out, s->approval);
	buf_put_u32(out, s->asked_why);
	buf_put_str(out, s->busy);
	buf_put_str(out, s->command);
	buf_put_str(out, s->tree);
	buf_put_u32(out, s->n_trees);
}

void stage_end_decode(struct rbuf *in, struct stage_end *ret)
{
	uint32_t workspace;

	rbuf_str(in, ret->event, sizeof ret->event);
	workspace = rbuf_u32(in);
	ret->why = rbuf_u32(in);
	ret->changes = rbuf_u64(in);
	ret->held = rbuf_u64(in);
	ret->untold = rbuf_u64(in);
	ret->left = rbuf_u64(in);
	ret->dropped = rbuf_u64(in);
	ret->commits = rbuf_u32(in);
	ret->lost = rbuf_u8(in) == 1;
	ret->keep_until_ns = rbuf_u64(in);
	ret->caches = rbuf_u32(in);
	ret->cache_bytes = rbuf_u64(in);
	rbuf_str(in, ret->approval, sizeof ret->approval);
	ret->asked_why = rbuf_u32(in);
	rbuf_str(in, ret->busy, sizeof ret->busy);
	rbuf_str(in, ret->command, sizeof ret->command);
	rbuf_str(in, ret->tree, sizeof ret->tree);
	ret->n_trees = rbuf_u32(in);
	if (workspace > WORKSPACE_DISCARDED || ret->why > STAGE_WHY_LAST || ret->asked_why >= WHY_COUNT ||
	    (ret->approval[0] != 0 && !id_is('a', ret->approval, strlen(ret->approval))))
		in->failed = true;
	else
		ret->workspace = (enum event_workspace)workspace; /* in range: just checked */
}
