/* What the role says to who asked. If nobody listens any more, nobody needs to know. */
#include <stdlib.h>

#include "base/text.h"
#include "stage/durable.h"
#include "stage/role.h"
#include "wire/wire.h"

#define CHANGE_BYTES_MAX (2 * CHANGE_PATH_MAX + CHANGE_REASON_MAX + 128) /* of an encoded change */

void answer_tree(struct role *role, const char *path)
{
	auto_buf b = { .max = 0 };

	buf_init(&b, WIRE_BODY_MAX);
	buf_put_str(&b, path);
	(void)wire_send(role->lib, WIRE_STAGE_TREE, &b, NULL, 0);
}

static void flush(struct role *role, struct buf *b)
{
	if (b->len > 0)
		(void)wire_send(role->lib, WIRE_STAGE_CHANGES, b, NULL, 0);
	buf_reset(b);
}

void answer_changes(struct role *role)
{
	auto_buf b = { .max = 0 };

	for (uint32_t i = 0; i < role->meta->n_trees; i++)
		answer_tree(role, role->meta->trees[i].real);
	buf_init(&b, WIRE_BODY_MAX);
	for (size_t i = 0; i < role->n_changes; i++) {
		if (b.len + CHANGE_BYTES_MAX > WIRE_BODY_MAX)
			flush(role, &b);
		change_encode(&b, role->changes[i]);
	}
	flush(role, &b);
}

void answer_entry(struct role *role, const char *event, const struct stage_meta *meta, bool in_use)
{
	struct stage_entry entry = { .state = STAGE_KEPT, .damaged = meta == NULL, .in_use = in_use };
	auto_buf b = { .max = 0 };

	(void)text_copy(entry.event, sizeof entry.event, event); /* an id */
	if (meta != NULL) {
		(void)text_copy(entry.command, sizeof entry.command, meta->command); /* the same size */
		(void)text_copy(entry.tree, sizeof entry.tree, meta->n_trees > 0 ? meta->trees[0].real : "");
		entry.n_trees = meta->n_trees;
		entry.state = meta->state;
		entry.why = meta->state == STAGE_RUNNING && !in_use ? STAGE_WHY_LOST : meta->why;
		entry.commits = meta->commits;
		entry.started_ns = meta->started_ns;
		entry.ended_ns = meta->ended_ns;
		entry.keep_until_ns = meta->keep_until_ns;
		entry.bytes = meta->bytes;
		entry.incomplete = !in_use && (meta->state != STAGE_COMMITTED || meta->disk == STAGE_DISK_GOING) &&
				   durable_is_incomplete(meta, role->boot);
	}
	buf_init(&b, WIRE_BODY_MAX);
	stage_entry_encode(&b, &entry);
	(void)wire_send(role->lib, WIRE_STAGE_ENTRY, &b, NULL, 0);
}

void answer_progress(struct role *role, uint64_t done, uint64_t total)
{
	uint8_t body[16];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u64(&b, done);
	buf_put_u64(&b, total);
	(void)wire_send(role->lib, WIRE_STAGE_PROGRESS, &b, NULL, 0);
}

void answer_whose(struct role *role)
{
	const struct stage_meta *m = role->meta;

	(void)text_copy(role->end.event, sizeof role->end.event, m->event); /* the same sizes */
	(void)text_copy(role->end.command, sizeof role->end.command, m->command);
	(void)text_copy(role->end.tree, sizeof role->end.tree, m->n_trees > 0 ? m->trees[0].real : "");
	role->end.n_trees = m->n_trees;
}

void answer_waiting(struct role *role, const char *event, bool over)
{
	uint8_t body[64];
	struct buf b;

	buf_init_in(&b, body, sizeof body);
	buf_put_u8(&b, over);
	buf_put_str(&b, event);
	(void)wire_send(role->lib, WIRE_STAGE_WAITING, &b, NULL, 0);
}

void answer_end(struct role *role)
{
	auto_buf b = { .max = 0 };

	buf_init(&b, STAGE_END_MAX);
	role->end.untold = role->counts.dropped;
	stage_end_encode(&b, &role->end);
	(void)wire_send(role->lib, WIRE_STAGE_END, &b, NULL, 0);
}

void answer_failed(struct role *role, const struct err *e)
{
	auto_buf b = { .max = 0 };

	buf_init(&b, 16384);
	wire_put_error(&b, e);
	if (role->end.workspace == WORKSPACE_KEPT) /* the changes are still there */
		stage_end_encode(&b, &role->end);
	(void)wire_send(role->lib, WIRE_STAGE_FAILED, &b, NULL, 0);
}
