mapfile -d '' -u 3 && exec 3<&- 4>&- || exit 2; ((${#MAPFILE[@]} < 3)) || ! echo 'bash: a NUL byte' >&2 || exit; [[ ${MAPFILE[1]-} == whole ]] || exit 2; (($# < 1)) || { cd -- "$1" && shift || exit 2; unset -v OLDPWD; }; BASH_EXECUTION_STRING=$MAPFILE; eval "unset -v MAPFILE; $MAPFILE"
# The driver of code events for bash, in the first line, since the lines of the source are counted from that of eval. mapfile reads in blocks where read takes
# single bytes; NUL ends each of its parts, and the second is the word by which is known that the source came whole; more of them are a NUL in it.
# Where the code is to be is its argument, and it goes there only now: what had that name before may be another directory.
# Nothing of ours is left when the source begins: not even BASH_EXECUTION_STRING tells of it.
