#include "core/change.h"

#include <string.h>

#define MODE_BITS 07777u

const char *change_word(uint8_t kind)
{
	switch (kind) {
#define CHANGE_CASE(name, number, word)                                                                                \
	case number: return word;
		CHANGES(CHANGE_CASE)
#undef CHANGE_CASE
	default: return NULL; /* the byte of a peer */
	}
}

const char *change_type_word(uint8_t type)
{
	const char *const words[] = {
		[CHANGE_FILE] = "file", [CHANGE_DIRECTORY] = "directory", [CHANGE_SYMLINK] = "symlink",
		[CHANGE_FIFO] = "fifo", [CHANGE_SOCKET] = "socket",       [CHANGE_OTHER] = "other"
	};

	return type < sizeof words / sizeof words[0] ? words[type] : NULL;
}

const char *held_word(uint8_t held)
{
	switch (held) {
#define HELD_CASE(name, number, word)                                                                                  \
	case number: return word;
		HELDS(HELD_CASE)
#undef HELD_CASE
	default: return NULL; /* the byte of a peer */
	}
}

bool change_path_is_good(const char *path)
{
	const char *part = path;

	if (strnlen(path, CHANGE_PATH_MAX) == CHANGE_PATH_MAX)
		return false;
	if (path[0] == 0)
		return true;
	for (;;) {
		const size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (part[n] == 0)
			return true;
		part += n + 1;
	}
}

void change_encode(struct buf *out, const struct change *c)
{
	buf_put_u8(out, c->kind);
	buf_put_u8(out, c->type);
	buf_put_u8(out, c->held);
	buf_put_u8(out, c->later);
	buf_put_u8(out, c->has_digest);
	buf_put_u8(out, c->judge);
	buf_put_u16(out, c->tree);
	buf_put_u32(out, c->mode_old);
	buf_put_u32(out, c->mode_new);
	buf_put_u64(out, c->size_old);
	buf_put_u64(out, c->size_new);
	if (c->has_digest != 0)
		buf_put(out, c->digest, sizeof c->digest);
	buf_put_str(out, c->path);
	buf_put_str(out, c->from);
	buf_put_str(out, c->reason);
}

static bool is_good(const struct change *c)
{
	const bool two_names = c->kind == CHANGE_RENAMED || c->kind == CHANGE_LINK;

	return change_word(c->kind) != NULL && c->type >= CHANGE_FILE && c->type <= CHANGE_OTHER &&
	       held_word(c->held) != NULL && c->later <= 1 && c->has_digest <= 1 && c->mode_old <= MODE_BITS &&
	       c->mode_new <= MODE_BITS && change_path_is_good(c->path) && change_path_is_good(c->from) &&
	       two_names == (c->from[0] != 0);
}

void change_decode(struct rbuf *in, struct change_room *room, struct change *ret)
{
	const uint8_t *digest;

	ret->kind = rbuf_u8(in);
	ret->type = rbuf_u8(in);
	ret->held = rbuf_u8(in);
	ret->later = rbuf_u8(in);
	ret->has_digest = rbuf_u8(in);
	ret->judge = rbuf_u8(in);
	ret->tree = rbuf_u16(in);
	ret->mode_old = rbuf_u32(in);
	ret->mode_new = rbuf_u32(in);
	ret->size_old = rbuf_u64(in);
	ret->size_new = rbuf_u64(in);
	digest = ret->has_digest != 0 ? rbuf_bytes(in, sizeof ret->digest) : NULL;
	if (digest != NULL)
		memcpy(ret->digest, digest, sizeof ret->digest);
	rbuf_str(in, room->path, sizeof room->path);
	rbuf_str(in, room->from, sizeof room->from);
	rbuf_str(in, room->reason, sizeof room->reason);
	ret->path = room->path;
	ret->from = room->from;
	ret->reason = room->reason;
	if (!in->failed && !is_good(ret))
		in->failed = true;
}
