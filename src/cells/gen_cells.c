/* Writes the table of doc/CELLS.md from said.def; a test compares the two. */
#include <stdio.h>

static const char *const numbers[] = { "", " N", " N M" };

int main(void)
{
	(void)printf("| said | |\n|---|---|\n");
#define SAID(name, word, n, text, what)                                                                                \
	(void)printf("| `%s%s%s` | %s |\n", (word), numbers[n], (text) != 0 ? " TEXT" : "", (what));
#include "cells/said.def"
#undef SAID
	return 0;
}
