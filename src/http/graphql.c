#include "http/graphql.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "http/gql_document.h"

#define HEX_MAX (2 * SHA256_BYTES + 1)

struct judging {
	const struct terms *t;
	struct graphql_verdict *v;
	bool only_reads; /* a mutation is refused */
};

/* How each key of a request is read. A hash may be there under many names, as servers have many. */
enum key { QUERY, OPERATION_NAME, VARIABLES, EXTENSIONS, HASH };

static const struct {
	const char *name;
	enum key key;
} keys[] = {
	{ "query", QUERY },
	{ "operationName", OPERATION_NAME },
	{ "variables", VARIABLES },
	{ "extensions", EXTENSIONS },
	{ "id", HASH },
	{ "documentId", HASH },
	{ "doc_id", HASH },
	{ "queryId", HASH },
	{ "hash", HASH },
	{ "sha256Hash", HASH },
};

static bool find_key(const char *name, enum key *ret)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(keys[i].name, name) == 0) {
			*ret = keys[i].key;
			return true;
		}
	return false;
}

bool graphql_is_parameter(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcasecmp(keys[i].name, name) == 0)
			return true;
	return false;
}

static bool refuse(struct judging *j, const char *why)
{
	(void)snprintf(j->v->why, sizeof(j->v->why), "%s", why);
	return false;
}

static bool is_granted(const struct terms *t, uint8_t type, const char *field, size_t n)
{
	for (uint32_t i = 0; i < t->n_operations; i++) {
		const struct terms_operation *o = &t->operations[i];

		if (o->type == type &&
		    (strcmp(o->field, "*") == 0 || (strncmp(o->field, field, n) == 0 && strnlen(o->field, n + 1) == n)))
			return true;
	}
	return false;
}

/* One whose name no term can have is more than can be noted. */
static void note(struct graphql_verdict *v, uint8_t type, const char *field, size_t n)
{
	for (uint32_t i = 0; i < v->n_fields && i < GRAPHQL_NOTED_MAX; i++)
		if (v->fields[i].type == type && strncmp(v->fields[i].field, field, n) == 0 &&
		    v->fields[i].field[n < TERMS_NAME_MAX ? n : 0] == 0)
			return;
	if (n >= TERMS_NAME_MAX || v->n_fields >= GRAPHQL_NOTED_MAX) {
		v->n_fields = GRAPHQL_NOTED_MAX + 1;
		return;
	}
	v->fields[v->n_fields].type = type;
	memcpy(v->fields[v->n_fields].field, field, n);
	v->fields[v->n_fields++].field[n] = 0;
}

/* A name too long for terms is cut in what is said of it. */
static bool judge_root(void *arg, uint8_t type, const char *field, size_t n)
{
	struct judging *j = arg;

	j->v->has_mutation |= type == TERMS_MUTATION;
	if (is_granted(j->t, type, field, n)) {
		note(j->v, type, field, n);
		return true;
	}
	j->v->type = type;
	(void)snprintf(j->v->field, sizeof(j->v->field), "%.*s", (int)(n < TERMS_NAME_MAX ? n : TERMS_NAME_MAX - 1),
		       field);
	(void)snprintf(j->v->why, sizeof(j->v->why), "%s %s is not granted", terms_operation_word(type), j->v->field);
	return false;
}

static bool has_mutation(const struct gql_document *d)
{
	for (size_t i = 0; i < d->n_definitions; i++)
		if (d->definitions[i].type == TERMS_MUTATION)
			return true;
	return false;
}

static bool judge_read(struct judging *j, struct gql_document *d)
{
	j->v->n_operations += d->n_operations;
	if (has_mutation(d)) {
		j->v->has_mutation = true;
		if (j->only_reads)
			return refuse(j, "a mutation is never sent as parameters of a target");
	}
	if (gql_document_roots(d, judge_root, j))
		return true;
	return j->v->why[0] != 0 ? false : refuse(j, d->why);
}

static bool judge_document(struct judging *j, const char *text, size_t n)
{
	struct gql_document d;
	const bool ok = gql_document_read(&d, text, n) ? judge_read(j, &d) : refuse(j, d.why);

	gql_document_finish(&d);
	return ok;
}

struct request {
	const char *query; /* of the JSON, or NULL */
	size_t n_query;
	const char *hash; /* likewise */
};

static bool is_listed(const struct terms *t, const char *hash)
{
	for (uint32_t i = 0; i < t->n_listed; i++)
		if (strcmp(t->listed[i], hash) == 0)
			return true;
	return false;
}

