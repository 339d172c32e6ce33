#include "cell/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cell/pem.h"
#include "core/endpoint.h"
#include "core/grant.h"

#define SPEC_VERSION 7

void spec_init(struct cell_spec *s)
{
	memset(s, 0,
	       offsetof(struct cell_spec,
			endpoints)); /* these, stages, paths and pool are read only as far as they are used */
	s->pool[0] = 0;
	s->pool_used = 1; /* offset 0 is the empty text */
}

const char *spec_text(const struct cell_spec *s, uint32_t offset)
{
	return s->pool + offset;
}

uint32_t spec_add_text(struct cell_spec *s, const char *text, bool *full)
{
	const size_t n = strlen(text) + 1;
	const uint32_t at = s->pool_used;

	if (n == 1)
		return 0;
	if (n > sizeof s->pool - at) {
		*full = true;
		return 0;
	}
	memcpy(s->pool + at, text, n);
	s->pool_used += (uint32_t)n; /* at most CELL_POOL_MAX */
	return at;
}

static struct cell_path *find_path(struct cell_spec *s, const char *path)
{
	for (uint32_t i = 0; i < s->n_paths; i++)
		if (strcmp(spec_text(s, s->paths[i].path), path) == 0)
			return &s->paths[i];
	return NULL;
}

static int spec_full(struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "name directories instead of single files", "more than %d paths in one cell",
		       CELL_PATHS_MAX);
}

static struct cell_path *new_path(struct cell_spec *s, const char *path)
{
	bool full = s->n_paths == CELL_PATHS_MAX;
	const uint32_t text = full ? 0 : spec_add_text(s, path, &full);
	struct cell_path *p;

	if (full)
		return NULL;
	p = &s->paths[s->n_paths++];
	*p = (struct cell_path){ .path = text, .grant = GRANT_NONE };
	return p;
}

int spec_add_path(struct cell_spec *s, const char *path, uint32_t rights, uint32_t flags, uint32_t grant, struct err *e)
{
	struct cell_path *p = find_path(s, path);

	if (p != NULL && (p->flags & CELL_PATH_LINK) == 0) {
		p->rights |= (uint16_t)rights;
		if (p->grant == GRANT_NONE)
			p->grant = grant;
		if ((flags & CELL_PATH_OPTIONAL) == 0)
			p->flags &= (uint16_t)~CELL_PATH_OPTIONAL;
		return 0;
	}
	p = new_path(s, path);
	if (p == NULL)
		return spec_full(e);
	p->rights = (uint16_t)rights;
	p->flags = (uint16_t)flags;
	p->grant = grant;
	return 0;
}

const struct cell_path *spec_granted_above(const struct cell_spec *s, const char *path)
{
	const struct cell_path *found = NULL;
	size_t most = 0;

	for (uint32_t i = 0; i < s->n_paths; i++) {
		const struct cell_path *p = &s->paths[i];
		const char *there = spec_text(s, p->path);

		if (p->grant != GRANT_NONE && p->stage == 0 &&
		    (p->flags & (CELL_PATH_PIN | CELL_PATH_LINK | CELL_PATH_HIDE)) == 0 && strlen(there) >= most &&
		    path_is_beneath(path, there)) {
			found = p;
			most = strlen(there);
		}
	}
	return found;
}

static bool is_in_hidden(const struct cell_spec *s, const char *path)
{
	for (uint32_t i = 0; i < s->n_paths; i++)
		if ((s->paths[i].flags & CELL_PATH_HIDE) != 0 && strcmp(path, spec_text(s, s->paths[i].path)) != 0 &&
		    path_is_beneath(path, spec_text(s, s->paths[i].path)))
			return true;
	return false;
}

void spec_drop_hidden(struct cell_spec *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_paths; i++)
		if ((s->paths[i].flags & (CELL_PATH_PIN | CELL_PATH_HIDE)) == 0 ||
		    !is_in_hidden(s, spec_text(s, s->paths[i].path)))
			s->paths[n++] = s->paths[i];
	s->n_paths = n;
}

