/* The configuration of each client: as it was, as it becomes, and as it is when that is undone in the text, as if something else had been changed meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup/call.h"
#include "setup/change.h"
#include "setup/servers.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define USUAL (SETUP_WRAP | SETUP_ADD | SETUP_SANDBOX)

struct row {
	const char *name;
	enum setup_client client;
	uint32_t what;
	const char *before, *after; /* after: NULL: nothing changes */
	const char *undone;         /* NULL: as before */
};

#define GUARD_X "\"guard\", \"--name\", \"x\", \"--\", \"npx\""
#define AMBIT_JSON "\"ambit\": {\n      \"command\": \"ambit\",\n      \"args\": [\"mcp\", \"--work\", \".\"]\n    }"
#define AMBIT_TOML "[mcp_servers.ambit]\ncommand = \"ambit\"\nargs = [\"mcp\", \"--work\", \".\"]\n"
#define HOOK_GROUP                                                                                                     \
	"{\n        \"matcher\": \"Bash\",\n        \"hooks\": [\n          {\n            \"type\": \"command\",\n"   \
	"            \"command\": \"ambit setup hook claude-code || exit 2\"\n          }\n        ]\n      }"
#define HOOK_FLAT                                                                                                      \
	"{\n        \"command\": \"ambit setup hook claude-code || exit 2\",\n        \"matcher\": \"Shell\",\n"       \
	"        \"failClosed\": true\n      }"
#define HOOK_TOML                                                                                                      \
	"[[hooks.PreToolUse]]\nmatcher = \"^Bash$\"\n\n[[hooks.PreToolUse.hooks]]\ntype = \"command\"\n"               \
	"command = \"ambit setup hook claude-code || exit 2\"\n"

