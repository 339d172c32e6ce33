/* A byte that says which client, one that says what is to be done, and its configuration: what is made of it can be read, is made once, and undone it means what it did; what was refused is untouched, with a
 * place. With the client 6 it is, of the client that the second byte says, what a client says of a call. */
#include <string.h>

#include "fuzz.h"
#include "setup/call.h"
#include "setup/change.h"

#define MOST (256u << 10)

static bool is_same_text(const char *a, size_t n, const char *b, size_t m)
{
	return n == m && (n == 0 || memcmp(a, b, n) == 0);
}

static bool means_same(const struct node *a, const struct node *b)
{
	const struct node *x, *y;

	if (a->kind != b->kind || !is_same_text(a->text, a->text_len, b->text, b->text_len) ||
	    a->n_members != b->n_members)
		return false;
	for (x = a->first, y = b->first; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!is_same_text(x->key, x->key_len, y->key, y->key_len) || !means_same(x, y))
			return false;
	return true;
}

static void read_again(enum setup_form form, const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
	struct tree x, y;

	if (tree_read(&x, form, (const char *)a, n, NULL) < 0) { /* nothing was in it */
		tree_finish(&x);
		promise(tree_read(&x, form, "{}", 2, NULL) == 0);
	}
	promise(tree_read(&y, form, (const char *)b, m, NULL) == 0);
	promise(means_same(x.root, y.root));
	tree_finish(&x);
	tree_finish(&y);
}

static void call(const struct setup_ask *a)
{
	static struct setup_told told;
	auto_buf out = { .max = MOST };
	struct err e = { .msg = "" };
	const int r = call_read(a, &out, &told, &e);

	promise(r == 0 || e.msg[0] != 0);
	size_t n = told.text_len;

	for (enum setup_field f = 0; f < SETUP_FIELDS; f++)
		n += told.field[f].len;
	promise(!told.is_shell || r < 0 || n == out.len);
	told = (struct setup_told){ .n_notes = 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct setup_told told;
	struct setup_ask a = { .policy = "", .hook = "ambit setup hook codex || exit 2", .mcp = { { "--work" }, 1 } },
			 again;
	auto_buf now = { .max = MOST }, twice = { .max = MOST }, undone = { .max = MOST };
	struct err e = { .msg = "" };

	if (size < 2 || size > MOST / 4)
		return 0;
	a.client = (enum setup_client)(data[0] % (SETUP_CLIENTS + 1));
	a.what = data[1] & (SETUP_WRAP | SETUP_ADD | SETUP_SANDBOX | SETUP_OFF);
	if ((data[1] & SETUP_HOOKS) != 0 &&
	    (a.client == SETUP_CODEX || (a.client == SETUP_CLAUDE_CODE && (a.what & SETUP_ADD) == 0)))
		a.what |= SETUP_HOOKS;
	if ((data[1] & SETUP_HOOKS) != 0 && a.client == SETUP_CURSOR)
		a.what = SETUP_HOOKS; /* a file of its own */
	a.text = data + 2;
	a.text_len = (uint32_t)size - 2;
	if (a.client == SETUP_CLIENTS) {
		a.client = (enum setup_client)(data[1] % SETUP_CLIENTS);
		call(&a);
		return 0;
	}
	told = (struct setup_told){ .n_notes = 0 };
	if (change_make(&a, &now, &told, &e) < 0) {
		promise(e.msg[0] != 0 && (e.code != AMBIT_MALFORMED || strncmp(e.msg, "line ", 5) == 0));
		promise(e.code == AMBIT_MALFORMED || e.code == AMBIT_LIMIT);
		return 0;
	}
	if (told.changes == 0)
		return 0;
	again = a;
	again.text = now.data;
	again.text_len = (uint32_t)now.len;
	told = (struct setup_told){ .n_notes = 0 };
	promise(change_make(&again, &twice, &told, &e) == 0 && told.changes == 0);
	again.before = a.text;
	again.before_len = a.text_len;
	promise(change_undo(&again, &undone, &told, &e) == 0 && told.changes > 0);
	read_again(setup_about(a.client)->form, a.text, a.text_len, undone.data, undone.len);
	return 0;
}
