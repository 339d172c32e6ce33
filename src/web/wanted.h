/* wanted - what a request wants, out of its head.
 *
 * Owns:   struct wanted, which borrows nothing, and struct no, why it is refused.
 * Holds:  who may not ask from where they are (Host, Origin: a page of somebody else's, to which a name was made to lead here) learns nothing else. A field that decides something is there once. What is in a
 *         struct wanted is of the form that the specification of MCP gives it, and no longer than its room.
 * Called: role ambit-web; pure. */
#ifndef WEB_WANTED_H
#define WEB_WANTED_H

#include "base/err.h"
#include "http/head.h"
#include "web/link.h"

#define WANTED_NAME_MAX 4096 /* of a tool, a prompt, a resource */

enum wanted_method { WANTED_POST, WANTED_GET, WANTED_DELETE, WANTED_OPTIONS, WANTED_OTHER };
enum wanted_path { WANTED_MCP, WANTED_METADATA, WANTED_NOWHERE };

struct wanted {
	enum wanted_method method;
	enum wanted_path path;
	char origin[WEB_URL_MAX]; /* "": it has none */
	char session[40], version[24], event[48],
		what[160]; /* Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method; "": there is none */
	bool has_name;
	char name[WANTED_NAME_MAX]; /* Mcp-Name, decoded */
	bool closes, continues;     /* Connection: close; Expect: 100-continue */
	enum http_body body;
	uint64_t length;
};

/* Numbers of JSON-RPC and of MCP; of HTTP's own refusals those that the SDKs give. */
enum {
	NO_JSON = -32700,
	NO_REQUEST = -32600,
	NO_METHOD = -32601,
	NO_PARAMS = -32602,
	NO_SERVER = -32603,
	NO_HTTP = -32000,
	NO_SESSION = -32001,
	NO_HEADER = -32020,
	NO_CAPABILITY = -32021,
	NO_VERSION = -32022
};

struct no {
	unsigned status; /* of HTTP */
	int number;
	const char *allow; /* 405: what would be taken */
	bool challenged;   /* 401, 403: with WWW-Authenticate, */
	const char *error; /* and its member `error`; NULL: none */
	unsigned retry_s;  /* 0: not told */
	struct err err;
};

/* Fills it; gives false. hint may be NULL. */
#define no_set(n, status_, number_, hint, ...)                                                                         \
	(*(n) = (struct no){ .status = (status_), .number = (number_) },                                               \
	 (void)err_set(&(n)->err, AMBIT_USAGE, (hint), __VA_ARGS__), false)

/* From where it comes, and whereto: before anything else is looked at. */
bool wanted_begin(const struct http_head *h, const struct web_begin *rules, struct wanted *ret, struct no *no);
/* All else, of one that may ask. */
bool wanted_take(const struct http_head *h, struct wanted *w, struct no *no);

#endif
