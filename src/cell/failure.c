#include "cell/build.h"

int build_failed(struct cell_failure *f, enum cell_step step, int sys_errno)
{
	*f = (struct cell_failure){ .step = step, .sys_errno = sys_errno, .index = UINT32_MAX };
	return -1;
}
