#include "net/retry.h"

#include <stdbool.h>

#define CONTENT_ALERT 21
#define CONTENT_HANDSHAKE 22
#define MESSAGE_SERVER_HELLO 2
#define RANDOM_AT 6 /* in the message: after its type, its length and its version */

/* "HelloRetryRequest", hashed by SHA-256 (RFC 8446, 4.1.3). */
static const uint8_t random_of_retry[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
					     0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
					     0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

void retry_init(struct retry *r)
{
	*r = (struct retry){ .state = RETRY_MORE };
}

static enum retry_state take_head_byte(struct retry *r, uint8_t byte)
{
	r->record_head[r->record_have++] = byte;
	if (r->record_head[0] != CONTENT_HANDSHAKE && r->record_head[0] != CONTENT_ALERT)
		return RETRY_NO;
	if (r->record_have == sizeof r->record_head) {
		r->record_left = (uint32_t)r->record_head[3] << 8 | r->record_head[4];
		r->record_have = 0;
	}
	return RETRY_MORE;
}

/* Its length and version say nothing here: whoever sends this random means it. */
static bool is_of_retry(unsigned at, uint8_t byte)
{
	if (at == 0)
		return byte == MESSAGE_SERVER_HELLO;
	return at < RANDOM_AT || byte == random_of_retry[at - RANDOM_AT];
}

static enum retry_state take_body_byte(struct retry *r, uint8_t byte)
{
	r->record_left--;
	if (r->record_head[0] == CONTENT_ALERT)
		return RETRY_MORE;
	if (!is_of_retry(r->message_have, byte))
		return RETRY_NO;
	r->message_have++;
	return r->message_have == RANDOM_AT + sizeof random_of_retry ? RETRY_YES : RETRY_MORE;
}

enum retry_state retry_read(struct retry *r, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n && r->state == RETRY_MORE; i++)
		r->state = (uint8_t)(r->record_left == 0 ? take_head_byte(r, bytes[i]) : take_body_byte(r, bytes[i]));
	return (enum retry_state)r->state;
}
