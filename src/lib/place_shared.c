/* Of the shared library: beside its own file, where the build has all of them; then where an installation has them as seen from there, so that it can be moved as a whole;
 * then where it was made for. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/place.h"

_Static_assert(PLACE_PATH_MAX >= PATH_MAX, "what realpath gives fits");

/* The file that this code was loaded from. One that was named from a directory in which the process was then (a relative LD_LIBRARY_PATH) is not looked for
 * in the one where it is now. */
static bool find_own_file(char path[PLACE_PATH_MAX], struct stat *ret)
{
	static const char mark;
	Dl_info info;

	return dladdr(&mark, &info) != 0 && info.dli_fname != NULL && info.dli_fname[0] == '/' &&
	       realpath(info.dli_fname, path) != NULL && stat(path, ret) == 0;
}

void places_find(struct places *ret)
{
	char own[PLACE_PATH_MAX];
	struct stat st;

	if (find_own_file(own, &st)) {
		*strrchr(own, '/') = 0;         /* absolute */
		(void)places_add(ret, own, ""); /* too long: it is nowhere there */
		(void)places_add(ret, own, "/" AMBIT_LIBEXEC_FROM_LIB);
		ret->n_beside = ret->n;
		ret->owner = st.st_uid;
		ret->mode = st.st_mode;
	}
	(void)places_add(ret, AMBIT_LIBEXECDIR, ""); /* fits */
}
