/* `write`: a file's content is what stands in standard input. */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "files/files.h"
#include "files/save.h"

int files_write(const struct request *q, struct answer *a)
{
	auto_buf content;
	struct save s;
	int r;

	buf_init(&content, FILES_CONTENT_MAX);
	r = save_find(a, q->words[0], &s); /* before what may be long is read */
	if (r < 0)
		return r;
	r = fd_read_into(STDIN_FILENO, &content);
	if (r < 0)
		return answer_sys(a, -r, "read the new content of", s.path);
	r = save_do(a, &s, content.data, content.len);
	if (r < 0)
		return r;
	json_put_name(json_put_key(&a->json, "path"), s.path);
	json_put_count(json_put_key(&a->json, "bytes"), content.len);
	json_put_bool(json_put_key(&a->json, "created"), !s.exists);
	return 0;
}
