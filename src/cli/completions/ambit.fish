# fish completion for ambit. tests/integration/docs.py compares its words with --help, the man pages and the tables.

function __ambit_before_command
    # true until a bare `--` was typed
    not contains -- -- (commandline -opc)
end

function __ambit_in
    __ambit_before_command; and __fish_seen_subcommand_from $argv
end

function __ambit_is_code
    # its file comes next
    contains -- (commandline -opc)[-1] --python --node --shell
end

function __ambit_events
    # the ids of events that the command takes
    set -l states '(?:kept|lost|running)"'
    switch $argv[1]
        case undo
            set states '[a-z]*","commits":[1-9]'
        case discard
            set states '(?:kept|lost|damaged)"'
    end
    ambit stage list --json 2>/dev/null | string match -a -r '"event":"([^"]*)","state":"'$states -g
end

function __ambit_sessions
    ambit session list 2>/dev/null | string match -r '^s_[0-9A-Z]+'
end

complete -c ambit -f
complete -c ambit -n __fish_use_subcommand -a run -d 'Run one command in one cell'
complete -c ambit -n __fish_use_subcommand -a explain -d 'Why each denial, and what would allow it'
complete -c ambit -n __fish_use_subcommand -a learn -d 'Write the narrowest policy that would have sufficed'
complete -c ambit -n __fish_use_subcommand -a diff -d 'What an event changed'
complete -c ambit -n __fish_use_subcommand -a commit -d 'Commit what is kept, or a part of it'
complete -c ambit -n __fish_use_subcommand -a discard -d 'Throw it away'
complete -c ambit -n __fish_use_subcommand -a undo -d 'Take a commit back'
complete -c ambit -n __fish_use_subcommand -a stage -d 'What is kept, and what can be undone'
complete -c ambit -n __fish_use_subcommand -a ledger -d 'What was recorded, and whether it is what was signed'
complete -c ambit -n __fish_use_subcommand -a grant -d 'What running events may do, and taking it back'
complete -c ambit -n __fish_use_subcommand -a secret -d 'What is attached to requests, and no cell sees'
complete -c ambit -n __fish_use_subcommand -a approve -d 'The keys that sign your answers to requests for an approval'
complete -c ambit -n __fish_use_subcommand -a session -d 'Sessions that outlive their clients'
complete -c ambit -n __fish_use_subcommand -a events -d 'What ran in a session, and runs'
complete -c ambit -n __fish_use_subcommand -a ps -d 'What runs in all sessions'
complete -c ambit -n __fish_use_subcommand -a serve -d 'The daemon that keeps sessions'
complete -c ambit -n __fish_use_subcommand -a doctor -d 'What this host can enforce'
complete -c ambit -n __fish_use_subcommand -a policy -d 'Check a policy, or trust it'
complete -c ambit -n __fish_use_subcommand -a help -d 'How Ambit is used'
complete -c ambit -n __fish_use_subcommand -a version -d 'Print the version'

