#!/usr/bin/env bash
# What `make install` puts where, and that the installed library can be built against.
# usage: install.sh BUILD    (TAP on standard output)
set -uo pipefail
build=$(realpath "$1")
top=$(cd "$(dirname "$0")/../.." && pwd)
number=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/ambit-install.XXXXXX")
trap 'rm -rf "$work"' EXIT

is() { # NAME COMMAND...
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/said" 2>&1; then echo "ok $number - $name"; else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		sed 's/^/# /' "$work/said"
	fi
}
only() { # FILES...: all of the installed files are named, none else
	(cd "$root" && find . ! -type d -printf '%P\n' | sort) >"$work/there"
	printf '%s\n' "$@" | sort >"$work/wanted"
	diff "$work/wanted" "$work/there"
}
no_foreign_mode() { [ -z "$(find "$root" \( -perm /6022 -o ! -type d ! -type f \) -print)" ]; }
builds_against() {
	# shellcheck disable=SC2046 # words
	"${CC:-cc}" "$work/host.c" -o "$root/bin/host" \
		$(PKG_CONFIG_PATH=$(dirname "$(find "$root" -name ambit.pc)") pkg-config --define-variable=prefix="$root" \
			--cflags --libs ambit)
}
only_public_names() { ! nm -g --defined-only "$root/$libdir/libambit.a" | grep ' [A-Z] ' | grep -v ' ambit_'; }
asks_for_no_loader() { # a loader would be the host's: its configuration, and libraries that may not be there
	local file
	for file in "$root"/bin/ambit "$root"/libexec/ambit/*; do
		! readelf -lW "$file" | grep INTERP || return 1
	done
}
runs_a_cell() { [ "$("$root/bin/host")" = "hello from cell" ]; }
ambit_runs() { [ "$(cd / && "$root/bin/ambit" run -- hostname)" = cell ]; }

option() {
	meson introspect --buildoptions "$build" | python3 -c 'import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == sys.argv[1]))' "$1"
}
prefix=$(option prefix)
libdir=$(option libdir)
root=$work/to$prefix
is 'meson install --destdir works' meson install -C "$build" --no-rebuild --destdir "$work/to"
helpers=$(cd "$build" && find . -type f -name 'ambit-*' -perm -100 -printf 'libexec/ambit/%f\n')
presets=$(cd "$top/src/policy/presets" && printf 'share/ambit/presets/%s\n' *.yaml)
pages=$(cd "$top/man" && for page in *.scd; do
	page=${page%.scd}
	echo "share/man/man${page##*.}/$page"
done)
# shellcheck disable=SC2086 # lines
is 'what is installed, and nothing else' only bin/ambit $helpers lib/systemd/user/ambit.service lib/systemd/user/ambit.socket include/ambit/ambit.h include/ambit/codes.h \
	"$libdir/libambit.a" "$libdir/pkgconfig/ambit.pc" $presets share/ambit/policy.schema.json \
	share/bash-completion/completions/ambit share/zsh/site-functions/_ambit \
	share/fish/vendor_completions.d/ambit.fish $pages
is 'no set-uid or set-gid bit, nothing that others may write, no link' no_foreign_mode
is 'the installed ambit finds its helpers and runs a cell' ambit_runs
is 'the library shows no name but ambit_*' only_public_names

cat >"$work/host.c" <<'C'
#include <ambit/ambit.h>
#include <stdio.h>

int main(void)
{
	char *argv[] = { "/bin/sh", "-c", "echo hello from $(hostname)", NULL };
	struct ambit_event_options o = { .size = sizeof o, .argv = argv, .stream_fd = { -1, 1, 2 } };
	struct ambit_error e = { .size = sizeof e };
	struct ambit_policy *p = NULL;
	struct ambit_event *ev = NULL;
	int status = 1;

	if (ambit_abi() == AMBIT_ABI && ambit_policy_new(&p, &e) == 0 && ambit_event_start(p, &o, &ev, &e) == 0 &&
	    ambit_event_wait(ev, &e) >= 0)
		status = ambit_event_exit_status(ev);
	else
		fprintf(stderr, "%s (%s)\n", e.message, e.hint);
	ambit_event_free(ev);
	ambit_policy_free(p);
	return status;
}
C
if [ "$(option b_sanitize)" = none ]; then
	is 'no program asks for a loader' asks_for_no_loader
	is 'a program builds against the header and the library' builds_against
	is 'that program runs a cell' runs_a_cell
else
	number=$((number + 1))
	echo "ok $number - no program asks for a loader # SKIP sanitizers need it"
	number=$((number + 1))
	echo "ok $number - a program builds against the library # SKIP the library is a sanitized one"
fi
echo "1..$number"
[ "$failed" = 0 ]
