#include "lib/public.h"

#include <string.h>

int ambit_abi(void)
{
	return AMBIT_ABI;
}

const char *ambit_version(void)
{
	return AMBIT_VERSION;
}

int public_error(struct ambit_error *ret, int code, const struct err *e)
{
	struct ambit_error whole;
	size_t size;

	if (ret == NULL || code == 0)
		return code;
	memset(&whole, 0, sizeof whole);
	size = ret->size < sizeof whole ? ret->size : sizeof whole;
	whole.size = size;
	whole.code = (int)e->code;
	whole.sys_errno = e->sys_errno;
	memcpy(whole.message, e->msg, sizeof whole.message);
	memcpy(whole.why, e->why, sizeof whole.why);
	memcpy(whole.hint, e->hint, sizeof whole.hint);
	memcpy(ret, &whole, size);
	return code;
}
