/* seeds_link - how the files of seed profiles are handed to the keeper: one behind the other.
 *
 * Owns:   the form.
 * Holds:  who hands them over has the files and reads nothing of them; who takes them has nothing but their bytes.
 * Called: lib (puts), usual (takes); pure. */
#ifndef USUAL_SEEDS_LINK_H
#define USUAL_SEEDS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SEEDS_FILES_MAX 64
#define SEEDS_FILE_MAX (4u << 20) /* bytes */
#define SEEDS_ALL_MAX (16u << 20)
#define SEEDS_NAME_MAX 64
#define SEEDS_WHY_MAX 200
#define SEEDS_ENDING ".profile"

enum seeds_from { SEEDS_OF_PERSON = 1, SEEDS_OF_MACHINE, SEEDS_OF_AMBIT };

struct seeds_file {
	uint8_t from;              /* enum seeds_from */
	char name[SEEDS_NAME_MAX]; /* of the file, without its ending */
	char why[SEEDS_WHY_MAX];   /* it was not taken; "": it was */
	const uint8_t *bytes;      /* borrowed */
	size_t n;
};

void seeds_file_put(struct buf *out, const struct seeds_file *f);
bool seeds_file_take(struct rbuf *in, struct seeds_file *ret); /* bytes lie in `in` */

#endif
