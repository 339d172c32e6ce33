/* command - how long a whole command takes.
 *
 * Called: by the programs of bench/. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

double now_ms(void);
/* From its start until it is reaped, its standard output thrown away; -1: it failed. */
double command_ms(char *const argv[]);

#endif
