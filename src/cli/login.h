/* login - `ambit secret login`: a secret that a server of OAuth gives to the person.
 *
 * Owns:   the order of the requests; what of the answers is believed: whose metadata count, where a person is sent, and to whom a code is given.
 * Holds:  the command line has no token. Of what servers say it takes addresses and words of bounded length, which are compared, shown without control characters, and asked next in a cell of their own each.
 * Called: secret.c. */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

/* The words behind `secret login`; gives the exit status. */
int secret_login(char **argv, const char *help_text);

#endif
