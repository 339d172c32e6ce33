#include "net/targets.h"

#include <string.h>

#include "base/fnv.h"

void targets_add(struct targets *t, const struct link_listener *l)
{
	t->of[l->index] = *l;
	if (l->index >= t->n)
		t->n = l->index + 1;
}

/* ---- names ---- */

/* Where the name stands, or would. There is always a free one: it has twice as many as there are names. */
static uint16_t *bucket_of(struct targets *t, const struct host_name *name)
{
	const size_t n = sizeof t->bucket / sizeof t->bucket[0];
	size_t i = fnv(FNV_BASIS, name->text, strlen(name->text)) % n;

	while (t->bucket[i] != 0 && strcmp(t->names[t->bucket[i] - 1].text, name->text) != 0)
		i = (i + 1) % n;
	return &t->bucket[i];
}

static bool give_address(struct targets *t, const struct host_name *name, struct address *ret)
{
	uint16_t *b = bucket_of(t, name);

	if (*b == 0) {
		if (t->n_names == TARGET_NAMES_MAX)
			return false;
		t->names[t->n_names] = *name;
		*b = (uint16_t)++t->n_names;
	}
	*ret = link_address_of(*b - 1u);
	return true;
}

/* Of an address that stands for one. */
static const struct host_name *name_of(const struct targets *t, const struct address *at)
{
	const uint32_t index = link_index_of(at);

	for (uint32_t i = 0; i < t->n; i++)
		if (t->of[i].what.kind == ENDPOINT_NAME && address_is_same(&t->of[i].what.range.base, at))
			return &t->of[i].what.name;
	return index < t->n_names ? &t->names[index] : NULL;
}

static void remember_unknown(struct targets *t, const struct host_name *name)
{
	for (uint32_t i = 0; i < t->n_unknown; i++)
		if (strcmp(t->unknown[i].text, name->text) == 0)
			return;
	if (t->n_unknown < LINK_UNKNOWN_MAX)
		t->unknown[t->n_unknown++] = *name;
}

/* ---- endpoints ---- */

static bool leads_by_name(const struct endpoint *l, const char *name)
{
	return l->kind == ENDPOINT_ANY || (l->kind == ENDPOINT_PATTERN && host_matches(&l->name, name));
}

bool targets_find(void *arg, const struct host_name *name, struct dns_host *ret)
{
	struct targets *t = arg;
	bool leads = false;

	*ret = (struct dns_host){ .ipv4.family = 0 };
	if (host_is_local(name->text)) {
		*ret = (struct dns_host){ .ipv4 = address_loopback(ADDRESS_IPV4),
					  .ipv6 = address_loopback(ADDRESS_IPV6) };
		return true;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->of[i].what.kind == ENDPOINT_NAME && strcmp(t->of[i].what.name.text, name->text) == 0) {
			ret->ipv4 = t->of[i].what.range.base;
			return true;
		}
		leads = leads || leads_by_name(&t->of[i].what, name->text);
	}
	if (leads)
		return give_address(t, name, &ret->ipv4);
	remember_unknown(t, name);
	return false;
}

/* How narrow an endpoint is that lets this be reached; 0: it does not. */
static unsigned fits_name(const struct endpoint *l, const char *name)
{
	if (l->kind == ENDPOINT_NAME)
		return strcmp(l->name.text, name) == 0 ? 3 : 0;
	return !leads_by_name(l, name) ? 0 : l->kind == ENDPOINT_PATTERN ? 2 : 1;
}

static unsigned fits_address(const struct endpoint *l, const struct address *at)
{
	if (l->kind == ENDPOINT_RANGE)
		return endpoint_means(l, at) ? 2u + l->range.prefix : 0;
	return l->kind == ENDPOINT_ANY && address_kind(at) == ADDRESS_PUBLIC ? 1 : 0;
}

bool targets_meant(const struct targets *t, uint16_t port, const struct address *at, struct target *ret)
{
	const struct host_name *name = name_of(t, at);
	unsigned best = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		const struct endpoint *l = &t->of[i].what;
		const unsigned fit = l->kind == 0 || l->port != port ? 0
				     : name != NULL                  ? fits_name(l, name->text)
								     : fits_address(l, at);

		if (fit > best) {
			best = fit;
			ret->endpoint = i;
		}
	}
	ret->name = name;
	ret->address = name != NULL ? (struct address){ .family = 0 } : *at;
	return best > 0;
}

const struct target *targets_of(const struct targets *t, uint32_t endpoint, struct target *ret)
{
	const struct endpoint *p = &t->of[endpoint].what;

	*ret = (struct target){ .endpoint = endpoint, .name = p->kind == ENDPOINT_NAME ? &p->name : NULL };
	return ret;
}
