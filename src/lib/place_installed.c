/* Of the static library: it cannot tell itself from its host, so that nothing but what is installed will do. */
#include "lib/place.h"

void places_find(struct places *ret)
{
	(void)places_add(ret, AMBIT_LIBEXECDIR, ""); /* fits */
}
