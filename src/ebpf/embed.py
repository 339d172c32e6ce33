#!/usr/bin/env python3
"""embed.py OUTPUT FILE: a file's bytes as C."""

import sys


def main():
    output, path = sys.argv[1:]
    with open(path, "rb") as f:
        data = f.read()
    rows = [", ".join("%d" % byte for byte in data[at : at + 24]) for at in range(0, len(data), 24)]
    with open(output, "w", encoding="ascii") as f:
        f.write('#include "ebpf/object.h"\n\n')
        f.write("_Alignas(8) const unsigned char ebpf_object[] = {\n\t%s\n};\n" % ",\n\t".join(rows))
        f.write("const size_t ebpf_object_size = sizeof ebpf_object;\n")


main()
