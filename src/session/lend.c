#include "session/lend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/listen.h"
#include "lib/event.h"

/* A port of events of the session. */
static bool is_lent(const struct policy *p, const struct policy_line *l)
{
	return l->verb == VERB_LISTEN && policy_means(p, l);
}

bool lend_is_needed(const struct policy *p)
{
	for (uint32_t i = 0; i < p->n_lines; i++)
		if (is_lent(p, &p->lines[i]))
			return true;
	return false;
}

/* The port of the host that leads to what the line says; 0: it is not known (yet). */
static uint16_t port_of(const struct policy_line *line, struct ambit_event *holder)
{
	const struct event_result *r = event_result(holder);
	struct listen_ports wanted, there;

	if (listen_take(line->object, &wanted, NULL) < 0)
		return 0;
	for (uint32_t i = 0; i < r->n_ports; i++)
		if (listen_take(grant_object(r->grants, r->ports[i].grant), &there, NULL) == 0 &&
		    there.cell == wanted.cell && there.host == wanted.host)
			return r->ports[i].port;
	return 0;
}

bool lend_is_known(const struct policy *p, struct ambit_event *holder)
{
	for (uint32_t i = 0; i < p->n_lines; i++)
		if (is_lent(p, &p->lines[i]) && port_of(&p->lines[i], holder) == 0)
			return false;
	return true;
}

int lend(struct policy *p, struct ambit_event *holder, struct lent *ret, struct err *e)
{
	ret->lines = calloc(p->n_lines, sizeof *ret->lines);
	ret->at = calloc(p->n_lines, sizeof *ret->at);
	ret->n = 0;
	if (ret->lines == NULL || ret->at == NULL) {
		lend_back(p, ret);
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the session's ports");
	}
	for (uint32_t i = 0; i < p->n_lines; i++) {
		struct policy_line *line = &p->lines[i];

		if (!is_lent(p, line))
			continue;
		ret->lines[ret->n] = *line;
		ret->at[ret->n++] = i;
		(void)snprintf(line->object, sizeof line->object, "127.0.0.1:%u", port_of(line, holder)); /* fits */
		line->verb = VERB_CONNECT;
	}
	return 0;
}

void lend_back(struct policy *p, struct lent *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		p->lines[l->at[i]] = l->lines[i];
	free(l->lines);
	free(l->at);
	*l = (struct lent){ .lines = NULL };
}
