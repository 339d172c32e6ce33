#include "sign/sshtext.h"

#include <string.h>

uint32_t ssh_u32(struct rbuf *in)
{
	const uint32_t high = rbuf_be16(in);

	return high << 16 | rbuf_be16(in);
}

struct span ssh_string(struct rbuf *in)
{
	const uint32_t n = ssh_u32(in);
	const uint8_t *at = rbuf_bytes(in, n);

	return at == NULL ? (struct span){ .at = NULL } : span_bytes(at, n);
}

void ssh_put_string(struct buf *out, struct span s)
{
	buf_put_be32(out, (uint32_t)s.len); /* what we write is short */
	buf_put(out, s.at, s.len);
}

struct rbuf ssh_within(struct span s)
{
	struct rbuf in;

	rbuf_init(&in, s.at, s.len);
	return in;
}

bool ssh_number(struct rbuf *in, uint8_t *ret, size_t n)
{
	struct span s = ssh_string(in);

	if (in->failed || (s.len > 0 && (s.at[0] & 0x80) != 0))
		return false;
	while (s.len > 0 && s.at[0] == 0) {
		s.at++;
		s.len--;
	}
	if (s.len == 0 || s.len > n)
		return false;
	memset(ret, 0, n);
	memcpy(ret + n - s.len, s.at, s.len);
	return true;
}