static const struct row rows[] = {
	/* ---- JSON ---- */
	{ "no file", SETUP_CLAUDE_CODE, USUAL, "", "{\n  \"mcpServers\": {\n    " AMBIT_JSON "\n  }\n}\n", "{}\n" },
	{ "white space", SETUP_CURSOR, USUAL, " \r\n\t", "{\n  \"mcpServers\": {\n    " AMBIT_JSON "\n  }\n}\n",
	  "{}\n" },
	{ "an empty object", SETUP_CURSOR, USUAL, "{}", "{\n  \"mcpServers\": {\n    " AMBIT_JSON "\n  }\n}", NULL },
	{ "an empty object in lines", SETUP_CURSOR, USUAL, "{\n}\n",
	  "{\n  \"mcpServers\": {\n    " AMBIT_JSON "\n  }\n}\n", "{}\n" },
	{ "empty servers", SETUP_CURSOR, USUAL, "{\n  \"mcpServers\": {}\n}\n",
	  "{\n  \"mcpServers\": {\n    " AMBIT_JSON "\n  }\n}\n", NULL },
	{ "a server with arguments", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\":{\"x\":{\"command\":\"npx\",\"args\":[\"-y\",\"s\"]}}}",
	  "{\"mcpServers\":{\"x\":{\"command\":\"ambit\",\"args\":[" GUARD_X ", \"-y\",\"s\"]}}}", NULL },
	{ "arguments in lines", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\": {\"x\": {\"args\": [\n\t\t\"-y\", // why\n\t\t\"s\",\n\t], \"command\": \"npx\",}}}",
	  "{\"mcpServers\": {\"x\": {\"args\": "
	  "[\n\t\t\"guard\",\n\t\t\"--name\",\n\t\t\"x\",\n\t\t\"--\",\n\t\t\"npx\",\n\t\t\"-y\", // why\n\t\t\"s\",\n\t], \"command\": \"ambit\",}}}",
	  NULL },
	{ "no arguments", SETUP_CURSOR, SETUP_WRAP, "{\"mcpServers\": {\"x\": {\"command\": \"npx\"}}}",
	  "{\"mcpServers\": {\"x\": {\"command\": \"ambit\", \"args\": [" GUARD_X "]}}}", NULL },
	{ "empty arguments", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\": {\"x\": {\"command\": \"npx\", \"args\": []}}}",
	  "{\"mcpServers\": {\"x\": {\"command\": \"ambit\", \"args\": [" GUARD_X "]}}}", NULL },
	{ "variables", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\": {\"x\": {\"command\": \"npx\", \"args\": [\"s\"], \"env\": {\"A\": \"1\", \"B_2\": \"${B}\", \"C=D\": \"\"}}}}",
	  "{\"mcpServers\": {\"x\": {\"command\": \"ambit\", \"args\": "
	  "[\"guard\", \"--name\", \"x\", \"--env\", \"A\", \"--env\", \"B_2\", \"--\", \"npx\", \"s\"], \"env\": {\"A\": \"1\", \"B_2\": \"${B}\", \"C=D\": \"\"}}}}",
	  NULL },
	{ "a URL, one behind the gate, nothing at all", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\": {\"a\": {\"url\": \"https://e.x\"}, \"b\": {\"command\": \"/usr/bin/ambit\", \"args\": [\"guard\", \"--\", \"npx\"]}, \"c\": {}, \"d\": 1, \"e\": {\"command\": [\"npx\"]}, \"f\": {\"command\": \"npx\", \"args\": [1]}, \"g\": {\"command\": \"npx -y s\"}}}",
	  NULL, NULL },
	{ "a path with blanks", SETUP_CURSOR, SETUP_WRAP, "{\"mcpServers\": {\"x\": {\"command\": \"/opt/My App/s\"}}}",
	  "{\"mcpServers\": {\"x\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--name\", \"x\", \"--\", \"/opt/My App/s\"]}}}",
	  NULL },
	{ "a name that grants have not", SETUP_CURSOR, SETUP_WRAP,
	  "{\"mcpServers\": {\"my \\u00e9\": {\"command\": \"npx\"}}}",
	  "{\"mcpServers\": {\"my \\u00e9\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--name\", \"my---\", \"--\", \"npx\"]}}}",
	  NULL },
	{ "ambit is there", SETUP_CURSOR, USUAL,
	  "{\"mcpServers\": {\"ambit\": {\"command\": \"ambit\", \"args\": [\"mcp\"]}}}", NULL, NULL },
	{ "the name is taken", SETUP_CURSOR, SETUP_ADD, "{\"mcpServers\": {\"ambit\": {\"command\": \"npx\"}}}", NULL,
	  NULL },
	{ "one line", SETUP_CURSOR, SETUP_ADD, "{ \"mcpServers\": { \"x\": {\"url\": \"u\"} } }",
	  "{ \"mcpServers\": { \"x\": {\"url\": \"u\"}, \"ambit\": {\"command\": \"ambit\", \"args\": [\"mcp\", \"--work\", \".\"]} } }",
	  NULL },
	{ "CRLF, tabs, and a member behind", SETUP_VSCODE, USUAL,
	  "{\r\n\t\"servers\": {\r\n\t\t\"x\": {\r\n\t\t\t\"command\": \"npx\"\r\n\t\t}\r\n\t},\r\n\t\"inputs\": []\r\n}\r\n",
	  "{\r\n\t\"servers\": {\r\n\t\t\"x\": {\r\n\t\t\t\"command\": \"ambit\",\r\n\t\t\t\"args\": [" GUARD_X
	  "]\r\n\t\t},\r\n\t\t\"ambit\": {\r\n\t\t\t\"type\": \"stdio\",\r\n\t\t\t\"command\": \"ambit\",\r\n\t\t\t\"args\": [\"mcp\", \"--work\", \".\"]\r\n\t\t}\r\n\t},\r\n\t\"inputs\": []\r\n}\r\n",
	  NULL },
	{ "comments, and a comma behind the last", SETUP_VSCODE, SETUP_ADD,
	  "// mine\n{\n    /* all */\n    \"servers\": {\n        \"x\": { \"url\": \"u\" }, // this one, too\n        // \"old\": {}\n    },\n}\n// end",
	  "// mine\n{\n    /* all */\n    \"servers\": {\n        \"x\": { \"url\": \"u\" }, // this one, too\n        // \"old\": {}\n        \"ambit\": {\n            \"type\": \"stdio\",\n            \"command\": \"ambit\",\n            \"args\": [\"mcp\", \"--work\", \".\"]\n        },\n    },\n}\n// end",
	  NULL },
	{ "a comment behind the last", SETUP_VSCODE, SETUP_ADD,
	  "{\n  \"servers\": {\n    \"x\": { \"url\": \"u\" } // one\n  }\n}",
	  "{\n  \"servers\": {\n    \"x\": { \"url\": \"u\" }, // one\n    \"ambit\": {\n      \"type\": \"stdio\",\n      \"command\": \"ambit\",\n      \"args\": [\"mcp\", \"--work\", \".\"]\n    }\n  }\n}",
	  NULL },
	{ "nothing but a comment", SETUP_VSCODE, SETUP_ADD, "{\n  // none yet\n}\n",
	  "{\n  // none yet\n  \"servers\": {\n    \"ambit\": {\n      \"type\": \"stdio\",\n      \"command\": \"ambit\",\n      \"args\": [\"mcp\", \"--work\", \".\"]\n    }\n  }\n}\n",
	  NULL },
	{ "a byte order mark", SETUP_GEMINI, SETUP_WRAP,
	  "\xef\xbb\xbf{\"mcpServers\":{\"x\":{\"command\":\"npx\",\"args\":[\"a\"]}}}",
	  "\xef\xbb\xbf{\"mcpServers\":{\"x\":{\"command\":\"ambit\",\"args\":[" GUARD_X ", \"a\"]}}}", NULL },
	{ "what stands around it, to the byte", SETUP_CLAUDE_CODE, SETUP_ADD,
	  "{\n  \"n\": 1.50e+3, \"u\": \"\\u00e4\\/\xc3\xa4\",\n  \"mcpServers\": {\n    \"x\": {\"url\": \"u\"}\n  },\n  \"z\":null\n}",
	  "{\n  \"n\": 1.50e+3, \"u\": \"\\u00e4\\/\xc3\xa4\",\n  \"mcpServers\": {\n    \"x\": {\"url\": \"u\"},\n    " AMBIT_JSON
	  "\n  },\n  \"z\":null\n}",
	  NULL },
	{ "servers of a project", SETUP_CLAUDE_CODE, SETUP_WRAP,
	  "{\"projects\": {\"/a\": {\"mcpServers\": {\"x\": {\"command\": \"npx\"}}, \"h\": []}, \"/b\": {}}}",
	  "{\"projects\": {\"/a\": {\"mcpServers\": {\"x\": {\"command\": \"ambit\", \"args\": [" GUARD_X
	  "]}}, \"h\": []}, \"/b\": {}}}",
	  NULL },
	{ "projects are Claude Code's alone", SETUP_CURSOR, SETUP_WRAP,
	  "{\"projects\": {\"/a\": {\"mcpServers\": {\"x\": {\"command\": \"npx\"}}}}}", NULL, NULL },
	/* ---- hooks and sandboxes ---- */
	{ "a hook in a new file", SETUP_CLAUDE_CODE, SETUP_HOOKS, "",
	  "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      " HOOK_GROUP "\n    ]\n  }\n}\n", "{}\n" },
	{ "a hook beside others", SETUP_CLAUDE_CODE, SETUP_HOOKS,
	  "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\"matcher\": \"Edit\", \"hooks\": []}\n    ]\n  }\n}\n",
	  "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\"matcher\": \"Edit\", \"hooks\": []},\n      " HOOK_GROUP
	  "\n    ]\n  }\n}\n",
	  NULL },
	{ "a hook beside hooks of others", SETUP_CLAUDE_CODE, SETUP_HOOKS,
	  "{\n  \"hooks\": {\n    \"Stop\": []\n  }\n}\n",
	  "{\n  \"hooks\": {\n    \"Stop\": [],\n    \"PreToolUse\": [\n      " HOOK_GROUP "\n    ]\n  }\n}\n", NULL },
	{ "the hook is there", SETUP_CLAUDE_CODE, SETUP_HOOKS,
	  "{\"hooks\": {\"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"ambit setup hook claude-code -- --work src || exit 2\"}]}]}}",
	  NULL, NULL },
	{ "a hook of Cursor in a new file", SETUP_CURSOR, SETUP_HOOKS, "",
	  "{\n  \"version\": 1,\n  \"hooks\": {\n    \"preToolUse\": [\n      " HOOK_FLAT "\n    ]\n  }\n}\n", "{}\n" },
	{ "a hook of Cursor beside others", SETUP_CURSOR, SETUP_HOOKS,
	  "{\n  \"version\": 1,\n  \"hooks\": {\n    \"preToolUse\": [\n      {\"command\": \"x\"}\n    ]\n  }\n}\n",
	  "{\n  \"version\": 1,\n  \"hooks\": {\n    \"preToolUse\": [\n      {\"command\": \"x\"},\n      " HOOK_FLAT
	  "\n    ]\n  }\n}\n",
	  NULL },
	{ "hooks of Cursor without a version", SETUP_CURSOR, SETUP_HOOKS, "{\"hooks\": {\"stop\": []}}",
	  "{\"hooks\": {\"stop\": [], \"preToolUse\": [{\"command\": \"ambit setup hook claude-code || exit 2\", \"matcher\": \"Shell\", \"failClosed\": true}]}, \"version\": 1}",
	  NULL },
	{ "something else of Cursor's", SETUP_CURSOR, SETUP_HOOKS, "{\"x\": 1}",
	  "{\"x\": 1, \"version\": 1, \"hooks\": {\"preToolUse\": [{\"command\": \"ambit setup hook claude-code || exit 2\", \"matcher\": \"Shell\", \"failClosed\": true}]}}",
	  NULL },
	{ "Cursor's hook is there", SETUP_CURSOR, SETUP_HOOKS,
	  "{\"hooks\": {\"preToolUse\": [{\"command\": \"ambit setup hook cursor || exit 2\"}]}}", NULL, NULL },
	{ "a sandbox is told", SETUP_CLAUDE_CODE, SETUP_SANDBOX, "{\"sandbox\": {\"enabled\": true}}", NULL, NULL },
	{ "a sandbox is turned off", SETUP_CLAUDE_CODE, SETUP_SANDBOX | SETUP_OFF, "{\"sandbox\": {\"enabled\": true}}",
	  "{\"sandbox\": {\"enabled\": false}}", NULL },
	{ "one that is off stays", SETUP_CLAUDE_CODE, SETUP_SANDBOX | SETUP_OFF, "{\"sandbox\": {\"enabled\": false}}",
	  NULL, NULL },
	{ "Gemini's sandbox", SETUP_GEMINI, SETUP_SANDBOX | SETUP_OFF, "{\"tools\": {\"sandbox\": \"docker\"}}",
	  "{\"tools\": {\"sandbox\": false}}", NULL },
	{ "Codex's sandbox, by default", SETUP_CODEX, SETUP_SANDBOX | SETUP_OFF, "[a]\nb = 1\n",
	  "sandbox_mode = \"danger-full-access\"\n[a]\nb = 1\n", NULL },
	{ "Codex's sandbox", SETUP_CODEX, SETUP_SANDBOX | SETUP_OFF, "sandbox_mode = 'read-only' # yes\n",
	  "sandbox_mode = \"danger-full-access\" # yes\n", NULL },
	{ "Codex has none", SETUP_CODEX, SETUP_SANDBOX | SETUP_OFF, "sandbox_mode = 'danger-full-access'\n", NULL,
	  NULL },
	{ "a hook of Codex", SETUP_CODEX, SETUP_HOOKS, "a = 1\n", "a = 1\n\n" HOOK_TOML, NULL },
	{ "a hook of Codex beside another", SETUP_CODEX, SETUP_HOOKS, "[[hooks.PreToolUse]]\nhooks = []\n",
	  "[[hooks.PreToolUse]]\nhooks = []\n\n" HOOK_TOML, NULL },
	/* ---- TOML ---- */
	{ "no file of TOML", SETUP_CODEX, SETUP_ADD, "", AMBIT_TOML, NULL },
	{ "TOML, no servers", SETUP_CODEX, SETUP_ADD, "model = \"x\"", "model = \"x\"\n\n" AMBIT_TOML,
	  "model = \"x\"\n" },
	{ "TOML, CRLF", SETUP_CODEX, SETUP_ADD, "a = 1\r\n",
	  "a = 1\r\n\r\n[mcp_servers.ambit]\r\ncommand = \"ambit\"\r\nargs = [\"mcp\", \"--work\", \".\"]\r\n", NULL },
	{ "TOML, a table", SETUP_CODEX, SETUP_WRAP,
	  "[mcp_servers.x] # mine\ncommand = 'npx'\nargs = ['-y', \"s\"]\nenv = { A = \"1\" }\nenv_vars = [\"B\"]\n",
	  "[mcp_servers.x] # mine\ncommand = \"ambit\"\nargs = [\"guard\", \"--name\", \"x\", \"--env\", \"A\", \"--env\", \"B\", \"--\", \"npx\", '-y', \"s\"]\nenv = { A = \"1\" }\nenv_vars = [\"B\"]\n",
	  NULL },
	{ "TOML, no arguments", SETUP_CODEX, SETUP_WRAP,
	  "[mcp_servers.x]\n  command = 'npx' # here\n\n[mcp_servers.x.env]\nA = '1'\n",
	  "[mcp_servers.x]\n  command = \"ambit\" # here\n  args = [\"guard\", \"--name\", \"x\", \"--env\", \"A\", \"--\", \"npx\"]\n\n[mcp_servers.x.env]\nA = '1'\n",
	  NULL },
	{ "TOML, no arguments at the end", SETUP_CODEX, SETUP_WRAP, "[mcp_servers.x]\ncommand = 'npx'",
	  "[mcp_servers.x]\ncommand = \"ambit\"\nargs = [" GUARD_X "]\n", "[mcp_servers.x]\ncommand = 'npx'\n" },
	{ "TOML, in braces", SETUP_CODEX, SETUP_WRAP | SETUP_ADD, "mcp_servers = { x = { command = \"npx\" } }\n",
	  "mcp_servers = { x = { command = \"ambit\", args = [" GUARD_X
	  "] }, ambit = {command = \"ambit\", args = [\"mcp\", \"--work\", \".\"]} }\n",
	  NULL },
	{ "TOML, dotted keys", SETUP_CODEX, SETUP_WRAP,
	  "mcp_servers.x.command = \"npx\"\nmcp_servers.x.args = []\nmcp_servers.y.command = \"npx\"\n",
	  "mcp_servers.x.command = \"ambit\"\nmcp_servers.x.args = [" GUARD_X "]\nmcp_servers.y.command = \"npx\"\n",
	  NULL },
	{ "TOML, all kinds of values", SETUP_CODEX, SETUP_WRAP,
	  "a = 1_000\nb = +1.5e-3\nc = 1979-05-27T07:32:00Z\nd = 1979-05-27 07:32:00.5\ne = [\n  1, # one\n  [2, 3],\n]\nf = '''\nit's \"\"\" raw\\'''\ng = \"\"\"a \\\n   b\\u00e9 \"\"\"\"\n\"quoted key\" . 'other' = inf\nh = { a.b = 1, c = [] }\n[[list]]\n[[list]]\n[list.of]\nx = true\n[mcp_servers.x]\ncommand = \"\"\"npx\"\"\"\nargs = [\n  \"a\",\n]\n",
	  "a = 1_000\nb = +1.5e-3\nc = 1979-05-27T07:32:00Z\nd = 1979-05-27 07:32:00.5\ne = [\n  1, # one\n  [2, 3],\n]\nf = '''\nit's \"\"\" raw\\'''\ng = \"\"\"a \\\n   b\\u00e9 \"\"\"\"\n\"quoted key\" . 'other' = inf\nh = { a.b = 1, c = [] }\n[[list]]\n[[list]]\n[list.of]\nx = true\n[mcp_servers.x]\ncommand = \"ambit\"\nargs = [\n  \"guard\",\n  \"--name\",\n  \"x\",\n  \"--\",\n  \"npx\",\n  \"a\",\n]\n",
	  NULL },
	{ "TOML, a URL", SETUP_CODEX, SETUP_WRAP, "[mcp_servers.x]\nurl = \"https://e.x\"\n", NULL, NULL },
};

