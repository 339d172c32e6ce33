/* Without arguments the names of the samples, with one the record of that sample. */
#include <stdio.h>

#include "lib/record.h"
#include "sample_results.h"

static int list(void)
{
	for (size_t i = 0; i < sample_count(); i++)
		(void)puts(sample_name(i));
	return 0;
}

int main(int argc, char **argv)
{
	struct event_result r;
	struct err e = { .code = AMBIT_OK };
	auto_buf out = { .max = 0 };
	size_t i;

	buf_init(&out, RECORD_MAX);
	if (argc != 2)
		return list();
	i = sample_find(argv[1]);
	if (i == SIZE_MAX)
		return 2;
	sample_make(i, &r);
	if (record_write(&r, &out, &e) < 0)
		(void)fprintf(stderr, "%s: %s\n", argv[1], e.msg);
	sample_finish(&r);
	return out.len == 0 || fwrite(out.data, 1, out.len, stdout) != out.len;
}
