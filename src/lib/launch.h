/* launch - from a policy and options to an event.
 *
 * Owns:   what words mean on this host: the workspace, the home directory, the program's path, the environment.
 * Holds:  decided once, with the caller's authority, before anything foreign runs.
 * Called: the command line (run, learn); lib (ambit_event_start) shares what is behind it. */
#ifndef LIB_LAUNCH_H
#define LIB_LAUNCH_H

#include "ambit/ambit.h"

/* As ambit_event_start, for the command line: where a cgroup is delegated to it alone, it may be moved to a leaf of that
 * (supervisor/cgroup.h), which a host of the library never is. With hide not NULL the cell also sees, read-only, everything of the host that the caller can see but
 * /proc, /dev, /sys, /run, /tmp and the paths of `hide` (ends with NULL; absolute and normal). *ret_wait_ms: not 0 where it failed since its stream is throttled (throttle.h): it may try again then. */
int launch_event(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		 struct ambit_event **ret, uint64_t *ret_wait_ms, struct ambit_error *e);

/* The same for a server that others speak with: its standard input and output are pipes of the caller's that nobody else has, so it gets their ends as they are. */
int launch_server(const struct ambit_policy *p, const struct ambit_event_options *o, char *const *hide,
		  struct ambit_event **ret, struct ambit_error *e);

/* The same for a program that somebody speaks with by all three. known: what was found of programs before (libraries.h); NULL. */
struct libraries;
int launch_lent(const struct ambit_policy *p, const struct ambit_event_options *o, struct libraries *known,
		struct ambit_event **ret, struct ambit_error *e);

/* Whether events with these options can have what the policy grants, as it is now: of o what is a session's counts. A negative code, with the words in which starting one would refuse it. */
struct err;
int launch_check(const struct ambit_policy *p, const struct ambit_event_options *o, struct err *e);

/* As ambit_event_start, for an event of a session that somebody keeps. Takes ready: one of the same name that waits (launch_waiting), whose cell is used if it is what this event's
 * would be; NULL: there is none. Borrows template: of which its interpreter may be a copy; NULL. */
struct event_names;
struct template;
#define LAUNCH_KERNEL 3 /* beside enum ambit_code_event, as the options' code: argv is a language and a name */
int launch_in_session(const struct ambit_policy *p, const struct ambit_event_options *o,
		      const struct event_names *names, struct ambit_event *ready, struct template *template,
		      struct ambit_event **ret, struct ambit_error *e);
/* The same of a sub-agent that an event of the session, caller, handed over (delegate.h): its grants are what it was given, and of the policy count the limits. */
struct handed;
int launch_handed(const struct ambit_policy *p, const struct ambit_event_options *o, const struct event_names *names,
		  struct ambit_event *caller, const struct handed *handed, struct ambit_event **ret,
		  struct ambit_error *e);
/* Makes the cell of one that is to come: of o only what a cell is made from counts, and any program of the base. */
int launch_waiting(const struct ambit_policy *p, const struct ambit_event_options *o, const struct event_names *names,
		   struct template *template, struct ambit_event **ret, struct ambit_error *e);
/* Starts what is copied for events of code with these options, from when it is ready on (template.h). -UNAVAILABLE: there can be none for them. */
int launch_template(const struct ambit_policy *p, const struct ambit_event_options *o, struct template *t,
		    struct ambit_error *e);

#endif
