#include "profile/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/num.h"
#include "profile/call_form.h"
#include "profile/call_page.h"
#include "profile/form.h"
#include "profile/page.h"
#include "profile/show.h"

static const uint8_t any[PROFILE_KEY]; /* nothing of it is kept: nobody gains by making tables slow here */

/* All of descriptor 0; a second profile follows the "end" of the first. */
static int read_all(struct buf *in, struct err *e)
{
	static uint8_t step[1u << 16];
	ssize_t n;

	do {
		n = fd_read_all(STDIN_FILENO, step, sizeof step);
		if (n > 0)
			buf_put(in, step, (size_t)n);
	} while (n == (ssize_t)sizeof step && !in->failed);
	if (n < 0 || in->failed)
		return err_set(e, AMBIT_LIMIT, NULL, "a profile of more than %u bytes", FORM_MAX);
	return 0;
}

/* What is usual of calls. */
static int show_calls(const char *how, const struct buf *in, struct buf *text, struct err *e)
{
	auto_free struct call_profile *p = malloc(sizeof *p);
	int r;

	if (strcmp(how, "diff") == 0)
		return err_set(e, AMBIT_USAGE, NULL,
			       "what is usual of calls has no shadow: what is learned scores at once");
	if (p == NULL)
		return err_set(e, AMBIT_MEMORY, NULL, "no memory for the profile");
	r = call_form_read((const char *)in->data, in->len, p, e);
	if (r < 0)
		return r;
	(strcmp(how, "json") == 0   ? call_form_json
	 : strcmp(how, "page") == 0 ? page_of_calls
				    : call_form_show)(p, text);
	call_profile_finish(p);
	return text->failed ? err_set(e, AMBIT_MEMORY, NULL, "there is too much to say") : 0;
}

/* "show", and "show:COLUMNS:FLAGS": letters of ascii and colour. */
static bool take_face(const char *how, struct draw_face *ret)
{
	const char *flags = strrchr(how, ':');
	char columns[12];

	*ret = (struct draw_face){ .columns = 0 };
	if (strcmp(how, "show") == 0)
		return true;
	if (strncmp(how, "show:", 5) != 0 || flags == how + 4 || flags - how - 5 >= (ptrdiff_t)sizeof columns)
		return false;
	(void)snprintf(columns, sizeof columns, "%.*s", (int)(flags - how - 5), how + 5);
	ret->ascii = flags[1] == 'a';
	ret->colour = flags[1 + ret->ascii] == 'c';
	return flags[1 + ret->ascii + ret->colour] == 0 && parse_u32(columns, 0, UINT16_MAX, &ret->columns);
}

static void show_one(const char *how, const struct profile *p, struct buf *text)
{
	struct draw_face face;

	if (strcmp(how, "json") == 0)
		show_json(p, text);
	else if (strcmp(how, "page") == 0)
		page_of_profile(p, text);
	else if (take_face(how, &face))
		show_text(p, &face, text);
}

int shown_read(const char *how, struct buf *text, struct err *e)
{
	static const char end[] = "\nend\n";
	auto_buf in = { .max = 2 * FORM_MAX };
	struct profile one, other;
	const char *second;
	size_t n;
	int r = read_all(&in, e);

	if (r == 0 && in.len > 0 && call_form_is((const char *)in.data, in.len))
		return show_calls(how, &in, text, e);
	second = r == 0 && in.len > 0 ? memmem(in.data, in.len, end, sizeof end - 1) : NULL;
	n = second != NULL ? (size_t)(second + sizeof end - 1 - (const char *)in.data) : in.len;
	if (r == 0 && strcmp(how, "diff") != 0)
		n = in.len;
	r = r < 0 ? r : form_read((const char *)in.data, n, any, &one, e);
	if (r < 0)
		return r;
	if (strcmp(how, "diff") == 0) {
		r = form_read((const char *)in.data + n, in.len - n, any, &other, e);
		if (r == 0) {
			memcpy(other.rings, one.rings, sizeof other.rings); /* as if it took its place */
			memcpy(other.promises, one.promises, sizeof other.promises);
			show_difference(&one, &other, text);
			r = show_tripwires(&one, &other, text, e);
			profile_finish(&other);
		}
	} else {
		show_one(how, &one, text);
	}
	profile_finish(&one);
	return r == 0 && text->failed ? err_set(e, AMBIT_MEMORY, NULL, "there is too much to say") : r;
}

bool shown_is_way(const char *word)
{
	struct draw_face face;

	return take_face(word, &face) || strcmp(word, "json") == 0 || strcmp(word, "page") == 0 ||
	       strcmp(word, "diff") == 0;
}
