/* hook - a program of the person's own that is told when something waits for them.
 *
 * Owns:   where it lies: $XDG_CONFIG_HOME/ambit/hooks/NAME, or ~/.config/ambit/hooks/NAME.
 * Holds:  it is run only if it is the person's, and nobody else may write it; with what the caller has as environment, /dev/null as its streams, and nobody waits for it. One that
 *         is not there, or may not be run, stops nothing. No cell writes there: the name is protected (judge/protected.def).
 * Called: the command line, ambit-session: processes without threads, since it forks. */
#ifndef LIB_HOOK_H
#define LIB_HOOK_H

/* `asked APPROVAL EVENT`: a commit waits for an answer. */
void hook_asked(const char *approval, const char *event);

#endif
