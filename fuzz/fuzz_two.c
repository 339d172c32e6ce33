/* HTTP/2 from both sides: each byte that says so begins a piece of the program's or of the host's, in frames or raw. What passes is judged, bounded, and without the secret. */
#include <string.h>

#include "fuzz.h"
#include "two_world.h"

#define TERMS_OF_ALL "http='GET /a, GRAPHQL /g, POST /a' graphql='query viewer' secret='github as bearer'"

static const char *const requests[] = {
	GET,
	POST,
	(POST "|content-length=4"),
	(POST "|expect=100-continue"),
	(GET "|host=h.example"),
	":method=HEAD|:scheme=https|:path=/a|:authority=h.example",
	":method=POST|:scheme=https|:path=/g|:authority=h.example|content-type=application/json",
	":method=GET|:scheme=https|:path=/g?query=%7Bviewer%7D|:authority=h.example",
	":method=GET|:scheme=https|:path=/b|:authority=h.example",
	(GET "|authorization=Bearer x"),
};
static const char *const answers[] = {
	":status=200", ":status=200|content-length=4",         ":status=100", ":status=103|link=x",
	":status=204", (":status=302|location=" WORLD_SECRET), "x-trailer=1",
};

/* Few bytes are enough for whole exchanges: who, which frame, of which stream, with how much. */
static void say(struct world *w, unsigned what, unsigned flags, uint32_t id, const uint8_t *bytes, size_t n)
{
	struct side *s = (what & 1) != 0 ? &w->host : &w->program;

	switch (what >> 1 & 7) {
	case 0: say_bytes(s, bytes, n); break;
	case 1:
		say_headers(s, (flags & F_END) | F_HEADERS, id, (what & 1) != 0 ? answers[n % 7] : requests[n % 10]);
		break;
	case 2: say_frame(s, NGHTTP2_DATA, flags & F_END, id, bytes, n); break;
	case 3: say_much(s, flags & F_END, id, n * 64); break;
	case 4: say_u32(s, NGHTTP2_RST_STREAM, id, flags & 15); break;
	case 5: say_u32(s, NGHTTP2_WINDOW_UPDATE, flags & 1 ? id : 0, (uint32_t)n << (flags >> 4)); break;
	case 6: say_frame(s, flags & 15, flags >> 4, id, bytes, n); break;
	default:
		s->stream.ended |= flags == 255;
		s->stream.broken |= flags == 254;
		break;
	}
}

static void hold(struct world *w)
{
	promise(w->two.n_twins <= TWO_TWINS_MAX && w->two.gathered <= TWO_GATHERED_MAX + (128u << 10));
	promise(!w->program.stream.out.failed && !w->host.stream.out.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_create(TERMS_OF_ALL, "");
	size_t at = 0;

	while (size - at >= 4 && w->two.state != TWO_DONE) {
		const size_t wanted = data[at + 3], n = size - at - 4 < wanted ? size - at - 4 : wanted;

		if (w->program.stream.in.len + w->host.stream.in.len > STREAM_IN_MAX / 2)
			break; /* it reads no more, as it has ended */
		say(w, data[at], data[at + 1], data[at + 2] & 31, data + at + 4, n);
		at += 4 + (((data[at] >> 1 & 7) % 6 == 0 || (data[at] >> 1 & 7) == 2) ? n : 0);
		if ((data[at - 1] & 3) != 0)
			world_run(w);
		hold(w);
	}
	world_run(w);
	hold(w);
	(void)world_log(&w->program); /* there is one then */
	promise(memmem(w->program.log.data, w->program.log.len, WORLD_SECRET, strlen(WORLD_SECRET)) == NULL);
	world_destroy(w);
	return 0;
}
