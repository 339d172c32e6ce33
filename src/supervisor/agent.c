#include "supervisor/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "core/endpoint.h"
#include "sign/link.h"
#include "sign/sshtext.h"
#include "supervisor/endpoints.h"
#include "wire/wire.h"

#define PATIENCE_MS 15000 /* of who reads some files, and asks an agent for its list */
#define KNOWN_TEXT_MAX (64u << 10)

void agent_roles_init(struct agent_roles *a)
{
	*a = (struct agent_roles){ .role = -1, .signer = -1, .endpoint = CELL_ENDPOINTS_MAX };
}

void agent_roles_finish(struct agent_roles *a)
{
	fd_close(&a->role);
	fd_close(&a->signer);
}

/* ---- what is allowed ---- */

/* In the order of the grants; what each is called by is what ssh looks for in known_hosts. */
struct allowed {
	uint32_t n;
	struct sign_grant grants[SIGN_GRANTS_MAX];
};

static void host_of(const struct endpoint *p, char ret[ENDPOINT_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX];
	const char *host = p->name.text;

	if (host[0] == 0) {
		address_put(&p->range.base, address);
		host = address;
	}
	if (p->port == ENDPOINT_SSH_PORT)
		(void)snprintf(ret, ENDPOINT_TEXT_MAX, "%s", host); /* each fits */
	else
		(void)snprintf(ret, ENDPOINT_TEXT_MAX, "[%s]:%u", host, p->port);
}

static bool is_of_ssh(const struct grant_set *set, uint32_t i, struct endpoint *ret)
{
	return set->grants[i].verb == VERB_CONNECT && endpoint_take(grant_object(set, i), ret, NULL) == 0 &&
	       ret->kind == ENDPOINT_SSH;
}

static int collect(const struct grant_set *set, struct allowed *ret, struct err *e)
{
	ret->n = 0;
	for (uint32_t i = 0; i < set->count; i++) {
		struct sign_grant *g = &ret->grants[ret->n];
		struct endpoint p;

		if (!is_of_ssh(set, i, &p))
			continue;
		if (ret->n == SIGN_GRANTS_MAX)
			return err_set(e, AMBIT_LIMIT, "grant fewer hosts", "more than %d grants of ssh",
				       SIGN_GRANTS_MAX);
		g->index = ret->n++;
		memcpy(g->user, p.user, sizeof g->user);
		host_of(&p, g->host);
	}
	return 0;
}

static int role_is_gone(struct err *e, int r)
{
	return err_sys(e, AMBIT_GONE, -r, "see the kernel's log", "the roles of the ssh agent ended before the event");
}

static int tell(struct agent_roles *a, const struct allowed *allowed)
{
	int r = 0;

	for (uint32_t i = 0; i < allowed->n && r == 0; i++) {
		uint8_t room[512];
		struct buf b;

		buf_init_in(&b, room, sizeof room);
		sign_put_grant(&b, &allowed->grants[i]);
		r = wire_send(a->signer, WIRE_SIGN_ALLOW, &b, NULL, 0);
	}
	return r;
}

/* ---- what is known ---- */

static void put_line(struct buf *out, const struct allowed *allowed, const struct sign_key *key)
{
	const struct span blob = span_bytes(key->blob, key->n);

	buf_printf(out, "%s %s ", allowed->grants[key->grant].host, algorithm_key(algorithm_of_key(blob)));
	base64_put(out, key->blob, key->n);
	buf_put_u8(out, '\n');
}

/* 1: that was all. */
static int hear(struct agent_roles *a, const struct allowed *allowed, struct buf *out, struct err *e)
{
	struct pollfd p = { .fd = a->signer, .events = POLLIN };
	uint8_t room[WIRE_HEAD + 4096];
	auto_message m = { .n_fds = 0 };
	struct sign_key key;
	int r;

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return role_is_gone(e, -ETIMEDOUT);
	r = wire_receive(a->signer, WIRE_SIGNER, WIRE_BUILDING, room, sizeof room, &m);
	if (r <= 0)
		return role_is_gone(e, r);
	if (m.number == WIRE_SIGN_READY)
		return 1;
	if (m.number == WIRE_SIGN_FAILED)
		return wire_take_error(&m.body, e);
	if (m.number != WIRE_SIGN_HOST || !sign_take_key(&m.body, &key) || key.grant >= allowed->n)
		return role_is_gone(e, -EPROTO);
	put_line(out, allowed, &key);
	return 0;
}

static int learn(struct agent_roles *a, const struct allowed *allowed, struct cell_spec *spec, struct err *e)
{
	auto_buf text = { .max = 0 };
	bool full = false;
	const char *known;
	int r;

	buf_init(&text, KNOWN_TEXT_MAX);
	do
		r = hear(a, allowed, &text, e);
	while (r == 0);
	if (r < 0)
		return r;
	known = buf_cstr(&text);
	if (known != NULL)
		spec->known_hosts = spec_add_text(spec, known, &full);
	return known == NULL || full ? err_set(e, AMBIT_LIMIT, "grant fewer hosts", "the keys of hosts do not fit") : 0;
}

int agent_begin(struct agent_roles *a, const struct event_request *q, struct cell_spec *spec, struct err *e)
{
	struct allowed allowed;
	int r;

	a->endpoint = endpoints_agent(spec);
	if (a->endpoint == CELL_ENDPOINTS_MAX)
		return 0;
	if (a->role < 0 || a->signer < 0)
		return err_set(e, AMBIT_PROTOCOL, NULL, "request: a key is granted, and nobody signs with it");
	r = collect(&q->grants, &allowed, e);
	if (r < 0)
		return r;
	r = tell(a, &allowed);
	r = r < 0 ? r : wire_introduce(a->role, WIRE_SSH_SIGNER, a->signer, WIRE_SIGN_CLIENT);
	return r < 0 ? role_is_gone(e, r) : learn(a, &allowed, spec, e);
}

int agent_listen(struct agent_roles *a, int fd)
{
	return wire_send(a->role, WIRE_SSH_LISTEN, NULL, &fd, 1);
}

/* ---- what is withdrawn ---- */

static int tell_withdrawn(struct agent_roles *a, uint32_t index)
{
	uint8_t room[4];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	buf_put_u32(&b, index);
	return wire_send(a->signer, WIRE_SIGN_WITHDRAW, &b, NULL, 0);
}

void agent_withdraw(struct agent_roles *a, const struct grant_set *set, const char *connection)
{
	uint32_t index = 0; /* as collect() gave them */
	int r = a->signer < 0 ? 0
			      : fd_set_nonblock(a->signer, true); /* one that somebody stopped must not hold us up */

	for (uint32_t i = 0; i < set->count && a->signer >= 0 && r == 0; i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct endpoint p;

		if (!is_of_ssh(set, i, &p))
			continue;
		p = endpoint_connection(&p);
		endpoint_put(&p, text);
		if (strcmp(text, connection) == 0)
			r = tell_withdrawn(a, index);
		index++;
	}
	if (r < 0)
		fd_close(&a->signer); /* without a supervisor it signs nothing */
}
