#include "export/otlp_id.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "core/id.h"

static unsigned digit_of(char c)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	return (unsigned)(strchr(digits, c) - digits); /* an id has no others */
}

static void not_zero(uint8_t *id, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= id[i];
	if (all == 0)
		id[n - 1] = 1;
}

/* Of its 26 digits the first has two bits more on top, which are zero. */
void otlp_trace_of(const char *event, uint8_t ret[OTLP_TRACE_BYTES])
{
	memset(ret, 0, OTLP_TRACE_BYTES);
	for (size_t i = 2; i < ID_LEN; i++) {
		unsigned carry = digit_of(event[i]);

		for (size_t at = OTLP_TRACE_BYTES; at-- > 0;) {
			carry |= (unsigned)ret[at] << 5;
			ret[at] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	not_zero(ret, OTLP_TRACE_BYTES);
}

void otlp_span_of_event(const char *event, uint8_t ret[OTLP_SPAN_BYTES])
{
	uint8_t trace[OTLP_TRACE_BYTES];

	otlp_trace_of(event, trace);
	memcpy(ret, trace + OTLP_TRACE_BYTES - OTLP_SPAN_BYTES, OTLP_SPAN_BYTES);
	not_zero(ret, OTLP_SPAN_BYTES);
}

void otlp_span_of_entry(const struct vkey *key, const char *event, uint64_t seq, uint8_t ret[OTLP_SPAN_BYTES])
{
	char room[VKEY_TEXT_MAX + ID_TEXT_MAX + 32];
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;
	struct buf text;

	buf_init_in(&text, room, sizeof room);
	vkey_put(&text, key);
	buf_printf(&text, " %s %" PRIu64, event, seq); /* it fits */
	sha256_init(&hash);
	sha256_add(&hash, text.data, text.len);
	sha256_end(&hash, digest);
	memcpy(ret, digest, OTLP_SPAN_BYTES);
	ret[OTLP_SPAN_BYTES - 1] |= 1; /* so it is not zero */
}
