/* Writes doc/INTERNAL.md from the table of messages; a test compares the two. */
#include <stdio.h>

#define EXACTLY(n) "exactly " #n
#define UP_TO(n) "up to " #n
#define FDS(a, b) #a " to " #b
/* "NEW | RUNNING" of the table would end a cell of the document's. */
static void row(int number, const char *name, const char *from, const char *size, const char *fds, const char *states)
{
	(void)printf("| %d | %s | %s | %s | %s | ", number, name, from, size, fds);
	for (const char *s = states; *s != 0; s++)
		if (*s == '|')
			(void)printf("or");
		else
			(void)putchar(*s);
	(void)printf(" |\n");
}

int main(void)
{
	(void)printf(
		"# Messages between Ambit's own processes\n\n"
		"Made from `src/wire/messages.def` by `gen_internal`; a test compares them. Unix SOCK_SEQPACKET sockets, one message a\n"
		"packet: u16 number, u16 zero, then the body; numbers little-endian, fields one by one. The size is the body's. A\n"
		"message that is not listed, not from that side, not in that state, or of another size ends the connection.\n\n"
		"| number | name | from | body, bytes | descriptors | states |\n|---|---|---|---|---|---|\n");
#define MSG(name, number, from, size, fds, states) row(number, #name, #from, size, fds, #states);
#include "wire/messages.def"
#undef MSG
	return 0;
}
