/* Linked into the programs of sanitizer builds only: the leak checker starts a thread that traces its process, which no wall of
 * ours allows, and takes longer than the rest of a short program. Leaks are found by the unit tests, where it is on. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
