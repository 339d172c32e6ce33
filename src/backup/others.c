#include "backup/others.h"

#include <errno.h>
#include <string.h>

#include "audit/cosigned.h"
#include "ledger/disk.h"
#include "ledger/head.h"
#include "ledger/layout.h"

/* What is there already: of a larger state, or the same bytes. */
static bool is_kept(const struct snapshot *s, struct disk *to, const struct cosigned *c)
{
	auto_buf there = { .max = NOTE_MAX };
	struct hash root;
	uint64_t size;

	return disk_read(to, c->file, &there) == 0 &&
	       head_take(&s->key, there.data, there.len, &size, &root, NULL) == 0 &&
	       (size > c->size || (there.len == c->bytes.len && memcmp(there.data, c->bytes.data, there.len) == 0));
}

static int put_one(const struct snapshot *s, struct disk *to, const struct cosigned *c, struct err *e)
{
	const int r = is_kept(s, to, c) ? 0 : disk_replace(to, c->file, c->bytes.data, c->bytes.len);

	return r < 0 ? err_sys(e, r == -ENOSPC || r == -EDQUOT ? AMBIT_LIMIT : AMBIT_SYSTEM, -r,
			       "make room, or see who may write there; the log is copied",
			       "cannot write what witnesses cosigned")
		     : 0;
}

int others_copy(struct snapshot *s, const struct audit_ask *ask, int to_fd, uint64_t *ret, struct err *e)
{
	struct cosigned_set *set = NULL;
	struct disk *to = NULL;
	int r = cosigned_take(s, ask, &set, e);

	*ret = 0;
	if (r == 0 && disk_create(to_fd, &to) < 0)
		r = err_set(e, AMBIT_MEMORY, NULL, "no memory for the copy");
	for (size_t i = 0; r == 0 && i < set->n; i++)
		if (set->of[i].wrong[0] == 0) {
			r = put_one(s, to, &set->of[i], e);
			(*ret)++;
		}
	disk_destroy(to);
	cosigned_free(set);
	return r;
}
