#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "rpc/rpc.h"

struct channel *channel_of(struct rpc *r, const char *session)
{
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] != NULL && r->channels[i]->ready && strcmp(r->channels[i]->session, session) == 0)
			return r->channels[i];
	return NULL;
}

struct channel *channel_new(struct rpc *r, int fd, const char *session)
{
	struct channel *c = calloc(1, sizeof *c);
	size_t i = 0;

	while (i < RPC_CHANNELS_MAX && r->channels[i] != NULL)
		i++;
	if (c == NULL || i == RPC_CHANNELS_MAX) {
		free(c);
		fd_close(&fd);
		return NULL;
	}
	port_init(&c->port, fd);
	(void)text_copy(c->session, sizeof c->session, session); /* an id */
	r->channels[i] = c;
	return c;
}

void channel_drop(struct rpc *r, struct channel *c, const struct err *why)
{
	for (size_t i = 0; i < RPC_REQUESTS_MAX; i++) {
		struct request *q = &r->requests[i];

		if (q->awaits > AWAIT_NOW && (q->channel == c || (q->awaits == AWAIT_READY && q->number == c->opening)))
			request_fail(r, q, why);
	}
	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		if (r->followed[i].channel == c)
			followed_free(&r->followed[i]);
	for (size_t i = 0; i < RPC_CHANNELS_MAX; i++)
		if (r->channels[i] == c)
			r->channels[i] = NULL;
	port_finish(&c->port);
	free(c);
}

void channel_lost(struct rpc *r, struct channel *c, const struct err *why)
{
	struct json j;

	for (size_t i = 0; i < RPC_FOLLOWED_MAX; i++)
		if (r->followed[i].channel == c)
			followed_lost(r, &r->followed[i], why);
	if (c->ready) {
		say_note(&j, &r->out, NOTE_SESSION_LOST);
		json_put_word(json_put_key(&j, "session"), c->session);
		say_why(&j, why);
		say_note_end(&j);
	}
	channel_drop(r, c, why);
}

int channel_ask(struct channel *c, enum wire_number number, const struct session_event *q, struct err *e)
{
	uint8_t room[32];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	session_event_put(&body, q);
	return port_send(&c->port, number, &body, e);
}
