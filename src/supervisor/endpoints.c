#include "supervisor/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/endpoint.h"
#include "core/listen.h"
#include "net/link.h"

/* ---- the agent ---- */

uint32_t endpoints_agent(const struct cell_spec *spec)
{
	uint32_t i = 0;

	while (i < spec->n_endpoints && !endpoints_is_agent(spec, i))
		i++;
	return i < spec->n_endpoints ? i : CELL_ENDPOINTS_MAX;
}

static bool is_at(const struct cell_spec *spec, uint32_t i, const char *path)
{
	return spec_endpoint_is_socket(&spec->endpoints[i]) &&
	       strcmp(spec_text(spec, spec->endpoints[i].name), path) == 0;
}

bool endpoints_is_delegate(const struct cell_spec *spec, uint32_t i)
{
	return is_at(spec, i, CELL_DELEGATE);
}

bool endpoints_is_agent(const struct cell_spec *spec, uint32_t i)
{
	return is_at(spec, i, CELL_AGENT);
}

/* Its socket, once. */
static int add_agent(uint32_t grant, struct cell_spec *spec, struct err *e)
{
	const struct cell_endpoint at = { .kind = ENDPOINT_UNIX, .grant = grant };

	return endpoints_agent(spec) < CELL_ENDPOINTS_MAX ? 0 : spec_add_endpoint(spec, &at, CELL_AGENT, e);
}

/* ---- endpoints of the cell ---- */

/* Names get addresses of the range that is kept for tests of devices (RFC 2544, of_names), in the order of the grants. */
static struct address synthetic(uint32_t i)
{
	return (struct address){ .family = ADDRESS_IPV4,
				 .bytes = { 198, 18, (uint8_t)((i + 1) >> 8), (uint8_t)(i + 1) } };
}

/* Ports of one name share an address. */
static struct address address_of_name(const struct cell_spec *spec, const char *name)
{
	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		if (strcmp(spec_text(spec, spec->endpoints[i].name), name) == 0)
			return spec->endpoints[i].at.base;
	return synthetic(spec->n_endpoints);
}

static const struct address_range of_names = { { ADDRESS_IPV4, { 198, 18 } }, 15 };

/* 0.0.0.0 would be the host's own loopback to connect(2), and in the cell every address; names have theirs for themselves, or one would lead to
 * what was granted as an address. */
static int check_range(const struct address_range *r, const char *object, struct err *e)
{
	const enum address_kind kind = address_kind(&r->base);

	if (r->prefix >= 8 && (kind == ADDRESS_UNSPECIFIED || kind == ADDRESS_MULTICAST))
		return err_set(e, AMBIT_MALFORMED, "name the address of one host", "connect: %s is nobody's address",
			       object);
	if (address_range_is_in(r, &of_names))
		return err_set(e, AMBIT_UNAVAILABLE, "grant what is there by a name",
			       "connect: %s lies where names have their addresses in a cell", object);
	return 0;
}

/* What must not be bounded in two ways: it is one endpoint of one grant's budget. */
static int check_shared(const struct grant_set *set, uint32_t grant, uint32_t first, struct err *e)
{
	if (qualifiers_are_same(&set->grants[grant].qualifiers, &set->grants[first].qualifiers) &&
	    strcmp(grant_terms(set, grant), grant_terms(set, first)) == 0 &&
	    strcmp(grant_flow(set, grant), grant_flow(set, first)) == 0)
		return 0;
	return err_set(e, AMBIT_CONFLICT, "give both the same qualifiers",
		       "connect: %s and %s are one connection, and have different qualifiers", grant_object(set, first),
		       grant_object(set, grant));
}

static bool is_same_endpoint(const struct cell_spec *spec, const struct cell_endpoint *a, const struct cell_endpoint *b,
			     const char *name_of_b)
{
	return a->kind == b->kind && a->port == b->port && a->at.prefix == b->at.prefix &&
	       address_is_same(&a->at.base, &b->at.base) && strcmp(spec_text(spec, a->name), name_of_b) == 0;
}

/* A connection that several grants name is one endpoint: of two users at a host, or of a host that is granted as such, too. */
static int add_once(const struct grant_set *set, const struct cell_endpoint *at, const char *name,
		    struct cell_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < spec->n_endpoints; i++)
		if (is_same_endpoint(spec, &spec->endpoints[i], at, name))
			return check_shared(set, at->grant, spec->endpoints[i].grant, e);
	return spec_add_endpoint(spec, at, name, e);
}

static int add_socket(const struct grant_set *set, uint32_t grant, const char *path, struct cell_spec *spec,
		      struct err *e)
{
	const struct cell_endpoint at = { .kind = ENDPOINT_UNIX, .grant = grant };

	if (strcmp(path, CELL_AGENT) == 0 || strcmp(path, CELL_DELEGATE) == 0)
		return err_set(e, AMBIT_MALFORMED, "grant ssh://USER@HOST for an agent, delegate for sub-agents",
			       "connect: %s is the cell's own", path);
	if (set->grants[grant].qualifiers.bytes != 0)
		return err_set(e, AMBIT_MALFORMED, "bound it by uses or rate",
			       "connect: %s: nobody counts the bytes of a Unix socket", grant_object(set, grant));
	return spec_add_endpoint(spec, &at, path, e);
}

