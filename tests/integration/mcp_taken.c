/* In place of ambit-mcp: the role as whoever took it over has it. What the client says are orders, "commit 7" and the like, which it passes on to the command line; what that answers the client hears, or "gone". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcp/link.h"
#include "wire/wire.h"

static void hear(int out)
{
	static uint8_t room[WIRE_HEAD + WIRE_BODY_MAX];
	auto_message m = { .n_fds = 0 };
	struct mcp_told told;
	const int r = wire_receive(0, WIRE_OWNER, WIRE_RUNNING, room, sizeof room, &m);

	if (r <= 0)
		(void)dprintf(out, "gone\n");
	else if (m.number == WIRE_MCP_TOLD && mcp_told_take(&m.body, &told))
		(void)dprintf(out, "told %u\n", told.status);
	else
		(void)dprintf(out, "%s\n", m.number == WIRE_MCP_SESSION ? "session" : "failed");
	for (size_t i = 0; i < m.n_fds; i++)
		m.fds[i] = -1; /* they stay open, as with one who keeps what he gets */
}

static void send(enum wire_number number, const struct mcp_ask *ask)
{
	uint8_t room[64];
	struct buf body;

	buf_init_in(&body, room, sizeof room);
	if (ask != NULL)
		mcp_ask_put(&body, ask);
	(void)wire_send(0, number, &body, NULL, 0); /* who is gone is heard */
}

int main(void)
{
	static const char *const deeds[MCP_DEED_COUNT + 1] = { "", "diff", "commit", "discard", "nothing" };
	uint8_t room[WIRE_HEAD + 512];
	auto_message m = { .n_fds = 0 };
	char line[64];
	FILE *in;

	if (wire_receive(0, WIRE_OWNER, WIRE_NEW, room, sizeof room, &m) <= 0 || m.n_fds != 2)
		return 1;
	in = fdopen(m.fds[0], "r");
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		struct mcp_ask ask = { .request = 1 };

		if (strcmp(line, "open\n") == 0) {
			send(WIRE_MCP_OPEN, NULL);
		} else {
			const size_t n = strcspn(line, " ");

			ask.n = strtoull(line + n, NULL, 10);
			while (ask.deed < MCP_DEED_COUNT &&
			       (strlen(deeds[ask.deed]) != n || strncmp(deeds[ask.deed], line, n) != 0))
				ask.deed++;
			send(WIRE_MCP_ASK, &ask);
		}
		hear(m.fds[1]);
	}
	return 0;
}
