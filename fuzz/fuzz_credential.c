/* Bytes with tokens in them, or not: in pieces the same is found as at once. Input: how long the pieces are, and the bytes. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "http/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credential_scan s;
	const char *what = NULL;
	size_t piece;

	if (size < 1)
		return 0;
	piece = data[0] + 1u;
	data++;
	size--;
	credential_scan_init(&s);
	for (size_t at = 0; at < size && what == NULL; at += piece) {
		const size_t now = piece < size - at ? piece : size - at;
		uint8_t *exact = malloc(now);

		promise(exact != NULL);
		memcpy(exact, data + at, now);
		what = credential_scan_run(&s, exact, now);
		free(exact);
		promise(s.n <= CREDENTIAL_TAIL);
	}
	promise((what != NULL) == (credential_find(data, size) != NULL));
	(void)credential_is_field((const char *)data, size);
	(void)credential_is_parameter((const char *)data, size);
	return 0;
}
