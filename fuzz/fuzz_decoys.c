/* What the supervisor tells a warden of canaries, and names that a workload gives: nothing is met that was not told. */
#include <string.h>

#include "fuzz.h"
#include "warden/decoys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoys d;
	static const char *const names[] = {
		"/", "", "/a/../b", "/proc/self/", "/proc/thread-self/x", "//", "/..", "x"
	};
	struct rbuf in;

	memset(&d, 0, sizeof d);
	rbuf_init(&in, data, size);
	if (!decoys_take(&d, &in))
		return 0;
	promise(d.n <= CANARIES_MAX && d.touched == 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		decoys_meet(&d, 1, names[i], true);
	promise(d.n == CANARIES_MAX || d.touched >> d.n == 0);
	for (uint32_t i = 0; i < d.n; i++)
		decoys_meet(&d, 1, d.list[i].path, false);
	promise(d.n == 0 || (d.touched & 1) != 0);
	return 0;
}