complete -c ambit -n '__ambit_in run' -l read -r -F -d 'Read beneath PATH'
complete -c ambit -n '__ambit_in run' -l write -r -F -d 'Read and write beneath PATH'
complete -c ambit -n '__ambit_in run' -l work -r -F -d 'Read, write and execute beneath PATH'
complete -c ambit -n '__ambit_in run' -l run -x -a '(__fish_complete_command)' -d 'Execute PROGRAM'
complete -c ambit -n '__ambit_in run' -l env -x -a '(set -nx)' -d 'A variable, as it is or with a value'
complete -c ambit -n '__ambit_in run' -l connect -x -d 'Connect to HOST:PORT, unix:PATH or ssh://USER@HOST'
complete -c ambit -n '__ambit_in run' -l listen -x -d 'A port of a server in the cell'
complete -c ambit -n '__ambit_in run' -l jit -d 'Memory may be written and then executed'
complete -c ambit -n '__ambit_in run' -l policy -r -F -d 'Grants and limits of a file'
complete -c ambit -n '__ambit_in run' -l preset -x -a 'python node shell c claude-code' -d 'A policy that comes with Ambit'
complete -c ambit -n '__ambit_in run' -l limit -x -a 'wall= cpu= memory= tasks= files= disk= output=' -d 'Bound what the event may use'
complete -c ambit -n '__ambit_in run' -l workspace -x -a '(__fish_complete_directories)' -d 'What . means'
complete -c ambit -n '__ambit_in run' -l base -x -a 'system minimal' -d 'What is there without a grant'
complete -c ambit -n '__ambit_in run' -l observe -x -a 'full effects off' -d 'What the eye reports'
complete -c ambit -n '__ambit_in run' -l record -r -F -d 'Write the record there'
complete -c ambit -n '__ambit_in run' -l json -d 'Print only the record'
complete -c ambit -n '__ambit_in run' -l without -x -a 'files processes ipc sockets network written code privilege kernel keys warden lifetime memory tasks disk time' -d 'Go on without a property'
complete -c ambit -n '__ambit_in run' -l stage -d 'Keep what it changed for review'
complete -c ambit -n '__ambit_in run' -l discard -d 'Throw away what it changed if it fails'
complete -c ambit -n '__ambit_in run' -l on-conflict -x -a 'fail theirs ours' -d 'Where a file changed meanwhile'
complete -c ambit -n '__ambit_in run' -l wait -x -d 'For other events that work on the tree'
complete -c ambit -n '__ambit_in run' -l direct -d 'Write in place'
complete -c ambit -n '__ambit_in run' -l ledger -x -a '(__fish_complete_directories)' -d 'Record the event in this ledger'
complete -c ambit -n '__ambit_in run' -l no-ledger -d 'Record it nowhere'
complete -c ambit -n '__ambit_in run' -l strict -d 'A denial makes the event fail'
complete -c ambit -n '__ambit_in run' -l session -x -a 'last (__ambit_sessions)' -d 'In this session'
complete -c ambit -n '__ambit_in run' -l key -x -d 'The same key again runs nothing'
complete -c ambit -n '__ambit_in run' -l background -d 'Beside the other events of the session'
complete -c ambit -n '__ambit_in run' -l kernel -x -d 'Code in an interpreter of that name, which keeps its variables'
complete -c ambit -n '__ambit_in run' -l end -d 'In place of code: that kernel ends'
complete -c ambit -n '__ambit_in run' -l python -d 'Code of Python, from a file or standard input'
complete -c ambit -n '__ambit_in run' -l node -d 'Code of Node'
complete -c ambit -n '__ambit_in run' -l shell -d 'Code of bash'
complete -c ambit -n '__ambit_in run; and __ambit_is_code' -F
complete -c ambit -n '__ambit_in run' -l result -r -F -d 'Write what became of code there'
complete -c ambit -n '__ambit_in run' -l warm -x -a 'python= node= shell=' -d 'Interpreter and modules of code'
complete -c ambit -n '__ambit_in session' -l warm -x -a 'python= node= shell=' -d 'Interpreter and modules of code'
complete -c ambit -n '__ambit_in run' -l quiet -d 'No summary'
complete -c ambit -n '__ambit_in run' -l no-pty -d 'No private terminal'
complete -c ambit -n '__ambit_in run' -l help -d 'How run is used'

complete -c ambit -n '__ambit_in explain' -l ledger -x -a '(__fish_complete_directories)' -d 'Another ledger than your own'
complete -c ambit -n '__ambit_in explain' -l help -d 'How explain is used'
complete -c ambit -n '__ambit_in explain' -a last -d 'The latest event of the ledger'
complete -c ambit -n '__ambit_in explain' -F

complete -c ambit -n '__ambit_in learn' -l output -r -F -d 'Write the policy there'
complete -c ambit -n '__ambit_in learn' -l workspace -x -a '(__fish_complete_directories)' -d 'What . means'
complete -c ambit -n '__ambit_in learn' -l env -x -a '(set -nx)' -d 'Pass a variable'
complete -c ambit -n '__ambit_in learn' -l write -r -F -d 'Let something outside the workspace be written'
complete -c ambit -n '__ambit_in learn' -l limit -x -a 'wall= cpu= memory= tasks= files= disk= output=' -d 'How much it may use'
complete -c ambit -n '__ambit_in learn' -l ledger -x -a '(__fish_complete_directories)' -d 'Record it in this ledger'
complete -c ambit -n '__ambit_in learn' -l no-ledger -d 'Record it nowhere'
complete -c ambit -n '__ambit_in learn' -l no-pty -d 'No private terminal'
complete -c ambit -n '__ambit_in learn' -l help -d 'How learn is used'

complete -c ambit -n '__ambit_in diff' -l stat -d 'How much changed in each file'
complete -c ambit -n '__ambit_in diff' -l name-only -d 'The names alone'
complete -c ambit -n '__ambit_in diff' -l binary -d 'A patch to be applied, with binary contents'
complete -c ambit -n '__ambit_in diff' -l json -d 'The changes as JSON'
complete -c ambit -n '__ambit_in diff' -l color -x -a 'auto always never' -d 'Colours'
complete -c ambit -n '__ambit_in diff' -l no-pager -d 'No pager'
complete -c ambit -n '__ambit_in diff' -l help -d 'How diff is used'
complete -c ambit -n '__ambit_in diff' -F -a 'last (__ambit_events diff)'

