#include "net/screen.h"

#include <string.h>

/* Records that no server takes for a part of a hello. */
#define CONTENT_CHANGE_CIPHER_SPEC 20
#define CONTENT_ALERT 21
#define CONTENT_APPLICATION_DATA 23
#define RECORD_HEAD 5

void screen_init(struct screen *s, const struct host_name *granted, bool may_hide)
{
	s->state = granted != NULL ? SCREEN_FIRST : SCREEN_OPEN;
	s->reason = 0;
	s->granted = granted;
	s->may_hide = may_hide;
	s->record_left = 0;
	s->has_first = false;
	s->first.text[0] = 0;
	hello_init(&s->hello);
	retry_init(&s->retry);
}

/* ---- a hello ---- */

static void refuse(struct screen *s, enum link_reason reason)
{
	s->state = SCREEN_REFUSED;
	s->reason = (uint8_t)reason;
}

static bool is_granted(const struct screen *s, const struct host_name *name)
{
	return strcmp(s->granted->text, name->text) == 0;
}

static bool is_as_first(const struct screen *s)
{
	return s->hello.has_name == s->has_first && strcmp(s->hello.name.text, s->first.text) == 0;
}

/* The rules, in this order. Of one that hides a name the other, which can be read, says nothing: it is that of whoever opens the hidden one. */
static void judge(struct screen *s)
{
	const bool is_first = s->state == SCREEN_FIRST;
	const struct hello *h = &s->hello;

	if (h->state != HELLO_DONE) {
		refuse(s, LINK_MALFORMED);
	} else if (h->has_ech && !s->may_hide) {
		refuse(s, LINK_HIDDEN);
	} else if ((h->has_name && !h->has_ech && !is_granted(s, &h->name)) || (!is_first && !is_as_first(s))) {
		refuse(s, LINK_OTHER_NAME);
	} else if (is_first) {
		s->state = SCREEN_ANSWER;
		s->has_first = h->has_name;
		s->first = h->name;
	} else {
		s->state = SCREEN_OPEN;
	}
}

/* Gives how many bytes pass: those of the hello, or all. */
static size_t take_hello(struct screen *s, const uint8_t *bytes, size_t n)
{
	const bool is_first = s->state == SCREEN_FIRST;
	const enum hello_state state = hello_read(&s->hello, bytes, n);

	if (state == HELLO_MORE)
		return 0;
	if (is_first && state == HELLO_NOT_TLS) {
		s->state = SCREEN_OPEN;
		return n;
	}
	judge(s);
	return s->state == SCREEN_REFUSED ? 0 : s->hello.seen;
}

/* ---- what comes between ---- */

static bool is_between(uint8_t content)
{
	return content == CONTENT_CHANGE_CIPHER_SPEC || content == CONTENT_ALERT || content == CONTENT_APPLICATION_DATA;
}

/* Gives how many bytes pass before the first record that may be a hello's, or is not known yet. */
static size_t pass_between(struct screen *s, const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	for (;;) {
		const size_t here = s->record_left < n - at ? s->record_left : n - at;

		at += here;
		s->record_left -= (uint32_t)here;
		if (n - at < RECORD_HEAD || !is_between(bytes[at]))
			return at;
		s->record_left = (uint32_t)(RECORD_HEAD + ((unsigned)bytes[at + 3] << 8 | bytes[at + 4]));
	}
}

/* ---- both sides ---- */

size_t screen_client(struct screen *s, const uint8_t *bytes, size_t n)
{
	size_t passed = 0;

	if (s->state == SCREEN_FIRST)
		passed = take_hello(s, bytes, n);
	if (s->state == SCREEN_ANSWER || s->state == SCREEN_SECOND)
		passed += pass_between(s, bytes + passed, n - passed);
	if (s->state == SCREEN_SECOND && n > passed && !is_between(bytes[passed]))
		passed += take_hello(s, bytes + passed, n - passed);
	if (s->state == SCREEN_OPEN)
		passed = n;
	return passed;
}

void screen_client_ended(struct screen *s, size_t left)
{
	if (s->state == SCREEN_OPEN || s->state == SCREEN_REFUSED || (s->state == SCREEN_ANSWER && left > 0))
		return;
	if (left == 0)
		s->state = SCREEN_OPEN; /* there is nothing to hold */
	else
		refuse(s, LINK_MALFORMED);
}

void screen_host(struct screen *s, const uint8_t *bytes, size_t n)
{
	const enum retry_state state = retry_read(&s->retry, bytes, n);

	if (s->state != SCREEN_ANSWER || state == RETRY_MORE)
		return;
	s->state = state == RETRY_YES ? SCREEN_SECOND : SCREEN_OPEN;
	hello_init(&s->hello);
}

void screen_host_ended(struct screen *s)
{
	if (s->state == SCREEN_ANSWER)
		s->state = SCREEN_OPEN;
}
