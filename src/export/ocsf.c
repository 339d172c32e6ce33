#include "export/ocsf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/body.h"
#include "audit/verdict.h"
#include "base/json.h"
#include "base/num.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "core/host.h"
#include "export/known.h"

#define OTHER 99
#define DIGEST_MAX (2 * SHA256_BYTES + 1)

enum severity { INFORMATIONAL = 1, LOW, MEDIUM };

enum class_uid {
	BASE = 0,
	FILE_ACTIVITY = 1001,
	PROCESS_ACTIVITY = 1007,
	ENTITY_MANAGEMENT = 3004,
	USER_ACCESS = 3005,
	NETWORK_ACTIVITY = 4001,
	APPLICATION_LIFECYCLE = 6002,
};

/* How an entry is classified. */
struct shape {
	enum class_uid class_uid;
	unsigned activity;         /* OTHER: then activity_name says what */
	const char *activity_name; /* NULL: the class has one */
	enum severity severity;
};

struct ocsf {
	const struct snapshot *s; /* borrowed */
	struct known known;
	char object[GRANT_OBJECT_MAX]; /* of the entry at hand */
};

/* ---- which class ---- */

/* What a kind of effect, or of change, is there. Kinds that open are told as what they open for. */
static const struct kind {
	const char *word;
	enum class_uid class_uid;
	unsigned activity;
} kinds[] = {
	{ "read", FILE_ACTIVITY, 2 },    { "write", FILE_ACTIVITY, 3 },    { "exec", PROCESS_ACTIVITY, 1 },
	{ "delete", FILE_ACTIVITY, 4 },  { "rename", FILE_ACTIVITY, 5 },   { "mkdir", FILE_ACTIVITY, 1 },
	{ "link", FILE_ACTIVITY, 1 },    { "mode", FILE_ACTIVITY, 6 },     { "connect", NETWORK_ACTIVITY, 1 },
	{ "added", FILE_ACTIVITY, 1 },   { "modified", FILE_ACTIVITY, 3 }, { "deleted", FILE_ACTIVITY, 4 },
	{ "renamed", FILE_ACTIVITY, 5 },
};

static struct shape shape_of_effect(const struct entry *entry)
{
	const enum verdict verdict = verdict_of(entry);
	const enum severity severity = verdict == VERDICT_ALLOWED ? INFORMATIONAL : LOW;
	char word[32];

	if (body_find_word(entry->body, "kind", word, sizeof word))
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			if (strcmp(kinds[i].word, word) == 0)
				return (struct shape){ kinds[i].class_uid, kinds[i].activity, NULL, severity };
	return (struct shape){ BASE, OTHER, "effect", severity };
}

/* What has no class there: of what a person's authority did, most. */
static struct shape base_shape(const struct entry *entry)
{
	return (struct shape){ BASE, OTHER, entry_type_word(entry->type), INFORMATIONAL };
}

static struct shape shape_of(const struct entry *entry)
{
	const bool of_event = entry->event[0] != 0;

