#include "session/halts.h"

#include <stdlib.h>
#include <string.h>

void halts_init(struct halts *h)
{
	*h = (struct halts){ .asked = NULL };
	halter_init(&h->halter);
}

void halts_finish(struct halts *h)
{
	halter_finish(&h->halter);
	free(h->asked);
	halts_init(h);
}

int halts_ask(struct halts *h, const struct link_halt *q, char *const *envp, struct err *e)
{
	if (h->n == HALTS_MAX)
		return err_set(e, AMBIT_LIMIT, "wait for an answer",
			       "%d requests to freeze, thaw or kill are not answered on this connection", HALTS_MAX);
	if (h->asked == NULL)
		h->asked = calloc(HALTS_MAX, sizeof *h->asked);
	if (h->asked == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the request");
	if (h->n == 0 && halter_begin(&h->halter, q, envp, e) < 0)
		return -(int)e->code;
	h->asked[h->n++] = *q;
	return 0;
}

static void tell(struct line *line, uint32_t request, int r, struct link_halted *done, const struct err *e,
		 enum wire_number number)
{
	uint8_t room[LINE_ANSWER_MAX];
	struct buf b;

	buf_init_in(&b, room, sizeof room);
	done->request = request;
	if (r < 0)
		link_failed_put(&b, request, e);
	else
		link_halted_put(&b, done);
	line_answer(line, number, &b, NULL, 0);
}

static void drop_first(struct halts *h)
{
	halter_finish(&h->halter);
	memmove(h->asked, h->asked + 1, --h->n * sizeof h->asked[0]);
}

void halts_tell(struct halts *h, struct line *line, enum wire_number done, enum wire_number failed, char *const *envp)
{
	while (h->n > 0 && line_flush(line)) {
		struct pollfd p = halts_wants(h);
		struct link_halted told;
		struct err e;
		int r;

		if (p.fd < 0)
			r = halter_begin(&h->halter, &h->asked[0], envp, &e);
		else if (poll(&p, 1, 0) == 1)
			r = halter_hear(&h->halter, &told, &e);
		else
			return;
		if (p.fd < 0 && r == 0)
			continue; /* begun: it may have an answer at once */
		tell(line, h->asked[0].request, r, &told, &e, r < 0 ? failed : done);
		drop_first(h);
	}
}

struct pollfd halts_wants(const struct halts *h)
{
	return (struct pollfd){ .fd = h->halter.sock, .events = POLLIN };
}
