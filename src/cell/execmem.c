/* Nothing that was written is executed. Memory: by MDWE (Linux 6.3) or, before, by a filter. Anonymous files: the filter
 * lets memfd_create make only files that can never be executed (MFD_NOEXEC_SEAL), and without `jit` none at all, because a
 * file that was written through a descriptor may still be mapped executable, which MDWE does not see. (The setting
 * vm.memfd_noexec would do too, but an ordinary user cannot write it, not even in namespaces of its own: measured on
 * Linux 6.18.) Files on disk: noexec mounts. */
#include "cell/build.h"

#include <errno.h>
#include <sys/prctl.h>

#include "cell/kernel.h"

void execmem_probe(const struct cell_spec *spec, struct cell_made *made)
{
	made->achieved |= MECHANISM_BIT(MECHANISM_NOEXEC) | MECHANISM_BIT(MECHANISM_NO_MEMFD);
	if ((spec->flags & CELL_JIT) != 0) {
		made->achieved |= MECHANISM_BIT(MECHANISM_GRANTED);
		return;
	}
	if (prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0)
		made->achieved |= MECHANISM_BIT(MECHANISM_MDWE);
	else
		made->achieved |= MECHANISM_BIT(MECHANISM_WX_FILTER);
}

int execmem_enforce(const struct cell_made *made, struct cell_failure *f)
{
	if ((made->achieved & MECHANISM_BIT(MECHANISM_MDWE)) != 0 &&
	    prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0)
		return build_failed(f, STEP_MDWE, errno);
	return 0;
}
