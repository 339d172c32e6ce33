/* secret_check - what the issuer of a secret says that it may do, beside the grants that use it.
 *
 * Owns:   the cell in which the one request is made (src/ask), and what is told of the answer.
 * Holds:  the value is never here: the request is granted as any is, and ambit-http attaches the secret. What the role wrote is foreign.
 * Called: cli_secret. */
#ifndef CLI_SECRET_CHECK_H
#define CLI_SECRET_CHECK_H

/* argv: what follows `check`, ended by NULL. Gives the exit status: 0; 1: there are warnings; 125: it could not be asked. */
int secret_check(char **argv, const char *help);

#endif
