/* Text with certificates: each that is found lies in the text, behind the one before, is one value, and written again is found again. */
#include <string.h>

#include "cell/pem.h"
#include "fuzz.h"

static void look(struct span text, struct span one, const struct buf *der)
{
	auto_buf again = { .max = 2 * PEM_CERTIFICATE_MAX }, read = { .max = PEM_CERTIFICATE_MAX };
	struct span left, found = { .at = NULL };

	promise(one.at >= text.at && one.at + one.len <= text.at + text.len);
	promise(der->len >= 2 && der->len <= PEM_CERTIFICATE_MAX && der->data[0] == 0x30);
	pem_put(&again, der->data, der->len);
	left = span_bytes(again.data, again.len);
	promise(pem_next(&left, &found, &read) && found.len == again.len && left.len == 0);
	promise(read.len == der->len && memcmp(read.data, der->data, der->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf der = { .max = PEM_CERTIFICATE_MAX }, text = { .max = 1u << 20 };
	struct span left = span_bytes(data, size), before = left, one = { .at = NULL };

	while (pem_next(&left, &one, &der)) {
		promise(one.at >= before.at && left.at == one.at + one.len);
		look(before, one, &der);
		before = left;
	}
	buf_put(&text, data, size);
	if (size < 1u << 19 && buf_cstr(&text) != NULL && memchr(data, 0, size) == NULL)
		(void)pem_is_of_event((const char *)text.data);
	return 0;
}
