#include "profile/spoken.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profile/symbol.h"

struct word {
	const char *symbol, *said;
};

static const struct word kinds[] = {
	{ "read", "read of" },
	{ "write", "write of" },
	{ "exec", "run of" },
	{ "delete", "removal of" },
	{ "rename", "renaming to" },
	{ "mkdir", "making of" },
	{ "link", "link at" },
	{ "mode", "change of the mode of" },
	{ "connect", "connection to" },
	{ "unix", "connection to the socket" },
	{ NULL, NULL },
};

/* Where a path is. */
static const struct word trees[] = {
	{ "work", "the workspace" },
	{ "given", "what is granted" },
	{ "home", "the home" },
	{ "tmp", "/tmp" },
	{ "shm", "/dev/shm" },
	{ "other", "a place that is none of these" },
	{ NULL, NULL },
};

/* Whom a connection reaches. */
static const struct word networks[] = {
	{ "granted", "what is granted" },   { "net", "the internet" },
	{ "private", "a private network" }, { "metadata", "a metadata service" },
	{ "all", "many at once" },          { "name", "a name" },
	{ "local", "the cell itself" },     { NULL, NULL },
};

/* Of the first n bytes; NULL: they are none of its. */
static const char *said_of(const struct word *words, const char *symbol, size_t n)
{
	for (; words->symbol != NULL; words++)
		if (strlen(words->symbol) == n && memcmp(words->symbol, symbol, n) == 0)
			return words->said;
	return NULL;
}

static void say_connection(const char *object, char *ret, size_t size)
{
	const size_t n = strcspn(object, ".");
	const char *whom = said_of(networks, object, n);

	if (whom == NULL)
		(void)snprintf(ret, size, "%s", object);
	else if (object[n] == 0)
		(void)snprintf(ret, size, "%s", whom);
	else
		(void)snprintf(ret, size, "%s (%s)", whom, object + n + 1);
}

/* What a name says wherever it is. */
static const struct word natures[] = {
	{ ".secret", ", likely a secret" },
	{ ".obeyed", ", which others obey" },
	{ NULL, NULL },
};

/* Takes it out of the object; "": it has none. A name that begins so (work/.secret) is none. */
static const char *take_nature(char *object)
{
	for (const struct word *w = natures; w->symbol != NULL; w++) {
		const size_t n = strlen(w->symbol);

		for (char *at = strstr(object, w->symbol); at != NULL; at = strstr(at + 1, w->symbol)) {
			if (at == object || at[-1] == '/' || (at[n] != 0 && strchr("./", at[n]) == NULL))
				continue;
			memmove(at, at + n, strlen(at + n) + 1);
			return w->said;
		}
	}
	return "";
}

/* work, work.py, work/.git/hooks; what names itself (/etc/passwd, ~/.ssh, a program) stays. */
static void say_object(const char *object, char *ret, size_t size)
{
	const size_t n = strcspn(object, "./");
	const char *where = said_of(trees, object, n);

	if (where == NULL)
		(void)snprintf(ret, size, "%s", object);
	else if (object[n] == 0)
		(void)snprintf(ret, size, "%s", where);
	else if (object[n] == '.')
		(void)snprintf(ret, size, "a file (%s) in %s", object + n + 1, where);
	else if (strcmp(object + n, "/.") == 0)
		(void)snprintf(ret, size, "a hidden name in %s", where);
	else
		(void)snprintf(ret, size, "%s in %s", object + n + 1, where);
}

void symbol_speak(const char *symbol, char *ret, size_t size)
{
	const size_t n = strcspn(symbol, ":"), all = strlen(symbol);
	const char *kind = said_of(kinds, symbol, n), *mark = "", *nature = "";
	char object[SYMBOL_MAX], said[SPOKEN_MAX];

	if (symbol[n] == 0 || kind == NULL || all >= SYMBOL_MAX) {
		(void)snprintf(ret, size, "%s", symbol);
		return;
	}
	(void)text_copy(object, sizeof object, symbol + n + 1);
	if (object[0] != 0 && strchr("!?", symbol[all - 1]) != NULL) {
		mark = symbol[all - 1] == '!' ? ", denied" : ", which was not there";
		object[strlen(object) - 1] = 0;
	}
	if (strncmp(symbol, "connect:", n + 1) == 0)
		say_connection(object, said, sizeof said);
	else if (strcmp(symbol, "exec:new") == 0)
		(void)text_copy(said, sizeof said, "a program that the cell may have written");
	else {
		nature = take_nature(object);
		say_object(object, said, sizeof said);
	}
	(void)snprintf(ret, size, "%s %s%s%s", kind, said, nature, mark);
}
