#include "audit/verdict.h"

#include <string.h>

#include "audit/body.h"

enum verdict verdict_of(const struct entry *entry)
{
	char word[64];

	if (entry->type != ENTRY_EFFECT && entry->type != ENTRY_DECISION)
		return VERDICT_NONE;
	if (!body_find_word(entry->body, "verdict", word, sizeof word))
		return VERDICT_STRANGE;
	if (strncmp(word, "denied", strlen("denied")) == 0)
		return VERDICT_DENIED;
	return strcmp(word, "allowed") == 0 || strcmp(word, "absent") == 0 ? VERDICT_ALLOWED
	       : strcmp(word, "held") == 0                                 ? VERDICT_HELD
	       : strcmp(word, "refused") == 0                              ? VERDICT_REFUSED
									   : VERDICT_STRANGE;
}
