/* Tools that a reader takes for another server's. The first of them in the order of the servers stays. */
#include <string.h>

#include "base/text.h"
#include "core/alike.h"
#include "many/many.h"

static bool is_liked(const struct many *m, unsigned server, const char *name, const struct known_tool *other)
{
	for (size_t i = 0; i < m->n_likes; i++) {
		const struct many_like *l = &m->likes[i];

		if (l->server == server && l->other == other->server && strcmp(l->tool, name) == 0 &&
		    strcmp(l->other_tool, other->name) == 0)
			return true;
	}
	return false;
}

/* The same name is told apart by the prefix; one that looks like it is not, since who reads it takes it for a slip. */
static const struct known_tool *shadowed(const struct many *m, unsigned server, const char *name)
{
	for (size_t i = 0; i < m->n_known; i++) {
		const struct known_tool *k = &m->known[i];

		if (k->server != server && alike_is(k->name, name) && strcmp(k->name, name) != 0 &&
		    !is_liked(m, server, name, k))
			return k;
	}
	return NULL;
}

bool shadow_is_known(const struct many *m, unsigned server, const char *name)
{
	for (size_t i = 0; i < m->n_known; i++)
		if (m->known[i].server == server && strcmp(m->known[i].name, name) == 0)
			return true;
	return false;
}

int shadow_check(const struct many *m, unsigned server, const char *name, struct err *e)
{
	const struct known_tool *k = shadow_is_known(m, server, name) ? NULL : shadowed(m, server, name);

	return k == NULL ? 0
			 : err_set(e, AMBIT_DENIED, "`ambit guard --pins` shows the two, and takes the person's word",
				   "the tool '%.64s' of %s looks like '%.64s' of %s, and is not used", name,
				   m->servers[server].name, k->name, m->servers[k->server].name);
}

void shadow_begin(struct many *m)
{
	m->n_known = 0;
	m->listed = true;
}

/* Each once: it is told again when we are started again. */
static void tell(struct many *m, unsigned server, const char *name, const struct known_tool *other)
{
	struct many_like l = { .server = server, .other = other->server };
	uint8_t room[sizeof l + 16];
	struct buf body;
	struct err e;

	for (size_t i = 0; i < m->n_shadows; i++)
		if (m->shadows[i].server == server && strcmp(m->shadows[i].name, name) == 0)
			return;
	if (m->n_shadows == MANY_LIKES_MAX)
		return; /* as many as a person can know of */
	m->shadows[m->n_shadows].server = server;
	(void)text_copy(m->shadows[m->n_shadows++].name, MANY_TOOL_MAX, name); /* measured */
	(void)text_copy(l.tool, sizeof l.tool, name);
	(void)text_copy(l.other_tool, sizeof l.other_tool, other->name);
	buf_init_in(&body, room, sizeof room);
	many_like_put(&body, &l);
	(void)port_send(&m->owner, WIRE_MANY_ALIKE, &body, &e); /* who is gone is seen elsewhere */
}

bool shadow_take(struct many *m, unsigned server, const char *name)
{
	struct known_tool own = { .server = server };
	const struct known_tool *k;

	if (!text_copy(own.name, sizeof own.name, name))
		return false;
	if (strlen(m->servers[server].name) + 2 + strlen(name) > MANY_NAME_MAX) {
		tell(m, server, name, &own);
		return false;
	}
	k = shadowed(m, server, name);
	if (k != NULL)
		tell(m, server, name, k);
	if (k != NULL || m->n_known == MANY_KNOWN_MAX)
		return false;
	m->known[m->n_known++] = own;
	return true;
}
