#include "lib/frames.h"

#include <string.h>

#include "base/buf.h"
#include "code/code.h"

void frames_begin(struct frames *f, uint32_t step)
{
	f->step = step;
	f->over = false;
	f->head_n = 0;
}

size_t frames_want(const struct frames *f, size_t most)
{
	const uint64_t want = f->wrong ? 0 : f->head_n < FRAME_HEAD ? FRAME_HEAD - f->head_n : f->left;

	/* when nothing is to come, whatever comes is wrong */
	return f->over || f->step == 0 ? !f->wrong : want < most ? (size_t)want : most;
}

static void take_head(struct frames *f)
{
	struct rbuf in;
	const uint8_t *mark;
	uint32_t step, how, bytes;

	rbuf_init(&in, f->head, FRAME_HEAD);
	mark = rbuf_bytes(&in, 4);
	step = rbuf_u32(&in);
	how = rbuf_u32(&in);
	bytes = rbuf_u32(&in);
	f->wrong = memcmp(mark, "STEP", 4) != 0 || step != f->step || how >= STEP_SAYS_COUNT || bytes > CODE_RESULT_MAX;
	if (f->wrong)
		return;
	f->end = (struct step_end){ .how = (enum step_how)how, .lost = bytes > f->most - f->kept };
	f->left = bytes;
	f->kept += f->end.lost ? 0 : bytes;
	f->over = bytes == 0;
}

size_t frames_take(struct frames *f, const uint8_t *bytes, size_t n)
{
	if (f->over || f->step == 0) {
		f->wrong = true;
		return 0;
	}
	if (f->head_n < FRAME_HEAD) {
		memcpy(f->head + f->head_n, bytes, n); /* as many as frames_want said */
		f->head_n += n;
		if (f->head_n == FRAME_HEAD)
			take_head(f);
		return 0;
	}
	f->left -= n;
	f->over = f->left == 0;
	return f->end.lost ? 0 : n;
}
