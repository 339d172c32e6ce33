/* Any text as a profile: refused with its line, or had back to the byte; and then it scores, learns and is shown. */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "profile/form.h"
#include "profile/page.h"
#include "profile/show.h"

static const uint8_t secret[PROFILE_KEY] = { 7 };

static void use(struct profile *p)
{
	struct deeds d = { .shape = 1, .tool = "run", .principal = "s" };
	auto_buf said = { .max = 1 << 22 }, page = { .max = 1 << 22 };
	struct unusual f;

	promise(deeds_add(&d, DEED_PROGRAM, "/usr/bin/x", 10) && deeds_add(&d, DEED_DIRECTORY, "./src", 5));
	profile_score(p, NULL, &d, &f);
	promise(f.p > 0 && f.p <= 1 && f.n_reasons <= REASONS_MAX);
	profile_calibrate(p, &f);
	promise(profile_learn(p, p, &d, &f) == 0 && profile_accept(p, &d) == 0);
	show_text(p, &(struct draw_face){ .columns = 80 }, &said);
	show_json(p, &said);
	page_of_profile(p, &page);
	show_difference(p, p, &said);
	promise(said.failed || memchr(said.data, 033, said.len) == NULL);
	promise(!page.failed && memchr(page.data, 033, page.len) == NULL);
	promise(memmem(page.data, page.len, "<script", 7) == NULL);
	deeds_finish(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf again = { .max = FORM_MAX };
	struct err e = { .code = AMBIT_OK };
	struct form_head head;
	struct profile p;

	(void)form_head((const char *)data, size, &head);
	if (form_read((const char *)data, size, secret, &p, &e) < 0) {
		promise(e.code != AMBIT_OK && e.msg[0] != 0);
		return 0;
	}
	form_write(&p, &again);
	promise(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
	use(&p);
	profile_finish(&p);
	return 0;
}
