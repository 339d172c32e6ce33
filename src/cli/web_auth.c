/* Who may ask: a token that is in a file, or an issuer's keys. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/web.h"

#define TOKEN_BYTES 32 /* of one that is made */

/* ---- words ---- */

static bool is_plain(const char *s, bool blanks)
{
	for (; *s != 0; s++)
		if (*s <= (blanks ? 0x1f : 0x20) || *s >= 0x7f || *s == '"' || *s == '\\')
			return false;
	return true;
}

static int take_url(char ret[WEB_URL_MAX], const char *flag, const char *url, bool origin, struct err *e)
{
	const char *place = strncmp(url, "http://", 7) == 0    ? url + 7
			    : strncmp(url, "https://", 8) == 0 ? url + 8
							       : NULL;

	if (place == NULL || *place == 0 || *place == '/' || !is_plain(url, false) || strchr(url, '#') != NULL ||
	    (origin && place[strcspn(place, "/?")] != 0))
		return err_set(e, AMBIT_USAGE, origin ? "https://app.example.com" : "https://auth.example.com",
			       "--%s takes %s, and not '%.200s'", flag, origin ? "scheme, name and port" : "a URL",
			       url);
	return text_copy(ret, WEB_URL_MAX, url)
		       ? 0
		       : err_set(e, AMBIT_USAGE, NULL, "--%s has %d bytes at most", flag, WEB_URL_MAX - 1);
}

/* ---- a token ---- */

static int make_token(const char *path, struct err *e)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[2 * TOKEN_BYTES + 2];
	uint8_t bytes[TOKEN_BYTES];
	int r;

	if (fd < 0)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "cannot make '%s'", path);
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return err_sys(e, AMBIT_SYSTEM, errno, NULL, "no random bytes");
	hex_write(bytes, sizeof bytes, text);
	text[2 * TOKEN_BYTES] = '\n';
	r = fd_write_all(fd, text, 2 * TOKEN_BYTES + 1);
	return r < 0 ? err_sys(e, AMBIT_SYSTEM, -r, NULL, "cannot write '%s'", path) : 0;
}

/* others: whether they may read it. */
static int open_own(const char *path, bool others, int *ret, struct err *e)
{
	auto_fd int fd = fd_open_to_read(path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, fd == -ENOENT ? AMBIT_NOT_FOUND : AMBIT_SYSTEM, fd < 0 ? -fd : errno, NULL,
			       "cannot read '%s'", path);
	if ((st.st_uid != geteuid() && (!others || st.st_uid != 0)) || (st.st_mode & (others ? 022 : 077)) != 0)
		return err_set(e, AMBIT_UNTRUSTED,
			       others ? "chmod go-w, or another file" : "chmod 600, or another file",
			       "'%s' is not yours alone to %s", path, others ? "write" : "read");
	*ret = steal_fd(&fd);
	return 0;
}

static int take_token(const char *path, uint8_t ret[SHA256_BYTES], struct err *e)
{
	char text[WEB_TOKEN_MAX + 2];
	auto_fd int fd = -1;
	struct sha256 s;
	size_t len = 0;
	ssize_t n;
	int r = access(path, F_OK) < 0 && errno == ENOENT ? make_token(path, e) : 0;

	r = r < 0 ? r : open_own(path, false, &fd, e);
	if (r < 0)
		return r;
	n = fd_read_all(fd, text, sizeof text - 1);
	if (n > 0) {
		text[n] = 0;
		len = strcspn(text, "\n");
	}
	if (n < 0 || len < WEB_TOKEN_MIN || len > WEB_TOKEN_MAX || (size_t)n > len + 1 || strlen(text) < len ||
	    (text[len] = 0, !is_plain(text, false)))
		return err_set(e, AMBIT_MALFORMED, "remove it, and another is made",
			       "'%s' has not one line of %u to %u characters without blanks", path, WEB_TOKEN_MIN,
			       WEB_TOKEN_MAX);
	sha256_init(&s);
	sha256_add(&s, text, len);
	sha256_end(&s, ret);
	explicit_bzero(text, sizeof text);
	return 0;
}

/* ---- keys ---- */

static bool is_as_it_was(const struct stat *was, const struct stat *is)
{
	return was->st_ino == is->st_ino && was->st_dev == is->st_dev && was->st_size == is->st_size &&
	       was->st_mtim.tv_sec == is->st_mtim.tv_sec && was->st_mtim.tv_nsec == is->st_mtim.tv_nsec;
}

int web_keys_renew(const char *path, struct stat *changed, int *ret, struct err *e)
{
	auto_buf text = { .max = WEB_KEYS_MAX };
	auto_fd int fd = -1, copy = -1;
	struct stat now = { .st_size = 0 };
	int r;

	if (stat(path, &now) == 0 && is_as_it_was(changed, &now))
		return 0;
	*changed = now; /* also of one that is refused: that is told once */
	r = open_own(path, true, &fd, e);
	if (r < 0)
		return r;
	r = fd_read_into(fd, &text);
	if (r < 0)
		return err_sys(e, r == -EFBIG ? AMBIT_LIMIT : AMBIT_SYSTEM, -r, NULL, "cannot read '%s'", path);
	copy = memfd_create("keys", MFD_CLOEXEC); /* which nobody changes any more */
	r = copy < 0 ? -errno : fd_write_all(copy, text.data, text.len);
	if (r < 0 || lseek(copy, 0, SEEK_SET) != 0)
		return err_sys(e, AMBIT_SYSTEM, r < 0 ? -r : errno, NULL, "cannot copy '%s'", path);
	*ret = steal_fd(&copy);
	return 1;
}

static int take_issuer(const struct web_options *o, struct web_begin *b, struct err *e)
{
	int r = take_url(b->issuer, "issuer", o->issuer, false, e);

	r = r < 0 ? r : take_url(b->audience, "audience", o->audience, false, e);
	if (r == 0 && o->scope != NULL &&
	    (!is_plain(o->scope, true) || !text_copy(b->scope, sizeof b->scope, o->scope)))
		r = err_set(e, AMBIT_USAGE, "--scope 'mcp:tools mcp:read'", "--scope takes words, and not '%.200s'",
			    o->scope);
	return r;
}

int web_auth_take(const struct web_options *o, struct web_begin *b, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < o->n_origins && r == 0; i++)
		r = take_url(b->origins[i], "origin", o->origins[i], true, e);
	if (r < 0)
		return r;
	b->auth = o->issuer != NULL ? WEB_AUTH_OAUTH : o->token_file != NULL ? WEB_AUTH_TOKEN : WEB_AUTH_NONE;
	if (b->auth == WEB_AUTH_OAUTH)
		return take_issuer(o, b, e);
	return b->auth == WEB_AUTH_TOKEN ? take_token(o->token_file, b->token, e) : 0;
}
