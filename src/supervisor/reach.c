#include "supervisor/reach.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof((struct sockaddr_un *)0)->sun_path > sizeof REACH_PREFIX + ID_TEXT_MAX, "the name fits");

socklen_t reach_address(const char *event, struct sockaddr_un *ret)
{
	int n;

	memset(ret, 0, sizeof *ret); /* the first byte of an abstract name is a NUL */
	ret->sun_family = AF_UNIX;
	n = snprintf(ret->sun_path + 1, sizeof ret->sun_path - 1, REACH_PREFIX "%.*s", ID_TEXT_MAX - 1,
		     event); /* it fits */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

void reach_put_event(struct buf *out, const struct reach_event *e)
{
	buf_put_u64(out, e->begun_ms);
	buf_put_u32(out, e->grants);
	buf_put_u32(out, e->withdrawn);
	buf_put_u32(out, e->freeze);
	buf_put_u64(out, e->dev);
	buf_put_u64(out, e->ino);
	buf_put_text(out, e->session, sizeof e->session);
	buf_put_text(out, e->parent, sizeof e->parent);
	buf_put_text(out, e->command, sizeof e->command);
}

bool reach_take_event(struct rbuf *in, struct reach_event *ret)
{
	uint32_t freeze;

	ret->begun_ms = rbuf_u64(in);
	ret->grants = rbuf_u32(in);
	ret->withdrawn = rbuf_u32(in);
	freeze = rbuf_u32(in);
	ret->dev = rbuf_u64(in);
	ret->ino = rbuf_u64(in);
	rbuf_text(in, ret->session, sizeof ret->session);
	rbuf_text(in, ret->parent, sizeof ret->parent);
	rbuf_text(in, ret->command, sizeof ret->command);
	if (!rbuf_done(in) || ret->grants > GRANTS_MAX || ret->withdrawn > ret->grants || freeze > REACH_FROZEN ||
	    !id_is('s', ret->session, strlen(ret->session)) ||
	    (ret->parent[0] != 0 && !id_is('e', ret->parent, strlen(ret->parent))))
		return false;
	ret->freeze = (enum reach_freeze)freeze; /* in range: just checked */
	return true;
}

void reach_put_grant(struct buf *out, const struct reach_grant *g)
{
	buf_put_u32(out, g->index);
	buf_put_u32(out, g->verb);
	buf_put_u32(out, g->withdrawn);
	buf_put_u32(out, g->live);
	buf_put_text(out, g->id, sizeof g->id);
	buf_put_text(out, g->object, sizeof g->object);
}

bool reach_take_grant(struct rbuf *in, struct reach_grant *ret)
{
	uint32_t verb, withdrawn;

	ret->index = rbuf_u32(in);
	verb = rbuf_u32(in);
	withdrawn = rbuf_u32(in);
	ret->live = rbuf_u32(in);
	rbuf_text(in, ret->id, sizeof ret->id);
	rbuf_text(in, ret->object, sizeof ret->object);
	if (!rbuf_done(in) || ret->index >= GRANTS_MAX || verb >= VERB_COUNT || withdrawn > 1 ||
	    !id_is('g', ret->id, strlen(ret->id)))
		return false;
	ret->verb = (enum grant_verb)verb; /* in range: just checked */
	ret->withdrawn = withdrawn != 0;
	return true;
}

void reach_put_done(struct buf *out, const struct reach_done *d)
{
	buf_put_u32(out, d->index);
	buf_put_u32(out, d->result);
	buf_put_u32(out, d->connections);
}

bool reach_take_done(struct rbuf *in, struct reach_done *ret)
{
	uint32_t result;

	ret->index = rbuf_u32(in);
	result = rbuf_u32(in);
	ret->connections = rbuf_u32(in);
	if (!rbuf_done(in) || result < REACH_WITHDRAWN || result > REACH_NO_GRANT)
		return false;
	ret->result = (enum reach_result)result; /* in range: just checked */
	return true;
}

void reach_put_reason(struct buf *out, const char reason[FROZEN_REASON_MAX])
{
	buf_put_text(out, reason, FROZEN_REASON_MAX);
	for (int i = 0; i < 3; i++) /* to a size that is told by one number */
		buf_put_u8(out, 0);
}

bool reach_take_reason(struct rbuf *in, char ret[FROZEN_REASON_MAX])
{
	rbuf_text(in, ret, FROZEN_REASON_MAX);
	for (int i = 0; i < 3; i++)
		if (rbuf_u8(in) != 0)
			return false;
	return rbuf_done(in);
}

void reach_put_held(struct buf *out, const struct reach_held *h)
{
	buf_put_u32(out, h->result);
	buf_put_u32(out, h->threads);
	buf_put_u32(out, h->running);
}

bool reach_take_held(struct rbuf *in, struct reach_held *ret)
{
	const uint32_t result = rbuf_u32(in);

	ret->threads = rbuf_u32(in);
	ret->running = rbuf_u32(in);
	if (!rbuf_done(in) || result < REACH_HELD || result > REACH_ENDED)
		return false;
	ret->result = (enum reach_held_result)result; /* in range: just checked */
	return true;
}
