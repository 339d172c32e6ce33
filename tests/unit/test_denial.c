/* Why a request was not sent, by the status of its refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/denial.h"

static void a_request_is_refused_for_what_its_status_says(void **state)
{
	static const struct {
		const char *object, *word;
	} rows[] = {
		{ "inet api.example:443 DELETE /repos/x 403", "request" },
		{ "inet api.example:443 TRACE /repos/x 405", "request" },
		{ "inet api.example:443 GET /repos/403 429", "spent" },
		{ "inet api.example:443 GET /repos/x 502", "host" },
		{ "inet api.example:443 GET /repos/../x 400", "unsound" },
		{ "inet api.example:443 GET /repos/x 421", "unsound" },
		{ "inet api.example:443 POST /graphql 413", "unsound" },
		{ "inet api.example:443 GET /x 4030", "unsound" },
		{ "", "unsound" },
	};
	static struct grant_set set;
	static struct effect f;
	struct denial d;

	(void)state;
	grant_set_init(&set);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		f = (struct effect){ .kind = EFFECT_REQUEST, .verdict = EFFECT_DENIED_REQUEST };
		(void)snprintf(f.object, sizeof f.object, "%s", rows[i].object);
		denial_of(&set, &f, &d);
		if (strcmp(denial_word(d.reason), rows[i].word) != 0 || d.grantable)
			fail_msg("%s: %s", rows[i].object, denial_word(d.reason));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_request_is_refused_for_what_its_status_says) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