complete -c ambit -n '__ambit_in commit' -l write -r -F -d 'Commit this protected name too'
complete -c ambit -n '__ambit_in commit' -l on-conflict -x -a 'fail theirs ours' -d 'Where the real file changed meanwhile'
complete -c ambit -n '__ambit_in commit' -l wait -x -d 'For other events that work on the tree'
complete -c ambit -n '__ambit_in commit' -l json -d 'The outcome as JSON'
complete -c ambit -n '__ambit_in commit' -l help -d 'How commit is used'
complete -c ambit -n '__ambit_in commit' -F -a 'last (__ambit_events commit)'

complete -c ambit -n '__ambit_in discard' -l all -d 'Every stage that is kept'
complete -c ambit -n '__ambit_in discard' -l force -d 'Also if a commit of it was broken off'
complete -c ambit -n '__ambit_in discard' -l json -d 'The outcome as JSON'
complete -c ambit -n '__ambit_in discard' -l help -d 'How discard is used'
complete -c ambit -n '__ambit_in discard' -a 'last (__ambit_events discard)'

complete -c ambit -n '__ambit_in undo' -l on-conflict -x -a 'fail theirs ours' -d 'Where something changed since'
complete -c ambit -n '__ambit_in undo' -l json -d 'The outcome as JSON'
complete -c ambit -n '__ambit_in undo' -l help -d 'How undo is used'
complete -c ambit -n '__ambit_in undo' -a 'last (__ambit_events undo)'

complete -c ambit -n '__ambit_in stage; and not __fish_seen_subcommand_from list diff commit discard undo recover' -a 'list diff commit discard undo recover'
complete -c ambit -n '__ambit_in stage; and __fish_seen_subcommand_from list' -x -a '(__fish_complete_directories)'
complete -c ambit -n '__ambit_in stage' -l kept -d 'Only those whose changes wait'
complete -c ambit -n '__ambit_in stage' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in stage' -l help -d 'How stage is used'

complete -c ambit -n '__ambit_in ledger; and not __fish_seen_subcommand_from verify show replay report export prove check witness backup prune rotate' -a 'verify show replay report export prove check witness backup prune rotate'
complete -c ambit -n '__ambit_in ledger; and __fish_seen_subcommand_from prove' -a last
complete -c ambit -n '__ambit_in ledger; and __fish_seen_subcommand_from check' -F
complete -c ambit -n '__ambit_in ledger' -l from -r -F -d 'A checkpoint that was saved before'
complete -c ambit -n '__ambit_in ledger' -l key -x -d 'The key that must have signed'
complete -c ambit -n '__ambit_in ledger' -l witness -x -d 'The witness with this key must have cosigned'
complete -c ambit -n '__ambit_in ledger' -l quorum -x -d 'So many witnesses will do'
complete -c ambit -n '__ambit_in ledger' -l url -x -d 'The address of the witness to ask'
complete -c ambit -n '__ambit_in ledger' -l list -d 'Say who is asked'
complete -c ambit -n '__ambit_in ledger' -l forget -d 'Do not ask this one any more'
complete -c ambit -n '__ambit_in ledger' -l policy -r -F -d 'The policy that is tried on what happened'
complete -c ambit -n '__ambit_in ledger' -l event -x -a last -d 'Only entries of this event'
complete -c ambit -n '__ambit_in ledger' -l denied -d 'Only what was denied'
complete -c ambit -n '__ambit_in ledger' -l since -x -d 'Only entries from then on'
complete -c ambit -n '__ambit_in ledger' -l until -x -d 'Only entries before then'
complete -c ambit -n '__ambit_in ledger' -l grant -x -d 'Only entries about this grant'
complete -c ambit -n '__ambit_in ledger' -l session -x -d 'Only entries of this session'
complete -c ambit -n '__ambit_in ledger' -l limit -x -d 'Only the last so many'
complete -c ambit -n '__ambit_in ledger' -l no-index -d 'Read all entries'
complete -c ambit -n '__ambit_in ledger; and __fish_seen_subcommand_from backup' -x -a '(__fish_complete_directories)'
complete -c ambit -n '__ambit_in ledger' -l no-payloads -d 'Without the records'
complete -c ambit -n '__ambit_in ledger' -l no-verify -d 'Do not read the copy once more'
complete -c ambit -n '__ambit_in ledger' -l verbose -d 'Say what became of the index'
complete -c ambit -n '__ambit_in ledger' -l type -x -a 'start stop crash policy grant derive revoke expire request decision intent effect result commit discard ask approve freeze thaw label declassify verdict prune key' -d 'Only entries of this type'
complete -c ambit -n '__ambit_in ledger' -l html -d 'As a page of HTML'
complete -c ambit -n '__ambit_in ledger' -l text -d 'As text'
complete -c ambit -n '__ambit_in ledger' -l otlp -d 'As spans of OpenTelemetry'
complete -c ambit -n '__ambit_in ledger' -l ocsf -d 'As events of OCSF'
complete -c ambit -n '__ambit_in ledger' -l payloads -d 'The records beside the ledger, too; prune: these'
complete -c ambit -n '__ambit_in ledger' -l older-than -x -d 'Those whose entry is older'
complete -c ambit -n '__ambit_in ledger' -l dry-run -d 'Only say what would go'
complete -c ambit -n '__ambit_in ledger' -l wait -d 'Rotate: until no event is being recorded'
complete -c ambit -n '__ambit_in ledger' -l ledger -x -a '(__fish_complete_directories)' -d 'Another ledger than your own'
complete -c ambit -n '__ambit_in ledger' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in ledger' -l no-pager -d 'No pager'
complete -c ambit -n '__ambit_in ledger' -l help -d 'How ledger is used'

