/* stage_json - stages and what became of them, as JSON on standard output.
 *
 * Called: cli/stage.c. */
#ifndef CLI_STAGE_JSON_H
#define CLI_STAGE_JSON_H

#include "lib/stage_answer.h"

/* {"stages": [...]} for a list, else {"event", "workspace", "why", "changes": [...], ...}. 0, or EXIT_REFUSED: it could not be
 * written, which was told. */
int stage_json_write(const struct stage_answer *a, enum stage_op op);

#endif
