/* schema_say - what arguments are as a schema says, for who asks others too. A line is JSON: the value of `where`, a tab, and arguments with tabs between. Answers with a line: M and the byte where it is wrong; or for each y or n. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

static char of_arguments(const struct where *w, const char *text)
{
	struct buf flat = { .max = 1u << 20 };
	json_t *v = json_loads(text, 0, NULL);
	struct where_arguments args;
	struct err e;
	char is = '?';

	if (v != NULL && flat_put(&flat, NULL, v, NULL, &e) == 0) {
		args = (struct where_arguments){ .bytes = flat.data, .n = flat.len };
		is = !where_are_arguments(&args) ? '?' : where_allows(w, &args) ? 'y' : 'n';
	}
	buf_finish(&flat);
	json_decref(v);
	return is;
}

/* It is the same in its one form, and lies within itself. */
static bool is_one(const struct where *w)
{
	char text[TERMS_TEXT_MAX];
	struct where again;

	where_format(w, text);
	return where_take(text, &again, NULL) == 0 && where_is_within(w, &again) && where_is_within(&again, w);
}

int main(void)
{
	static char line[1u << 20];

	while (fgets(line, sizeof line, stdin) != NULL) {
		struct where w = { .n_conditions = 0 };
		char *rest = line;
		const char *word;
		size_t at = 0;

		line[strcspn(line, "\n")] = 0;
		word = strsep(&rest, "\t");
		if (where_set_at(&w, word, &at, NULL) < 0) {
			(void)printf("M%zu\n", at);
			continue;
		}
		if (!is_one(&w))
			(void)putchar('!');
		while ((word = strsep(&rest, "\t")) != NULL)
			(void)putchar(of_arguments(&w, word));
		(void)putchar('\n');
	}
	return 0;
}