complete -c ambit -n '__ambit_in grant; and not __fish_seen_subcommand_from list revoke' -a 'list revoke'
complete -c ambit -n '__ambit_in grant; and __fish_seen_subcommand_from list revoke' -a 'last (ambit grant list 2>/dev/null | string match -r "^e_[0-9A-Z]+")'
complete -c ambit -n '__ambit_in grant' -l all -d 'Revoke: every grant that can be withdrawn'
complete -c ambit -n '__ambit_in grant' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in grant' -l help -d 'How grant is used'

complete -c ambit -n '__ambit_in secret; and not __fish_seen_subcommand_from set list check remove' -a 'set list check remove'
complete -c ambit -n '__ambit_in secret; and __fish_seen_subcommand_from set check remove' -a '(ambit secret list 2>/dev/null | string match -r "^\S+(?=  (?:value|command|damaged))")'
complete -c ambit -n '__ambit_in secret' -l host -x -d 'Set: only for this host'
complete -c ambit -n '__ambit_in secret' -l command -x -d 'Set: a command that writes it'
complete -c ambit -n '__ambit_in secret' -l from -r -F -d 'Set: read it from a file'
complete -c ambit -n '__ambit_in secret' -l issuer -x -a 'github gitlab npm slack' -d 'Check: who is asked'
complete -c ambit -n '__ambit_in secret' -l introspect -x -d 'Check: at this endpoint'
complete -c ambit -n '__ambit_in secret' -l client -x -d 'Check: who asks, ID:SECRET'
complete -c ambit -n '__ambit_in secret' -l bearer -x -a '(ambit secret list 2>/dev/null | string match -r "^\S+(?=  (?:value|command|damaged))")' -d 'Check: or by this token'
complete -c ambit -n '__ambit_in secret' -l policy -r -F -d 'Check: the grants that use it'
complete -c ambit -n '__ambit_in secret' -l preset -x -a 'python node shell c claude-code' -d 'Check: the grants of a preset'
complete -c ambit -n '__ambit_in secret' -l connect -x -d 'Check: a grant that uses it'
complete -c ambit -n '__ambit_in secret' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in secret' -l help -d 'How secret is used'
complete -c ambit -n '__ambit_in approve' -l enroll -d 'Make a key'
complete -c ambit -n '__ambit_in approve' -l keys -d 'Which there are'
complete -c ambit -n '__ambit_in approve' -l forget -x -a '(ambit approve --keys 2>/dev/null | string match -r "^\S+(?=  (?:password|agent|damaged))")' -d 'Take one away'
complete -c ambit -n '__ambit_in approve' -l name -x -d 'Enroll: what it is called'
complete -c ambit -n '__ambit_in approve' -l agent -x -d 'Enroll: one that your ssh agent has'
complete -c ambit -n '__ambit_in approve' -l password-fd -x -d 'Enroll: read the password from a descriptor'
complete -c ambit -n '__ambit_in approve' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in approve' -l help -d 'How approve is used'

