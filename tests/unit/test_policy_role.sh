#!/bin/sh
# test_policy_role.sh AMBIT_POLICY: the policy role as a process: one answer, whatever stands on descriptor 0. Speaks TAP.
set -u
role=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0

# answer NAME KIND TEXT: the role's answer in $dir/out is well framed, of this kind and contains TEXT
answer() {
	number=$((number + 1))
	size=$(wc -c <"$dir/out")
	frame=$(od -A n -t u4 -N 4 "$dir/out" | tr -d ' ')
	kind=$(od -A n -t u1 -j 4 -N 1 "$dir/out" | tr -d ' ')
	if [ "$status" = 0 ] && [ "$((frame + 4))" = "$size" ] && [ "$kind" = "$2" ] && [ ! -s "$dir/err" ] &&
		grep -qaF -- "$3" "$dir/out"; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1: status $status, $size bytes, frame $frame, kind $kind"
	fi
}

run() {
	"$role" >"$dir/out" 2>"$dir/err"
	status=$?
}

echo 1..9

printf 'version: 1\ngrants: [{read: /srv/some}]\n' >"$dir/in"
run <"$dir/in"
answer "a policy" 1 /srv/some

run </dev/null
answer "nothing" 2 "the policy is empty"

head -c 262145 /dev/zero | tr '\0' '#' >"$dir/in"
run <"$dir/in"
answer "one byte too many" 2 "more than 262144 bytes"

head -c 262145 /dev/urandom >"$dir/in"
run <"$dir/in"
answer "noise" 2 "more than 262144 bytes"

run <"$dir"
answer "a directory" 2 "cannot read the policy"

"$role" >"$dir/out" 2>"$dir/err" <&-
status=$?
answer "no descriptor 0" 2 "cannot read the policy"

number=$((number + 1))
if "$role" </dev/null >/dev/full 2>"$dir/err"; then echo "not ok $number - a full output is a failure"; else echo "ok $number - a full output is a failure"; fi

printf 'version: 1\nagent: \033[31m\n' >"$dir/in"
run <"$dir/in"
number=$((number + 1))
if grep -qa "$(printf '\033')" "$dir/out"; then echo "not ok $number - no control in an answer"; else echo "ok $number - no control in an answer"; fi

number=$((number + 1))
if [ "${AMBIT_SANITIZED:-0}" = 1 ]; then
	echo "ok $number - no loader is needed # SKIP sanitizers need one"
elif LC_ALL=C readelf -lW "$role" | grep -q INTERP || ! LC_ALL=C readelf -lW "$role" | grep -q LOAD; then
	echo "not ok $number - no loader is needed"
else
	echo "ok $number - no loader is needed"
fi
