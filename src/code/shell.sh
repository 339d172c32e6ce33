# The driver of code events for bash. mapfile reads in blocks where read takes single bytes; NUL ends each of its parts, so that more than one of them is a NUL
# in the source (one at the very end is not seen: whoever sends it looks). The lines of the source are counted from 1 again, and nothing of ours is left when it
# begins: not even BASH_EXECUTION_STRING tells of it.
mapfile -d '' -u 3 && exec 3<&- 4>&- || exit 2
if ((${#MAPFILE[@]} > 1)); then
	echo 'bash: the source has a NUL byte' >&2
	exit 1
fi
if (($# > 0)); then # not before: what is there may be another directory by now
	cd -- "$1" || exit 2
	shift
	unset -v OLDPWD
fi
BASH_EXECUTION_STRING=${MAPFILE[0]-}
LINENO=1; eval "unset -v MAPFILE; ${MAPFILE[0]-}"
