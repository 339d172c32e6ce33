#include "stage/promise.h"

#include "cell/confine.h"

int promise_trees_only(const struct shelf *shelf, const struct stage *stage, const struct trees *trees, struct err *e)
{
	int fds[1 + 2 * STAGE_TREES_MAX];
	size_t n = 0;

	fds[n++] = shelf->store_fd;
	for (uint32_t i = 0; i < trees->n; i++) {
		fds[n++] = trees->real[i];
		fds[n++] = stage->part_fd[i];
	}
	return confine_files("stage", fds, n, e);
}