complete -c ambit -n '__ambit_in session; and not __fish_seen_subcommand_from new list end' -a 'new list end'
complete -c ambit -n '__ambit_in session; and __fish_seen_subcommand_from end' -a 'last (__ambit_sessions)'
complete -c ambit -n '__ambit_in session' -l read -r -F -d 'New: read beneath PATH'
complete -c ambit -n '__ambit_in session' -l write -r -F -d 'New: read and write beneath PATH'
complete -c ambit -n '__ambit_in session' -l work -r -F -d 'New: read, write and execute beneath PATH'
complete -c ambit -n '__ambit_in session' -l policy -r -F -d 'New: grants and limits of a file'
complete -c ambit -n '__ambit_in session' -l preset -x -a 'python node shell c claude-code' -d 'New: a policy that comes with Ambit'
complete -c ambit -n '__ambit_in session' -l limit -x -a 'wall= cpu= memory= tasks= files= disk= output=' -d 'New: bound what each event may use'
complete -c ambit -n '__ambit_in session' -l workspace -x -a '(__fish_complete_directories)' -d 'New: what . means'
complete -c ambit -n '__ambit_in session' -l base -x -a 'system minimal' -d 'New: what is there without a grant'
complete -c ambit -n '__ambit_in session' -l observe -x -a 'full effects off' -d 'New: what the eye reports'
complete -c ambit -n '__ambit_in session' -l without -x -a 'files processes ipc sockets network written code privilege kernel keys warden lifetime memory tasks disk time' -d 'New: go on without a property'
complete -c ambit -n '__ambit_in session' -l stage -d 'New: keep what events changed for review'
complete -c ambit -n '__ambit_in session' -l discard -d 'New: throw away what a failed one changed'
complete -c ambit -n '__ambit_in session' -l direct -d 'New: write in place'
complete -c ambit -n '__ambit_in session' -l strict -d 'New: a denial makes an event fail'
complete -c ambit -n '__ambit_in session' -l events -x -d 'New: so many at most'
complete -c ambit -n '__ambit_in session' -l total-wall -x -d 'New: so long together'
complete -c ambit -n '__ambit_in session' -l total-cpu -x -d 'New: so much processor time together'
complete -c ambit -n '__ambit_in session' -l keep -x -d 'New: how long results are kept'
complete -c ambit -n '__ambit_in session' -l keep-space -x -d 'New: how much of them'
complete -c ambit -n '__ambit_in session' -l key -x -d 'New: the same key again gives the same session'
complete -c ambit -n '__ambit_in session' -l json -d 'As JSON'
complete -c ambit -n '__ambit_in session' -l help -d 'How session is used'

complete -c ambit -n '__ambit_in events' -a 'last (__ambit_sessions)'
complete -c ambit -n '__ambit_in events' -l from -x -d 'Events from that number on'
complete -c ambit -n '__ambit_in events' -l follow -d 'And those to come'
complete -c ambit -n '__ambit_in events' -l json -d 'A line of JSON for each'
complete -c ambit -n '__ambit_in events' -l help -d 'How events is used'

complete -c ambit -n '__ambit_in ps' -l watch -d 'Again each second'
complete -c ambit -n '__ambit_in ps' -l json -d 'A line of JSON for each'
complete -c ambit -n '__ambit_in ps' -l help -d 'How ps is used'

complete -c ambit -n '__ambit_in serve' -l idle -x -d 'End when nobody has used it for so long'
complete -c ambit -n '__ambit_in serve' -l status -d 'How the one that is there is'
complete -c ambit -n '__ambit_in serve' -l metrics -d 'The same in the format OpenMetrics'
complete -c ambit -n '__ambit_in serve' -l reload -d 'Have it become the program that is installed now'
complete -c ambit -n '__ambit_in serve' -l stop -d 'End it'
complete -c ambit -n '__ambit_in serve' -l json -d 'Status: as JSON'
complete -c ambit -n '__ambit_in serve' -l help -d 'How serve is used'

complete -c ambit -n '__ambit_in doctor' -l json -d 'Print the findings as JSON'
complete -c ambit -n '__ambit_in doctor' -l help -d 'How doctor is used'

complete -c ambit -n '__ambit_in policy; and not __fish_seen_subcommand_from check trust' -a 'check trust'
complete -c ambit -n '__ambit_in policy' -l json -d 'Check: print the answer as JSON'
complete -c ambit -n '__ambit_in policy' -l help -d 'How policy is used'
complete -c ambit -n '__ambit_in policy; and __fish_seen_subcommand_from check trust' -F

complete -c ambit -n '__ambit_in help' -a 'run explain learn diff commit discard undo stage ledger grant secret approve session events ps serve doctor policy'
complete -c ambit -n 'not __ambit_before_command' -x -a '(__fish_complete_subcommand --fcs-skip=2)'