	switch (entry->type) {
	case ENTRY_EFFECT: return shape_of_effect(entry);
	case ENTRY_START:
		return of_event ? (struct shape){ PROCESS_ACTIVITY, 1, NULL, INFORMATIONAL }
				: (struct shape){ APPLICATION_LIFECYCLE, 3, NULL, INFORMATIONAL };
	case ENTRY_STOP:
		return of_event ? (struct shape){ PROCESS_ACTIVITY, 2, NULL, INFORMATIONAL }
				: (struct shape){ APPLICATION_LIFECYCLE, 4, NULL, INFORMATIONAL };
	case ENTRY_CRASH:
		return of_event ? (struct shape){ PROCESS_ACTIVITY, 2, NULL, MEDIUM }
				: (struct shape){ APPLICATION_LIFECYCLE, OTHER, "crash", MEDIUM };
	case ENTRY_REQUEST:
		return of_event ? (struct shape){ PROCESS_ACTIVITY, OTHER, "request", INFORMATIONAL }
				: base_shape(entry);
	case ENTRY_STEP: return (struct shape){ PROCESS_ACTIVITY, OTHER, "step", INFORMATIONAL };
	case ENTRY_DECISION: return of_event ? (struct shape){ PROCESS_ACTIVITY, 1, NULL, LOW } : base_shape(entry);
	case ENTRY_GRANT:
	case ENTRY_DERIVE: return (struct shape){ USER_ACCESS, 1, NULL, INFORMATIONAL };
	case ENTRY_REVOKE:
	case ENTRY_EXPIRE: return (struct shape){ USER_ACCESS, 2, NULL, INFORMATIONAL };
	case ENTRY_POLICY: return (struct shape){ ENTITY_MANAGEMENT, 2, NULL, INFORMATIONAL };
	case ENTRY_INTENT:
	case ENTRY_RESULT:
	case ENTRY_COMMIT:
	case ENTRY_DISCARD:
	case ENTRY_ASK:
	case ENTRY_APPROVE:
	case ENTRY_FREEZE:
	case ENTRY_THAW:
	case ENTRY_LABEL:
	case ENTRY_DECLASSIFY:
	case ENTRY_VERDICT:
	case ENTRY_PRUNE:
	case ENTRY_KEY:
	case ENTRY_TYPE_COUNT: break;
	}
	return base_shape(entry);
}

/* ---- pieces ---- */

/* A name that is no text cannot be a string there: it is shown escaped, and stands in `unmapped` as it is. */
static void put_shown(struct json *j, const char *name)
{
	char shown[2 * GRANT_OBJECT_MAX];

	json_put_word(j, text_is_utf8(name, strlen(name), NULL) ? name
								: text_escape(shown, sizeof shown, name, strlen(name)));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != 0 ? slash + 1 : path;
}

static void put_id(struct json *j, const char *key, unsigned n)
{
	json_put_count(json_put_key(j, key), n);
}

static void put_process(struct json *j, const char *event, const char *path, const char *command)
{
	json_put_object(j);
	if (command[0] != 0)
		put_shown(json_put_key(j, "cmd_line"), command);
	if (path[0] != 0) {
		json_put_object(json_put_key(j, "file"));
		put_shown(json_put_key(j, "name"), base_name(path));
		put_shown(json_put_key(j, "path"), path);
		put_id(j, "type_id", 1);
		json_put_object_end(j);
		put_shown(json_put_key(j, "name"), base_name(path));
	}
	json_put_word(json_put_key(j, "uid"), event);
	json_put_object_end(j);
}

/* The event's process, as far as its request is known. */
static void put_event_process(struct json *j, const struct ocsf *o, const struct entry *entry)
{
	const struct known_event *k = known_find(&o->known, entry->event);

	put_process(j, entry->event, k != NULL ? k->program : "", k != NULL ? k->command : "");
}

static void put_actor(struct json *j, const struct ocsf *o, const struct entry *entry)
{
	const struct known_event *k = known_find(&o->known, entry->event);

	json_put_object(json_put_key(j, "actor"));
	put_shown(json_put_key(j, "app_name"), k != NULL && k->agent[0] != 0 ? k->agent : "ambit");
	if (entry->event[0] != 0)
		put_event_process(json_put_key(j, "process"), o, entry);
	json_put_object_end(j);
}

/* The machine, of which the ledger knows no name: by that of the log. */
static void put_device(struct json *j, const struct ocsf *o)
{
	json_put_object(json_put_key(j, "device"));
	json_put_word(json_put_key(j, "name"), o->s->key.name);
	put_id(j, "type_id", 0);
	json_put_object_end(j);
}

/* ---- what the classes want ---- */

