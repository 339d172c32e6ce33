#!/usr/bin/env bash
# The demo does what it says: run once as whoever runs the tests, and once as an ordinary user where that is root.
# Looks for itself at what the demo left, rather than at what it claims.
# usage: demo.sh AMBIT    (TAP on standard output)
set -uo pipefail
ambit=$(realpath "$1")
top=$(cd "$(dirname "$0")/../.." && pwd)
number=0 failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/ambit-demo-test.XXXXXX")
trap 'rm -rf "$work"' EXIT

ok() { # STATUS NAME
	number=$((number + 1))
	if [ "$1" = 0 ]; then echo "ok $number - $2"; else
		failed=$((failed + 1))
		echo "not ok $number - $2"
	fi
}
skip() { # NAME REASON
	number=$((number + 1))
	if [ "${AMBIT_MUST_RUN:-}" = 1 ]; then
		failed=$((failed + 1))
		echo "not ok $number - $1: $2"
	else
		echo "ok $number - $1 # SKIP $2"
	fi
}
is() { # NAME COMMAND...
	local name=$1
	shift
	"$@" >/dev/null 2>&1
	ok $? "$name"
}
isnt() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then ok 1 "$name"; else ok 0 "$name"; fi
}
key() { cat "$1/home/.ssh/id_ed25519"; }
denied() { # KIND END: the record has a denied effect of that kind on an object that ends so
	python3 - "$dir/cell/home/event.json" "$@" <<'PY'
import json, sys
path, kind, end = sys.argv[1:]
effects = json.load(open(path, encoding="utf-8"))["effects"]
names = [e.get("path") or e.get("address") for e in effects if e["verdict"] == "denied" and e["kind"] == kind]
sys.exit(not any(isinstance(name, str) and name.endswith(end) for name in names))
PY
}

held() { # KIND END: the record has such a change as held, and nothing of the event as committed
	python3 - "$dir/cell/home/event.json" "$@" <<'PY'
import json, sys
path, kind, end = sys.argv[1:]
record = json.load(open(path, encoding="utf-8"))
names = [e["path"] for e in record["effects"] if e["source"] == "proved" and e["verdict"] == "held" and e["kind"] == kind]
sys.exit(record["outcome"]["workspace"] != "kept" or not any(isinstance(name, str) and name.endswith(end) for name in names))
PY
}

# Each line of the README's excerpt, but for where the home is, for ids and for numbers.
shows_readme() {
	local line
	sed "s|$dir/cell/home|/home/ann|g; s/e_[0-9A-Z]\{26\}/ID/g; s/[0-9][0-9]*/N/g; s/^ *//" "$work/$who.txt" >"$work/said"
	# shellcheck disable=SC2016 # backquotes of Markdown
	sed -n '/^```text$/,/^```$/{/^```/d;/^  hint: \.\.\.$/d;s/e_[0-9A-Z]\{26\}/ID/g;s/[0-9][0-9]*/N/g;s/^ *//;p}' "$top/README.md" >"$work/shown"
	[ -s "$work/shown" ] || return 1
	while IFS= read -r line; do grep -qxF -- "$line" "$work/said" || return 1; done <"$work/shown"
}

demo_as() { # WHO COMMAND...
	local who=$1 status
	shift
	dir=$work/$who
	mkdir -p "$dir"
	chown --reference="$work" "$dir"
	[ "$who" = root ] || [ "$(id -u)" != 0 ] || chown 65534:65534 "$dir"
	"$@" env AMBIT="$ambit" AMBIT_DEMO_DIR="$dir" AMBIT_DEMO_CACHE="$cache" "$top/examples/demo/demo" \
		>"$work/$who.txt" 2>&1 </dev/null
	status=$?
	[ "$status" = 0 ] || sed 's/^/# /' "$work/$who.txt"
	ok "$status" "$who: the demo says that all was as promised"

	# the positive twins: bare, each attempt succeeds, else the rest shows nothing
	is "$who: bare, the daemon outlives the program" test -s "$dir/bare/home/project/out/still-here"
	is "$who: bare, the planted hook runs" test -e "$dir/bare/home/project/.git/the-hook-ran"
	is "$who: bare, the stranger gets the key" grep -qF "$(key "$dir/bare")" "$dir/collected.bare"

	is "$who: in the cell, the same report" \
		cmp "$dir/bare/home/project/out/report.md" "$dir/cell/home/project/out/report.md"
	isnt "$who: in the cell, no daemon stays" test -e "$dir/cell/home/project/out/still-here"
	isnt "$who: in the cell, no hook is planted, and none when the rest is committed" test -e "$dir/cell/home/project/.git/hooks/post-commit"
	isnt "$who: in the cell, no byte leaves" test -s "$dir/collected"
	is "$who: the record has the key as denied" denied read .ssh/id_ed25519
	is "$who: the record has the hook as held" held added .git/hooks/post-commit
	is "$who: the record has the connection as denied" denied connect 192.0.2.1:443

	is "$who: it prints what the README shows" shows_readme

	if grep -q '^SKIPPED' "$work/$who.txt"; then
		skip "$who: vm2" "$(grep '^SKIPPED' "$work/$who.txt")"
	else
		is "$who: bare, the box's code takes over the home" test -e "$dir/bare/home/taken-over"
		is "$who: in the cell, the box breaks as well" grep -q '^ *escaped:' "$dir/cell/vm2.txt"
		isnt "$who: in the cell, there is nothing behind it" test -e "$dir/cell/home/taken-over"
		isnt "$who: in the cell, the key is not read" grep -qF "$(key "$dir/cell")" "$dir/cell/vm2.txt"
	fi
}

cache=$work/npm
chmod 755 "$work"
if [ "$(id -u)" = 0 ]; then
	demo_as root env
	if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$ambit" -a -r "$top/examples/demo/demo"; then
		demo_as user setpriv --reuid 65534 --regid 65534 --clear-groups
	else
		skip 'user: the demo' "an ordinary user cannot reach $ambit"
	fi
else
	demo_as user env
fi
echo "1..$number"
[ "$failed" = 0 ]