static bool is_hash_of(const char *hash, const char *text, size_t n)
{
	uint8_t digest[SHA256_BYTES];
	char hex[HEX_MAX];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, text, n);
	sha256_end(&s, digest);
	hex_write(digest, SHA256_BYTES, hex);
	return strcmp(hex, hash) == 0;
}

static bool judge_request(struct judging *j, const struct request *r)
{
	if (r->query == NULL && r->hash == NULL)
		return refuse(j, "a request has no query");
	if (r->query == NULL)
		return is_listed(j->t, r->hash) || refuse(j, "a persisted query is not listed");
	if (r->hash != NULL && !is_hash_of(r->hash, r->query, r->n_query))
		return refuse(j, "a hash is not the one of the query beside it");
	return judge_document(j, r->query, r->n_query);
}

/* "sha256:" before it is how identifiers of documents are written. */
static bool take_hash(struct judging *j, struct request *r, const json_t *value)
{
	static const char prefix[] = "sha256:";
	const char *hash = json_string_value(value);

	if (hash == NULL)
		return refuse(j, "a persisted query is not named by a text");
	if (strncmp(hash, prefix, sizeof(prefix) - 1) == 0)
		hash += sizeof(prefix) - 1;
	if (r->hash != NULL && strcmp(r->hash, hash) != 0)
		return refuse(j, "a request names two persisted queries");
	r->hash = hash;
	return true;
}

static bool take_persisted(struct judging *j, struct request *r, const json_t *value)
{
	const json_t *version = json_object_get(value, "version");

	if (json_object_size(value) != 2 || !json_is_integer(version) || json_integer_value(version) != 1)
		return refuse(j, "a persisted query is not of version 1");
	return take_hash(j, r, json_object_get(value, "sha256Hash"));
}

/* clientLibrary is what Apollo's client says of itself; another extension may mean anything. */
static bool take_extensions(struct judging *j, struct request *r, json_t *value)
{
	const char *key;
	json_t *one;

	json_object_foreach(value, key, one)
	{
		if (strcmp(key, "clientLibrary") == 0)
			continue;
		if (strcmp(key, "persistedQuery") != 0)
			return refuse(j, "a request has an extension that is not known");
		if (!take_persisted(j, r, one))
			return false;
	}
	return true;
}

static bool take_value(struct judging *j, struct request *r, enum key key, json_t *value)
{
	if (key != HASH && json_is_null(value))
		return true;
	switch (key) {
	case QUERY:
		r->query = json_string_value(value);
		r->n_query = json_string_length(value);
		return r->query != NULL || refuse(j, "query is not a text");
	case OPERATION_NAME: return json_is_string(value) || refuse(j, "operationName is not a text");
	case VARIABLES: return json_is_object(value) || refuse(j, "variables are not an object");
	case EXTENSIONS:
		return json_is_object(value) ? take_extensions(j, r, value) : refuse(j, "extensions are not an object");
	case HASH: return take_hash(j, r, value);
	}
	return false;
}

static bool judge_object(struct judging *j, json_t *object)
{
	struct request r = { .query = NULL };
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return refuse(j, "a request is not an object");
	json_object_foreach(object, name, value)
	{
		enum key key = QUERY;

		if (!find_key(name, &key))
			return refuse(j, "a request has a key that is not known");
		if (!take_value(j, &r, key, value))
			return false;
	}
	return judge_request(j, &r);
}

static bool judge_batch(struct judging *j, json_t *batch)
{
	size_t i;
	json_t *one;

	if (json_array_size(batch) == 0 || json_array_size(batch) > GRAPHQL_BATCH_MAX)
		return refuse(j, "a batch has no request, or too many");
	json_array_foreach(batch, i, one)
	{
		if (!judge_object(j, one))
			return false;
	}
	return true;
}

/* Where a text ends, or n. */
static size_t after_text(const char *bytes, size_t n, size_t i)
{
	for (i++; i < n && bytes[i] != '"'; i++)
		if (bytes[i] == '\\')
			i++;
	return i;
}

/* Before the parser sees it: how deep and how much. What is not JSON is counted somehow, and refused by the parser. */
static bool is_bounded(const char *bytes, size_t n)
{
	size_t values = 0, depth = 0;

	for (size_t i = 0; i < n; i++) {
		const char c = bytes[i];

		if (c == '"')
			i = after_text(bytes, n, i);
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		values += c == '{' || c == '[' || c == ',' || c == ':';
		if (values > GRAPHQL_VALUES_MAX || depth > GRAPHQL_DEPTH_MAX)
			return false;
	}
	return true;
}

