#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int said(struct attempt *a, const char *format, ...)
{
	va_list v;

	va_start(v, format);
	(void)vsnprintf(a->detail, sizeof a->detail, format, v);
	va_end(v);
	return 0;
}

int cannot(struct attempt *a, const char *format, ...)
{
	va_list v;

	va_start(v, format);
	(void)vsnprintf(a->detail, sizeof a->detail, format, v);
	va_end(v);
	return CANNOT;
}

int failed_try(struct attempt *a, const char *format, ...)
{
	const char *why = strerror(errno);
	size_t n;
	va_list v;

	va_start(v, format);
	(void)vsnprintf(a->detail, sizeof a->detail, format, v);
	va_end(v);
	n = strlen(a->detail);
	(void)snprintf(a->detail + n, sizeof a->detail - n, ": %s", why);
	return CANNOT;
}

struct path joined(const char *dir, const char *name)
{
	struct path p;

	if ((size_t)snprintf(p.text, sizeof p.text, "%s/%s", dir, name) >= sizeof p.text)
		abort();
	return p;
}

struct path parent_of(const char *path)
{
	struct path p;
	char *slash;

	(void)snprintf(p.text, sizeof p.text, "%s", path);
	slash = strrchr(p.text, '/');
	if (slash != NULL)
		slash[slash == p.text] = 0;
	return p;
}

const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

struct path scratch_file(const char *dir, const char *name)
{
	struct path p = joined(dir, name);
	const int fd = open(p.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)!write(fd, MARKER "scratch\n", sizeof MARKER "scratch\n" - 1);
		(void)close(fd);
	}
	return p;
}

int find_marker(int fd, struct attempt *a)
{
	char room[65536];
	ssize_t n = read(fd, room, sizeof room - 1);
	char *at;

	if (n < 0)
		return -errno;
	room[n] = 0;
	/* environments and command lines hold texts that end with NUL */
	for (ssize_t i = 0; i < n; i++)
		if (room[i] == 0)
			room[i] = '\n';
	at = strstr(room, MARKER);
	if (at == NULL)
		return -ENODATA;
	at[strcspn(at, "\n")] = 0;
	return said(a, "read %s", at);
}

long number(const char *text)
{
	char *end;
	const long n = strtol(text, &end, 0);

	if (*text == 0 || *end != 0) {
		(void)fprintf(stderr, "probe: '%s' is not a number\n", text);
		exit(3);
	}
	return n;
}

static const char *error_name(int sys_errno)
{
	const char *name = strerrorname_np(sys_errno);

	return name != NULL ? name : "errno";
}

static int ask_both(const struct probe *p, struct attempt *a)
{
	const int there = p->asks(a->args[0], a), absent = p->asks(a->args[1], a);

	if (there == CANNOT || absent == CANNOT)
		return CANNOT;
	if (there == absent)
		return absent < 0 ? absent : cannot(a, "both names answer %d", absent);
	return said(a, "%s for what exists, %s for what does not", there < 0 ? error_name(-there) : "success",
		    absent < 0 ? error_name(-absent) : "success");
}

static int attempt(const struct probe *p, struct attempt *a)
{
	int r;

	if (p->tries != NULL)
		return p->tries(a);
	if (p->asks != NULL)
		return ask_both(p, a);
	r = p->opens != NULL ? p->opens(a) : p->writes(a);
	if (r < 0)
		return r;
	if (p->opens != NULL)
		return find_marker(r, a);
	return write(r, MARKER "written\n", sizeof MARKER "written\n" - 1) < 0 ? -errno : said(a, "written");
}

static int verdict(int r, const struct attempt *a)
{
	if (r == CANNOT)
		printf("CANNOT %s\n", a->detail);
	else if (r < 0)
		printf("REFUSED %s %s\n", error_name(-r), a->detail);
	else
		printf("SUCCEEDED %s\n", a->detail);
	return r == CANNOT ? 2 : r < 0;
}

/* A refusal may also be the end of the probe: said in the same words. */
static void on_signal(int number_of_signal)
{
	static const char text[] = "REFUSED by signal\n";

	(void)number_of_signal;
	(void)!write(1, text, sizeof text - 1);
	_exit(1);
}

static const struct probe *const topics[] = {
	probes_read, probes_oracle, probes_write, probes_mount,  probes_process, probes_inherit, probes_ipc,
	probes_net,  probes_kernel, probes_exec,  probes_device, probes_limit,   probes_race,
};

static const struct probe *find(const char *name)
{
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		for (const struct probe *p = topics[i]; p->name != NULL; p++)
			if (strcmp(p->name, name) == 0)
				return p;
	return NULL;
}

static int list(void)
{
	for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
		for (const struct probe *p = topics[i]; p->name != NULL; p++)
			puts(p->name);
	return 0;
}

/* What planted copies of this program say: that they ran, and as whom. */
static int as_planted(const char *word)
{
	char line[256];
	FILE *f;

	if (strcmp(word, "ran") == 0)
		return 77;
	if (strcmp(word, "whoami") != 0)
		return -1;
	f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "CapEff:", 7) == 0)
			printf("%u %u %s", geteuid(), getegid(), line + 8);
	return 0;
}

int main(int argc, char **argv)
{
	static const int deadly[] = { SIGSYS, SIGSEGV, SIGBUS, SIGILL };
	const struct probe *p;
	struct attempt a = { .args = argv + 2 };
	int r;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc < 2)
		return 3;
	r = as_planted(argv[1]);
	if (r >= 0)
		return r;
	r = serve(argv[1], argv + 2);
	if (r >= 0)
		return r;
	p = find(argv[1]);
	if (p == NULL || argc - 2 < p->n_args) {
		(void)fprintf(stderr, "probe: no such probe, or too few arguments: %s\n", argv[1]);
		return 3;
	}
	for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
		(void)signal(deadly[i], on_signal);
	return verdict(attempt(p, &a), &a);
}