static unsigned file_type(const struct entry *entry, const char *kind)
{
	char type[32];

	if (strcmp(kind, "mkdir") == 0)
		return 2;
	if (!body_find_word(entry->body, "type", type, sizeof type))
		return 0;
	return strcmp(type, "file") == 0        ? 1
	       : strcmp(type, "directory") == 0 ? 2
	       : strcmp(type, "symlink") == 0   ? 7
						: OTHER;
}

/* False, and empty: there is none, or it has no form of one. */
static bool find_sha256(const struct entry *entry, char ret[DIGEST_MAX])
{
	const bool is = body_find_word(entry->body, "sha256", ret, DIGEST_MAX) &&
			strlen(ret) == (size_t)2 * SHA256_BYTES && strspn(ret, "0123456789abcdef") == strlen(ret);

	if (!is)
		ret[0] = 0;
	return is;
}

static void put_hashes(struct json *j, const struct entry *entry)
{
	char digest[DIGEST_MAX];

	if (!find_sha256(entry, digest))
		return;
	json_put_array(json_put_key(j, "hashes"));
	json_put_object(j);
	put_id(j, "algorithm_id", 3); /* SHA-256 */
	json_put_word(json_put_key(j, "value"), digest);
	json_put_object_end(j);
	json_put_array_end(j);
}

static void put_file(struct json *j, struct ocsf *o, const struct entry *entry)
{
	char kind[32];
	uint64_t size;

	(void)body_find_word(entry->body, "kind", kind, sizeof kind);
	json_put_object(json_put_key(j, "file"));
	put_hashes(j, entry);
	put_shown(json_put_key(j, "name"), base_name(o->object));
	put_shown(json_put_key(j, "path"), o->object);
	if (body_find_count(entry->body, "size", &size))
		json_put_count(json_put_key(j, "size"), size);
	put_id(j, "type_id", file_type(entry, kind));
	json_put_object_end(j);
}

/* "inet host.example:443". */
static bool take_host(const char *object, struct host_name *ret, uint32_t *ret_port)
{
	static const char inet[] = "inet ";
	const char *const colon = strrchr(object, ':'), *const host = object + sizeof inet - 1;

	return strncmp(object, inet, sizeof inet - 1) == 0 && colon != NULL && colon > host &&
	       host_take(host, (size_t)(colon - host), ret) && parse_u32(colon + 1, 0, 65535, ret_port);
}

/* "inet 192.0.2.1:443", "inet [2001:db8::1]:443", "unix /run/x": of the first two the address, in its place and read as the kernel's callers do. */
static bool take_address(const char *object, char ret_ip[INET6_ADDRSTRLEN], uint32_t *ret_port)
{
	const char *const space = strchr(object, ' ');
	const char *const address = space != NULL ? space + 1 : object;
	const char *const colon = strrchr(address, ':');
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t brackets, n;

	if (space == NULL || strncmp(object, "unix", 4) == 0 || colon == NULL || colon == address)
		return false;
	brackets = address[0] == '[' && colon[-1] == ']' ? 1 : 0;
	n = (size_t)(colon - address);
	if (n < 2 * brackets || n - 2 * brackets >= INET6_ADDRSTRLEN)
		return false;
	(void)snprintf(ret_ip, INET6_ADDRSTRLEN, "%.*s", (int)(n - 2 * brackets), address + brackets); /* it fits */
	return inet_pton(brackets == 1 ? AF_INET6 : AF_INET, ret_ip, bytes) == 1 &&
	       parse_u32(colon + 1, 0, 65535, ret_port);
}

static void put_endpoint(struct json *j, const char *object)
{
	char ip[INET6_ADDRSTRLEN];
	struct host_name host;
	uint32_t port;

	json_put_object(json_put_key(j, "dst_endpoint"));
	if (take_address(object, ip, &port)) {
		json_put_word(json_put_key(j, "ip"), ip);
		json_put_count(json_put_key(j, "port"), port);
	} else if (take_host(object, &host, &port)) {
		json_put_word(json_put_key(j, "hostname"), host.text);
		json_put_count(json_put_key(j, "port"), port);
	} else {
		put_shown(json_put_key(j, "name"), object);
	}
	json_put_object_end(j);
}

