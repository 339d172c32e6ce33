/* HTTP/2 from both sides: each byte that says so begins a piece of the program's or of the host's, in frames or raw. What passes is judged, bounded, and without the secret. */
#include <string.h>

#include "fuzz.h"
#include "two_world.h"

static const char *const terms[] = {
	"http='GET /a, GRAPHQL /g, POST /a' graphql='query viewer' secret='github as bearer'",
	"http='GET /a, POST /a' secret='other as bearer, github as form:token'",
};
#define FORM POST "|content-type=application/x-www-form-urlencoded"

static const char *const of_forms[] = {
	GET,
	(FORM),
	(FORM "|content-length=4"),
	(FORM "|expect=100-continue"),
	(FORM "; charset=utf-8"),
	(GET "|content-length=4"),
	POST,
	(FORM "; charset=utf-16"),
	(FORM "|content-type=text/plain"),
	(FORM "|authorization=Bearer x"),
};
static const char *const of_all[] = {
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

/* What comes behind a body, and calls of gRPC. */
#define NOT_TO_ARRIVE "dropped-of-a-trailer"
static const char *const trailers_up[] = {
	"x-a=" NOT_TO_ARRIVE,
	"authorization=" NOT_TO_ARRIVE,
	"x-a=" NOT_TO_ARRIVE "|:path=/b",
	"content-length=4|x-a=" NOT_TO_ARRIVE,
};
static const char *const calls[] = {
	(POST "|content-type=application/grpc|te=trailers"),
	":method=POST|:scheme=https|:path=/p.S/M|:authority=h.example|content-type=application/grpc",
	(POST "|content-type=application/grpc+proto|authorization=Bearer x"),
	(POST "|content-type=application/grpc|content-length=4|te=trailers"),
};
static const char *const trailers_down[] = {
	"grpc-status=0",
	"grpc-status=13|grpc-message=" WORLD_SECRET,
	WORLD_SECRET "=1",
	"x-a=s3cr3t-of",
	"set-cookie=" NOT_TO_ARRIVE "|x-a=1",
	"www-authenticate=" NOT_TO_ARRIVE,
	"x-a=" NOT_TO_ARRIVE "|:status=200",
	":status=200|content-type=application/grpc|grpc-status=5",
};

/* A bit of the flags that HEADERS have no use for says that it is one of those. */
static const char *fields_of(const char *const *requests, bool host, unsigned flags, size_t n)
{
	if ((flags & 2) == 0)
		return host ? answers[n % 7] : requests[n % 10];
	if (host)
		return trailers_down[n % 8];
	return n % 2 != 0 ? trailers_up[n / 2 % 4] : calls[n / 2 % 4];
}

/* Few bytes are enough for whole exchanges: who, which frame, of which stream, with how much. */
static void say(struct world *w, const char *const *requests, unsigned what, unsigned flags, uint32_t id,
		const uint8_t *bytes, size_t n)
{
	struct side *s = (what & 1) != 0 ? &w->host : &w->program;

	switch (what >> 1 & 7) {
	case 0: say_bytes(s, bytes, n); break;
	case 1: say_headers(s, (flags & F_END) | F_HEADERS, id, fields_of(requests, (what & 1) != 0, flags, n)); break;
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

static bool has(struct side *s, const char *text)
{
	(void)world_log(s); /* there is one then */
	return memmem(s->log.data, s->log.len, text, strlen(text)) != NULL;
}

/* In a body it may be: whatever follows the head of a frame is that frame's. */
static bool has_in_fields(struct side *s, const char *text)
{
	const char *const end = world_log(s) + s->log.len;

	for (const char *at = world_log(s), *next; at < end; at = next) {
		next = memchr(at, '\n', (size_t)(end - at));
		next = next == NULL ? end : next + 1;
		if (strncmp(at, "HEADERS", 7) == 0 && memmem(at, (size_t)(next - at), text, strlen(text)) != NULL)
			return true;
	}
	return false;
}

static void run(const char *with, const char *const *requests, const uint8_t *data, size_t size)
{
	struct world *w = world_create(with, "");
	size_t at = 0;

	while (size - at >= 4 && w->two.state != TWO_DONE) {
		const size_t wanted = data[at + 3], n = size - at - 4 < wanted ? size - at - 4 : wanted;

		if (w->program.stream.in.len + w->host.stream.in.len > STREAM_IN_MAX / 2)
			break; /* it reads no more, as it has ended */
		say(w, requests, data[at], data[at + 1], data[at + 2] & 31, data + at + 4, n);
		at += 4 + (((data[at] >> 1 & 7) % 6 == 0 || (data[at] >> 1 & 7) == 2) ? n : 0);
		if ((data[at - 1] & 3) != 0)
			world_run(w);
		hold(w);
	}
	world_run(w);
	hold(w);
	promise(!has(&w->program, WORLD_SECRET));
	promise(!has_in_fields(&w->program, NOT_TO_ARRIVE) && !has_in_fields(&w->host, NOT_TO_ARRIVE));
	world_destroy(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(terms[0], of_all, data, size);
	run(terms[1], of_forms, data, size);
	return 0;
}
