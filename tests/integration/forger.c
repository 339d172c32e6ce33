/* forger - a program that answers for its loader: named as its own auditor, it is asked for its version before `ld.so --list`
 * tells of its libraries, and prints a line as if it were one of those. It says what it can see of /usr. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#else
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

__attribute__((section(".interp"))) const char interpreter[] = LOADER;

unsigned la_version(unsigned version);
__attribute__((used)) void begin(void);

unsigned la_version(unsigned version)
{
	static const char line[] = "\tforged => /usr (0x1)\n";

	(void)version;
	(void)!write(STDOUT_FILENO, line, sizeof line - 1);
	return 0; /* not an auditor after all: the loader lets it go */
}

void begin(void)
{
	(void)printf("%s\n", access("/usr/share", F_OK) == 0 ? "SEEN" : "hidden");
	(void)fflush(stdout);
	_exit(0);
}

/* the loader enters with a stack that is aligned as no function expects it */
#if defined(__x86_64__)
__asm__(".globl enter\nenter: and $-16, %rsp\n call begin\n");
#elif defined(__aarch64__)
__asm__(".globl enter\nenter: b begin\n");
#endif
