#include "lib/record.h"
#include "ambit/ambit.h"
#include <stdlib.h>
int record_write(const struct event_result *r, struct buf *out, struct err *e){(void)r;(void)out;return err_set(e,AMBIT_UNAVAILABLE,0,"x");}
void result_finish(struct event_result *r){free(r->effects);free(r->grant_ids);buf_finish(&r->out);buf_finish(&r->err);}
int ambit_event_record(struct ambit_event *ev, const char **j, size_t *n, struct ambit_error *e){(void)ev;(void)j;(void)n;(void)e;return -1;}
