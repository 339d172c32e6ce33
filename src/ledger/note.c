#include "ledger/note.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space begin a signature line */
#define ID_BYTES 4
#define TIME_BYTES 8
#define SIGNED_MAX (ID_BYTES + TIME_BYTES + crypto_sign_BYTES)
/* What a witness signs: two lines more than the text, and the NUL that buf_printf wants room for. */
#define MESSAGE_MAX (NOTE_MAX + sizeof "cosignature/v1\ntime 9223372036854775807\n")

_Static_assert(NOTE_SECRET_BYTES == crypto_sign_SECRETKEYBYTES && VKEY_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES,
	       "libsodium's sizes");

static int refuse_byte(struct err *e, size_t at, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "byte %zu: %s", at, what);
}

static int refuse_line(struct err *e, size_t line, const char *what)
{
	return err_set(e, AMBIT_MALFORMED, NULL, "line %zu: %s", line, what);
}

/* What holds for a note as a whole, and for its text alone. */
static int check_characters(struct span s, struct err *e)
{
	size_t at;

	if (s.len > NOTE_MAX)
		return refuse_byte(e, NOTE_MAX, "a note has at most 65536 bytes");
	if (!text_is_utf8(s.at, s.len, &at))
		return refuse_byte(e, at, "not UTF-8");
	for (at = 0; at < s.len; at++)
		if ((uint8_t)s.at[at] < 0x20 && s.at[at] != '\n')
			return refuse_byte(e, at, "a control character");
	if (s.len == 0 || s.at[s.len - 1] != '\n')
		return refuse_byte(e, s.len, "no newline at the end");
	return 0;
}

static size_t count_lines(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	return n;
}

/* The text and, behind the last empty line, the lines of signatures. The text keeps the newline that ends it, so an empty
 * line that is the first of the note separates nothing. */
static int split(struct span bytes, struct span *ret_text, struct lines *ret_lines, struct err *e)
{
	size_t blank = bytes.len - 1;

	while (blank > 0 && !(bytes.at[blank] == '\n' && bytes.at[blank - 1] == '\n'))
		blank--;
	if (blank == 0)
		return refuse_byte(e, bytes.len, "no empty line between a text and its signatures");
	*ret_text = span_bytes(bytes.at, blank);
	*ret_lines = (struct lines){ .left = span_bytes(bytes.at + blank + 1, bytes.len - blank - 1),
				     .number = count_lines(*ret_text) + 1 };
	return 0;
}

static uint64_t big_endian(const uint8_t *bytes, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return v;
}

static void put_big_endian(struct buf *out, uint64_t v, size_t n)
{
	for (size_t i = n; i > 0; i--)
		buf_put_u8(out, (uint8_t)(v >> (8 * (i - 1)) & 0xff));
}

/* The id is in the first two groups of four characters, and five bytes have no fewer. */
static uint32_t id_of(struct span base64)
{
	uint8_t bytes[6] = { 0 };
	struct buf room;

	buf_init_in(&room, bytes, sizeof bytes);
	(void)base64_take(&room, base64.at, 8); /* it was found to be base64 */
	return (uint32_t)big_endian(bytes, ID_BYTES);
}

/* Gives what is wrong with the line, NULL if nothing. */
static const char *take_signature(struct span line, struct note_signature *ret)
{
	size_t n;

	if (!span_skip(&line, DASH))
		return "a signature begins with an em dash and a space";
	if (!span_until(&line, ' ', &ret->name))
		return "a signature is a name, a space and base64";
	if (!vkey_name_is_good(ret->name))
		return "the name of a key is not empty, and has no white space and no plus";
	if (!base64_is(line.at, line.len, &n))
		return "the signature is not base64";
	if (n <= ID_BYTES)
		return "the signature is too short";
	ret->base64 = line;
	ret->id = id_of(line);
	return NULL;
}

static int take_signatures(struct lines *lines, struct note *n, struct err *e)
{
	struct span line;

	while (lines_next(lines, &line)) {
		const char *wrong = n->n_signatures < NOTE_SIGNATURES_MAX
					    ? take_signature(line, &n->signatures[n->n_signatures])
					    : "a note has at most 64 signatures";

		if (wrong != NULL)
			return refuse_line(e, lines->number, wrong);
		n->n_signatures++;
	}
	return n->n_signatures > 0 ? 0 : refuse_line(e, lines->number + 1, "no signature");
}

int note_parse(struct span bytes, struct note *ret, struct err *e)
{
	struct note n = { .n_signatures = 0 };
	struct lines lines;
	int rc = check_characters(bytes, e);

	if (rc == 0)
		rc = split(bytes, &n.text, &lines, e);
	if (rc == 0)
		rc = take_signatures(&lines, &n, e);
	if (rc == 0)
		*ret = n;
	return rc;
}

