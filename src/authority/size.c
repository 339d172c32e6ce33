#include "authority/size.h"

#include "authority/shown.h"

const struct authority_size keeper_size = {
	.badges = 16384,
	.grants = 262144,
	.asks = SHOWN_MAX,
	.keys = 65536,
	.passes = 1024,
	.marks = 16384,
	.agents = 256,
	.origins = 4096,
	.text = 32u << 20,
};
