#include "supervisor/told.h"

#include <errno.h>
#include <stdio.h>

static const struct step_row {
	uint32_t number;
	const char *what, *hint;
	enum ambit_code code;
} rows[] = {
#define STEP(name, no, text, err_code, advice) \
	{ .number = (no), .what = (text), .code = AMBIT_##err_code, .hint = (advice) },
#include "cell/steps.def"
#undef STEP
};

#define STEP_EXEC_NUMBER 24

static int exec_failure(int sys_errno, struct err *e)
{
	if (sys_errno == ENOENT)
		return err_set(e, AMBIT_NOT_FOUND, "it, or the interpreter in its first line, is not visible in the cell: grant it, or check the name",
			       "the program is not there");
	if (sys_errno == EACCES)
		return err_set(e, AMBIT_NOT_RUNNABLE, "check that it is executable; `run: PATH` lets a cell execute it",
			       "the program cannot be executed: permission denied");
	return err_sys(e, AMBIT_NOT_RUNNABLE, sys_errno, NULL, "the program cannot be executed");
}

int told_failure(const struct cell_spec *spec, uint32_t step, int sys_errno, uint32_t index, struct err *e)
{
	const struct step_row *row = NULL;
	const char *path = index < spec->n_paths ? spec_text(spec, spec->paths[index].path) : "";

	if (step == STEP_EXEC_NUMBER)
		return exec_failure(sys_errno, e);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].number == step)
			row = &rows[i];
	if (row == NULL || sys_errno < 0 || sys_errno > 4095)
		return err_set(e, AMBIT_PROTOCOL, NULL, "the warden reported a failure that does not exist");
	return err_sys(e, row->code, sys_errno, row->hint, "cannot %s%s%s", row->what, path[0] != 0 ? " " : "", path);
}