static struct setup_ask asked(const struct row *row)
{
	return (struct setup_ask){ .client = row->client,
				   .what = row->what,
				   .policy = "",
				   .hook = "ambit setup hook claude-code || exit 2",
				   .mcp = { .word = { "--work", "." }, .n = 2 },
				   .text = (const uint8_t *)row->before,
				   .text_len = (uint32_t)strlen(row->before) };
}

static void same(const struct row *row, const char *what, const struct setup_told *told, const char *want)
{
	const char *got = told->text != NULL ? (const char *)told->text : "";

	if (told->text_len != strlen(want) || memcmp(got, want, told->text_len) != 0)
		fail_msg("%s, %s:\n--- got\n%.*s\n--- instead of\n%s", row->name, what, (int)told->text_len, got, want);
}

static void each_becomes_what_it_should_and_is_undone(void **state)
{
	static struct setup_told told;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		struct setup_ask a = asked(row), again;
		auto_buf now = { .max = SETUP_TEXT_MAX }, twice = { .max = SETUP_TEXT_MAX },
			 undone = { .max = SETUP_TEXT_MAX };
		struct err e = { .msg = "" };

		memset(&told, 0, sizeof told);
		if (change_make(&a, &now, &told, &e) < 0)
			fail_msg("%s: %s", row->name, e.msg);
		if ((told.changes > 0) != (row->after != NULL))
			fail_msg("%s: %u changes:\n%.*s", row->name, told.changes, (int)told.text_len,
				 (const char *)told.text);
		if (row->after == NULL)
			continue;
		same(row, "made", &told, row->after);
		again = a;
		again.text = now.data;
		again.text_len = (uint32_t)now.len;
		memset(&told, 0, sizeof told);
		if (change_make(&again, &twice, &told, &e) < 0 || told.changes > 0)
			fail_msg("%s: it is made twice: %s\n%.*s", row->name, e.msg, (int)told.text_len,
				 (const char *)told.text);
		again.before = a.text;
		again.before_len = a.text_len;
		memset(&told, 0, sizeof told);
		if (change_undo(&again, &undone, &told, &e) < 0)
			fail_msg("%s: it is not undone: %s", row->name, e.msg);
		same(row, "undone", &told, row->undone != NULL ? row->undone : row->before);
	}
}