/* NULL: j says why. The caller's. Nothing after it, no NUL, no key twice, well-formed UTF-8: the parser's own checks. */
static json_t *read_json(struct judging *j, const char *bytes, size_t n)
{
	json_error_t why;
	json_t *json;

	if (!is_bounded(bytes, n)) {
		(void)refuse(j, "the JSON is nested too deeply, or has too many values");
		return NULL;
	}
	json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &why);
	if (json == NULL)
		(void)snprintf(j->v->why, sizeof(j->v->why),
			       "what was sent is not JSON to the letter (line %d, column %d)", why.line, why.column);
	return json;
}

static bool judge_json(struct judging *j, const char *bytes, size_t n)
{
	json_t *json = read_json(j, bytes, n);
	bool ok;

	if (json == NULL)
		return false;
	ok = json_is_array(json) ? judge_batch(j, json) : judge_object(j, json);
	json_decref(json);
	return ok;
}

/* In place. False: what is not encoded but has to be, or is so wrongly, or a NUL. A semicolon separates parameters for some. */
static bool decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in != 0; in++, out++) {
		if (*in <= ' ' || *in > '~' || *in == ';' || *in == '#')
			return false;
		if (*in != '%') {
			*out = *in == '+' ? ' ' : *in;
			continue;
		}
		if (hex_digit(in[1]) < 0 || hex_digit(in[2]) < 0)
			return false;
		*out = (char)(hex_digit(in[1]) * 16 + hex_digit(in[2]));
		if (*out == 0)
			return false;
		in += 2;
	}
	*out = 0;
	return true;
}

/* Variables and extensions are JSON within a parameter; one that is empty is none. */
static bool put_parameter(struct judging *j, json_t *object, const char *name, const char *value)
{
	enum key key = QUERY;
	json_t *json;

	if (!find_key(name, &key))
		return refuse(j, "a parameter is not known");
	if (json_object_get(object, name) != NULL)
		return refuse(j, "a parameter is there twice");
	if (key != VARIABLES && key != EXTENSIONS)
		json = json_string(value);
	else
		json = value[0] == 0 ? json_null() : read_json(j, value, strlen(value));
	if (json_object_set_new(object, name, json) == 0)
		return true;
	return j->v->why[0] != 0 ? false : refuse(j, "a parameter is not UTF-8");
}

static bool take_parameters(struct judging *j, json_t *object, char *text)
{
	char *rest = text;

	while (rest != NULL) {
		char *name = strsep(&rest, "&");
		char *value = strchr(name, '=');

		if (value == NULL)
			return refuse(j, "a parameter has no value");
		*value++ = 0;
		if (!decode(name) || !decode(value))
			return refuse(j, "a parameter is not encoded as it has to be");
		if (!put_parameter(j, object, name, value))
			return false;
	}
	return true;
}

static bool judge_parameters(struct judging *j, const char *bytes, size_t n)
{
	auto_free char *text = strndup(n > 0 ? bytes : "", n);
	json_t *object = json_object();
	bool ok;

	if (n == 0)
		ok = refuse(j, "it asks for nothing of GraphQL");
	else if (text == NULL || object == NULL || strlen(text) != n)
		ok = refuse(j, "the parameters have a NUL, or memory is gone");
	else
		ok = take_parameters(j, object, text) && judge_object(j, object);
	json_decref(object);
	return ok;
}

static bool judge(struct judging *j, enum graphql_form form, const char *bytes, size_t n)
{
	if (n > GRAPHQL_BODY_MAX)
		return refuse(j, "what was sent is too long");
	switch (form) {
	case GRAPHQL_JSON: return judge_json(j, bytes, n);
	case GRAPHQL_DOCUMENT: return judge_document(j, bytes, n);
	case GRAPHQL_PARAMETERS: return judge_parameters(j, bytes, n);
	}
	return false;
}

void graphql_judge(const struct terms *t, enum graphql_form form, const char *bytes, size_t n,
		   struct graphql_verdict *ret)
{
	struct judging j = { .t = t, .v = ret, .only_reads = form == GRAPHQL_PARAMETERS };

	*ret = (struct graphql_verdict){ .type = TERMS_QUERY };
	ret->allowed = judge(&j, form, bytes, n);
}
