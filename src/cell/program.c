#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cell/spec.h"

static uint32_t count(char *const v[])
{
	uint32_t n = 0;

	while (v[n] != NULL)
		n++;
	return n;
}

void program_encode(struct buf *out, const char *path, char *const argv[], char *const envp[])
{
	const uint32_t argc = count(argv), envc = count(envp);

	buf_put_u32(out, argc);
	buf_put_u32(out, envc);
	buf_put_str(out, path);
	for (uint32_t i = 0; i < argc; i++)
		buf_put_str(out, argv[i]);
	for (uint32_t i = 0; i < envc; i++)
		buf_put_str(out, envp[i]);
}

/* One text out of the message into the block; gives it, or NULL. */
static char *take(struct rbuf *in, char **block_at, size_t *block_left)
{
	char *here = *block_at;
	size_t used;

	rbuf_str(in, here, *block_left);
	if (in->failed)
		return NULL;
	used = strlen(here) + 1;
	*block_at += used;
	*block_left -= used;
	return here;
}

/* How much room it takes; 0: more than there may be. */
static size_t room_of(struct rbuf *in, uint32_t *ret_argc, uint32_t *ret_envc)
{
	const uint32_t argc = *ret_argc = rbuf_u32(in), envc = *ret_envc = rbuf_u32(in);
	const size_t texts = rbuf_left(in) + 1;

	if (in->failed || argc == 0 || argc > CELL_ARGS_MAX || envc > CELL_ARGS_MAX || texts > CELL_PROGRAM_MAX)
		return 0;
	return ((size_t)argc + envc + 2) * sizeof(char *) + texts +
	       CELL_ARGS_MAX; /* each text loses a length of 4 and gains a NUL */
}

static int too_long(struct err *e)
{
	return err_set(e, AMBIT_LIMIT, "pass long input in a file or on standard input",
		       "more than %d arguments or more than %u bytes of them", CELL_ARGS_MAX, CELL_PROGRAM_MAX);
}

static int fill(struct rbuf *in, char **block, uint32_t argc, uint32_t envc, struct cell_program *ret, struct err *e)
{
	size_t left = rbuf_left(in) + 1;
	char *at;

	ret->argv = block;
	ret->envp = block + argc + 1;
	at = (char *)(block + argc + envc + 2);
	ret->path = take(in, &at, &left);
	for (uint32_t i = 0; i < argc && !in->failed; i++)
		ret->argv[i] = take(in, &at, &left);
	for (uint32_t i = 0; i < envc && !in->failed; i++)
		ret->envp[i] = take(in, &at, &left);
	return rbuf_done(in) ? 0 : err_set(e, AMBIT_MALFORMED, NULL, "arguments are not well-formed");
}

int program_decode(struct rbuf *in, struct cell_program *ret, struct err *e)
{
	uint32_t argc, envc;
	const size_t n = room_of(in, &argc, &envc);
	auto_free char **block = NULL;
	int r;

	if (n == 0)
		return too_long(e);
	block = calloc(1, n);
	if (block == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the arguments");
	r = fill(in, block, argc, envc, ret, e);
	ret->block = r == 0 ? steal_ptr(&block) : NULL;
	return r;
}

int program_decode_in(struct rbuf *in, void *room, struct cell_program *ret, struct err *e)
{
	uint32_t argc, envc;

	ret->block = NULL;
	return room_of(in, &argc, &envc) == 0 ? too_long(e) : fill(in, room, argc, envc, ret, e);
}

void program_finish(struct cell_program *p)
{
	free(p->block);
	*p = (struct cell_program){ .block = NULL };
}
