#include "cli/decoy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"

#define DECOY_MAX 4096
#define KEY_BYTES 32
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const char *decoy_place(enum canary_kind kind)
{
	static const char *const places[CANARY_KINDS] = { [CANARY_AWS] = "~/.aws/credentials.prod",
							  [CANARY_SSH] = "~/.deploy/deploy_ed25519",
							  [CANARY_ENV] = "./production.env.bak",
							  [CANARY_TOKEN] = "./.github-token",
							  [CANARY_FILE] = "./passwords.txt" };

	return places[kind];
}

/* ---- pieces ---- */

static void put_random(struct buf *out, size_t n)
{
	uint8_t bytes[64];

	if (n > sizeof bytes || getrandom(bytes, n, 0) != (ssize_t)n)
		out->failed = true;
	buf_put(out, bytes, n);
}

/* Of the first `of` of some letters, each as likely: what would not be so is drawn again. */
static void put_letters(struct buf *out, const char *letters, size_t n)
{
	const size_t of = strlen(letters);

	while (n > 0 && !out->failed) {
		uint8_t byte;

		if (getrandom(&byte, 1, 0) != 1)
			out->failed = true;
		else if (byte < 256 / of * of) {
			buf_put_u8(out, (uint8_t)letters[byte % of]);
			n--;
		}
	}
}

static void put_be32(struct buf *out, uint32_t v)
{
	buf_put_be16(out, (uint16_t)(v >> 16));
	buf_put_be16(out, (uint16_t)(v & 0xffff));
}

static void put_part(struct buf *out, const void *bytes, size_t n)
{
	put_be32(out, (uint32_t)n); /* short */
	buf_put(out, bytes, n);
}

static void put_word(struct buf *out, const char *word)
{
	put_part(out, word, strlen(word));
}

/* ---- a private key, as ssh-keygen writes it (PROTOCOL.key of OpenSSH): no cipher, one key of Ed25519 ---- */

static void put_secret_part(struct buf *out, const uint8_t *public, const uint8_t *seed, uint32_t check)
{
	const size_t before = out->len;
	uint8_t both[2 * KEY_BYTES];

	memcpy(both, seed, KEY_BYTES);
	memcpy(both + KEY_BYTES, public, KEY_BYTES);
	put_be32(out, check);
	put_be32(out, check);
	put_word(out, "ssh-ed25519");
	put_part(out, public, KEY_BYTES);
	put_part(out, both, sizeof both);
	put_word(out, "deploy");
	for (uint8_t pad = 1; (out->len - before) % 8 != 0; pad++)
		buf_put_u8(out, pad);
}

static void put_key_bytes(struct buf *out)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	auto_buf part = { .max = DECOY_MAX }, drawn = { .max = DECOY_MAX };
	uint32_t check;

	put_random(&drawn, 2 * KEY_BYTES);
	put_random(&drawn, sizeof check);
	if (drawn.failed) {
		out->failed = true;
		return;
	}
	memcpy(&check, drawn.data + (size_t)2 * KEY_BYTES, sizeof check);
	buf_put(out, magic, sizeof magic);
	put_word(out, "none");
	put_word(out, "none");
	put_word(out, "");
	put_be32(out, 1);
	put_word(&part, "ssh-ed25519");
	put_part(&part, drawn.data, KEY_BYTES);
	put_part(out, part.data, part.len);
	buf_reset(&part);
	put_secret_part(&part, drawn.data, drawn.data + KEY_BYTES, check);
	put_part(out, part.data, part.len);
	out->failed = out->failed || part.failed;
}

static void put_key(struct buf *out)
{
	auto_buf bytes = { .max = DECOY_MAX }, text = { .max = DECOY_MAX };

	put_key_bytes(&bytes);
	base64_put(&text, bytes.data, bytes.len);
	buf_printf(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t at = 0; at < text.len; at += 70) {
		buf_put(out, text.data + at, text.len - at < 70 ? text.len - at : 70);
		buf_put_u8(out, '\n');
	}
	buf_printf(out, "-----END OPENSSH PRIVATE KEY-----\n");
	out->failed = out->failed || bytes.failed || text.failed;
}

/* ---- lines with letters in them ---- */

struct line {
	const char *before, *letters; /* NULL: none */
	size_t n;
};

static const struct line aws[] = { { "[prod]\naws_access_key_id = AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16 },
				   { "\naws_secret_access_key = ", LETTERS "+/", 40 },
				   { "\nregion = eu-central-1\n", NULL, 0 } };
static const struct line env[] = { { "NODE_ENV=production\nDATABASE_URL=postgres://app:", LETTERS, 24 },
				   { "@db.internal:5432/app\nSESSION_SECRET=", "0123456789abcdef", 64 },
				   { "\nSTRIPE_SECRET_KEY=sk_live_", LETTERS, 24 },
				   { "\n", NULL, 0 } };
static const struct line token[] = { { "ghp_", LETTERS, 36 }, { "\n", NULL, 0 } };
static const struct line file[] = { { "admin panel: admin / ", LETTERS, 16 },
				    { "\nbackup server: root / ", LETTERS, 16 },
				    { "\nbank: ", "0123456789", 10 },
				    { " / ", LETTERS, 12 },
				    { "\n", NULL, 0 } };

static void put_lines(struct buf *out, const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%s", lines[i].before);
		if (lines[i].letters != NULL)
			put_letters(out, lines[i].letters, lines[i].n);
	}
}

int decoy_write(enum canary_kind kind, struct buf *out)
{
	switch (kind) {
	case CANARY_AWS: put_lines(out, aws, sizeof aws / sizeof aws[0]); break;
	case CANARY_SSH: put_key(out); break;
	case CANARY_ENV: put_lines(out, env, sizeof env / sizeof env[0]); break;
	case CANARY_TOKEN: put_lines(out, token, sizeof token / sizeof token[0]); break;
	case CANARY_FILE: put_lines(out, file, sizeof file / sizeof file[0]); break;
	case CANARY_KINDS: break;
	}
	return out->failed ? -EIO : 0;
}
