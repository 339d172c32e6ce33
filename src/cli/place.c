#include "cli/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "core/id.h"
#include "ledger/layout.h"
#include "lib/ledger.h"

static bool is_directory(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int place_find(const char *given, struct place *ret, struct err *e)
{
	static const char hint[] = "name the directory of a ledger with --ledger";
	char own[PATH_MAX], real[PATH_MAX], inside[PATH_MAX], log[PATH_MAX];
	const int n = given != NULL ? 1 : ledger_default(own, sizeof own, e);
	const char *dir = given != NULL ? given : own;

	if (n < 0)
		return n;
	if (n == 0)
		return err_set(e, AMBIT_NOT_FOUND, hint, "with AMBIT_LEDGER=" LEDGER_NONE " there is no ledger");
	if (snprintf(inside, sizeof inside, "%s/" LEDGER_LOG, dir) >= (int)sizeof inside)
		return err_set(e, AMBIT_LIMIT, hint, "the path of the ledger is too long");
	if (realpath(dir, real) == NULL || realpath(inside, log) == NULL)
		return err_sys(e, AMBIT_NOT_FOUND, errno, hint, "there is no ledger in %s", dir);
	if (!text_copy(ret->dir, sizeof ret->dir, real) || !text_copy(ret->log, sizeof ret->log, log) ||
	    snprintf(ret->payload, sizeof ret->payload, "%s/" LEDGER_PAYLOAD, real) >= (int)sizeof ret->payload)
		return err_set(e, AMBIT_LIMIT, "name one that has a shorter path", "cannot tell the path of %s", dir);
	if (!is_directory(ret->payload))
		ret->payload[0] = 0;
	return 0;
}

bool place_is_event(const char *word)
{
	return strcmp(word, "last") == 0 || (strncmp(word, "e_", 2) == 0 && word[2] != 0 && strlen(word) <= ID_LEN &&
					     strspn(word + 2, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == strlen(word + 2));
}