static void what_is_none_is_refused_with_its_place(void **state)
{
	static const struct {
		enum setup_client client;
		const char *text, *says;
	} bad[] = {
		{ SETUP_CLAUDE_CODE, "{\"a\": 1, // no\n}", "line 1, column 10: a comment" },
		{ SETUP_CLAUDE_CODE, "{\"a\": 1,\n}", "line 1, column 8: a comma behind the last" },
		{ SETUP_CURSOR, "{\n  \"a\": 1\n  \"b\": 2}", "line 3, column 3: here a ','" },
		{ SETUP_CURSOR, "{\"\xc3\xa4\": 1, \"b\": 2, \"\xc3\xa4\": 3}",
		  "line 1, column 18: '\xc3\xa4' is there twice, first in line 1" },
		{ SETUP_CURSOR, "{\"a\": 1, \"\\u0061\": 3}", "'a' is there twice" },
		{ SETUP_CURSOR, "{\"a\": tru}", "line 1, column 7: here a value" },
		{ SETUP_CURSOR, "{\"a\": 01}", "here a value" },
		{ SETUP_CURSOR, "{\"a\": \"x\ny\"}", "line 1, column 9: a control character" },
		{ SETUP_CURSOR, "{\"a\": \"\\x\"}", "this escape" },
		{ SETUP_CURSOR, "{\"a\": \"\\u0000\"}", "this escape" },
		{ SETUP_CURSOR, "{\"a\": \"", "this text has no end" },
		{ SETUP_CURSOR, "{\"a\": \"\\", "this text has no end" },
		{ SETUP_CURSOR, "{\"a\": 1} x", "line 1, column 10: something stands behind" },
		{ SETUP_CURSOR, "[]", "should be an object" },
		{ SETUP_CURSOR, "{", "it ends too early" },
		{ SETUP_CURSOR, "{,}", "here a name" },
		{ SETUP_CURSOR, "{\"a\": [1,,2]}", "here a value" },
		{ SETUP_CURSOR, "{/* }", "this comment has no end" },
		{ SETUP_CURSOR, "{\"a\": \"\xff\"}", "line 1, column 8: this is not UTF-8" },
		{ SETUP_CURSOR, "{\"mcpServers\": []}", "should be an object" },
		{ SETUP_CODEX, "a = 1\na = 2\n", "line 2, column 1: 'a' is there twice, first in line 1" },
		{ SETUP_CODEX, "[a]\n[a]\n", "line 2, column 2: 'a' is there twice" },
		{ SETUP_CODEX, "a.b = 1\n[a]\n", "line 2, column 2: 'a' is there twice" },
		{ SETUP_CODEX, "a = {}\n[a.b]\n", "'a' is there twice" },
		{ SETUP_CODEX, "a = {}\na.b = 1\n", "'a' is there twice" },
		{ SETUP_CODEX, "a = []\n[[a]]\n", "'a' is there twice" },
		{ SETUP_CODEX, "a = 1 b = 2\n", "line 1, column 7: here the line should end" },
		{ SETUP_CODEX, "a = \n", "here a value" },
		{ SETUP_CODEX, "a = yes\n", "here a value" },
		{ SETUP_CODEX, "a\n", "here a '='" },
		{ SETUP_CODEX, "= 1\n", "here a key" },
		{ SETUP_CODEX, "[a\nb = 1\n", "here a ']'" },
		{ SETUP_CODEX, "[[a]\n", "here a ']'" },
		{ SETUP_CODEX, "a = \"x\ny\"\n", "this text has no end" },
		{ SETUP_CODEX, "a = \"\\q\"\n", "this escape" },
		{ SETUP_CODEX, "a = \"\\ud800\"\n", "this escape" },
		{ SETUP_CODEX, "a = [1 2]\n", "here a ','" },
		{ SETUP_CODEX, "a = [1,\n", "it ends too early" },
		{ SETUP_CODEX, "a = \"\"\"x\n", "this text has no end" },
		{ SETUP_CODEX, "a = 1 # \x01\n", "a control character" },
		{ SETUP_CODEX, "mcp_servers = 1\n", "should be an object" },
		{ SETUP_CODEX, "mcp_servers.x.url = \"u\"\n", "these servers" },
	};
	static struct setup_told told;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const struct row row = { .client = bad[i].client, .what = USUAL, .before = bad[i].text };
		const struct setup_ask a = asked(&row);
		auto_buf out = { .max = SETUP_TEXT_MAX };
		struct err e = { .msg = "" };

		memset(&told, 0, sizeof told);
		assert_int_equal(change_make(&a, &out, &told, &e), -AMBIT_MALFORMED);
		if (strstr(e.msg, bad[i].says) == NULL)
			fail_msg("%s: '%s' instead of '%s'", bad[i].text, e.msg, bad[i].says);
	}
}

