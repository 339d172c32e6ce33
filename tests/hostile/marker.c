/* A library, and a program, that end with 77 as soon as they are loaded: the proof that they were. */
#include <unistd.h>

__attribute__((constructor)) static void run_on_load(void)
{
	_exit(77);
}
