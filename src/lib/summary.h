#ifndef LIB_SUMMARY_H
#define LIB_SUMMARY_H
#include <stdio.h>
#include "lib/result.h"
void summary_write(FILE *out, const struct event_result *r, const char *record);
#endif
