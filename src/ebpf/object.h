/* object - the programs of seen.bpf.c as the compiler left them; made while building (embed.py).
 *
 * Called: programs.c. */
#ifndef EBPF_OBJECT_H
#define EBPF_OBJECT_H

#include <stddef.h>

extern const unsigned char ebpf_object[];
extern const size_t ebpf_object_size;

#endif