/* What a key of this type signs: the text, or one made of it in room. */
static struct span message_of(enum vkey_type type, uint64_t time, struct span text, uint8_t room[MESSAGE_MAX])
{
	struct buf m;

	if (type == VKEY_ED25519)
		return text;
	buf_init_in(&m, room, MESSAGE_MAX);
	buf_printf(&m, "cosignature/v1\ntime %" PRIu64 "\n", time);
	buf_put(&m, text.at, text.len);
	return span_bytes(m.data, m.len);
}

/* How many bytes the type has between the id and Ed25519's own. */
static size_t time_bytes(enum vkey_type type)
{
	return type == VKEY_COSIGNATURE ? TIME_BYTES : 0;
}

static bool is_good(struct span text, const struct note_signature *s, const struct vkey *k, uint64_t *ret_time)
{
	const size_t before = ID_BYTES + time_bytes(k->type);
	uint8_t room[MESSAGE_MAX], bytes[SIGNED_MAX];
	struct span message;

	if (!span_base64(s->base64, bytes, before + crypto_sign_BYTES))
		return false;
	*ret_time = big_endian(bytes + ID_BYTES, time_bytes(k->type));
	if (*ret_time > NOTE_TIME_MAX)
		return false;
	message = message_of(k->type, *ret_time, text, room);
	return crypto_sign_verify_detached(bytes + before, (const uint8_t *)message.at, message.len, k->public) == 0;
}

enum note_answer note_verify(const struct note *n, const struct vkey *k, uint64_t *ret_time)
{
	enum note_answer answer = NOTE_UNSIGNED;
	uint64_t latest = 0;

	for (size_t i = 0; i < n->n_signatures; i++) {
		const struct note_signature *s = &n->signatures[i];
		uint64_t time;

		if (s->id != k->id || !span_equal(s->name, span_of(k->name)))
			continue;
		if (!is_good(n->text, s, k, &time))
			return NOTE_BAD;
		latest = time > latest ? time : latest;
		answer = NOTE_GOOD;
	}
	if (answer == NOTE_GOOD && k->type == VKEY_COSIGNATURE && ret_time != NULL)
		*ret_time = latest;
	return answer;
}

/* Whether the key may sign this text. */
static int check_signing(struct span text, const struct vkey *k, const uint8_t secret[NOTE_SECRET_BYTES], uint64_t time,
			 struct err *e)
{
	const size_t line_len = strlen(DASH) + strlen(k->name) + 1 +
				BASE64_LEN(ID_BYTES + time_bytes(k->type) + crypto_sign_BYTES) + 1;
	const int rc = check_characters(text, e);

	if (rc < 0)
		return rc;
	if (text.len + 1 + line_len > NOTE_MAX)
		return refuse_byte(e, NOTE_MAX - line_len - 1,
				   "a note has at most 65536 bytes, its signatures with it");
	if (memcmp(secret + NOTE_SECRET_BYTES - VKEY_PUBLIC_BYTES, k->public, VKEY_PUBLIC_BYTES) != 0)
		return err_set(e, AMBIT_CONFLICT, NULL, "the secret key and the public key of %s are not a pair",
			       k->name);
	if (k->type == VKEY_COSIGNATURE && time > NOTE_TIME_MAX)
		return err_set(e, AMBIT_USAGE, NULL, "a cosignature cannot name the time %" PRIu64, time);
	return 0;
}

int note_put_signature(struct buf *out, struct span text, const struct vkey *k, const uint8_t secret[NOTE_SECRET_BYTES],
		       uint64_t time, struct err *e)
{
	uint8_t room[MESSAGE_MAX], bytes[SIGNED_MAX], signature[crypto_sign_BYTES];
	const int rc = check_signing(text, k, secret, time, e);
	const size_t before_len = out->len;
	struct span message;
	struct buf made;

	if (rc < 0)
		return rc;
	message = message_of(k->type, time, text, room);
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)message.at, message.len, secret); /* cannot fail */
	buf_init_in(&made, bytes, sizeof bytes);
	put_big_endian(&made, k->id, ID_BYTES);
	put_big_endian(&made, time, time_bytes(k->type));
	buf_put(&made, signature, sizeof signature);
	buf_printf(out, DASH "%s ", k->name);
	base64_put(out, made.data, made.len);
	buf_put(out, "\n", 1);
	if (!out->failed)
		return 0;
	out->len = before_len;
	return err_set(e, AMBIT_MEMORY, NULL, "no room for a signature");
}
