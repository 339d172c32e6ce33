/* A conversation of a client and a server: a byte says what is granted; then each says something in turn, after two bytes of which the highest bit
 * says who (client: 0), the next one that it was all, and the others how long it is. At once and byte by byte the same passes, and what
 * has passed begins with no hello that is not granted. */
#include <string.h>

#include "fuzz.h"
#include "net/screen.h"

#define SAID_MAX (1u << 20)

struct talk {
	struct screen screen;
	bool ended;
	uint8_t said[SAID_MAX]; /* by the client: what has passed, then what has not */
	size_t n, passed;
};

static void look(struct talk *t)
{
	const bool was_refused = t->screen.state == SCREEN_REFUSED;
	const size_t n = screen_client(&t->screen, t->said + t->passed, t->n - t->passed);

	promise(n <= t->n - t->passed && (n == 0 || !was_refused));
	t->passed += n;
	if (t->ended)
		screen_client_ended(&t->screen, t->n - t->passed);
	promise(!was_refused || t->screen.state == SCREEN_REFUSED);
	promise(t->screen.state != SCREEN_FIRST || t->passed == 0);
	promise(t->screen.state != SCREEN_OPEN || screen_client(&t->screen, t->said, t->n) == t->n);
}

static void hear(struct talk *t, bool host, const uint8_t *bytes, size_t n)
{
	if (host && t->screen.state == SCREEN_ANSWER) {
		screen_host(&t->screen, bytes, n);
	} else if (!host && !t->ended && n <= SAID_MAX - t->n) {
		memcpy(t->said + t->n, bytes, n);
		t->n += n;
	}
	look(t);
}

static void end(struct talk *t, bool host)
{
	if (host)
		screen_host_ended(&t->screen);
	else
		t->ended = true;
	look(t);
}

static const struct host_name granted = { "a.example" };

static void converse(struct talk *t, bool may_hide, const uint8_t *data, size_t size, bool in_bytes)
{
	struct rbuf in;

	screen_init(&t->screen, &granted, may_hide);
	t->ended = false;
	t->n = t->passed = 0;
	rbuf_init(&in, data, size);
	while (rbuf_left(&in) >= 2) {
		const unsigned head = rbuf_be16(&in), said = head & 0x3fff;
		const size_t n = said < rbuf_left(&in) ? said : rbuf_left(&in), piece = in_bytes || n == 0 ? 1 : n;
		const uint8_t *bytes = rbuf_bytes(&in, n);

		for (size_t at = 0; at < n; at += piece)
			hear(t, (head & 0x8000) != 0, bytes + at, piece);
		if ((head & 0x4000) != 0)
			end(t, (head & 0x8000) != 0);
	}
}

/* Read again by itself. */
static void check_first(const struct talk *t, bool may_hide)
{
	struct hello h;

	hello_init(&h);
	if (hello_read(&h, t->said, t->passed) != HELLO_DONE)
		promise(t->passed == 0 || h.state == HELLO_NOT_TLS);
	promise(!h.has_ech || may_hide);
	if (h.has_name && !h.has_ech)
		promise(strcmp(h.name.text, granted.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk whole, bytes;
	bool may_hide;

	if (size == 0)
		return 0;
	may_hide = (data[0] & 1) != 0;
	converse(&whole, may_hide, data + 1, size - 1, false);
	converse(&bytes, may_hide, data + 1, size - 1, true);
	promise(whole.screen.state == bytes.screen.state && whole.screen.reason == bytes.screen.reason);
	promise(whole.n == bytes.n && whole.passed == bytes.passed);
	check_first(&whole, may_hide);
	return 0;
}
