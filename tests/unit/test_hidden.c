#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stage/hidden.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void names_are_judged_by_the_table(void **state)
{
	static const struct {
		const char *parent, *name;
		int hidden;
	} rows[] = {
		/* settings of an environment */
		{ "app", ".env", 1 },
		{ "app", ".ENV", 1 },
		{ "app", ".Env.Production", 1 },
		{ "app", ".env.local", 1 },
		{ "app", ".envrc", 1 },
		{ "app", ".env~", 1 },
		{ "app", "..env.swp", 1 },
		{ "app", "prod.env", 1 },
		{ "app", ".env.example", 0 },
		{ "app", ".env.local.example", 0 },
		{ "app", ".env-sample", 0 },
		{ "app", ".env.template", 0 },
		{ "app", ".env.dist", 0 },
		{ "app", "db.example.env", 0 },
		{ "app", "env", 0 },
		{ "app", "xenv", 0 },
		{ "app", "secrets.yaml", 1 },
		{ "lib", "secrets.py", 0 }, /* a module of Python */
		{ "ambit", "secrets", 1 },  /* our own */
		{ "ambit", "secret-key", 1 },
		{ "ambit", "approvers", 1 },
		{ "src", "secrets", 0 },
		{ "src", "secret-key", 0 },
		{ "src", "approvers", 0 },
		/* private keys, and their public halves */
		{ "", "id_rsa", 1 },
		{ "", "id_ed25519_work", 1 },
		{ "", "id_rsa.pub", 0 },
		{ "", "id_ed25519_work.PUB", 0 },
		{ "", "server.key", 1 },
		{ "", "SERVER.KEY", 1 },
		{ "", "public.key", 0 },
		{ "", "server.keys", 0 },
		{ "", "ledger-next.key", 1 },
		{ "", "ledger-next.key.new", 1 },
		{ "", "other.key.new", 0 },
		{ "", "release.keystore", 1 },
		{ "app", "debug.keystore", 0 },
		{ "", "store.p12", 1 },
		{ "", "store.pfx", 1 },
		{ "", "team.kdbx", 1 },
		{ "wireguard", "wg0.conf", 1 },
		{ "nginx", "wg0.conf", 0 },
		/* .pem */
		{ "", "prod.pem", 1 },
		{ "", "privkey1.pem", 1 },
		{ "", "ca-key.pem", 1 },
		{ "", "cert-key.pem", 1 },
		{ "certifi", "cacert.pem", 0 },
		{ "grpc", "roots.pem", 0 },
		{ "", "fullchain.pem", 0 },
		{ "certs", "OISTE_WISeKey_Global_Root_GB_CA.pem", 0 },
		{ "", "keycert.pem", 1 },
		{ "", "public_key.pem", 0 },
		{ "", "ca.pem", 0 },
		{ "", "dhparam.pem", 0 },
		/* with a parent */
		{ ".aws", "credentials", 1 },
		{ ".AWS", "Credentials", 1 },
		{ ".aws", "config", 0 },
		{ "aws", "credentials", 0 },
		{ "", "credentials", 0 },
		{ ".docker", "config.json", 1 },
		{ "src", "config.json", 0 },
		{ ".kube", "config", 1 },
		{ ".git", "config", 0 },
		{ "git", "credentials", 1 },
		{ "gh", "hosts.yml", 1 },
		{ "inventory", "hosts.yml", 0 },
		{ ".config", "chromium", 1 },
		{ "src", "chromium", 0 },
		{ "locales", "auth.json", 0 },
		{ ".composer", "auth.json", 1 },
		/* by name */
		{ "", ".netrc", 1 },
		{ "", ".pgpass", 1 },
		{ "", ".npmrc", 1 },
		{ "", ".yarnrc.yml", 0 },
		{ "", ".pypirc", 1 },
		{ "", ".git-credentials", 1 },
		{ "", ".htpasswd", 1 },
		{ "", ".vault-token", 1 },
		{ "", ".ssh", 1 },
		{ "", ".bash_history", 1 },
		{ "", "bash_history", 0 },
		{ "", "credentials.json", 1 },
		{ "", "gcp-credentials.json", 1 },
		{ "discovery", "iamcredentials.v1.json", 0 },
		{ "", "service-account-prod.json", 1 },
		{ "", "terraform.tfstate", 1 },
		{ "", "terraform.tfstate.backup", 1 },
		{ "", "prod.tfvars", 1 },
		{ "", "prod.tfvars.example", 0 },
		/* ordinary ones */
		{ "src", "main.c", 0 },
		{ "", "package.json", 0 },
		{ "", "", 0 },
		{ "", "*", 0 },
		{ "", ".gitignore", 0 },
		{ "", "keyboard", 0 },
		{ "", "\xff\xfe.key", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if ((hidden_match(rows[i].parent, rows[i].name) != NULL) != rows[i].hidden)
			fail_msg("%s/%s: %s", rows[i].parent, rows[i].name, rows[i].hidden ? "is shown" : "is hidden");
}

/* Each row by a name that is its pattern. */
static void each_row_says_why_and_can_be_reached(void **state)
{
	static const struct hidden_row rows[] = {
#define HIDDEN(pattern, why) { "", pattern, sizeof pattern - 1, why },
#define HIDDEN_IN(parent, pattern, why) { parent, pattern, sizeof pattern - 1, why },
#define SHOWN(pattern) { "", pattern, sizeof pattern - 1, NULL },
#include "stage/hidden.def"
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct hidden_row *got = hidden_match(rows[i].parent, rows[i].pattern);
		const size_t n = strlen(rows[i].pattern);

		if (n == 0 || n + 1 >= sizeof rows[i].pattern || strlen(rows[i].parent) + 1 >= sizeof rows[i].parent)
			fail_msg("%s: is cut, or may be", rows[i].pattern);
		for (size_t k = 0; k < n; k++)
			if ((rows[i].pattern[k] >= 'A' && rows[i].pattern[k] <= 'Z') || rows[i].pattern[k] == '/')
				fail_msg("%s: never fits", rows[i].pattern);
		if (rows[i].why == NULL ? got != NULL
					: got == NULL || strcmp(got->pattern, rows[i].pattern) != 0 || got->why[0] == 0)
			fail_msg("%s/%s: another row comes first", rows[i].parent, rows[i].pattern);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged_by_the_table),
		cmocka_unit_test(each_row_says_why_and_can_be_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
