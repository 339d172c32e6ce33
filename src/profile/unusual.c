#include "profile/unusual.h"

const char *layer_word(enum layer l)
{
	static const char *const words[LAYERS] = { "first", "amount", "calls" };

	return l < LAYERS ? words[l] : "?";
}