static void put_many(struct buf *out, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_put(out, what, strlen(what));
}

static int read_made(enum setup_form form, const struct buf *text, struct err *e)
{
	struct tree t;
	const int r = tree_read(&t, form, (const char *)text->data, text->len, e);

	tree_finish(&t);
	return r;
}

static void what_is_too_much_is_refused(void **state)
{
	auto_buf text = { .max = 2 * SETUP_TEXT_MAX };
	struct err e;

	(void)state;
	for (size_t deep = SETUP_DEPTH_MAX - 1; deep <= SETUP_DEPTH_MAX; deep++) { /* in the object of the file */
		buf_reset(&text);
		buf_printf(&text, "{\"a\":");
		put_many(&text, "[", deep);
		put_many(&text, "]", deep);
		buf_printf(&text, "}");
		assert_int_equal(read_made(FORM_JSON, &text, &e), deep < SETUP_DEPTH_MAX ? 0 : -AMBIT_MALFORMED);
		buf_reset(&text);
		buf_printf(&text, "a = ");
		put_many(&text, "[", deep + 1);
		put_many(&text, "]", deep + 1);
		assert_int_equal(read_made(FORM_TOML, &text, &e), deep < SETUP_DEPTH_MAX ? 0 : -AMBIT_MALFORMED);
	}
	for (size_t over = 0; over < 2; over++) { /* the file, the member and the array are values, too */
		buf_reset(&text);
		buf_printf(&text, "{\"a\":[0");
		put_many(&text, ",0", SETUP_NODES_MAX - 3 + over);
		buf_printf(&text, "]}");
		assert_int_equal(read_made(FORM_JSON, &text, &e), over == 0 ? 0 : -AMBIT_LIMIT);
	}
	for (size_t over = 0; over < 2; over++) {
		buf_reset(&text);
		buf_printf(&text, "{}");
		put_many(&text, " ", SETUP_TEXT_MAX - 2 + over);
		assert_int_equal(read_made(FORM_JSON, &text, &e), over == 0 ? 0 : -AMBIT_LIMIT);
	}
}