int spec_hide_path(struct cell_spec *s, const char *path, struct err *e)
{
	struct cell_path *p = find_path(s, path);

	if (p != NULL && (p->flags & CELL_PATH_PIN) != 0) {
		p->flags = CELL_PATH_HIDE | CELL_PATH_OPTIONAL;
		p->rights = 0;
		p->grant = GRANT_NONE;
		return 0;
	}
	return spec_add_path(s, path, 0, CELL_PATH_HIDE | CELL_PATH_OPTIONAL, GRANT_NONE, e);
}

int spec_add_stage(struct cell_spec *s, const char *tree, uint16_t *ret, struct err *e)
{
	bool full = s->n_stages == CELL_STAGES_MAX;
	const uint32_t text = full ? 0 : spec_add_text(s, tree, &full);

	if (full)
		return err_set(e, AMBIT_LIMIT, "grant directories instead of single files",
			       "more than %d trees to be written in one cell", CELL_STAGES_MAX);
	s->stages[s->n_stages++] = (struct cell_stage){ .tree = text };
	*ret = (uint16_t)s->n_stages; /* at most CELL_STAGES_MAX */
	return 0;
}

int spec_add_endpoint(struct cell_spec *s, const struct cell_endpoint *p, const char *name, struct err *e)
{
	bool full = s->n_endpoints == CELL_ENDPOINTS_MAX;
	const uint32_t text = full ? 0 : spec_add_text(s, name, &full);

	if (full)
		return err_set(e, AMBIT_LIMIT, NULL, "more than %d places to connect to in one cell",
			       CELL_ENDPOINTS_MAX);
	s->endpoints[s->n_endpoints] = *p;
	s->endpoints[s->n_endpoints++].name = text;
	return 0;
}

void spec_endpoint(const struct cell_spec *s, const struct cell_endpoint *p, struct endpoint *ret)
{
	*ret = (struct endpoint){ .kind = p->kind, .port = p->port, .range = p->at };
	if (spec_endpoint_is_socket(p)) /* spec_check: it is one */
		(void)text_copy(ret->path, sizeof ret->path, spec_text(s, p->name));
	else
		(void)text_copy(ret->name.text, sizeof ret->name.text, spec_text(s, p->name));
}

bool spec_endpoint_is_socket(const struct cell_endpoint *p)
{
	return p->kind == ENDPOINT_UNIX;
}

bool spec_has_sockets(const struct cell_spec *s)
{
	for (uint32_t i = 0; i < s->n_endpoints; i++)
		if (spec_endpoint_is_socket(&s->endpoints[i]))
			return true;
	return false;
}

/* Whether it needs all addresses of the family. Names that fit a pattern have addresses of IPv4. */
static bool needs_all(const struct cell_spec *s, const struct cell_endpoint *p, uint8_t family)
{
	if (!endpoint_kind_is_wide(p->kind, &p->at))
		return false;
	if (p->kind == ENDPOINT_RANGE)
		return p->at.base.family == family;
	if (p->kind == ENDPOINT_ANY)
		return family == ADDRESS_IPV4 || (s->flags & CELL_NO_IPV6) == 0;
	return family == ADDRESS_IPV4;
}

/* One of the first n listens at all addresses of the family, at this port. */
static bool is_served(const struct cell_spec *s, uint32_t n, uint16_t port, uint8_t family)
{
	for (uint32_t i = 0; i < n; i++)
		if (s->endpoints[i].port == port && needs_all(s, &s->endpoints[i], family))
			return true;
	return false;
}

static bool listens(const struct cell_spec *s, uint32_t i, enum cell_listening how)
{
	const struct cell_endpoint *p = &s->endpoints[i];
	const uint8_t family = how == CELL_LISTENS_IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6;

	if (how == CELL_LISTENS_PATH || spec_endpoint_is_socket(p))
		return how == CELL_LISTENS_PATH && spec_endpoint_is_socket(p);
	if (how == CELL_LISTENS_AT)
		return !endpoint_kind_is_wide(p->kind, &p->at) &&
		       !is_served(s, s->n_endpoints, p->port, p->at.base.family);
	return needs_all(s, p, family) && !is_served(s, i, p->port, family);
}

