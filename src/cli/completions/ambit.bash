# bash completion for ambit. tests/integration/docs.py compares its words with --help, the man pages and the tables.

# After `--`: a command, then whatever that command completes.
_ambit_command() {
	local start=$1
	if declare -F _command_offset >/dev/null; then
		_command_offset "$start"
	elif [ "$COMP_CWORD" -eq "$start" ]; then
		mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}

_ambit_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}"); }
_ambit_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$@" -- "${COMP_WORDS[COMP_CWORD]}")
}

# "last" and the ids of events that the command takes; $1: the command, $2: other words.
_ambit_events() {
	local known states='(kept|lost|running)"'
	case $1 in
	undo) states='[a-z]*","commits":[1-9]' ;;
	discard) states='(kept|lost|damaged)"' ;;
	esac
	known=$("${COMP_WORDS[0]}" stage list --json 2>/dev/null | grep -oE "\"event\":\"[^\"]*\",\"state\":\"$states" | cut -d'"' -f4)
	_ambit_words "last $known ${2-}"
}

# "last" and the ids of events that run.
_ambit_running() {
	_ambit_words "last $("${COMP_WORDS[0]}" grant list 2>/dev/null | grep -oE '^e_[0-9A-Z]*') ${1-}"
}

# Grants that the person's authority keeps.
_ambit_standing() {
	"${COMP_WORDS[0]}" grant list --standing 2>/dev/null | grep -oE '^g_[0-9A-Z]*'
}

# "last" and the ids of sessions; $1: other words.
_ambit_sessions() {
	_ambit_words "last $("${COMP_WORDS[0]}" session list 2>/dev/null | grep -oE '^s_[0-9A-Z]*') ${1-}"
}

# Servers that were guarded, whose definitions of tools are kept; $1: or what is there of one.
_ambit_guarded() { (cd -- "${XDG_STATE_HOME:-$HOME/.local/state}/ambit/guard/${1-}" 2>/dev/null && printf '%s\n' *) | grep -vxF '*'; }
# Names of an approver's keys.
_ambit_approve_keys() {
	_ambit_words "$("${COMP_WORDS[0]}" approve --keys 2>/dev/null | grep -E '  (password|agent|damaged)' | cut -d' ' -f1)"
}
# Profiles that are kept.
_ambit_profiles() {
	_ambit_words "$("${COMP_WORDS[0]}" profile show 2>/dev/null | grep -oE '^p_[0-9a-f]*')"
}

# Streams that have labels.
_ambit_streams() {
	_ambit_words "$("${COMP_WORDS[0]}" labels 2>/dev/null | grep -oE '^b_[0-9A-Z]*')"
}
# Questions that wait for a person.
_ambit_questions() {
	_ambit_words "last $("${COMP_WORDS[0]}" approve 2>/dev/null | grep -oE '^a_[0-9A-Z]*')"
}

# Those of both; $1: other words.
_ambit_what() {
	_ambit_sessions "$("${COMP_WORDS[0]}" grant list 2>/dev/null | grep -oE '^e_[0-9A-Z]*') $1"
}

# Names of secrets.
_ambit_secrets() {
	_ambit_words "$("${COMP_WORDS[0]}" secret list 2>/dev/null | grep -E '  (value|command|login|damaged)' | cut -d' ' -f1)"
}

