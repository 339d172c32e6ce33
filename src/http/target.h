/* target - the target of a request, taken apart; authorities; the parameters of a query.
 *
 * Holds:  a target has no control character, no blank, no `#` and nothing beyond ASCII (http_head_request saw to that for HTTP/1, and this does for others). RFC 9112, 3.2.
 * Called: role ambit-http, on what programs in the cell send; pure. */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "core/address.h"
#include "core/host.h"
#include "http/head.h"

enum http_target_form { HTTP_TARGET_ORIGIN, HTTP_TARGET_ABSOLUTE, HTTP_TARGET_AUTHORITY, HTTP_TARGET_ASTERISK };

struct http_target {
	uint8_t form;               /* enum http_target_form */
	bool is_tls;                /* of ABSOLUTE: https */
	struct http_text authority; /* of ABSOLUTE and AUTHORITY */
	struct http_text path;      /* of ORIGIN and ABSOLUTE; begins with `/` */
	struct http_text query;     /* behind its mark */
	bool has_query;
};

/* False: *ret_why, as the end of a sentence. */
bool http_target_take(const struct http_text *target, struct http_target *ret, const char **ret_why);

/* Whether an authority is this host, by its name, or, if that is "", its address; its port is written, or the scheme's own. */
bool http_authority_means(const struct http_text *authority, const struct host_name *name,
			  const struct address *address, uint16_t port, bool is_tls);

#define HTTP_PARAMETER_MAX 8192 /* as it stands there: what servers take of a whole target */

struct http_parameter {
	struct http_text raw;         /* both, as they stand there */
	struct http_text name, value; /* decoded: valid until the next is taken */
	bool malformed;               /* a percent sign before no two digits */
};
struct http_parameters {
	struct http_text left;
	char room[HTTP_PARAMETER_MAX]; /* of what was decoded */
};
void http_parameters_begin(struct http_parameters *p, const struct http_text *query);
/* False: there is none left. One that is too long is malformed. */
bool http_parameters_next(struct http_parameters *p, struct http_parameter *ret);

#endif