static void put_connection(struct json *j, const char *object)
{
	const size_t n = strcspn(object, " ");
	char word[16];

	(void)snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : 0), object);
	json_put_object(json_put_key(j, "connection_info"));
	put_id(j, "direction_id", 2); /* outbound */
	if (word[0] != 0)
		put_shown(json_put_key(j, "protocol_name"), word);
	json_put_object_end(j);
}

/* As the event has it: out is to the host. Older entries say nothing of it. */
static void put_traffic(struct json *j, const struct entry *entry)
{
	struct canonical_value meter;
	uint64_t up, down;

	if (!canonical_find(entry->body, "meter", &meter) || !body_find_count(meter, "up_bytes", &up) ||
	    !body_find_count(meter, "down_bytes", &down))
		return;
	json_put_object(json_put_key(j, "traffic"));
	json_put_count(json_put_key(j, "bytes"), up + down); /* each is below 2^53 */
	json_put_count(json_put_key(j, "bytes_in"), down);
	json_put_count(json_put_key(j, "bytes_out"), up);
	json_put_object_end(j);
}

static void put_privileges(struct json *j, struct ocsf *o, const struct entry *entry)
{
	char verb[32];

	json_put_array(json_put_key(j, "privileges"));
	if (body_find_word(entry->body, "verb", verb, sizeof verb) && verb[0] != 0)
		json_put_word(j, verb);
	json_put_array_end(j);
	json_put_array(json_put_key(j, "resources"));
	json_put_object(j);
	put_shown(json_put_key(j, "name"), o->object);
	json_put_word(json_put_key(j, "uid"), entry->grant);
	json_put_object_end(j);
	json_put_array_end(j);
	json_put_object(json_put_key(j, "user")); /* who may use it: the event */
	json_put_word(json_put_key(j, "type"), "event");
	put_id(j, "type_id", OTHER);
	json_put_word(json_put_key(j, "uid"), entry->event[0] != 0 ? entry->event : "none");
	json_put_object_end(j);
}

static void put_entity(struct json *j, const struct entry *entry)
{
	char name[GRANT_OBJECT_MAX], digest[DIGEST_MAX];

	json_put_object(json_put_key(j, "entity"));
	if (body_find_name(entry->body, "name", name, sizeof name) && name[0] != 0)
		put_shown(json_put_key(j, "name"), name);
	json_put_word(json_put_key(j, "type"), "policy");
	json_put_word(json_put_key(j, "uid"), find_sha256(entry, digest) ? digest : "none");
	json_put_object_end(j);
}

static void put_app(struct json *j)
{
	json_put_object(json_put_key(j, "app"));
	json_put_word(json_put_key(j, "name"), "ambit-ledger");
	json_put_word(json_put_key(j, "vendor_name"), "Ambit");
	json_put_object_end(j);
}

/* The target of an execution is what is executed; of an event's start and end it is the event's program. */
static void put_target_process(struct json *j, struct ocsf *o, const struct entry *entry)
{
	uint64_t code;

	(void)json_put_key(j, "process");
	if (entry->type == ENTRY_EFFECT)
		put_process(j, entry->event, o->object, "");
	else
		put_event_process(j, o, entry);
	if (entry->type == ENTRY_STOP && body_find_count(entry->body, "exit", &code))
		json_put_count(json_put_key(j, "exit_code"), code);
}

