#include "supervisor/judge_shown.h"

#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"

static void put_line(struct buf *out, const char *what, const char *text, const char *more)
{
	char room[4 * GRANT_OBJECT_MAX]; /* the library has no variables */

	buf_printf(out, "%s: %s%s\n", what, text_escape(room, sizeof room, text, strlen(text)), more);
}

/* All of what runs: what is in a list of events may be cut. */
static void put_arguments(struct buf *out, char *const *argv)
{
	const size_t before = out->len;
	uint8_t digest[SHA256_BYTES];
	struct sha256 sum;
	size_t n = 0;

	sha256_init(&sum);
	for (; argv[n] != NULL; n++) {
		const size_t length = strlen(argv[n]);

		sha256_add(&sum, argv[n], length + 1);
		if (out->len - before < JUDGE_ARGUMENTS_MAX && length < GRANT_OBJECT_MAX)
			put_line(out, "argument", argv[n], "");
	}
	sha256_end(&sum, digest);
	buf_printf(out, "arguments: %zu, sha256 ", n);
	buf_put_hex(out, digest, sizeof digest);
	buf_printf(out, "\n");
}

void judge_shown_put(struct buf *out, const char *what, const char *to, const struct event_request *q,
		     char *const *argv, uint32_t grant)
{
	char room[GRANT_OBJECT_MAX], object[GRANT_OBJECT_MAX];
	struct buf conditions;

	buf_init_in(&conditions, room, sizeof room);
	grant_put_conditions(&q->grants, grant, &conditions);
	put_line(out, "what", what, "");
	put_line(out, "to", to, "");
	if (q->agent[0] != 0)
		put_line(out, "agent", q->agent, "");
	put_line(out, "workspace", q->workspace, "");
	put_line(out, "command", q->command, "");
	put_arguments(out, argv);
	(void)snprintf(object, sizeof object, "%.*s", (int)grant_told(&q->grants, grant),
		       grant_object(&q->grants, grant)); /* of a variable its name */
	put_line(out, "asked for by a grant of", object, buf_cstr(&conditions) != NULL ? room : "");
}
