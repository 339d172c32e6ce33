/* What anybody may have written of what is usual, told by the first byte: a profile, what an event did, what comes of holding one against the other. What is taken is given again byte by byte, and what an event did is scored by a profile, learned, and told. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/form.h"
#include "profile/show.h"
#include "usual/link.h"

static const uint8_t secret[PROFILE_KEY] = { 3, 1, 4, 1, 5 };

static void go_on(struct profile *p, const struct deeds *d)
{
	auto_buf out = { .max = USUAL_FOUND_MAX };
	struct usual_found found = { .asks = false }, back;
	struct profile shadow;
	struct rbuf in;

	profile_score(p, NULL, d, &found.f);
	usual_found_put(&out, &found);
	promise(!out.failed);
	rbuf_init(&in, out.data, out.len);
	promise(usual_found_take(&in, &back));
	profile_calibrate(p, &found.f);
	if (profile_init(&shadow, p->key, secret) < 0)
		return;
	promise(profile_learn(&shadow, p, d, &found.f) == 0 && profile_accept(&shadow, d) == 0);
	promise(profile_learn(p, p, d, &found.f) == 0 && profile_freeze(p) == 0);
	profile_score(p, NULL, d, &found.f);
	profile_finish(&shadow);
}

static void take_profile(const char *text, size_t n)
{
	auto_buf again = { .max = FORM_MAX }, said = { .max = 16u << 20 };
	struct deeds d = { .tool = "run" };
	struct form_head head;
	struct likeness near;
	struct profile p;
	struct err e = { .code = AMBIT_OK };

	(void)form_head(text, n < FORM_HEAD_MAX ? n : FORM_HEAD_MAX, &head);
	if (form_read(text, n, secret, &p, &e) < 0) {
		promise(e.code != AMBIT_OK && e.msg[0] != 0);
		return;
	}
	form_write(&p, &again);
	promise(again.len == n && memcmp(again.data, text, n) == 0);
	show_text(&p, &(struct draw_face){ .columns = 80 }, &said);
	show_json(&p, &said);
	show_difference(&p, &p, &said);
	promise(!said.failed && memchr(said.data, 033, said.len) == NULL);
	d.amounts[AMOUNT_UP_BYTES] = UINT64_MAX;
	if (deeds_add(&d, DEED_PROGRAM, "/bin/x", 6)) {
		promise(!nearest_find(&p.nearest, p.secret, &d, &near) || near.text[0] != 0);
		go_on(&p, &d);
	}
	deeds_finish(&d);
	profile_finish(&p);
}

static void take_deeds(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = size + 1 };
	char key[PROFILE_NAME_MAX];
	struct profile p;
	struct deeds d;
	struct err e = { .code = AMBIT_OK };

	if (deeds_decode(data, size, &d, &e) < 0) {
		promise(e.code != AMBIT_OK);
		return;
	}
	deeds_encode(&d, &again);
	promise(again.len == size && memcmp(again.data, data, size) == 0);
	profile_key(&d, 0, key);
	if (profile_init(&p, key, secret) == 0) {
		go_on(&p, &d);
		profile_finish(&p);
	}
	deeds_finish(&d);
}

static void take_found(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = USUAL_FOUND_MAX };
	struct usual_found found;
	struct rbuf in;

	rbuf_init(&in, data, size);
	if (!usual_found_take(&in, &found))
		return;
	usual_found_put(&again, &found);
	promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0: take_profile((const char *)data + 1, size - 1); break;
	case 1: take_deeds(data + 1, size - 1); break;
	default: take_found(data + 1, size - 1); break;
	}
	return 0;
}
