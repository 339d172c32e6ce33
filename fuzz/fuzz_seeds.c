/* What anybody may have put where seeds lie, as the keeper is handed it: each is listed, had, and held against an event; nothing of it moves a terminal. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/text.h"
#include "fuzz.h"
#include "profile/seed.h"
#include "usual/seeds.h"

static void look(struct seeds *s)
{
	static const char *const programs[] = { "sh", "git", "cargo" };
	char symbols[2][SYMBOL_MAX] = { "exec:bash", "connect:net.web" };
	const struct trace_step steps[] = { { .symbol = 0 }, { .symbol = 1 } };

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		struct deeds d = { .tool = "run" };
		struct usual_found found = { .f = { .young = true } };

		(void)text_copy(d.program, sizeof d.program, programs[i]);
		d.trace.threads = 1;
		promise(trace_make(&d.trace, (const char(*)[SYMBOL_MAX])symbols, 2, steps, 2) == 0);
		promise(seeds_look(s, &d, &found, NULL) == 0 && found.f.young && !found.held);
		promise(found.level == USUAL_LEVEL_SEED || !found.asks);
		deeds_finish(&d);
	}
}

static void say(struct seeds *s)
{
	char last[NAME_MAX + 1] = "", next[NAME_MAX + 1];
	struct usual_row rows[8];
	size_t n, all = 0;

	do {
		promise(seeds_page(s, last, rows, 8, &n, next) == 0);
		memcpy(last, next, sizeof last);
		for (size_t i = 0; i < n; i++) {
			auto_buf text = { .max = SEED_BYTES_MAX };

			promise(memchr(rows[i].key, 033, strlen(rows[i].key)) == NULL &&
				memchr(rows[i].id, 033, strlen(rows[i].id)) == NULL);
			promise(rows[i].key[0] == '?' ||
				(seeds_is_key(rows[i].key) && seeds_get(s, rows[i].key, &text, NULL) == 0 &&
				 text.len == rows[i].bytes));
		}
		all += n;
	} while (n > 0 && all < 1000);
	promise(n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fd int fd = memfd_create("seeds", MFD_CLOEXEC);
	struct seeds *s = NULL;

	promise(fd >= 0 && fd_write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	promise(seeds_new(fd, &s, NULL) == 0);
	look(s);
	say(s);
	seeds_free(s);
	return 0;
}