/* Somebody went on with the file. */
static void what_came_later_stays(void **state)
{
	static const char before[] =
		"{\n  \"mcpServers\": {\n    \"x\": {\"command\": \"npx\", \"args\": [\"s\"]}\n  }\n}\n";
	static const char now[] =
		"{\n  \"mcpServers\": {\n    \"new\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--\", \"mine\"]},\n"
		"    \"x\": {\"command\": \"ambit\", \"args\": [" GUARD_X ", \"s\", \"more\"]},\n"
		"    \"y\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--\", \"other\"]},\n    " AMBIT_JSON
		"\n  },\n  \"z\": 1\n}\n";
	static const char want[] =
		"{\n  \"mcpServers\": {\n    \"new\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--\", \"mine\"]},\n"
		"    \"x\": {\"command\": \"npx\", \"args\": [\"s\", \"more\"]},\n"
		"    \"y\": {\"command\": \"ambit\", \"args\": [\"guard\", \"--\", \"other\"]}\n  },\n  \"z\": 1\n}\n";
	static struct setup_told told;
	const struct row row = { .name = "later", .client = SETUP_CURSOR, .before = now };
	struct setup_ask a = asked(&row);
	auto_buf out = { .max = SETUP_TEXT_MAX };
	struct err e;

	(void)state;
	a.before = (const uint8_t *)before;
	a.before_len = sizeof before - 1;
	assert_int_equal(change_undo(&a, &out, &told, &e), 0);
	same(&row, "undone", &told, want);
}