_ambit() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} i
	local run_options='--read --write --work --run --env --connect --listen --delegate --declassify --jit --policy --preset --limit --budget --workspace --base --observe --canary --profile
		--record --json --without --stage --discard --on-conflict --wait --direct --ledger --no-ledger --strict --label --session --key --background --kernel --end --python --node --shell --result --warm --agent --quiet --no-pty --help'
	local explain_options='--ledger --help'
	local trace_options='--json --line --facts --lines --label --key --ledger --help'
	local learn_options='--output --workspace --env --write --limit --ledger --no-ledger --no-pty --help'
	local diff_options='--stat --name-only --binary --json --color --no-pager --help'
	local commit_options='--write --on-conflict --wait --usual --untouched --json --help'
	local discard_options='--all --force --usual --untouched --json --help'
	local undo_options='--on-conflict --json --help'
	local stage_options='--kept --json --help'
	local ledger_options='--from --key --witness --quorum --url --list --forget --policy --event --denied --grant --session --type --since --until --limit --no-index --verbose --no-payloads --no-verify --html --text --otlp --ocsf --payloads --older-than --dry-run --wait --ledger --json --no-pager --help'
	local grant_options='--all --standing --json --help'
	local freeze_options='--all --reason --json --help'
	local thaw_options='--all --json --help'
	local kill_options='--all --keep-frozen --reason --json --help'
	local secret_options='--host --command --from --issuer --introspect --client --scope --port --open --bearer --policy --preset --connect --json --help'
	local approve_options='--answers --take-back --show --line --grant --deny --stop --digest --until --key --export --sign --take --enroll --keys --forget --name --agent --password-fd --json --help'
	local labels_options='--forget --unmark --yes --json --help'
	local profile_options='--shadow --seeds --html --train --calibrate --test --alpha --stream --roc --events --without --json --help'
	local canary_options='--kind --all --json --help'
	local session_options='--read --write --work --policy --preset --limit --budget --workspace --base --observe --canary --profile --without --stage --discard --direct --strict --events --total-wall --total-cpu --keep --keep-space --warm --key --json --help'
	local events_options='--from --follow --json --help'
	local ps_options='--watch --json --help'
	local cells_options='--help'
	local serve_options='--idle --status --metrics --reload --stop --json --help'
	local mcp_options='--read --write --work --policy --preset --tools --limit --budget --warm --workspace --agent --base --observe --canary --profile --without --stage --discard --direct --strict --events --total-wall --total-cpu --keep --keep-space --socket --http --token-file --issuer --audience --jwks --scope --origin --key --help'
	local guard_options='--tool --url --secret --name --read --write --work --policy --preset --limit --workspace --agent --base --observe --canary --profile --without --stage --discard --socket --http --token-file --issuer --audience --jwks --scope --origin --learn --per-call --pins --all --approve --help'
	local setup_options='--project --config --policy --guard --mcp --no-mcp --no-guard --hooks --run --sandbox --measure --dry-run --yes --undo --help'
	local doctor_options='--json --help'
	local policy_options='--json --help'
	local limits='wall= cpu= memory= tasks= files= disk= output='
	local properties='files processes ipc sockets network written code privilege kernel keys warden lifetime memory tasks disk time'
	local ledger_types='start stop crash policy grant derive revoke expire request decision intent effect result commit discard
		ask approve freeze thaw label declassify verdict prune key'
	COMPREPLY=()

	if [ "$COMP_CWORD" -eq 1 ]; then
		_ambit_words 'run explain trace learn diff commit discard undo stage ledger grant freeze thaw kill secret approve labels profile canary session events ps serve mcp guard cells setup doctor policy help version --help --version'
		return
	fi
	case $command in
	run | learn | guard)
		for ((i = 2; i < COMP_CWORD; i++)); do
			if [ "${COMP_WORDS[i]}" = -- ]; then
				_ambit_command $((i + 1))
				return
			fi
		done
		;;
	esac

	# `stage diff` is completed as `diff`
	if [ "$command" = stage ] && [ "$COMP_CWORD" -gt 2 ]; then
		case ${COMP_WORDS[2]} in diff | commit | discard | undo) command=${COMP_WORDS[2]} ;; esac
	fi

	case $command:$previous in
	run:--read | run:--write | run:--work | run:--policy | run:--record | run:--result | learn:--output | learn:--write | guard:--learn) _ambit_files -f ;;
	run:--workspace | run:--ledger | learn:--workspace | learn:--ledger) _ambit_files -d ;;
	run:--run) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
	run:--env | learn:--env) mapfile -t COMPREPLY < <(compgen -e -- "$word") ;;
	run:--preset) _ambit_words 'python node shell c claude-code agent' ;;
	run:--limit | learn:--limit)
		_ambit_words "$limits"
		compopt -o nospace 2>/dev/null
		;;
	run:--python | run:--node | run:--shell) if [[ $word == -* ]]; then _ambit_words "$run_options"; else _ambit_files -f; fi ;;
	run:--warm | session:--warm | mcp:--warm)
		_ambit_words 'python= node= shell='
		compopt -o nospace 2>/dev/null
		;;
	run:--budget | session:--budget | mcp:--budget)
		_ambit_words 'session agent'
		compopt -o nospace 2>/dev/null
		;;
	run:--base) _ambit_words 'system minimal' ;;
	run:--observe) _ambit_words 'full effects off ebpf auto' ;;
	run:--canary | session:--canary | mcp:--canary | guard:--canary) _ambit_words 'tell kill freeze' ;;
	run:--profile | session:--profile | mcp:--profile | guard:--profile) _ambit_words 'off log throttle ask hold kill' ;;
	run:--label) _ambit_words 'private untrusted' ;;
	run:--on-conflict | commit:--on-conflict | undo:--on-conflict) _ambit_words 'fail theirs ours' ;;
	diff:--color) _ambit_words 'auto always never' ;;
	run:--wait | commit:--wait) ;;
	run:--without) _ambit_words "$properties" ;;
	run:--session | session:end | events:events) _ambit_sessions "$([ "$command" = events ] && echo "$events_options")" ;;
	run:--key | run:--kernel | session:--key | mcp:--key | mcp:--events | mcp:--agent | guard:--tool | guard:--url | guard:--name | guard:--agent | mcp:--total-* | mcp:--keep* | session:--events | session:--total-* | session:--keep* | events:--from | serve:--idle) ;;
	session:session) _ambit_words 'new list end --help' ;;
	session:--read | session:--write | session:--work | session:--policy | mcp:--read | mcp:--write | mcp:--work | mcp:--policy | guard:--read | guard:--write | guard:--work | guard:--policy | guard:--socket | mcp:--token-file | mcp:--jwks | guard:--token-file | guard:--jwks) _ambit_files -f ;;
	session:--workspace | mcp:--workspace | guard:--workspace) _ambit_files -d ;;
	session:--preset | mcp:--preset | guard:--preset) _ambit_words 'python node shell c claude-code agent' ;;
	session:--base | mcp:--base | guard:--base) _ambit_words 'system minimal' ;;
	session:--observe | mcp:--observe | guard:--observe) _ambit_words 'full effects off ebpf auto' ;;
	session:--without | mcp:--without | guard:--without) _ambit_words "$properties" ;;
	session:--limit | mcp:--limit | guard:--limit)
		_ambit_words "$limits"
		compopt -o nospace 2>/dev/null
		;;
	mcp:--tools) _ambit_words 'run python node shell read write edit list search diff commit discard session' ;;
	mcp:*) _ambit_words "$mcp_options" ;;
	guard:--secret) _ambit_secrets ;;
	guard:--pins) _ambit_words "$(_ambit_guarded)" ;;
	guard:--approve) for ((i = 2; i < COMP_CWORD; i++)); do [ "${COMP_WORDS[i]}" != --pins ] || _ambit_words "$(_ambit_guarded "${COMP_WORDS[i + 1]}/waits") --pins"; done ;;
	guard:*) _ambit_words "$guard_options --" ;;
	session:*) _ambit_words "$session_options" ;;
	events:*) _ambit_words "$events_options" ;;
	ps:*) _ambit_words "$ps_options" ;;
	serve:*) _ambit_words "$serve_options" ;;
	cells:*) _ambit_words "$cells_options" ;;
	run:*) _ambit_words "$run_options --" ;;
	learn:*) _ambit_words "$learn_options --" ;;
	setup:setup) _ambit_words 'claude-code codex cursor vscode claude-desktop gemini --help' ;;
	setup:--config | setup:--policy) _ambit_files -f ;;
	setup:--sandbox) _ambit_words off ;;
	setup:--guard | setup:--mcp | setup:--run) ;;
	setup:*) _ambit_words "$setup_options" ;;
	doctor:*) _ambit_words "$doctor_options" ;;
	help:help) _ambit_words 'run explain trace learn diff commit discard undo stage ledger grant freeze thaw kill secret approve labels profile canary session events ps serve mcp guard cells setup doctor policy' ;;
	ledger:ledger) _ambit_words 'verify show replay report export prove check witness backup prune rotate --help' ;;
	ledger:--from | ledger:--policy | ledger:check) _ambit_files -f ;;
	ledger:--ledger | ledger:backup | explain:--ledger | trace:--ledger) _ambit_files -d ;;
	ledger:--key | ledger:--since | ledger:--until | ledger:--grant | ledger:--session | ledger:--limit | ledger:--older-than | ledger:--witness | ledger:--quorum | ledger:--url) ;;
	ledger:--event | ledger:prove) _ambit_words last ;;
	ledger:--type) _ambit_words "$ledger_types" ;;
	ledger:*) _ambit_words "$ledger_options" ;;
	grant:grant) _ambit_words 'list revoke restore --help' ;;
	grant:list) _ambit_running --standing ;;
	grant:revoke) _ambit_running "$(_ambit_standing)" ;;
	grant:restore) _ambit_words "$(_ambit_standing)" ;;
	grant:*) _ambit_words "$grant_options" ;;
	freeze:--reason | kill:--reason) ;;
	freeze:freeze) _ambit_what "$freeze_options" ;;
	thaw:thaw) _ambit_what "$thaw_options" ;;
	kill:kill) _ambit_what "$kill_options" ;;
	freeze:*) _ambit_words "$freeze_options" ;;
	thaw:*) _ambit_words "$thaw_options" ;;
	kill:*) _ambit_words "$kill_options" ;;
	secret:secret) _ambit_words 'set login list check remove --help' ;;
	secret:set | secret:login | secret:check | secret:remove) _ambit_secrets ;;
	secret:--from | secret:--policy) _ambit_files -f ;;
	secret:--preset) _ambit_words 'python node shell c claude-code agent' ;;
	secret:--issuer) _ambit_words 'github gitlab npm slack' ;;
	secret:--bearer) _ambit_secrets ;;
	secret:--host | secret:--command | secret:--introspect | secret:--client | secret:--scope | secret:--port | secret:--connect) ;;
	secret:*) _ambit_words "$secret_options" ;;
	approve:--forget | approve:--key) _ambit_approve_keys ;;
	approve:--grant) _ambit_words 'once session' ;;
	approve:--sign | approve:--take) _ambit_files -f ;;
	approve:--name | approve:--agent | approve:--password-fd | approve:--digest | approve:--until) ;;
	approve:approve)
		case $word in
		-*) _ambit_words "$approve_options" ;;
		*) _ambit_questions ;;
		esac
		;;
	approve:*) _ambit_words "$approve_options" ;;
	labels:--forget) _ambit_streams ;;
	labels:--unmark) _ambit_files -f ;;
	labels:*) _ambit_words "$labels_options" ;;
	canary:canary) _ambit_words 'add list remove --help' ;;
	canary:--kind) _ambit_words 'aws ssh env token file' ;;
	canary:*) if [[ $word == -* ]]; then _ambit_words "$canary_options"; else _ambit_files -f; fi ;;
	profile:profile) _ambit_words 'show diff export import promote reset release refuse score train eval --help' ;;
	profile:import) _ambit_files -f ;;
	profile:show | profile:diff | profile:export | profile:promote | profile:reset) if [[ $word == -* ]]; then _ambit_words "$profile_options"; else _ambit_profiles; fi ;;
	profile:--train | profile:--calibrate | profile:--test | profile:--roc | profile:--html) _ambit_files -f ;;
	profile:*) _ambit_words "$profile_options" ;;
	stage:stage) _ambit_words 'list diff commit discard undo recover --help' ;;
	stage:list) if [[ $word == -* ]]; then _ambit_words "$stage_options"; else _ambit_files -d; fi ;;
	stage:*) _ambit_words "$stage_options" ;;
	undo:undo) _ambit_events undo "$undo_options" ;;
	undo:*) _ambit_words "$undo_options" ;;
	discard:discard) _ambit_events discard "$discard_options" ;;
	discard:*) _ambit_words "$discard_options" ;;
	diff:* | commit:*)
		case $word in
		-*) if [ "$command" = diff ]; then _ambit_words "$diff_options"; else _ambit_words "$commit_options"; fi ;;
		'' | e | e_*)
			_ambit_events "$command"
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
			;;
		*) _ambit_files -f -W last ;;
		esac
		;;
	policy:policy) _ambit_words 'check trust --help' ;;
	trace:--label | trace:--key) ;;
	trace:*) if [[ $word == -* ]]; then _ambit_words "$trace_options"; else _ambit_files -f -W last; fi ;;
	explain:* | policy:*)
		case $word in
		-*)
			if [ "$command" = explain ]; then _ambit_words "$explain_options"; else _ambit_words "$policy_options"; fi
			;;
		*)
			if [ "$command" = explain ]; then _ambit_files -f -W last; else _ambit_files -f; fi
			;;
		esac
		;;
	esac
}
complete -F _ambit ambit
