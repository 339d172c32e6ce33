#include "core/listen.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

#define SHOWN_MAX 200 /* of a text in a message */

static bool take_port(const char *s, uint32_t least, uint16_t *ret)
{
	uint32_t v;

	if ((s[0] == '0' && s[1] != 0) || !parse_u32(s, least, UINT16_MAX, &v))
		return false;
	*ret = (uint16_t)v;
	return true;
}

static bool take(const char *text, struct listen_ports *ret)
{
	const char *colon = strchr(text, ':');
	char host[LISTEN_TEXT_MAX];

	if (colon == NULL) {
		if (!take_port(text, 1, &ret->cell))
			return false;
		ret->host = ret->cell;
		return true;
	}
	if ((size_t)(colon - text) >= sizeof host)
		return false;
	(void)snprintf(host, sizeof host, "%.*s", (int)(colon - text), text); /* it fits */
	return take_port(host, 0, &ret->host) && take_port(colon + 1, 1, &ret->cell);
}

int listen_take(const char *text, struct listen_ports *ret, struct err *e)
{
	struct listen_ports p;
	char shown[SHOWN_MAX];

	if (!take(text, &p))
		return err_set(
			e, AMBIT_MALFORMED,
			"write PORT, such as 8080, or HOSTPORT:PORT, such as 9000:8080; 0:8080 lets the kernel choose the "
			"host's; each is one number from 1 to 65535, without leading zeros",
			"'%s' is not a port", text_escape(shown, sizeof shown, text, strlen(text)));
	*ret = p;
	return 0;
}

void listen_put(const struct listen_ports *p, char ret[LISTEN_TEXT_MAX])
{
	if (p->host == p->cell)
		(void)snprintf(ret, LISTEN_TEXT_MAX, "%u", p->cell); /* they fit */
	else
		(void)snprintf(ret, LISTEN_TEXT_MAX, "%u:%u", p->host, p->cell);
}
