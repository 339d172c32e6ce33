/* Writes the tables of doc/PROTOCOL.md from methods.def; a test compares the two. */
#include <stdio.h>

#include "base/err.h"
#include "rpc/method.h"

static const char *whom(enum method_to to)
{
	switch (to) {
	case TO_HERE:
	case TO_DAEMON: break;
	case TO_SESSION: return " Of a session that is open on this connection.";
	case TO_NAMED: return " Of a session that is open on this connection, or of everything.";
	}
	return "";
}

/* What "most" counts. */
static void put_most(const struct method_row *p)
{
	if (p->most == 0 || p->type == PARAM_SIGNAL)
		return;
	if (p->type == PARAM_COUNT)
		(void)printf(", at most %llu", (unsigned long long)p->most);
	else if (p->type == PARAM_TEXT || p->type == PARAM_NAME || p->type == PARAM_POLICY)
		(void)printf(", at most %llu bytes", (unsigned long long)p->most);
	else if (p->type != PARAM_DURATION && p->type != PARAM_SIZE)
		(void)printf(", at most %llu", (unsigned long long)p->most);
}

static void begin_table(const char *what)
{
	(void)printf("\n| %s | type | |\n|---|---|---|\n", what);
}

static void put_row(const struct method_row *row, const struct method_row *before)
{
	switch (row->kind) {
	case ROW_METHOD: (void)printf("\n### `%s`\n\n%s%s\n", row->name, row->text, whom(row->to)); break;
	case ROW_NOTE: (void)printf("\n### `%s`\n\nA note. %s\n", row->name, row->text); break;
	case ROW_PARAM:
		if (before->kind != ROW_PARAM)
			begin_table("parameter");
		(void)printf("| `%s`%s | %s", row->name, row->needed ? ", needed" : "", param_type_text(row->type));
		put_most(row);
		(void)printf(" | %s |\n", row->text);
		break;
	case ROW_RESULT:
		if (before->kind != ROW_RESULT)
			begin_table("result");
		(void)printf("| `%s` | %s | %s |\n", row->name, row->is, row->text);
		break;
	case ROW_FIELD:
		if (before->kind != ROW_FIELD)
			begin_table("field");
		(void)printf("| `%s` | %s | %s |\n", row->name, row->is, row->text);
		break;
	}
}

int main(void)
{
	size_t n;
	const struct method_row *rows = method_rows(&n);

	for (size_t i = 0; i < n; i++)
		put_row(&rows[i], i > 0 ? &rows[i - 1] : &rows[i]);
	(void)printf("\n## Codes\n\n| number | `data.code` | |\n|---|---|---|\n");
#define CODE(name, number, text, exit_status, rpc)                                                                     \
	if ((number) != 0)                                                                                             \
		(void)printf("| %d | `%s` | %s |\n",                                                                   \
			     (number) == AMBIT_UNKNOWN || (number) == AMBIT_MALFORMED ? -32602 : (rpc), #name, text);
	AMBIT_CODES(CODE)
	return 0;
}