static void put_class(struct json *j, struct ocsf *o, const struct entry *entry, enum class_uid class_uid)
{
	switch (class_uid) {
	case FILE_ACTIVITY: put_file(j, o, entry); break;
	case PROCESS_ACTIVITY: put_target_process(j, o, entry); break;
	case ENTITY_MANAGEMENT: put_entity(j, entry); break;
	case USER_ACCESS: put_privileges(j, o, entry); break;
	case NETWORK_ACTIVITY:
		put_endpoint(j, o->object);
		put_connection(j, o->object);
		put_traffic(j, entry);
		break;
	case APPLICATION_LIFECYCLE: put_app(j); break;
	case BASE: break;
	}
	if (class_uid == FILE_ACTIVITY || class_uid == PROCESS_ACTIVITY || class_uid == NETWORK_ACTIVITY)
		put_device(j, o);
	if (class_uid != APPLICATION_LIFECYCLE && class_uid != BASE)
		put_actor(j, o, entry);
}

/* ---- what all have ---- */

static bool is_controlled(const struct entry *entry, const struct shape *shape)
{
	return verdict_of(entry) != VERDICT_NONE && shape->class_uid != BASE;
}

/* The profile `security_control`: what the wall, or the policy of changes, made of it. */
static void put_control(struct json *j, const struct entry *entry)
{
	static const struct {
		unsigned action, disposition;
	} of[] = {
		[VERDICT_NONE] = { 0, 0 }, [VERDICT_ALLOWED] = { 1, 1 }, [VERDICT_DENIED] = { 2, 2 },
		[VERDICT_HELD] = { 2, 3 }, [VERDICT_REFUSED] = { 2, 2 }, [VERDICT_STRANGE] = { 0, 0 },
	};
	const enum verdict verdict = verdict_of(entry);

	put_id(j, "action_id", of[verdict].action);
	put_id(j, "disposition_id", of[verdict].disposition);
	json_put_bool(json_put_key(j, "is_alert"), verdict != VERDICT_ALLOWED);
	if (entry->grant[0] == 0 || (verdict != VERDICT_ALLOWED && verdict != VERDICT_HELD))
		return; /* what was asked for by a grant was not always allowed by it */
	json_put_array(json_put_key(j, "authorizations"));
	json_put_object(j);
	json_put_word(json_put_key(j, "decision"), "allowed");
	json_put_object(json_put_key(j, "policy"));
	json_put_word(json_put_key(j, "uid"), entry->grant);
	json_put_object_end(j);
	json_put_object_end(j);
	json_put_array_end(j);
}

/* It was allowed, and nobody answered, or its budget was spent. */
static bool was_never_open(const struct entry *entry)
{
	struct canonical_value meter;
	uint64_t opened;

	return canonical_find(entry->body, "meter", &meter) && body_find_count(meter, "opened", &opened) && opened == 0;
}

/* 1 success, 2 failure; 0: the entry does not say. */
static unsigned status_of(const struct entry *entry)
{
	const enum verdict verdict = verdict_of(entry);
	uint64_t code;

	if (verdict == VERDICT_DENIED || verdict == VERDICT_HELD || verdict == VERDICT_REFUSED ||
	    entry->type == ENTRY_CRASH || was_never_open(entry))
		return 2;
	if (entry->type == ENTRY_STOP && entry->event[0] != 0)
		return body_find_count(entry->body, "exit", &code) && code == 0 ? 1 : 2;
	if (entry->type == ENTRY_COMMIT || entry->type == ENTRY_DISCARD)
		return body_is(entry->body, "state", "done") || body_is(entry->body, "state", "recovered") ? 1
		       : body_is(entry->body, "state", "begins")                                           ? 0
													   : 2;
	return verdict == VERDICT_ALLOWED ? 1 : 0;
}

