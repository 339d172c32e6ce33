#include "net/hello.h"

#include "base/buf.h"

/* Records (RFC 8446, 5.1). */
#define CONTENT_FIRST 20 /* change_cipher_spec, alert, handshake, application_data, heartbeat */
#define CONTENT_HANDSHAKE 22
#define CONTENT_LAST 24
#define RECORD_MAJOR 3
#define RECORD_MINOR_MAX 3
#define RECORD_MAX (1u << 14)
#define RECORD_HEAD 5 /* type, two bytes of version, two of length */

/* A hello as SSL 2 had it, which some servers still take: two bytes of length, of which the first has its highest bit set, and a type. */
#define V2_MARK 0x80
#define V2_HELLO 1
#define V2_LENGTH_MIN 9
#define V2_LENGTH_MAX (RECORD_MAX + 2048) /* no server has more room for a record */

/* The message (RFC 8446, 4.1.2). */
#define MESSAGE_HEAD 4 /* type, three bytes of length */
#define MESSAGE_HELLO 1
#define VERSION_MIN 0x0301
#define VERSION_MAX 0x0303 /* 1.2; what is newer says so in an extension */
#define RANDOM_BYTES 32
#define SESSION_ID_MAX 32

/* Extensions. */
#define EXTENSION_NAME 0
#define EXTENSION_PSK 41
#define EXTENSION_ECH 0xfe0d
#define EXTENSION_ECH_DRAFTS 0xfe08 /* the first of the numbers that drafts of it had */
#define EXTENSION_ESNI 0xffce       /* and what came before it */
#define NAME_HOST 0

void hello_init(struct hello *h)
{
	h->state = HELLO_MORE;
	h->has_name = h->has_ech = false;
	h->name.text[0] = 0;
	h->record_have = 0;
	h->record_left = h->seen = h->size = 0;
}

/* ---- the message, when it is whole ---- */

struct said {
	bool has_name, has_ech;
	struct host_name name;
};

static bool take_vector(struct rbuf *in, size_t n, struct rbuf *ret)
{
	const uint8_t *bytes = rbuf_bytes(in, n);

	if (in->failed)
		return false;
	rbuf_init(ret, bytes, n);
	return true;
}

static bool take_vector8(struct rbuf *in, struct rbuf *ret)
{
	return take_vector(in, rbuf_u8(in), ret);
}

static bool take_vector16(struct rbuf *in, struct rbuf *ret)
{
	return take_vector(in, rbuf_be16(in), ret);
}

/* One name, of the only kind that there is (RFC 6066, 3). A dot at its end is part of the name to some servers, to others an error. */
static bool take_name(struct rbuf *in, struct host_name *ret)
{
	struct rbuf list, name;

	if (!take_vector16(in, &list) || !rbuf_done(in) || rbuf_u8(&list) != NAME_HOST ||
	    !take_vector16(&list, &name) || !rbuf_done(&list) || name.len == 0)
		return false;
	return name.data[name.len - 1] != '.' && host_take((const char *)name.data, name.len, ret);
}

static bool is_ech(unsigned type)
{
	return (type >= EXTENSION_ECH_DRAFTS && type <= EXTENSION_ECH) || type == EXTENSION_ESNI;
}

/* Each kind once, known or not: of two, servers take the first, the last or none. Nothing comes after pre_shared_key (RFC 8446, 4.2.11). */
static bool take_extensions(struct rbuf *in, struct said *ret)
{
	uint8_t had[(UINT16_MAX + 1) / 8] = { 0 };
	unsigned type = 0;

	while (rbuf_left(in) > 0) {
		struct rbuf body;

		if (type == EXTENSION_PSK)
			return false;
		type = rbuf_be16(in);
		if (!take_vector16(in, &body) || (had[type / 8] >> type % 8 & 1) != 0)
			return false;
		had[type / 8] |= (uint8_t)(1u << type % 8);
		ret->has_ech |= is_ech(type);
		if (type == EXTENSION_NAME) {
			if (!take_name(&body, &ret->name))
				return false;
			ret->has_name = true;
		}
	}
	return true;
}

/* Compression is none alone: TLS 1.3 allows no other, and servers of 1.2 differ in what they make of others. */
static bool take_body(struct rbuf *in, struct said *ret)
{
	const unsigned version = rbuf_be16(in);
	struct rbuf session, suites, compression, extensions;

	(void)rbuf_bytes(in, RANDOM_BYTES);
	if (!take_vector8(in, &session) || !take_vector16(in, &suites) || !take_vector8(in, &compression))
		return false;
	if (version < VERSION_MIN || version > VERSION_MAX || session.len > SESSION_ID_MAX || suites.len == 0 ||
	    suites.len % 2 != 0 || compression.len != 1 || compression.data[0] != 0)
		return false;
	if (rbuf_left(in) == 0) /* before there were extensions */
		return true;
	return take_vector16(in, &extensions) && rbuf_done(in) && take_extensions(&extensions, ret);
}

