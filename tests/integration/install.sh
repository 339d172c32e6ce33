#!/usr/bin/env bash
# What `make install` puts where, and that the installed library can be built against.
# usage: install.sh BUILD    (TAP on standard output)
set -uo pipefail
build=$(realpath "$1")
top=$(cd "$(dirname "$0")/../.." && pwd)
number=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/ambit-install.XXXXXX")
daemon=no
leave() {
	[ $daemon = no ] || with_daemon "$root/bin/ambit" serve --stop >/dev/null 2>&1
	rm -rf "$work"
}
trap leave EXIT

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
no_foreign_mode() { [ -z "$(find "$root" \( -perm /6022 -o ! -type d ! -type f \) ! -path "$root/$libdir/libambit.so" -print)" ]; }
link_for_linkers() { [ "$(readlink "$root/$libdir/libambit.so")" = libambit.so.1 ]; }
flags() { # WORDS...: of pkg-config, for where this was installed
	PKG_CONFIG_PATH=$root/$libdir/pkgconfig pkg-config --define-variable=prefix="$root" "$@" ambit
}
# As a product does that knows nothing but pkg-config; the linker prefers what is shared.
builds_shared() { # SOURCE
	# shellcheck disable=SC2046 # words
	"${CC:-cc}" -Wall -Wextra -Werror -pthread "$1" -o "$work/$(basename "$1" .c)" $(flags --cflags --libs)
}
builds_static() {
	# shellcheck disable=SC2046 # words
	"${CC:-cc}" -Wall -Wextra -Werror -static "$1" -o "$work/static" $(flags --static --cflags --libs)
}
is_shared() { readelf -dW "$work/$1" | grep -F 'NEEDED' | grep -F '[libambit.so.1]'; }
is_static() { ! readelf -dW "$work/static" | grep -F NEEDED; }
# Where it was installed is not where it was made for: the library finds its helpers from its own file.
with_shared() { (cd "$work" && LD_LIBRARY_PATH=$root/$libdir AMBIT_LEDGER=none "$@"); }
builds_the_page() { page_example && builds_shared "$work/page.c"; }
example_simple() { [ "$(with_shared ./embed-simple)" = 'hello from cell' ]; }
example_status() {
	with_shared ./embed-simple /bin/sh -c 'exit 7'
	[ $? = 7 ]
}
example_poll() {
	with_shared ./embed-poll 'sleep 1; echo slow' 'echo quick' 'exit 3' >"$work/poll" &&
		grep -qxF 'sleep 1; echo slow: status 0: slow' "$work/poll" && grep -qxF 'exit 3: status 3: ' "$work/poll" &&
		[ "$(head -n 1 "$work/poll")" != 'sleep 1; echo slow: status 0: slow' ]
}
example_threads() { [ "$(with_shared ./embed-threads 4 | tail -n 1)" = '3 * 3 = 9' ]; }
# With a daemon of its own, which it starts, and we end.
with_daemon() { (export XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/run && with_shared "$@"); }
example_session() {
	daemon=yes
	# shellcheck disable=SC2016 # the shell inside expands it
	mkdir -m 700 "$work/run" && with_daemon ./embed-session 'echo hello from $(hostname); exit 7' >"$work/session" 2>"$work/session.id"
	[ $? = 7 ] && [ "$(cat "$work/session")" = 'hello from cell' ]
}
example_resumed() {
	local session n
	read -r session n <"$work/session.id" && with_daemon ./embed-session "$session" "$n" 6 >"$work/session"
	[ $? = 7 ] && [ "$(cat "$work/session")" = 'from cell' ]
}
ends_the_daemon() {
	with_daemon "$root/bin/ambit" serve --status && with_daemon "$root/bin/ambit" serve --stop && ! with_daemon "$root/bin/ambit" serve --status
}
example_of_the_page() { [ "$(with_shared ./page)" = 'hello from cell' ]; }
# The static one takes what is installed, which is not there: also not beside the program, where somebody put it.
static_finds_nothing() {
	mkdir -p "$work/planted" && cp "$work/static" "$root"/libexec/ambit/* "$work/planted" &&
		! (cd "$work/planted" && AMBIT_LEDGER=none ./static) >"$work/static.said" 2>&1 &&
		grep -qF 'cannot open ambit-' "$work/static.said" && ! grep -qF "$work" "$work/static.said"
}
# In mounts of its own, where that place is the one that it was made for.
static_runs_a_cell() {
	[ "$(unshare "${own_mounts[@]}" sh -c "mount --bind '$root' '$prefix' && cd '$work' && AMBIT_LEDGER=none ./static")" = 'hello from cell' ]
}
own_mounts=(-m)
[ "$(id -u)" = 0 ] || own_mounts=(-rm)
# A page's example is a program, as it stands there.
page_example() {
	awk '/^# /{at = /EXAMPLE/} at && /^`/{inside = !inside; next} inside' "$top/man/libambit.3.scd" | sed 's/\\\\/\\/g' >"$work/page.c"
	test -s "$work/page.c"
}
asks_for_no_loader() { # a loader would be the host's: its configuration, and libraries that may not be there
	local file
	for file in "$root"/bin/ambit "$root"/libexec/ambit/*; do
		! readelf -lW "$file" | grep INTERP || return 1
	done
}
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
is 'what is installed, and nothing else' only bin/ambit $helpers libexec/ambit/ambit-seeds lib/systemd/user/ambit.service lib/systemd/user/ambit.socket include/ambit/ambit.h include/ambit/codes.h \
	"$libdir/libambit.a" "$libdir/libambit.so" "$libdir/libambit.so.1" "$libdir/pkgconfig/ambit.pc" $presets share/ambit/policy.schema.json \
	share/bash-completion/completions/ambit share/zsh/site-functions/_ambit \
	share/fish/vendor_completions.d/ambit.fish $pages
is 'no set-uid or set-gid bit, nothing that others may write, and no link but one' no_foreign_mode
is 'that link is what linkers look for' link_for_linkers
is 'the installed ambit finds its helpers and runs a cell' ambit_runs
if [ "$(option b_sanitize)" = none ]; then
	is 'no program asks for a loader' asks_for_no_loader
	for example in "$top"/examples/embed-*.c; do
		is "$(basename "$example") builds against the header and the library" builds_shared "$example"
	done
	is 'the example of the manual page builds' builds_the_page
	is 'by default the library is shared' is_shared embed-simple
	is 'embed-simple runs a cell' example_simple
	is 'embed-simple ends as its command does' example_status
	is 'embed-poll runs several at once' example_poll
	is 'embed-threads runs one in each thread' example_threads
	is 'embed-session starts a daemon, and has an event in a session' example_session
	is 'embed-session follows it again from a byte' example_resumed
	is 'the daemon that it started is the installed one, and ends' ends_the_daemon
	is 'the example of the manual page runs a cell' example_of_the_page
	is 'pkg-config --static builds a static program' builds_static "$top/examples/embed-simple.c"
	is 'it needs no library' is_static
	is 'it finds no helpers but the installed ones, and none beside it' static_finds_nothing
	if [ -d "$prefix" ] && unshare "${own_mounts[@]}" mount --bind "$root" "$prefix" 2>/dev/null; then
		is 'with the installed ones it runs a cell' static_runs_a_cell
	else
		number=$((number + 1))
		echo "ok $number - with the installed ones it runs a cell # SKIP no mounts of our own"
	fi
else
	number=$((number + 1))
	echo "ok $number - no program asks for a loader # SKIP sanitizers need it"
	number=$((number + 1))
	echo "ok $number - programs build against the library # SKIP the library is a sanitized one"
fi
echo "1..$number"
[ "$failed" = 0 ]
