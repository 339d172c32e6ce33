#!/usr/bin/env bash
# The Debian packages: built from the tracked files in a directory of their own, unpacked, looked at, and run.
# usage: deb.sh    (TAP on standard output)
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
number=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/ambit-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT

is() { # NAME COMMAND...
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/said" 2>&1; then echo "ok $number - $name"; else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		tail -n 40 "$work/said" | sed 's/^/# /'
	fi
}
builds() {
	mkdir "$work/ambit" &&
		git -C "$top" ls-files -z | tar -C "$top" --null --ignore-failed-read -T - -c | tar -C "$work/ambit" -x &&
		(cd "$work/ambit" && env -u DESTDIR -u AMBIT_SOAK dpkg-buildpackage -b -us -uc)
}
# Each helper that makes user namespaces is named by the profile with the path that it is installed at.
profile_fits() {
	local helper
	for helper in ambit-supervisor ambit-warden; do
		test -x "$work/unpacked/ambit/usr/libexec/ambit/$helper" || return 1
	done
	grep -qF 'profile ambit /usr/libexec/ambit/ambit-{supervisor,warden} ' "$work/ambit-profile"
}
# FIELD PACKAGE: of its control file.
field() { dpkg-deb -f "$work"/"$2"_*.deb "$1"; }
needs() { field Depends "$1" | grep -F "$2 (= $(field Version "$2"))"; }
# As a product's packages would be: built against what libambit-dev has, which leads to what libambit1 has. All three lie in one tree, as installed.
builds_against() {
	local lib
	lib=$(dirname "$work"/unpacked/all/usr/lib/*/libambit.so.1) &&
		"${CC:-cc}" "$top/examples/embed-simple.c" -o "$work/embed-simple" -I"$work/unpacked/all/usr/include" -L"$lib" -lambit &&
		readelf -dW "$work/embed-simple" | grep -F '[libambit.so.1]' &&
		[ "$(cd "$work" && LD_LIBRARY_PATH=$lib AMBIT_LEDGER=none ./embed-simple)" = 'hello from cell' ]
}
# From the symbols that a program refers to follows which package it depends on, and which version at least.
is_depended_on() {
	mkdir -p "$work/product/debian" && cd "$work/product" && printf 'Source: product\n\nPackage: product\nArchitecture: any\n' >debian/control &&
		dpkg-deb -e "$work"/libambit1_*.deb "$work/unpacked/libambit1/DEBIAN" &&
		dpkg-shlibdeps -O -S"$work/unpacked/libambit1" -e"$work/embed-simple" | grep -F 'libambit1 (>= 0.1.0)'
}

for tool in git dpkg-buildpackage dh meson; do
	command -v "$tool" >/dev/null && continue
	if [ "${AMBIT_MUST_RUN:-}" = 1 ]; then echo "Bail out! no $tool"; else echo "1..0 # SKIP no $tool"; fi
	exit 0
done
git -C "$top" rev-parse >/dev/null 2>&1 || {
	echo '1..0 # SKIP not a git repository: which files are ours is not known'
	exit 0
}
is 'dpkg-buildpackage builds' builds
mkdir "$work/unpacked"
is 'ambit unpacks' dpkg-deb -x "$work"/ambit_*.deb "$work/unpacked/ambit"
is 'libambit1 unpacks' dpkg-deb -x "$work"/libambit1_*.deb "$work/unpacked/libambit1"
is 'libambit-dev unpacks' dpkg-deb -x "$work"/libambit-dev_*.deb "$work/unpacked/dev"
cp "$work/unpacked/ambit/usr/share/ambit/apparmor.d/ambit" "$work/ambit-profile"
is 'the AppArmor profile names the helpers where they are installed' profile_fits
for file in usr/share/man/man1/ambit-run.1.gz usr/share/man/man1/ambit-stage.1.gz usr/share/man/man5/ambit.yaml.5.gz usr/share/ambit/policy.schema.json \
	usr/share/ambit/presets/python.yaml usr/share/bash-completion/completions/ambit \
	usr/share/zsh/vendor-completions/_ambit usr/share/fish/vendor_completions.d/ambit.fish; do
	is "ambit has $file" test -s "$work/unpacked/ambit/$file"
done
is 'libambit-dev has the header' test -s "$work/unpacked/dev/usr/include/ambit/ambit.h"
is 'libambit-dev has the library' sh -c "test -s '$work'/unpacked/dev/usr/lib/*/libambit.a"
is 'libambit-dev has the manual page' test -s "$work/unpacked/dev/usr/share/man/man3/libambit.3.gz"
is 'libambit1 has the shared library' sh -c "test -s '$work'/unpacked/libambit1/usr/lib/*/libambit.so.1"
is 'libambit1 needs the ambit of its own version' needs libambit1 ambit
is 'libambit-dev needs the libambit1 of its own version' needs libambit-dev libambit1
for package in ambit libambit1 libambit-dev; do
	dpkg-deb -x "$work"/"$package"_*.deb "$work/unpacked/all"
done
is 'a program is built against libambit-dev, and runs a cell with libambit1 and ambit' builds_against
is 'its package would depend on libambit1' is_depended_on
is 'the packaged ambit looks for its helpers in /usr/libexec' \
	grep -qF /usr/libexec/ambit "$work/unpacked/ambit/usr/bin/ambit"
is 'the packaged ambit runs a cell' sh -c \
	"cd / && test \"\$('$work/unpacked/ambit/usr/bin/ambit' run -- hostname)\" = cell"
echo "1..$number"
[ "$failed" = 0 ]