static bool take_whole(struct rbuf *message, struct said *ret)
{
	(void)rbuf_bytes(message, MESSAGE_HEAD);
	return take_body(message, ret);
}

/* The message without the heads of its records, of which it fills each. */
static bool take_from_records(const uint8_t *bytes, size_t n, struct said *ret)
{
	uint8_t room[HELLO_MAX];
	struct rbuf in, part, message;
	struct buf whole;

	rbuf_init(&in, bytes, n);
	buf_init_in(&whole, room, sizeof room);
	while (rbuf_left(&in) > 0) {
		(void)rbuf_bytes(&in, RECORD_HEAD - 2);
		if (take_vector16(&in, &part))
			buf_put(&whole, part.data, part.len);
	}
	rbuf_init(&message, whole.data, whole.len);
	return !in.failed && !whole.failed && take_whole(&message, ret);
}

static enum hello_state take_message(struct hello *h, const uint8_t *bytes)
{
	struct said said = { .has_name = false };
	struct rbuf one;
	bool taken;

	rbuf_init(&one, bytes + RECORD_HEAD, h->size);
	taken = h->seen == RECORD_HEAD + h->size ? take_whole(&one, &said) : take_from_records(bytes, h->seen, &said);
	if (!taken)
		return HELLO_MALFORMED;
	h->has_name = said.has_name;
	h->has_ech = said.has_ech;
	h->name = said.name;
	return HELLO_DONE;
}

/* ---- bytes, one after the other ---- */

/* How much of the message is missing, at least. */
static uint32_t missing(const struct hello *h)
{
	const uint8_t *head = h->message_head;

	if (h->size < MESSAGE_HEAD)
		return 1;
	return MESSAGE_HEAD + ((uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3]) - h->size;
}

/* The connection begins with no record of TLS. A hello of SSL 2 has no name, and to say that it is no TLS would let it pass. (That some
 * servers once took one with a head of three bytes is left out: it could not be told from the first bytes of other protocols.) */
static enum hello_state judge_other(const uint8_t *head, unsigned have)
{
	const unsigned length = (head[0] & ~(unsigned)V2_MARK) << 8 | head[1];

	if ((head[0] & V2_MARK) == 0)
		return HELLO_NOT_TLS;
	if (have < 2)
		return HELLO_MORE;
	if (length < V2_LENGTH_MIN || length > V2_LENGTH_MAX)
		return HELLO_NOT_TLS;
	if (have < 3)
		return HELLO_MORE;
	return head[2] == V2_HELLO ? HELLO_MALFORMED : HELLO_NOT_TLS;
}

/* 1. What begins like any record of TLS is TLS: there are servers that skip alerts before the hello, and some that do not look at a
 *    record's version.
 * 2. Between the parts of a hello comes nothing else.
 * 3. The version is what a client may write there, a record is neither empty nor longer than 2^14. */
static enum hello_state judge_head(const uint8_t *head, unsigned have, bool first)
{
	const unsigned length = (unsigned)head[3] << 8 | head[4];

	if (first && (head[0] < CONTENT_FIRST || head[0] > CONTENT_LAST))
		return judge_other(head, have);
	if (head[0] != CONTENT_HANDSHAKE || (have >= 2 && head[1] != RECORD_MAJOR) ||
	    (have >= 3 && head[2] > RECORD_MINOR_MAX) || (have >= 5 && (length == 0 || length > RECORD_MAX)))
		return HELLO_MALFORMED;
	return HELLO_MORE;
}

static enum hello_state take_head_byte(struct hello *h, uint8_t byte)
{
	const bool first = h->size == 0;
	enum hello_state state;

	h->record_head[h->record_have++] = byte;
	state = judge_head(h->record_head, h->record_have, first);
	if (state == HELLO_MORE && h->record_have == sizeof h->record_head) {
		h->record_left = (uint32_t)h->record_head[3] << 8 | h->record_head[4];
		h->record_have = 0;
	}
	return state;
}

/* The hello is the first message, and the last one of its record: what came with it would be read before the server has answered. */
static enum hello_state take_message_byte(struct hello *h, const uint8_t *bytes, uint8_t byte)
{
	if (h->size < MESSAGE_HEAD)
		h->message_head[h->size] = byte;
	h->size++;
	h->record_left--;
	if (h->message_head[0] != MESSAGE_HELLO)
		return HELLO_MALFORMED;
	if (missing(h) > 0)
		return HELLO_MORE;
	return h->record_left == 0 ? take_message(h, bytes) : HELLO_MALFORMED;
}

enum hello_state hello_read(struct hello *h, const uint8_t *bytes, size_t n)
{
	enum hello_state state = h->state;

	while (h->seen < n && state == HELLO_MORE) {
		const uint8_t byte = bytes[h->seen++];

		state = h->record_left == 0 ? take_head_byte(h, byte) : take_message_byte(h, bytes, byte);
		if (state == HELLO_MORE && missing(h) > HELLO_MAX - h->seen)
			state = HELLO_MALFORMED;
	}
	h->state = (uint8_t)state;
	return state;
}
