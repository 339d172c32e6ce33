/* profile - the verbs of `ambit profile`.
 *
 * Called: cli/profile.c. argv: behind the verb. Each gives the exit status. */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

extern const char profile_help[];
int profile_eval(char **argv);
/* score, train */
int profile_past(const char *name, char **argv);
/* Of those that the keeper has: show, diff, export, import, promote, reset, release, refuse. */
int profile_kept(const char *name, char **argv);

#endif
