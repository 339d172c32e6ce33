/* A keeper of which a test can see that it is full. */
#include "authority/size.h"

const struct authority_size keeper_size = {
	.badges = 6,
	.grants = 24,
	.asks = 4,
	.keys = 8,
	.passes = 4,
	.marks = 6,
	.agents = 4,
	.origins = 16,
	.text = 8192,
};
