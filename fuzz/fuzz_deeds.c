/* Any bytes as what an event did, and as messages to and from the keeper of profiles: refused, or had back to the byte. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/profile.h"
#include "usual/link.h"

static const uint8_t secret[PROFILE_KEY] = { 7 };

static void score(const struct deeds *d)
{
	struct profile p;
	struct unusual f;

	promise(profile_init(&p, "k", secret) == 0);
	profile_score(&p, NULL, d, &f);
	promise(profile_learn(&p, &p, d, &f) == 0 && profile_freeze(&p) == 0);
	profile_score(&p, NULL, d, &f);
	profile_finish(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = 1 << 22 }, found = { .max = 1 << 16 };
	struct err e = { .code = AMBIT_OK };
	struct usual_settle settle;
	struct usual_found told;
	struct usual_row row;
	struct usual_ask ask;
	struct deeds d;
	struct rbuf in;

	rbuf_init(&in, data, size);
	(void)usual_ask_take(&in, &ask);
	rbuf_init(&in, data, size);
	(void)usual_settle_take(&in, &settle);
	rbuf_init(&in, data, size);
	(void)usual_row_take(&in, &row);
	rbuf_init(&in, data, size);
	if (usual_found_take(&in, &told)) {
		usual_found_put(&found, &told);
		promise(!found.failed && found.len == size && memcmp(found.data, data, size) == 0);
	}
	if (deeds_decode(data, size, &d, &e) < 0) {
		promise(e.code != AMBIT_OK && e.msg[0] != 0);
		return 0;
	}
	deeds_encode(&d, &again);
	promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
	score(&d);
	deeds_finish(&d);
	return 0;
}
