#include "lib/result.h"

#include <stdlib.h>

void result_finish(struct event_result *r)
{
	if (r == NULL)
		return;
	free(r->grant_ids);
	free(r->effects);
	buf_finish(&r->out);
	buf_finish(&r->err);
	*r = (struct event_result){ .ended = false };
}
