/* Any bytes as what a witness answers: how they were cut in pieces makes no difference, and nothing is kept but the checkpoint that was sent, with a
 * cosignature that is in the corpus: the fuzzer has not the key. */
#include <string.h>

#include "fuzz.h"
#include "witness/answer.h"

#define KEY "witness.example/w+20e9690b+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define TIME 1679315147
#define CHECKPOINT                                                                                                     \
	"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"                      \
	"\xe2\x80\x94 example.com/behind-the-sofa "                                                                    \
	"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define LINE                                                                                                           \
	"\xe2\x80\x94 witness.example/w "                                                                              \
	"IOlpCwAAAABkGFDLJeR//pqzhnEKVvEm2wWbh2RJ6oru5+cUUfm5X9NnlaGr8aSH9QE5RVZD4QGlxl2F5UpVIIi94p178KLfqPPsAA=="     \
	"\n"

static void judge(const uint8_t *data, size_t size, size_t piece, const struct witness_ask *ask, struct buf *room,
		  struct witness_verdict *v)
{
	struct answer a;
	bool more = true;

	answer_init(&a);
	for (size_t at = 0; at < size && more; at += piece)
		more = answer_take(&a, data + at, size - at < piece ? size - at : piece);
	if (more)
		(void)answer_take(&a, "", 0);
	answer_judge(&a, ask, room, v);
	answer_finish(&a);
}

static void promise_unforged(const struct witness_verdict *v)
{
	struct span note = v->note;

	promise(v->time_s == TIME && v->size == 20852163 && span_skip(&note, CHECKPOINT) && note.len > 0);
	while (note.len > 0)
		promise(span_skip(&note, LINE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf room = { .max = NOTE_MAX }, other_room = { .max = NOTE_MAX }, said = { .max = WITNESS_VERDICT_MAX };
	struct witness_ask ask = {
		.now_s = TIME, .old = 5, .n_hashes = 1, .key = KEY, .checkpoint = span_of(CHECKPOINT)
	};
	struct witness_verdict v, cut, heard;

	judge(data, size, size + 1, &ask, &room, &v);
	judge(data, size, 3, &ask, &other_room, &cut);
	promise(v.outcome < WITNESS_OUTCOME_COUNT && v.outcome == cut.outcome && v.size == cut.size);
	promise(span_equal(v.note, cut.note));
	if (v.outcome == WITNESS_COSIGNED)
		promise_unforged(&v);
	witness_verdict_encode(&v, &said);
	promise(witness_verdict_decode(said.data, said.len, &heard, NULL) == 0);
	return 0;
}