static int add_endpoint(const struct grant_set *set, uint32_t grant, struct cell_spec *spec, struct err *e)
{
	const char *object = grant_object(set, grant);
	struct cell_endpoint at = { .grant = grant };
	struct endpoint p;
	int r = endpoint_take(object, &p, e);

	if (r == 0 && p.kind == ENDPOINT_SSH) {
		r = add_agent(grant, spec, e);
		p = endpoint_connection(&p);
	}
	if (r < 0)
		return r;
	if (p.kind == ENDPOINT_UNIX)
		return add_socket(set, grant, p.path, spec, e);
	if (p.kind == ENDPOINT_NAME && host_is_local(p.name.text))
		return err_set(e, AMBIT_MALFORMED, "127.0.0.1 is the host's own loopback, if it is granted",
			       "connect: %s is the cell itself", p.name.text);
	if (p.kind == ENDPOINT_RANGE)
		r = check_range(&p.range, object, e);
	if (r < 0)
		return r;
	at.kind = p.kind;
	at.port = p.port;
	at.at = p.range;
	if (p.kind == ENDPOINT_NAME)
		at.at = (struct address_range){ .base = address_of_name(spec, p.name.text), .prefix = 32 };
	return add_once(set, &at, p.name.text, spec, e);
}

/* The port of the responder at all addresses would be the responder's own. */
static int check_port(const struct cell_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < spec->n_endpoints && spec_has_responder(spec); i++) {
		struct endpoint p;
		char text[ENDPOINT_TEXT_MAX];

		spec_endpoint(spec, &spec->endpoints[i], &p);
		endpoint_put(&p, text);
		if (p.port == 53 && endpoint_is_wide(&p))
			return err_set(e, AMBIT_UNAVAILABLE, "name the servers one by one",
				       "connect: %s beside names of a pattern, which need that port in the cell", text);
	}
	return 0;
}

/* Whether what is granted stands at this port of the cell's own loopback: what leads to many hosts does at every address. */
static bool takes_loopback(const char *object, uint16_t port)
{
	struct endpoint p;

	if (endpoint_take(object, &p, NULL) < 0)
		return false;
	p = endpoint_connection(&p);
	return p.port == port &&
	       (endpoint_is_wide(&p) || (p.kind == ENDPOINT_RANGE && address_kind(&p.range.base) == ADDRESS_LOOPBACK));
}

/* Else the host would be connected to itself. */
static int add_listen(const struct grant_set *set, uint32_t grant, struct cell_spec *spec, struct err *e)
{
	struct listen_ports ports;
	int r = listen_take(grant_object(set, grant), &ports, e);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_CONNECT && takes_loopback(grant_object(set, i), ports.cell))
			return err_set(e, AMBIT_CONFLICT,
				       "let the server in the cell listen at another port, as in 8080:9090",
				       "listen: port %u of the cell is taken by connect: %s", ports.cell,
				       grant_object(set, i));
	spec->flags |= CELL_SERVES;
	return 0;
}

/* A secret goes to hosts that are named. */
static int check_secret(const struct grant_set *set, uint32_t grant, struct err *e)
{
	auto_free struct terms *t = calloc(1, sizeof *t);
	const char *object = grant_object(set, grant);
	struct endpoint p;
	int r;

	if (t == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory to look at a grant's terms");
	r = endpoint_take(object, &p, e);
	r = r < 0 ? r : terms_take(grant_terms(set, grant), t, e);
	if (r < 0 || p.kind != ENDPOINT_ANY || !terms_has(t, TERM_SECRET))
		return r;
	return err_set(e, AMBIT_DENIED, "name the hosts that it is for, in grants of their own",
		       "connect: %s: the secret '%s' would go to any host", object, t->secrets[0].name);
}

int endpoints_check_judged(const struct grant_set *set, struct err *e)
{
	uint32_t n = 0;
	int r = 0;

	for (uint32_t i = 0; i < set->count && r == 0; i++) {
		if (grant_terms(set, i)[0] == 0)
			continue;
		if (n++ == LINK_HTTP_MAX)
			return err_set(e, AMBIT_LIMIT, "grant fewer hosts with rules or secrets",
				       "more than %d grants whose requests are judged", LINK_HTTP_MAX);
		r = check_secret(set, i, e);
	}
	return r;
}

/* One for all of them, behind those of the network. */
static int add_delegate(const struct grant_set *set, struct cell_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (set->grants[i].verb == VERB_DELEGATE)
			return spec_add_endpoint(spec, &(struct cell_endpoint){ .kind = ENDPOINT_UNIX, .grant = i },
						 CELL_DELEGATE, e);
	return 0;
}

int endpoints_plan(const struct grant_set *set, struct cell_spec *spec, struct err *e)
{
	int r = endpoints_check_judged(set, e);

	for (uint32_t i = 0; i < set->count && r == 0; i++) {
		if (set->grants[i].verb == VERB_CONNECT)
			r = add_endpoint(set, i, spec, e);
		else if (set->grants[i].verb == VERB_LISTEN)
			r = add_listen(set, i, spec, e);
	}
	r = r < 0 ? r : check_port(spec, e);
	return r < 0 ? r : add_delegate(set, spec, e);
}