static void put_metadata(struct json *j, const struct ocsf *o, const struct entry *entry, bool controlled)
{
	char wall[TIMESTAMP_LEN + 1], uid[VKEY_NAME_MAX + 48];

	(void)timestamp_write(entry->wall_ms, wall); /* it was read as one */
	/* two logs may have one name, but not one key */
	(void)snprintf(uid, sizeof uid, "%s+%08" PRIx32 "#%" PRIu64, o->s->key.name, o->s->key.id,
		       entry->seq); /* it fits */
	json_put_object(json_put_key(j, "metadata"));
	if (entry->event[0] != 0)
		json_put_word(json_put_key(j, "correlation_uid"), entry->event);
	json_put_word(json_put_key(j, "event_code"), entry_type_word(entry->type));
	json_put_word(json_put_key(j, "log_name"), o->s->key.name);
	json_put_word(json_put_key(j, "original_time"), wall);
	json_put_object(json_put_key(j, "product"));
	json_put_word(json_put_key(j, "name"), "Ambit");
	json_put_word(json_put_key(j, "vendor_name"), "Ambit");
	json_put_word(json_put_key(j, "version"), AMBIT_VERSION);
	json_put_object_end(j);
	if (controlled) {
		json_put_array(json_put_key(j, "profiles"));
		json_put_word(j, "security_control");
		json_put_array_end(j);
	}
	json_put_count(json_put_key(j, "sequence"), entry->seq);
	json_put_word(json_put_key(j, "uid"), uid);
	json_put_word(json_put_key(j, "version"), OCSF_VERSION);
	json_put_object_end(j);
}

/* What leads back to the proof, and all that the entry says. */
static void put_unmapped(struct json *j, const struct reading_entry *r)
{
	json_put_object(json_put_key(j, "unmapped"));
	json_put_object(json_put_key(j, "ambit"));
	json_put_made(json_put_key(j, "body"), r->entry->body.at, r->entry->body.n);
	json_put_count(json_put_key(j, "entry"), r->entry->seq);
	json_put_hex(json_put_key(j, "leaf"), r->leaf->bytes, sizeof r->leaf->bytes);
	json_put_bool(json_put_key(j, "signed"), r->is_signed);
	json_put_object_end(j);
	json_put_object_end(j);
}

static void put_classification(struct json *j, const struct shape *shape, const struct entry *entry)
{
	put_id(j, "activity_id", shape->activity);
	if (shape->activity_name != NULL)
		json_put_word(json_put_key(j, "activity_name"), shape->activity_name);
	put_id(j, "category_uid", shape->class_uid / 1000);
	put_id(j, "class_uid", shape->class_uid);
	put_id(j, "severity_id", shape->severity);
	put_id(j, "status_id", status_of(entry));
	json_put_count(json_put_key(j, "time"), entry->wall_ms);
	put_id(j, "type_uid", shape->class_uid * 100 + shape->activity);
}

static void put_count(struct json *j, const struct entry *entry)
{
	uint64_t count;

	if (body_find_count(entry->body, "count", &count) && count > 0)
		json_put_count(json_put_key(j, "count"), count);
}

int ocsf_take(struct ocsf *o, const struct reading_entry *r, struct buf *out)
{
	const struct shape shape = shape_of(r->entry);
	const bool controlled = is_controlled(r->entry, &shape);
	struct json j;

	if (r->entry->type == ENTRY_REQUEST)
		known_take(&o->known, r->entry);
	if (!body_find_name(r->entry->body, "object", o->object, sizeof o->object) || o->object[0] == 0)
		(void)text_copy(o->object, sizeof o->object, "unknown");
	json_begin(&j, out);
	json_put_object(&j);
	put_classification(&j, &shape, r->entry);
	put_count(&j, r->entry);
	put_metadata(&j, o, r->entry, controlled);
	put_class(&j, o, r->entry, shape.class_uid);
	if (controlled)
		put_control(&j, r->entry);
	put_unmapped(&j, r);
	json_put_object_end(&j);
	buf_printf(out, "\n");
	return out->failed ? -ENOMEM : 0;
}

struct ocsf *ocsf_create(const struct snapshot *s)
{
	struct ocsf *o = calloc(1, sizeof *o);

	if (o != NULL)
		o->s = s;
	return o;
}

void ocsf_destroy(struct ocsf *o)
{
	free(o);
}
