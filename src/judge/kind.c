/* Facts about the kinds of judges, apart from the judges: who decides about changes does not link those. */
#include "judge/judge.h"

bool judge_kind_is_known(uint8_t kind)
{
	switch (kind) {
#define JUDGE_CASE(name, number, gone, what) case number:
		JUDGES(JUDGE_CASE)
#undef JUDGE_CASE
		return true;
	default: return false; /* the byte of a peer */
	}
}

size_t judge_content_max(uint8_t kind)
{
	return kind == JUDGE_GIT_INDEX ? JUDGE_INDEX_MAX : JUDGE_CONTENT_MAX;
}

bool judge_gone_is_inert(uint8_t kind)
{
	switch (kind) {
#define JUDGE_CASE(name, number, gone, what)                                                                           \
	case number: return gone;
		JUDGES(JUDGE_CASE)
#undef JUDGE_CASE
	default: return false; /* the byte of a peer */
	}
}