bool spec_listener(const struct cell_spec *s, uint32_t k, uint32_t *ret_endpoint, enum cell_listening *ret)
{
	for (*ret_endpoint = 0; *ret_endpoint < s->n_endpoints; ++*ret_endpoint)
		for (*ret = CELL_LISTENS_AT; *ret <= CELL_LISTENS_PATH; ++*ret)
			if (listens(s, *ret_endpoint, *ret) && k-- == 0)
				return true;
	*ret = k == 0 ? CELL_LISTENS_UDP : CELL_LISTENS_TCP;
	return k < 2 && spec_has_responder(s);
}

bool spec_has_responder(const struct cell_spec *s)
{
	for (uint32_t i = 0; i < s->n_endpoints; i++)
		if (s->endpoints[i].kind == ENDPOINT_PATTERN || s->endpoints[i].kind == ENDPOINT_ANY)
			return true;
	return false;
}

int spec_add_link(struct cell_spec *s, const char *path, const char *text, struct err *e)
{
	bool full = false;
	struct cell_path *p;

	if (find_path(s, path) != NULL)
		return 0;
	p = new_path(s, path);
	if (p == NULL)
		return spec_full(e);
	p->flags = CELL_PATH_LINK;
	p->link = spec_add_text(s, text, &full);
	return full ? spec_full(e) : 0;
}

/* Sorting by bytes puts a parent before what lies beneath it. The pool is reached through the path itself. */
static int by_path(const void *a, const void *b, void *pool)
{
	const struct cell_path *pa = a, *pb = b;

	return strcmp((const char *)pool + pa->path, (const char *)pool + pb->path);
}

void spec_sort(struct cell_spec *s)
{
	qsort_r(s->paths, s->n_paths, sizeof s->paths[0], by_path, s->pool);
}

static bool is_text(const struct cell_spec *s, uint32_t offset)
{
	return offset < s->pool_used && memchr(s->pool + offset, 0, s->pool_used - offset) != NULL;
}

static bool path_is_good(const struct cell_spec *s, const struct cell_path *p)
{
	const unsigned rights = RIGHT_READ | RIGHT_WRITE | RIGHT_RUN;
	const unsigned flags = CELL_PATH_OPTIONAL | CELL_PATH_PIN | CELL_PATH_LINK | CELL_PATH_DEVICE | CELL_PATH_HIDE |
			       CELL_PATH_STAGED;

	return is_text(s, p->path) && is_text(s, p->link) && path_is_normal(spec_text(s, p->path)) &&
	       p->stage <= s->n_stages &&
	       (p->stage == 0 || path_is_beneath(spec_text(s, p->path), spec_text(s, s->stages[p->stage - 1].tree))) &&
	       (p->rights & ~rights) == 0 && (p->flags & ~flags) == 0 &&
	       (((p->flags & CELL_PATH_LINK) != 0) == (p->link != 0));
}

static bool stage_is_good(const struct cell_spec *s, const struct cell_stage *stage)
{
	return is_text(s, stage->tree) && is_text(s, stage->part) && path_is_normal(spec_text(s, stage->tree)) &&
	       (stage->part == 0 || path_is_normal(spec_text(s, stage->part))) && is_text(s, stage->mask) &&
	       (stage->mask == 0 || path_is_normal(spec_text(s, stage->mask)));
}

static bool endpoint_is_good(const struct cell_spec *s, const struct cell_endpoint *p)
{
	struct endpoint said = { .kind = p->kind, .port = p->port, .range = p->at };
	const char *text;

	if (!is_text(s, p->name))
		return false;
	text = spec_text(s, p->name);
	if (spec_endpoint_is_socket(p) ? !text_copy(said.path, sizeof said.path, text)
				       : !text_copy(said.name.text, sizeof said.name.text, text))
		return false;
	return endpoint_is_well_formed(&said) &&
	       (p->kind != ENDPOINT_NAME || (address_range_is_well_formed(&p->at) && address_range_is_one(&p->at)));
}

