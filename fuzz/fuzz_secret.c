/* Any bytes, after a letter that says which: as the file of a secret, of which only the head can be anybody's; as a command; as a message. What is
 * taken is in bounds, and written again is the same. */
#include <sodium.h>
#include <string.h>

#include "fuzz.h"
#include "secret/sealed.h"
#include "secret/words.h"

static void file(const uint8_t *data, size_t size)
{
	static const uint8_t key[SEALED_KEY_BYTES];
	static struct sealed_head head;
	static struct secret_value value;
	struct rbuf sealed = { .at = 0 };

	if (sealed_take_head(data, size, &head, &sealed, NULL) == 0)
		promise(secret_name_is_good(head.name) && head.hosts.n <= SECRET_HOSTS_MAX && sealed.at < size);
	promise(sealed_take(data, size, key, &head, &value, NULL) != 0 || value.n > 0);
}

static void command(const uint8_t *data, size_t size)
{
	static char words[WORDS_BYTES_MAX + 1];
	const int n = words_split((const char *)data, size, words, NULL);

	promise(n < 0 || (n > 1 && n <= (int)sizeof words && words[n - 1] == 0 && words[0] != 0));
}

static bool set(struct rbuf *in, struct buf *out)
{
	static struct secret_set s;
	const bool taken = secret_take_set(in, &s);

	if (taken)
		secret_put_set(out, &s);
	return taken;
}

static bool give(struct rbuf *in, struct buf *out)
{
	static struct secret_give g;
	const bool taken = secret_take_give(in, &g);

	if (taken)
		secret_put_give(out, &g);
	return taken;
}

static bool row(struct rbuf *in, struct buf *out)
{
	static struct secret_row r;
	const bool taken = secret_take_row(in, &r);

	if (taken)
		secret_put_row(out, &r);
	return taken;
}

static void message(uint8_t which, const uint8_t *data, size_t size)
{
	static uint8_t room[16384];
	struct buf out;
	struct rbuf in;

	buf_init_in(&out, room, sizeof room);
	rbuf_init(&in, data, size);
	if (which == 's' ? set(&in, &out) : which == 'g' ? give(&in, &out) : row(&in, &out))
		promise(!out.failed && out.len == size && memcmp(out.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'f')
		file(data + 1, size - 1);
	else if (data[0] == 'c')
		command(data + 1, size - 1);
	else
		message(data[0], data + 1, size - 1);
	return 0;
}
