/* What is sent as GraphQL, by its first byte in one of the forms: allowed, or refused with a reason, and the same each time. */
#include <string.h>

#include "fuzz.h"
#include "http/graphql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct terms terms = { .n_operations = 2,
					    .operations = { { TERMS_QUERY, "*" }, { TERMS_MUTATION, "a" } } };
	static const struct terms none;
	struct graphql_verdict v, by_none;
	enum graphql_form form;

	if (size == 0)
		return 0;
	form = data[0] == 'j' ? GRAPHQL_JSON : data[0] == 'p' ? GRAPHQL_PARAMETERS : GRAPHQL_DOCUMENT;
	graphql_judge(&terms, form, (const char *)data + 1, size - 1, &v);
	graphql_judge(&none, form, (const char *)data + 1, size - 1, &by_none);
	promise(v.allowed == (v.why[0] == 0) && memchr(v.why, 0, sizeof(v.why)) != NULL);
	promise(!by_none.allowed && by_none.why[0] != 0);
	promise(!v.allowed || (v.n_operations > 0 && by_none.field[0] != 0));
	promise(!v.has_mutation || !v.allowed || form != GRAPHQL_PARAMETERS);
	promise(v.field[0] == 0 || (v.type != TERMS_QUERY && !v.allowed));
	return 0;
}