static bool texts_are_good(const struct cell_spec *s)
{
	const uint32_t texts[] = { s->user, s->home, s->hostname, s->workdir, s->known_hosts, s->authorities };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!is_text(s, texts[i]))
			return false;
	return path_is_normal(spec_text(s, s->home)) && path_is_normal(spec_text(s, s->workdir)) &&
	       strchr(spec_text(s, s->user), ':') == NULL && strchr(spec_text(s, s->user), '\n') == NULL &&
	       (s->authorities == 0 || pem_is_of_event(spec_text(s, s->authorities)));
}

int spec_check(const struct cell_spec *s, struct err *e)
{
	const unsigned flags = CELL_JIT | CELL_TTY_ANY | CELL_BY_FD | CELL_MEMORY_EXACT | CELL_SERVES | CELL_NO_IPV6 |
			       CELL_LATE | CELL_TEMPLATE | CELL_COPIED | CELL_UNASKED;

	if (s->base < CELL_BASE_SYSTEM || s->base > CELL_BASE_HOST || s->observe < CELL_OBSERVE_OFF ||
	    s->observe > CELL_OBSERVE_FULL || (s->flags & ~flags) != 0 || s->umask > 0777)
		return err_set(e, AMBIT_MALFORMED, NULL,
			       "cell: base, level of observation, flags or umask out of range");
	if (s->pool_used == 0 || s->pool_used > sizeof s->pool || s->pool[0] != 0 || !texts_are_good(s))
		return err_set(e, AMBIT_MALFORMED, NULL, "cell: texts out of range");
	if (s->n_paths > CELL_PATHS_MAX || s->n_stages > CELL_STAGES_MAX || s->n_endpoints > CELL_ENDPOINTS_MAX)
		return err_set(e, AMBIT_MALFORMED, NULL, "cell: too many paths");
	for (uint32_t i = 0; i < s->n_stages; i++)
		if (!stage_is_good(s, &s->stages[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "cell: stage %u is not well-formed", i);
	for (uint32_t i = 0; i < s->n_endpoints; i++)
		if (!endpoint_is_good(s, &s->endpoints[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "cell: endpoint %u is not well-formed", i);
	for (uint32_t i = 0; i < s->n_paths; i++)
		if (!path_is_good(s, &s->paths[i]))
			return err_set(e, AMBIT_MALFORMED, NULL, "cell: path %u is not well-formed", i);
	return 0;
}

void spec_encode(const struct cell_spec *s, struct buf *out)
{
	const uint32_t head[] = {
		SPEC_VERSION,   s->base,        s->observe,   s->flags,    s->without,     s->uid,
		s->gid,         s->umask,       s->user,      s->home,     s->hostname,    s->workdir,
		s->known_hosts, s->authorities, s->pool_used, s->n_stages, s->n_endpoints, s->n_paths
	};

	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		buf_put_u32(out, head[i]);
	buf_put_u64(out, s->scratch_bytes);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		buf_put_u64(out, s->limits.value[i]);
	for (uint32_t i = 0; i < s->n_stages; i++) {
		buf_put_u32(out, s->stages[i].tree);
		buf_put_u32(out, s->stages[i].part);
		buf_put_u32(out, s->stages[i].mask);
	}
	for (uint32_t i = 0; i < s->n_endpoints; i++) {
		buf_put_u8(out, s->endpoints[i].kind);
		buf_put_u8(out, s->endpoints[i].at.base.family);
		buf_put(out, s->endpoints[i].at.base.bytes, sizeof s->endpoints[i].at.base.bytes);
		buf_put_u8(out, s->endpoints[i].at.prefix);
		buf_put_u16(out, s->endpoints[i].port);
		buf_put_u32(out, s->endpoints[i].name);
		buf_put_u32(out, s->endpoints[i].grant);
	}
	for (uint32_t i = 0; i < s->n_paths; i++) {
		buf_put_u32(out, s->paths[i].path);
		buf_put_u32(out, s->paths[i].link);
		buf_put_u16(out, s->paths[i].rights);
		buf_put_u16(out, s->paths[i].flags);
		buf_put_u32(out, s->paths[i].grant);
		buf_put_u16(out, s->paths[i].stage);
	}
	buf_put(out, s->pool, s->pool_used);
}

int spec_decode(struct rbuf *in, struct cell_spec *ret, struct err *e)
{
	uint32_t version = rbuf_u32(in);
	uint32_t *const head[] = { &ret->base,        &ret->observe,   &ret->flags,    &ret->without,
				   &ret->uid,         &ret->gid,       &ret->umask,    &ret->user,
				   &ret->home,        &ret->hostname,  &ret->workdir,  &ret->known_hosts,
				   &ret->authorities, &ret->pool_used, &ret->n_stages, &ret->n_endpoints,
				   &ret->n_paths };
	const uint8_t *pool;

	spec_init(ret);
	for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
		*head[i] = rbuf_u32(in);
	ret->scratch_bytes = rbuf_u64(in);
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		ret->limits.value[i] = rbuf_u64(in);
	if (in->failed || version != SPEC_VERSION || ret->n_paths > CELL_PATHS_MAX || ret->n_stages > CELL_STAGES_MAX ||
	    ret->n_endpoints > CELL_ENDPOINTS_MAX || ret->pool_used > sizeof ret->pool)
		return err_set(e, AMBIT_MALFORMED, NULL, "cell: not a description of this version");
	for (uint32_t i = 0; i < ret->n_stages; i++) {
		ret->stages[i].tree = rbuf_u32(in);
		ret->stages[i].part = rbuf_u32(in);
		ret->stages[i].mask = rbuf_u32(in);
	}
	for (uint32_t i = 0; i < ret->n_endpoints; i++) {
		struct cell_endpoint *p = &ret->endpoints[i];
		const uint8_t *bytes;

		p->kind = rbuf_u8(in);
		p->at.base.family = rbuf_u8(in);
		bytes = rbuf_bytes(in, sizeof p->at.base.bytes);
		if (bytes != NULL)
			memcpy(p->at.base.bytes, bytes, sizeof p->at.base.bytes);
		p->at.prefix = rbuf_u8(in);
		p->port = rbuf_u16(in);
		p->name = rbuf_u32(in);
		p->grant = rbuf_u32(in);
	}
	for (uint32_t i = 0; i < ret->n_paths; i++) {
		ret->paths[i].path = rbuf_u32(in);
		ret->paths[i].link = rbuf_u32(in);
		ret->paths[i].rights = rbuf_u16(in);
		ret->paths[i].flags = rbuf_u16(in);
		ret->paths[i].grant = rbuf_u32(in);
		ret->paths[i].stage = rbuf_u16(in);
	}
	pool = rbuf_bytes(in, ret->pool_used);
	if (pool == NULL)
		return err_set(e, AMBIT_MALFORMED, NULL, "cell: description cut short");
	memcpy(ret->pool, pool, ret->pool_used);
	return spec_check(ret, e);
}

const char *spec_base_word(uint32_t base)
{
	static const char *const words[] = { [CELL_BASE_SYSTEM] = "system",
					     [CELL_BASE_MINIMAL] = "minimal",
					     [CELL_BASE_NONE] = "none",
					     [CELL_BASE_HOST] = "host" };

	return base < sizeof words / sizeof words[0] ? words[base] : NULL;
}

const char *spec_source_word(uint32_t source)
{
	static const char *const words[] = { [CELL_SOURCE_EYE] = "notifications", [CELL_SOURCE_EBPF] = "ebpf" };

	return source < sizeof words / sizeof words[0] ? words[source] : NULL;
}

const char *spec_observe_word(uint32_t observe)
{
	static const char *const words[] = {
		[CELL_OBSERVE_OFF] = "off", [CELL_OBSERVE_EFFECTS] = "effects", [CELL_OBSERVE_FULL] = "full"
	};

	return observe < sizeof words / sizeof words[0] ? words[observe] : NULL;
}