static void put_fields(struct buf *out, const struct setup_told *t)
{
	for (enum setup_field f = 0; f < SETUP_FIELDS; f++) {
		if (!t->field[f].is_there)
			continue;
		buf_printf(out, "%s=", setup_field_about(f)->name);
		switch (setup_field_about(f)->kind) {
		case FIELD_TEXT: buf_put(out, t->field[f].text, t->field[f].len); break;
		case FIELD_COUNT: buf_printf(out, "%llu", (unsigned long long)t->field[f].count); break;
		case FIELD_FLAG: buf_printf(out, "1"); break;
		}
		buf_printf(out, " ");
	}
}

#define S48 "012345678901234567890123456789012345678901234567"

static void a_call_of_a_shell_is_read(void **state)
{
	static const struct {
		enum setup_client client;
		const char *said, *command, *fields, *session; /* fields: as they are written below */
		int r;
	} calls[] = {
		{ SETUP_CLAUDE_CODE,
		  "{\"session_id\":\"a-1\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"a 'b'\\n\\u00e9\",\"description\":\"d\",\"timeout\":5,\"run_in_background\":true}}",
		  "a 'b'\n\xc3\xa9", "description=d timeout=5 run_in_background=1 ", "a-1", 0 },
		{ SETUP_CLAUDE_CODE,
		  "{\"session_id\":\"a.b\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"\",\"timeout\":-1,\"is_background\":false,\"x\":[{}]},\"cwd\":\"/\"}",
		  "", "", "", 0 },
		{ SETUP_CODEX,
		  "{\"session_id\":\"" S48
		  "\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"x\",\"description\":\"\"}}",
		  "x", "description= ", S48, 0 },
		{ SETUP_CODEX,
		  "{\"session_id\":\"" S48 "s\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"x\"}}", "x", "",
		  "", 0 },
		{ SETUP_CURSOR,
		  "\xef\xbb\xbf{\"conversation_id\":\"c\",\"tool_name\":\"Shell\",\"tool_input\":{\"cwd\":\"/w\",\"command\":\"x\",\"working_directory\":\"/v\"}}",
		  "x", "cwd=/w working_directory=/v ", "c", 0 },
		{ SETUP_CURSOR, "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"x\"}}", NULL, NULL, NULL, 0 },
		{ SETUP_CLAUDE_CODE, "{\"tool_name\":\"Shell\",\"tool_input\":{\"command\":\"x\"}}", NULL, NULL, NULL,
		  0 },
		{ SETUP_CLAUDE_CODE, "{\"tool_name\":\"Bash\",\"tool_input\":{\"command\":[\"x\"]}}", NULL, NULL, NULL,
		  -AMBIT_MALFORMED },
		{ SETUP_CLAUDE_CODE, "{\"tool_name\":\"Bash\"}", NULL, NULL, NULL, -AMBIT_MALFORMED },
		{ SETUP_CLAUDE_CODE, "{}", NULL, NULL, NULL, -AMBIT_MALFORMED },
		{ SETUP_CLAUDE_CODE, "", NULL, NULL, NULL, -AMBIT_MALFORMED },
		{ SETUP_CLAUDE_CODE, "{\"tool_name\":\"Bash\",\"tool_name\":\"Read\"}", NULL, NULL, NULL,
		  -AMBIT_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		static struct setup_told told;
		const struct row row = { .client = calls[i].client, .before = calls[i].said };
		const struct setup_ask a = asked(&row);
		auto_buf out = { .max = SETUP_HOOK_MAX }, fields = { .max = 4096 };
		struct err e;

		memset(&told, 0, sizeof told);
		assert_int_equal(call_read(&a, &out, &told, &e), calls[i].r);
		assert_int_equal(told.is_shell, calls[i].command != NULL);
		if (calls[i].command == NULL)
			continue;
		assert_int_equal(told.text_len, strlen(calls[i].command));
		if (told.text_len > 0)
			assert_memory_equal(told.text, calls[i].command, told.text_len);
		put_fields(&fields, &told);
		assert_string_equal(buf_cstr(&fields), calls[i].fields);
		assert_string_equal(told.session, calls[i].session);
	}
}

/* A client finds it whatever its PATH is, and it is known again. */
static void a_path_of_our_own_is_written_and_known(void **state)
{
	static const char before[] = "{\"mcpServers\": {\"x\": {\"command\": \"npx\"}}}";
	static const struct {
		const char *hook;
		bool ours;
	} hooks[] = { { "ambit setup hook codex || exit 2", true },
		      { "/home/me/.local/bin/ambit setup hook codex -- --work .", true },
		      { "'/home/my own/ambit' setup hook codex", true },
		      { "/bin/notambit setup hook codex", false },
		      { "echo setup hook codex", false },
		      { "ambit run", false } };
	const struct row row = { .client = SETUP_CURSOR, .what = SETUP_WRAP | SETUP_ADD, .before = before };
	static struct setup_told told;
	struct setup_ask a = asked(&row);
	auto_buf out = { .max = 1u << 16 };
	struct err e;

	(void)state;
	a.program = "/home/my \"own\"/ambit";
	memset(&told, 0, sizeof told);
	assert_int_equal(change_make(&a, &out, &told, &e), 0);
	same(&row, "made", &told,
	     "{\"mcpServers\": {\"x\": {\"command\": \"/home/my \\\"own\\\"/ambit\", \"args\": [" GUARD_X
	     "]}, \"ambit\": {\"command\": \"/home/my \\\"own\\\"/ambit\", \"args\": [\"mcp\", \"--work\", \".\"]}}}");
	for (size_t i = 0; i < COUNT_OF(hooks); i++) {
		auto_buf text = { .max = 4096 };
		struct tree t;

		buf_printf(&text, "{\"hooks\": {\"preToolUse\": [{\"command\": \"%s\"}]}}", hooks[i].hook);
		assert_int_equal(tree_read(&t, FORM_JSON, (const char *)text.data, text.len, &e), 0);
		assert_int_equal(hook_of_ours(&t, SETUP_CURSOR) != NULL, hooks[i].ours);
		tree_finish(&t);
	}
}

/* What goes to the role and comes back is the same, and nothing shorter is taken. */
static void what_is_asked_and_told_arrives(void **state)
{
	static char room[1u << 20];
	static struct setup_told told = { .n_notes = 2,
					  .notes = { { .id = NOTE_WRAPPED, .line = 3, .name = "x" },
						     { .id = NOTE_OTHERS } },
					  .changes = 1,
					  .text = (const uint8_t *)"new",
					  .text_len = 3 },
				 back;
	const struct setup_ask a = { .op = SETUP_UNDO,
				     .client = SETUP_GEMINI,
				     .what = USUAL,
				     .policy = "/p",
				     .hook = "h",
				     .program = "/p/ambit",
				     .mcp = { { "a", "b" }, 2 },
				     .guard = { { "c" }, 1 },
				     .text = (const uint8_t *)"t",
				     .text_len = 1,
				     .before = (const uint8_t *)"be",
				     .before_len = 2 };
	struct setup_ask got;
	auto_buf out = { .max = 1u << 20 };
	struct rbuf r;

	(void)state;
	setup_ask_put(&out, &a);
	for (size_t n = 0; n <= out.len; n++) {
		rbuf_init(&r, out.data, n);
		assert_int_equal(setup_ask_take(&r, &got, room, sizeof room), n == out.len);
	}
	assert_int_equal(got.client, SETUP_GEMINI);
	assert_string_equal(got.program, "/p/ambit");
	assert_string_equal(got.mcp.word[1], "b");
	assert_int_equal(got.before_len, 2);
	buf_reset(&out);
	setup_told_put(&out, &told);
	for (size_t n = 0; n <= out.len; n++) {
		rbuf_init(&r, out.data, n);
		assert_int_equal(setup_told_take(&r, &back), n == out.len);
	}
	assert_int_equal(back.notes[0].line, 3);
	assert_int_equal(back.text_len, 3);
	(void)snprintf(told.session, sizeof told.session, "a.b"); /* it would be words of a command line */
	buf_reset(&out);
	setup_told_put(&out, &told);
	rbuf_init(&r, out.data, out.len);
	assert_false(setup_told_take(&r, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_becomes_what_it_should_and_is_undone),
		cmocka_unit_test(what_is_none_is_refused_with_its_place),
		cmocka_unit_test(what_is_too_much_is_refused),
		cmocka_unit_test(what_came_later_stays),
		cmocka_unit_test(a_call_of_a_shell_is_read),
		cmocka_unit_test(a_path_of_our_own_is_written_and_known),
		cmocka_unit_test(what_is_asked_and_told_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
