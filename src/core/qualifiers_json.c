#include "base/json.h"
#include "core/qualifiers.h"

void qualifiers_put_json(struct json *j, const struct qualifiers *q)
{
	char rate[32];

	qualifier_format(q, QUALIFIER_RATE, rate, sizeof rate);
	json_put_object(j);
	if (q->bytes != 0)
		json_put_count(json_put_key(j, "bytes"), q->bytes);
	if (q->ech != 0)
		json_put_bool(json_put_key(j, "ech"), true);
	if (q->rate != 0)
		json_put_word(json_put_key(j, "rate"), rate);
	if (q->uses != 0)
		json_put_count(json_put_key(j, "uses"), q->uses);
	json_put_object_end(j);
}
