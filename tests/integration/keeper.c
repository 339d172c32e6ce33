/* A program of the person's that holds a connection to the keeper of their authority, by the library: it starts it, says how that went, and lets go
 * when its standard input ends.
 *
 *   keeper [RUNS]    RUNS: how many connections one after the other; else one */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/authority.h"

int main(int argc, char **argv)
{
	char place[4096] = "";
	struct keeper *k;
	struct err e;
	char byte;

	printf("%s", keeper_find(place, sizeof place, &e) == 0 ? "there" : "new");
	printf("%s\n", keeper_is_labelled(place) ? ", labelled" : "");
	for (int left = argc > 1 ? atoi(argv[1]) : 1; left > 0; left--) {
		if (keeper_open(NULL, NULL, &k, &e) < 0) {
			printf("failed: %s: %s (%s)\n", e.msg, e.why, e.hint);
			return 1;
		}
		printf("open %llu\n", (unsigned long long)keeper_cut(k));
		(void)fflush(stdout);
		if (left == 1)
			(void)!read(0, &byte, 1);
		keeper_close(k);
	}
	return 0;
}
