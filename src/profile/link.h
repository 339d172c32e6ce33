/* link - what the role ambit-profile is asked, and how it answers.
 *
 * Owns:   the form of both. An order is ORDER_BYTES long, and behind it come its texts, one after the other.
 * Holds:  who asks has the files, and reads nothing of them; who answers has nothing but their bytes.
 * Called: cli (asks), profile's role. Pure. */
#ifndef PROFILE_LINK_H
#define PROFILE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define ORDER_ALPHAS_MAX 8
#define ORDER_KEY 24
#define ORDER_TEXT_MAX (UINT64_C(1) << 30) /* of all texts together */
#define ORDER_BYTES (4 + 4 + 3 * 8 + 4 + 8 * ORDER_ALPHAS_MAX + ORDER_KEY)
#define ORDER_ANSWER_MAX (64u << 20)

enum order_flag {
	ORDER_CALIBRATES = 1, /* there is a text for it */
	ORDER_STREAMS = 2,
	ORDER_JSON = 4,
	ORDER_DRAWS = 8,
	ORDER_EVENTS =
		16, /* the texts are recorded runs (profile/events.h), but the second: what is not counted, each a text with its NUL */
	ORDER_TAUGHT =
		32, /* of those: the first teaches; else there is none, and each model family is judged by the others */
};

struct order {
	uint32_t flags;
	uint64_t train, calibrate, test; /* bytes of each text */
	uint32_t n_alphas;               /* of events one at most */
	double alphas[ORDER_ALPHAS_MAX]; /* above 0, below 1 */
	uint8_t key[ORDER_KEY];
};

void order_put(struct buf *out, const struct order *o);
bool order_take(struct rbuf *in, struct order *ret); /* false: it is none */

/* The answer: u32 code, and if that is AMBIT_OK a text and a drawing, which may be empty; else what is wrong. */
void answer_put_error(struct buf *out, const struct err *e);
/* 0: text and drawing lie in bytes. -PROTOCOL: it is no answer; or what is wrong. */
int answer_take(const struct buf *answer, const uint8_t **ret_text, size_t *ret_n, const uint8_t **ret_drawing,
		size_t *ret_drawing_n, struct err *e);

#endif
