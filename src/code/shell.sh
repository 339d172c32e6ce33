mapfile -d '' -u 3 && exec 3<&- 4>&- || exit 2; ((${#MAPFILE[@]} < 2)) || ! echo 'bash: a NUL byte' >&2 || exit; BASH_EXECUTION_STRING=$MAPFILE; eval "unset -v MAPFILE; $MAPFILE"
# The driver of code events for bash, in the first line, since the lines of the source are counted from that of eval. mapfile reads in blocks where read takes
# single bytes; NUL ends each of its parts, so that more than one of them is a NUL in the source (one at the very end is not seen: whoever sends it looks).
# Nothing of ours is left when the source begins: not even BASH_EXECUTION_STRING tells of it.
