#!/usr/bin/env bash
# Whoever has authority links no parser of what others wrote: its symbols are looked at, and those of roles that have one.
# usage: parsers.sh BUILD    (TAP on standard output)
set -uo pipefail
build=$1 number=0 failed=0
parsers='^(json_load[a-z]*|yaml_parser_parse|http_parser_execute|nghttp2_session_mem_recv|SSL_read|sqlite3_prepare_v2|tree_read|line_symbol)$'

# Of the text of a program; without symbols nothing could be said.
symbols() { nm --defined-only "$1" | awk '$2 == "T" || $2 == "t" || $2 == "W" { print $3 }'; }
shared() { ldd "$1" 2>/dev/null | grep -oE 'lib(jansson|yaml|http_parser|nghttp2|ssl|sqlite3)' || true; }

say() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2" && failed=$((failed + 1)); fi
}
has_parser() { [ -n "$(symbols "$1" | grep -E "$parsers")$(shared "$1")" ]; }

for name in ambit ambit-supervisor ambit-warden ambit-serve ambit-session ambit-pool ambit-freeze ambit-stage ambit-dial ambit-secret ambit-approver ambit-ledger ambit-authority ambit-ebpf; do
	[ "$name" != ambit-ebpf ] || [ -e "$build/$name" ] || continue # not in every build
	[ "$(symbols "$build/$name" | wc -l)" -gt 100 ] && ! has_parser "$build/$name"
	say $? "$name has no parser"
done
for name in ambit-policy ambit-explain ambit-http ambit-index ambit-rpc ambit-mcp ambit-guard ambit-many ambit-setup ambit-bridge ambit-login ambit-web ambit-profile; do
	has_parser "$build/$name"
	say $? "$name has one, and it is seen"
done
echo "1..$number"
exit $((failed > 0))
