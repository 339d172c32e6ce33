#include "lib/payload.h"

int payload_tell(struct talk *t, const struct payload *p, size_t among, struct err *e)
{
	char digest[PAYLOAD_NAME_MAX];
	struct json *j = talk_body(t);

	payload_name(p->digest, digest);
	if (among > 0)
		json_put_count(json_put_key(j, "among"), among);
	json_put_word(json_put_key(j, "digest"), digest);
	json_put_word(json_put_key(j, "media_type"), among > 0 ? "application/jsonl" : "application/json");
	json_put_word(json_put_key(j, "of"), "record");
	json_put_count(json_put_key(j, "size"), p->size);
	json_put_count(json_put_key(j, "version"), p->version);
	return talk_put(t, ENTRY_RESULT, "", e);
}
