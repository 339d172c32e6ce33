# The driver of code events for bash, in one line: the lines of the source are counted from that of eval. mapfile reads in blocks where read takes single bytes;
# NUL ends each of its parts, so that more than one is a NUL in the source. Nothing of ours is left when the source begins, not even in BASH_EXECUTION_STRING.
