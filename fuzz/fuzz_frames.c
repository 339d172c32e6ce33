/* What a kernel's interpreter writes: a step for each byte before the first zero or S, by pieces of that length. More is never taken than was asked for, nor kept than there is room for. */
#include "fuzz.h"
#include "lib/frames.h"

#define ROOM 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frames f = { .most = ROOM };
	size_t at = 0, kept = 0;
	uint32_t step = 0;

	while (at < size && data[at] != 0 && data[at] != 'S')
		at++; /* a frame begins so */
	for (size_t i = 0, n_steps = at; i < n_steps && !f.wrong; i++) {
		frames_begin(&f, ++step);
		while (at < size && !f.over && !f.wrong) {
			const size_t want = frames_want(&f, data[i]), n = want < size - at ? want : size - at;

			promise(want > 0 && want <= data[i]);
			kept += frames_take(&f, data + at, n);
			promise(kept <= f.kept && f.kept <= ROOM);
			promise(!f.over || f.left == 0);
			at += n;
		}
	}
	return 0;
}
