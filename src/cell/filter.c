#include "cell/filter.h"

#include "cell/filter_table.h"

const struct sock_filter *filter_program(enum filter_shape shape, size_t *ret_len)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	const struct filter_table *t = &filter_table_x86_64[shape];
#elif defined(__aarch64__)
	const struct filter_table *t = &filter_table_aarch64[shape];
#else
#error "no filter for this architecture: add it to gen_filter.c"
#endif

	*ret_len = t->len;
	return t->program;
}
