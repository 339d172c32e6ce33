/* What stages keep on disk and what the role and the library say to each other: a first byte chooses which, the rest is it. What is
 * taken is the same when it is written and read once more. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/change.h"
#include "fuzz.h"
#include "stage/ask.h"
#include "stage/mask_list.h"
#include "stage/store.h"

static void try_change(struct rbuf *in)
{
	struct change_room room;
	struct change c;
	auto_buf out = { .max = 0 };

	change_decode(in, &room, &c);
	if (in->failed)
		return;
	promise(change_path_is_good(c.path) && change_path_is_good(c.from) && change_word(c.kind) != NULL);
	buf_init(&out, 1u << 20);
	change_encode(&out, &c);
	promise(!out.failed && out.len == in->at && memcmp(out.data, in->data, out.len) == 0);
}

static void try_meta(struct rbuf *in)
{
	auto_free struct stage_meta *m = calloc(1, sizeof *m);
	auto_buf out = { .max = 0 };
	struct err e = { .code = AMBIT_OK };

	promise(m != NULL);
	if (stage_meta_decode(in, m, &e) < 0) {
		promise(e.msg[0] != 0 && e.hint[0] != 0);
		return;
	}
	buf_init(&out, STAGE_META_MAX);
	stage_meta_encode(&out, m);
	promise(!out.failed);
	/* one of the versions before is longer now: it has no ledger, or no session, agent, workspace, what was undone and what is asked for, or no labels */
	if (in->data[0] == 5)
		promise(out.len == in->len && memcmp(out.data, in->data, out.len) == 0);
	else
		promise((in->data[0] == 4 || (m->session[0] == 0 && m->agent[0] == 0 && m->workspace[0] == 0)) &&
			m->stream[0] == 0 && m->labels == 0 &&
			out.len ==
				in->len + (in->data[0] == 2 ? 4 : 0) + (in->data[0] == 4 ? 0 : 16 + m->n_names) + 16);
}

static void try_ask(struct rbuf *in)
{
	auto_free struct stage_ask *a = calloc(1, sizeof *a);
	auto_buf out = { .max = 0 };
	struct err e = { .code = AMBIT_OK };

	promise(a != NULL);
	if (stage_ask_decode(in, a, &e) < 0) {
		promise(e.msg[0] != 0 && a->n_selected == 0 && a->n_granted == 0);
		return;
	}
	buf_init(&out, 1u << 20);
	stage_ask_encode(&out, a);
	promise(!out.failed && out.len == in->len && memcmp(out.data, in->data, out.len) == 0);
	stage_ask_finish(a);
}

static void try_list(const uint8_t *data, size_t size)
{
	struct mask_list l;

	mask_list_init(&l);
	if (mask_list_take(&l, data, size) == 0)
		for (uint32_t i = 0; i < l.n; i++) {
			const struct mask_entry entry = mask_list_entry(&l, i);

			promise(entry.kind != MASK_NOTHING && strlen(entry.path) <= size);
			(void)mask_list_find(&l, entry.path); /* unsorted it may miss; it must not read beyond */
		}
	mask_list_finish(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stage_entry entry;
	struct stage_end end;
	struct rbuf in;

	if (size == 0)
		return 0;
	rbuf_init(&in, data + 1, size - 1);
	switch (data[0] % 6) {
	case 0: try_change(&in); break;
	case 1: try_meta(&in); break;
	case 2: try_ask(&in); break;
	case 3: try_list(data + 1, size - 1); break;
	case 4: stage_entry_decode(&in, &entry); break;
	default: stage_end_decode(&in, &end); break;
	}
	return 0;
}
