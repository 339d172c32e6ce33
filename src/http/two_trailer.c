#include <stdlib.h>

#include "http/attach.h"
#include "http/refusal.h"
#include "http/two_twin.h"

/* More than clients of gRPC take by themselves (8 KiB). All streams of a connection may have one that waits behind its body: no more than its window. */
#define TRAILER_MAX (16u << 10)
_Static_assert(TWO_TWINS_MAX *TRAILER_MAX <= TWO_DOWN_ALL,
	       "what waits of trailers is no more than what waits of bodies");

/* What has to be known before a body, or changes what the head said, has no place behind it (RFC 9110, 6.5.1); nor has what attach_is_ours(). Some programs take a trailer for
 * more of the head. */
static bool may_trail(const struct http_text *name)
{
	static const char *const names[] = { /* who asks, and as whom */
					     "authorization", "cookie", "proxy-authenticate", "proxy-authorization",
					     "set-cookie", "www-authenticate",
					     /* where to */
					     "alt-svc", "location", "refresh", "retry-after",
					     /* what the body is, */
					     "content-encoding", "content-location", "content-range", "content-type",
					     /* and for how long */
					     "age", "cache-control", "date", "expires", "pragma", "vary", NULL
	};

	if (name->n == 0 || name->at[0] == ':' || attach_is_ours(name))
		return false;
	for (unsigned i = 0; names[i] != NULL; i++)
		if (http_name_means(name, names[i]))
			return false;
	return true;
}

/* NULL: no memory. */
static struct two_fields *begin(struct twin *t)
{
	if (t->trailer == NULL) {
		t->trailer = malloc(sizeof *t->trailer);
		if (t->trailer == NULL)
			return NULL;
		two_fields_init(t->trailer, NULL);
	}
	two_fields_reset(t->trailer); /* one that could not be kept may be there, while its stream ends */
	return t->trailer;
}

static bool keep(struct two *o, struct twin *t)
{
	const struct two_fields *from = &o->answered;

	if (from->over || from->cost > TRAILER_MAX || begin(t) == NULL)
		return false;
	for (uint32_t i = 0; i < from->n; i++) {
		const struct http_text name = two_fields_name(from, i);

		if (may_trail(&name))
			two_put_masked(t->trailer, from, i, o->parts->masks);
	}
	return !t->trailer->over;
}

void two_take_trailer(struct two *o, struct twin *t)
{
	if (keep(o, t)) {
		two_end_answer(o, t);
		return;
	}
	/* What it says of the body is lost: nobody may take that for a whole answer. */
	twin_reset_server(o, t, NGHTTP2_INTERNAL_ERROR);
	twin_reset_client(o, t, NGHTTP2_INTERNAL_ERROR);
}

void two_put_status(struct two_fields *to, const struct verdict *v)
{
	const struct http_text message = { .at = "grpc-message", .n = 12 };

	two_fields_put_word(to, "grpc-status", refusal_grpc_status(v));
	two_fields_begin(to, &message);
	refusal_put_grpc_message(&to->text, v);
	two_fields_end(to, false);
}

bool two_refuse_behind(struct two *o, struct twin *t)
{
	if (begin(t) == NULL)
		return false;
	two_put_status(t->trailer, o->parts->verdict);
	t->state = TWIN_REFUSED;
	twin_end_down(o, t);
	return true;
}
