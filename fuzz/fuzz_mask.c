/* Texts to cover, and bytes in pieces: covered as slow code covers them at once, whatever the pieces are.
 * Input: how many texts, how long each is and how long the pieces are; then the texts, and the rest is what comes. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "http/mask.h"

static void cover_slowly(const struct mask_text *texts, size_t n_texts, const uint8_t *in, size_t n, uint8_t *out)
{
	for (size_t k = 0; k < n_texts; k++)
		for (size_t at = 0; at + texts[k].n <= n; at++)
			if (memcmp(in + at, texts[k].at, texts[k].n) == 0)
				memset(out + at, '*', texts[k].n);
}

/* As many, whatever they are. */
static size_t held_of(size_t longest, const uint8_t *in, size_t n)
{
	size_t held = 0;

	while (held < longest - 1 && held < n && !mask_is_break(in[n - 1 - held]))
		held++;
	return held;
}

static void cover_in_pieces(const struct mask_set *set, size_t longest, size_t piece, const uint8_t *in, size_t n,
			    const uint8_t *wanted)
{
	size_t given = 0, held;
	uint8_t *out = malloc(n + 1);
	struct mask m;

	promise(out != NULL);
	memset(&m, 0, sizeof m);
	promise(mask_begin(&m, set));
	for (size_t at = 0; at < n; at += piece) {
		const size_t now = piece < n - at ? piece : n - at, room = mask_room(&m, now);

		promise(given + room == at + now);
		given += mask_run(&m, in + at, now, out + given);
		held = held_of(longest, in, at + now);
		promise(mask_held(&m) == held && given + held == at + now);
	}
	given += mask_let_go(&m, out + given);
	mask_finish(&m);
	promise(given == n && (n == 0 || memcmp(out, wanted, n) == 0));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mask_text texts[MASK_TEXTS_MAX];
	size_t n_texts = 0, at = 2, longest = 0;
	bool good = true;
	struct mask_set *set;
	uint8_t *wanted, *whole;

	if (size < 2 || size > 4096)
		return 0;
	for (; n_texts < data[0] % MASK_TEXTS_MAX + 1u && at < size; n_texts++) {
		const size_t n = MASK_TEXT_LEAST + data[at++] % 28u;

		if (n > size - at)
			break;
		texts[n_texts] = (struct mask_text){ data + at, n };
		longest = n > longest ? n : longest;
		for (size_t i = 0; i < n; i++)
			good &= !mask_is_break(data[at + i]);
		at += n;
	}
	set = mask_set_create(texts, n_texts, NULL);
	promise((set != NULL) == (good && n_texts > 0));
	wanted = malloc(size);
	promise(wanted != NULL);
	memcpy(wanted, data, size);
	cover_slowly(texts, n_texts, data + at, size - at, wanted + at);
	whole = malloc(size);
	promise(whole != NULL);
	memcpy(whole, data, size);
	mask_whole(set, whole + at, size - at);
	promise(set == NULL || memcmp(whole, wanted, size) == 0);
	free(whole);
	if (set != NULL)
		cover_in_pieces(set, longest, data[1] + 1u, data + at, size - at, wanted + at);
	free(wanted);
	mask_set_free(set);
	return 0;
}
