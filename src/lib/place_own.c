/* Of our own executables: `ambit`, and those roles that start others. */
#include <string.h>
#include <unistd.h>

#include "lib/place.h"

void places_find(struct places *ret)
{
	char self[PLACE_PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash != NULL) {
		*slash = 0;
		(void)places_add(ret, self, ""); /* too long: it is nowhere there */
		(void)places_add(ret, self, "/../libexec/ambit");
	}
	(void)places_add(ret, AMBIT_LIBEXECDIR, "");
}
