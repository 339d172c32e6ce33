#include "http/chunk.h"

#include "base/num.h"
#include "http/head.h"

enum state {
	SIZE,
	EXTENSION,
	SIZE_END,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	TRAILER_NAME,
	TRAILER_LINE,
	TRAILER_LF,
	LAST_LF,
	OVER,
	BAD
};

void chunked_init(struct chunked *c)
{
	*c = (struct chunked){ .state = SIZE };
}

static uint8_t in_size(struct chunked *c, uint8_t byte)
{
	const int d = hex_digit((char)byte);

	if (d >= 0 && c->digits < 15) {
		c->left = c->left * 16 + (uint64_t)d;
		c->digits++;
		return SIZE;
	}
	if (c->digits == 0)
		return BAD;
	return byte == '\r' ? SIZE_END : byte == ';' ? EXTENSION : BAD;
}

/* A field of a trailer, or an extension, is read and dropped; a line that is folded is none. */
static uint8_t in_line(struct chunked *c, uint8_t byte, uint8_t same, uint8_t end)
{
	if (byte == '\r')
		return end;
	return byte == '\n' || (byte < 0x20 && byte != '\t') || byte == 0x7f || ++c->line > CHUNK_LINE_MAX ? BAD : same;
}

static uint8_t begin_data(struct chunked *c, uint8_t byte)
{
	c->digits = 0;
	c->line = 0;
	if (byte != '\n')
		return BAD;
	return c->left > 0 ? DATA : TRAILER;
}

static uint8_t in_trailer(struct chunked *c, uint8_t byte)
{
	c->line = 0;
	if (byte == '\r')
		return LAST_LF;
	return http_is_token(byte) ? TRAILER_NAME : BAD;
}

/* A request that stands where a trailer does is no field. */
static uint8_t in_trailer_name(struct chunked *c, uint8_t byte)
{
	if (++c->line > CHUNK_LINE_MAX)
		return BAD;
	if (byte == ':')
		return TRAILER_LINE;
	return http_is_token(byte) ? TRAILER_NAME : BAD;
}

static uint8_t step(struct chunked *c, uint8_t byte)
{
	if (c->state >= TRAILER && ++c->trailer > CHUNK_TRAILER_MAX)
		return BAD;
	switch (c->state) {
	case SIZE: return in_size(c, byte);
	case EXTENSION: return in_line(c, byte, EXTENSION, SIZE_END);
	case SIZE_END: return begin_data(c, byte);
	case DATA_CR: return byte == '\r' ? DATA_LF : BAD;
	case DATA_LF: return byte == '\n' ? SIZE : BAD;
	case TRAILER: return in_trailer(c, byte);
	case TRAILER_NAME: return in_trailer_name(c, byte);
	case TRAILER_LINE: return in_line(c, byte, TRAILER_LINE, TRAILER_LF);
	case TRAILER_LF: return byte == '\n' ? TRAILER : BAD;
	case LAST_LF: return byte == '\n' ? OVER : BAD;
	default: return BAD;
	}
}

enum chunk_result chunked_take(struct chunked *c, const uint8_t *bytes, size_t n, size_t *ret_taken, size_t *ret_data)
{
	size_t i = 0;

	*ret_data = 0;
	while (i < n && c->state != DATA && c->state < OVER)
		c->state = step(c, bytes[i++]);
	if (c->state == DATA && i < n) {
		*ret_data = n - i < c->left ? n - i : (size_t)c->left;
		c->left -= *ret_data;
		i += *ret_data;
		c->state = c->left == 0 ? DATA_CR : DATA;
	}
	*ret_taken = i;
	if (c->state == BAD)
		return CHUNK_BAD;
	if (c->state == OVER)
		return CHUNK_END;
	return *ret_data > 0 ? CHUNK_DATA : CHUNK_MORE;
}
