#!/usr/bin/env bash
# What bootstrap does on machines that are not this one: with dpkg-query, apt-get, id, sudo and make of the test's own.
# usage: bootstrap.sh    (TAP on standard output)
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
number=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/ambit-bootstrap.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A machine: the commands that bootstrap calls, each a line in $work/log. $1: user id; $2: does sudo work without a question.
machine() {
	rm -rf "${work:?}/bin" "$work/log"
	mkdir "$work/bin"
	: >"$work/log"
	local tool
	for tool in bash cat echo env sed sort find head dirname xargs awk; do ln -s "$(type -P "$tool")" "$work/bin/"; done
	write dpkg-query "cat '$work/installed'"
	write id "echo $1"
	write apt-get "echo apt-get \"\$@\" >>'$work/log'; case \"\$*\" in *${3:-@none@}*) exit 100 ;; esac"
	write sudo "[ $2 = yes ] || exit 1; [ \"\$*\" = '-n true' ] || { echo sudo >>'$work/log'; shift; exec \"\$@\"; }"
	write make "echo make \"\$@\" >>'$work/log'"
	chmod +x "$work"/bin/*
}
write() { printf '#!%s\n%s\n' "$(command -v bash)" "$2" >"$work/bin/$1"; }
installed() { printf 'installed %s\n' "$@" >"$work/installed"; }
bootstrap() { PATH=$work/bin "$work/bin/bash" "$top/bootstrap" "$@" >"$work/out" 2>&1; }
says() { grep -qF -- "$1" "$work/out"; }
did() { grep -qE -- "$1" "$work/log"; }

ok() { # NAME STATUS
	number=$((number + 1))
	if [ "$2" = 0 ]; then echo "ok $number - $1"; else
		failed=$((failed + 1))
		echo "not ok $number - $1"
		sed 's/^/# out: /' "$work/out"
		sed 's/^/# did: /' "$work/log"
	fi
}
ran() { # NAME COMMAND...
	local name=$1
	shift
	"$@"
	ok "$name" $?
}
never() { # NAME COMMAND...
	local name=$1
	shift
	! "$@"
	ok "$name" $?
}

installed base-files
machine 0 no
bootstrap all
ran 'root on a bare machine: installs' did 'apt-get .*install .*libseccomp-dev'
ran '... with what the helpers link' did 'apt-get .*install .*libsodium-dev'
ran '... says the line' says 'apt-get install --no-install-recommends gcc'
never '... not what the target does not need' did 'strace|clang-tidy|bubblewrap'
ran '... then makes the target' did '^make all$'

machine 0 no
bootstrap check SETUP=-Dwerror=true
ran 'check: what its tests use' did 'install .*strace'
ran 'check: what would be good, one by one' did 'install -y --no-install-recommends chromium$'
ran '... so is a reader of logs that is not ours' did 'install -y --no-install-recommends golang-golang-x-mod-dev$'
ran 'check: variables go to make' did '^make check SETUP=-Dwerror=true$'

machine 0 no chromium
bootstrap check
ran 'what cannot be had and is optional: said' says 'chromium cannot be had here'
ran '... and the target is made' did '^make check$'

machine 0 no libyaml-dev
bootstrap all
never 'what cannot be had and is needed: the target is not made' did '^make'

machine 1000 yes
bootstrap all
ran 'an ordinary user with sudo: through sudo' did '^sudo$'
ran '... installs' did 'apt-get .*install .*meson'

machine 1000 no
bootstrap all
ok 'an ordinary user without: stops' "$((! $?))"
ran '... with what to run' says 'run the line above as root'
never '... having made nothing' did '^make|^apt-get'

machine 1000 no
bootstrap --print all
ok '--print: exits with 1 where something is missing' "$((! $?))"
never '... and does nothing' did .

# shellcheck disable=SC2046 # words
installed $(bash -c "$(sed -n '/^needs() {/,/^}/p' "$top/bootstrap"); needs" | awk '{ sub(/\?$/, "", $2); print $2 }')
machine 1000 no
bootstrap check
ok 'nothing missing: no authority needed' $?
never '... apt is not called' did apt-get
ran '... the target is made' did '^make check$'
bootstrap --nonsense
ok 'an unknown option: refused' "$((! $?))"

rm "$work/bin/dpkg-query"
: >"$work/log"
bootstrap all
ran 'not Debian: names what is needed' says 'libseccomp-dev'
ran '... and tries' did '^make all$'
echo "1..$number"
[ "$failed" = 0 ]
