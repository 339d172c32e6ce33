#include "base/json.h"
#include "core/meter.h"

static void put_stopped(struct json *j, const struct meter *m)
{
	json_put_array(j);
	for (enum qualifier i = 0; i < QUALIFIER_COUNT; i++)
		if (meter_is_stopped_by(m, i))
			json_put_word(j, qualifier_word(i));
	for (enum meter_why i = 0; i < METER_WHY_COUNT; i++)
		if ((m->stopped & METER_BY(i)) != 0)
			json_put_word(j, meter_why_word(i));
	json_put_array_end(j);
}

void meter_put_json(struct json *j, const struct meter *m)
{
	json_put_object(j);
	json_put_count(json_put_key(j, "down_bytes"), m->down);
	json_put_key(j, "errno");
	if (m->sys_errno != 0)
		json_put_count(j, m->sys_errno);
	else
		json_put_null(j);
	json_put_count(json_put_key(j, "failed"), m->failed);
	json_put_count(json_put_key(j, "opened"), m->opened);
	json_put_count(json_put_key(j, "refused"), m->refused);
	put_stopped(json_put_key(j, "stopped_by"), m);
	json_put_count(json_put_key(j, "up_bytes"), m->up);
	json_put_object_end(j);
}
