/* Any bytes as a batch for the judge, and as its answer: what is accepted as a batch has an answer that is accepted. */
#include "base/cleanup.h"
#include "fuzz.h"
#include "judge/answer.h"
#include "judge/input.h"

static void answer(const uint8_t *data, size_t size)
{
	auto_free struct judge_verdict *heard = calloc(JUDGE_CASES_MAX, sizeof *heard);
	struct judge_reader r;
	struct judge_case c;
	struct judge_verdict v;
	auto_buf out = { .max = 0 };
	uint32_t n;

	promise(heard != NULL);
	buf_init(&out, JUDGE_ANSWER_MAX);
	if (!judge_reader_init(&r, data, size, &n))
		return;
	judge_answer_begin(&out, n);
	while (r.left > 0) {
		if (!judge_reader_next(&r, &c))
			return;
		judge(&c, &v);
		judge_answer_put(&out, &v);
	}
	promise(judge_answer_decode(out.data, out.len, n, heard, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judge_verdict heard[3];

	answer(data, size);
	for (uint32_t n = 0; n <= 3; n++)
		if (judge_answer_decode(data, size, n, heard, NULL) < 0)
			for (uint32_t i = 0; i < n; i++)
				promise(!heard[i].inert && heard[i].why[0] != 0);
	return 0;
}
