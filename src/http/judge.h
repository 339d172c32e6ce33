/* judge - whether a request is one that the grant means, and how it is sent on.
 *
 * Owns:   struct judge, what a role was told; struct verdict.
 * Holds:  what is read in one way here is sent in that one way. A request that could be read in two is refused; so is one that no rule means, one for another host than that of its
 *         connection, and one that brings credentials of its own, unless the grant says otherwise. Nothing is looked at but the head, the parameters of its target and those of a form.
 * Called: role ambit-http, on what programs in the cell send; pure. */
#ifndef HTTP_JUDGE_H
#define HTTP_JUDGE_H

#include "base/buf.h"
#include "base/err.h"
#include "core/address.h"
#include "core/host.h"
#include "core/rate.h"
#include "core/terms.h"
#include "http/graphql.h"
#include "http/head.h"
#include "http/target.h"

/* The host of a connection. */
struct http_host {
	struct host_name name;  /* "": by address */
	struct address address; /* family 0: by name */
	uint16_t port;
	bool tls;
};

/* As it goes into its place, without the word before it. */
struct judge_secret {
	const char *at; /* borrowed */
	size_t n;
};

struct judge {
	struct terms terms;
	const char *object;                             /* borrowed: of the grant, for messages */
	struct judge_secret secrets[TERMS_SECRETS_MAX]; /* of those of the terms, in their order */
	uint32_t uses, used;                            /* requests; uses 0: no bound */
	struct rate rate;                               /* of requests */
};

/* A request of either version; names of fields in small letters where they are compared. */
struct http_request {
	struct http_text method, path; /* path: up to the query, as it was sent */
	struct http_text query;        /* behind its mark */
	bool has_query;
	struct http_text authority; /* Host, or :authority; n 0: none */
	uint32_t n_fields;
	const struct http_field *fields; /* Host is none of them for HTTP/2 */
	bool has_body;
};

#define JUDGE_QUERY_MAX 8192

struct verdict {
	uint16_t status; /* 0: it passes; else of the answer that says why not */
	struct err why;
	uint32_t retry_s;            /* after so many seconds it may pass; 0: that is not said */
	int rule;                    /* of terms.rules; -1: none is needed */
	bool wants_document;         /* it passes if its body, or query, is GraphQL that is allowed: graphql_judge() */
	bool wants_form;             /* its body, which may be none, is a form, which form_write() writes anew */
	bool drops[HTTP_FIELDS_MAX]; /* these fields are left out */
	bool changes_query;
	char query
		[JUDGE_QUERY_MAX]; /* what is sent in place of its own, if it changes; without the secret, which comes behind it */
};

#define HTTP_NO_ANSWER 0 /* in place of a status: it was sent, and no answer came that could be passed on */

/* What is told of a request at the end. */
#define ASKED_PATH_MAX 200
struct http_asked {
	int rule;                      /* of terms.rules; -1: none was needed; -2: it was refused */
	char method[TERMS_METHOD_MAX]; /* "": it has none that is told */
	char path[ASKED_PATH_MAX];     /* as it was sent: the beginning, and never the query */
	uint32_t
		n_fields; /* of GraphQL: those that it asked for, or the one that is not granted; 0: none that can be told */
	struct terms_operation fields[GRAPHQL_NOTED_MAX];
};
void asked_note(struct http_asked *a, const struct http_text *method, const struct http_text *path);
void asked_note_document(struct http_asked *a, const struct graphql_verdict *g);

/* What a parameter's name, decoded, means to one server or another. */
struct judge_meaning {
	bool another;                        /* it says which request is meant, */
	bool may_be_another;                 /* or does if its value is a method; */
	const struct terms_secret *in_place; /* borrowed: this secret goes there, */
	bool credential;                     /* or is a credential, */
	bool document;                       /* or a part of a document */
};
/* Whether a name may begin with it: what some leave out before one does not. */
bool judge_begins_name(char c);
struct judge_meaning judge_name_means(const struct judge *j, const struct http_text *name);
/* With its value, and what semicolons may part in it. */
struct judge_meaning judge_parameter_meaning(const struct judge *j, const struct http_parameter *p);
/* place: TERMS_PARAMETER or TERMS_FORM, of what it is one. False: refused. *ret_drop: it is left out. */
bool judge_parameter(const struct judge *j, enum terms_place place, const struct http_parameter *p,
		     const struct judge_meaning *m, bool *ret_drop, struct verdict *ret);

/* Charges nothing: judge_charge() does, when it is sent. */
void judge_request(const struct judge *j, const struct http_host *host, const struct http_request *q,
		   struct verdict *ret);
/* False: the uses of the grant are spent, or its rate is; *ret says so. */
bool judge_charge(struct judge *j, uint64_t now_ms, struct verdict *ret);
/* The query as it is sent, but for the secret. */
struct http_text judge_sent_query(const struct http_request *q, const struct verdict *v);
/* What is not allowed of a document, with the grant that would allow it. */
void judge_refuse_document(const struct judge *j, const struct graphql_verdict *g, struct verdict *ret);
/* Fills a verdict that refuses. hint may be NULL. */
void judge_refuse(struct verdict *ret, uint16_t status, enum ambit_code code, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* What stands for the secret where a program wants to see one: `ambit:NAME`. */
#define JUDGE_PLACEHOLDER "ambit:"

#endif
