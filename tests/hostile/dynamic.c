/* A program of the ordinary, dynamic kind: what is handed to the loader, and what libraries are put into. */
int main(int argc, char **argv)
{
	(void)argv;
	return argc > 1 ? 0 : 77;
}
