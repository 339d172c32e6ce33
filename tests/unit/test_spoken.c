/* A symbol of a trace as words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/spoken.h"
#include "profile/symbol.h"
#include "prop.h"

static void a_symbol_is_said(void **state)
{
	static const struct {
		const char *symbol, *says;
	} rows[] = {
		{ "exec:git", "run of git" },
		{ "exec:cat?", "run of cat, which was not there" },
		{ "exec:new", "run of a program that the cell may have written" },
		{ "exec:/opt/tools", "run of /opt/tools" },
		{ "read:/etc/passwd", "read of /etc/passwd" },
		{ "read:~/.ssh!", "read of ~/.ssh, denied" },
		{ "read:~/.ssh.secret!", "read of ~/.ssh, likely a secret, denied" },
		{ "read:work.secret.key", "read of a file (key) in the workspace, likely a secret" },
		{ "read:work/.secret", "read of .secret in the workspace" },
		{ "write:~/.bashrc.obeyed", "write of ~/.bashrc, which others obey" },
		{ "write:work.obeyed.build", "write of a file (build) in the workspace, which others obey" },
		{ "write:work.obeyed/.git/hooks", "write of .git/hooks in the workspace, which others obey" },
		{ "exec:new.secrets", "run of new.secrets" },
		{ "read:work", "read of the workspace" },
		{ "write:work.py", "write of a file (py) in the workspace" },
		{ "write:work/.git/hooks", "write of .git/hooks in the workspace" },
		{ "read:given.data", "read of a file (data) in what is granted" },
		{ "write:tmp/.", "write of a hidden name in /tmp" },
		{ "delete:home", "removal of the home" },
		{ "rename:shm.object", "renaming to a file (object) in /dev/shm" },
		{ "mkdir:other", "making of a place that is none of these" },
		{ "mode:work.sh", "change of the mode of a file (sh) in the workspace" },
		{ "link:work", "link at the workspace" },
		{ "connect:net.ssh!", "connection to the internet (ssh), denied" },
		{ "connect:granted.web", "connection to what is granted (web)" },
		{ "connect:local", "connection to the cell itself" },
		{ "connect:other", "connection to other" },
		{ "unix:/var/run?", "connection to the socket /var/run, which was not there" },
		{ "unix:abstract", "connection to the socket abstract" },
		{ "worker.py", "worker.py" },
		{ "opaque:call", "opaque:call" },
		{ "unkept", "unkept" },
		{ "read:", "read of " },
		{ "!", "!" },
		{ ":", ":" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char said[SPOKEN_MAX];

		symbol_speak(rows[i].symbol, said, sizeof said);
		if (strcmp(said, rows[i].says) != 0)
			fail_msg("%s: '%s', and not '%s'", rows[i].symbol, said, rows[i].says);
	}
}

/* Whoever writes a profile chooses its words. */
static void whatever_it_is_there_is_room(void **state)
{
	static const char *const parts[] = { "connect:", "write:", "metadata", "other", ".secret", ".obeyed", "/",
					     ".",        "!",      "?",        ":",     "a",       "~" };

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct prop p = prop_round(round);
		char symbol[SYMBOL_MAX] = "", said[SPOKEN_MAX + 1];
		size_t n = prop_below(&p, 12);

		while (n-- > 0 && strlen(symbol) + 10 < sizeof symbol)
			(void)strcat(symbol, parts[prop_below(&p, sizeof parts / sizeof parts[0])]);
		memset(said, 'x', sizeof said);
		symbol_speak(symbol, said, SPOKEN_MAX);
		assert_true(strnlen(said, SPOKEN_MAX) < SPOKEN_MAX - 1 && said[SPOKEN_MAX] == 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_symbol_is_said),
		cmocka_unit_test(whatever_it_is_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
