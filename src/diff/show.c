#include "diff/show.h"

#include <stdlib.h>

#include "diff/patch.h"
#include "diff/stat.h"

struct show {
	struct diff_options options;
	struct diff_reader *reader; /* owned */
	struct diff_change change;
	struct stat_table stat;
	struct out out;
	uint64_t work;
};

static void show_destroy(struct show **s)
{
	if (*s == NULL)
		return;
	diff_reader_destroy((*s)->reader);
	diff_change_finish(&(*s)->change);
	stat_finish(&(*s)->stat);
	free(*s);
}

static void write_name(struct show *s, const char *tree)
{
	out_name(&s->out, "", tree, s->change.change.path);
	out_string(&s->out, "\n");
}

static int show_one(struct show *s)
{
	const char *tree = s->options.tree[s->change.change.tree]; /* the reader checked it */

	switch ((enum diff_form)s->options.form) {
	case DIFF_PATCH:
	case DIFF_BINARY: return patch_write(&s->out, tree, &s->change, &s->options, &s->work);
	case DIFF_STAT: return stat_add(&s->stat, tree, &s->change, &s->work);
	case DIFF_NAME_ONLY: write_name(s, tree); return 0;
	}
	return 0;
}

static int show_all(struct show *s, struct err *e)
{
	for (;;) {
		const int rc = diff_reader_next(s->reader, &s->change, e);

		if (rc <= 0)
			return rc;
		if (show_one(s) < 0)
			return err_set(e, AMBIT_MEMORY, NULL, "no memory for this difference");
		if (s->out.failed)
			return err_set(e, AMBIT_SYSTEM, NULL, "cannot write the difference");
	}
}

static int run(struct show *s, struct err *e)
{
	const int rc = show_all(s, e);

	stat_write(&s->stat, &s->out);
	if (!out_flush(&s->out) && rc == 0)
		return err_set(e, AMBIT_SYSTEM, NULL, "cannot write the difference");
	return rc;
}

int show_changes(struct diff_source source, struct sink sink, struct err *e)
{
	__attribute__((cleanup(show_destroy))) struct show *s = calloc(1, sizeof *s);
	int rc;

	if (s == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the difference");
	diff_change_init(&s->change);
	s->work = SHOW_WORK;
	rc = diff_reader_create(source, &s->options, &s->reader, e);
	if (rc < 0)
		return rc;
	stat_init(&s->stat, s->options.width);
	out_init(&s->out, sink, s->options.colour, s->options.output_max);
	return run(s, e);
}
