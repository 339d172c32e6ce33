/* servers - where a configuration has servers, and what one of them is.
 *
 * Called: change, undo. */
#ifndef SETUP_SERVERS_H
#define SETUP_SERVERS_H

#include "setup/ask.h"
#include "setup/edit.h"

/* Something of it is told; cut, and made harmless. */
void note_add(struct setup_told *t, enum setup_note_id id, size_t line, const char *name, size_t n);
void note_node(struct setup_told *t, const struct tree *tree, enum setup_note_id id, const struct node *n);

/* Each object with servers: that of the file, and (Claude Code) that of each project in it. 0: until each was seen, else what fn gave. */
typedef int servers_fn(void *of, const struct node *servers, const struct node *project);
int servers_each(const struct tree *t, enum setup_client c, servers_fn *fn, void *of);

bool server_is_ours(const struct node *server);    /* `ambit ...` */
bool server_is_guarded(const struct node *server); /* `ambit guard ...` */
/* Of one that is guarded, the element behind "--"; NULL: there is none. */
const struct node *server_inner(const struct node *server);

/* The member of `hooks` that has those before a tool runs. */
const char *hook_list(enum setup_client c);
/* Whether that is a hook of ours. */
bool hook_is_ours(const struct node *hook);
/* One of ours among those before a tool runs: the element of that list; NULL: there is none. */
const struct node *hook_of_ours(const struct tree *t, enum setup_client c);

#endif
