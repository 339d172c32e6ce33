/* What a program says to `ambit cells`, messages that each end with NUL. What is taken is made again of its parts, and is the same. */
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "cells/said.h"
#include "fuzz.h"

static const struct {
	const char *word;
	unsigned numbers;
	bool text;
} words[] = {
#define SAID(name, w, n, t, what) { (w), (n), (t) != 0 },
#include "cells/said.def"
#undef SAID
};

static void check(const char *message)
{
	struct said s;
	struct err e;
	size_t n;

	if (said_take(message, &s, &e) < 0) {
		promise((e.code == AMBIT_MALFORMED || e.code == AMBIT_UNKNOWN) && e.msg[0] != 0);
		return;
	}
	promise(s.word < SAID_WORDS);
	n = strlen(words[s.word].word);
	promise(strncmp(message, words[s.word].word, n) == 0);
	for (unsigned i = 0; i < words[s.word].numbers; i++) {
		promise(message[n] == ' ' && strtoull(message + n + 1, NULL, 10) == s.number[i]);
		n += 1 + strspn(message + n + 1, "0123456789");
	}
	promise(words[s.word].text ? message[n] == ' ' && s.text == message + n + 1
				   : message[n] == 0 && s.text[0] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);

	promise(text != NULL);
	memcpy(text, data, size);
	text[size] = 0;
	for (size_t at = 0; at <= size; at += strlen(text + at) + 1)
		check(text + at);
	return 0;
}
