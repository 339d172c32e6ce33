#include "supervisor/pty.h"

#include <string.h>
#include <sys/ioctl.h>

void pty_read(int terminal, bool alone, struct pty_settings *ret)
{
	struct winsize size = { .ws_row = 0 };
	struct termios now;

	*ret = (struct pty_settings){ .known = 0 };
	if (tcgetattr(terminal, &now) < 0)
		return;
	if (!alone) {
		now.c_lflag &= ~(tcflag_t)ECHO;
		now.c_oflag &= ~(tcflag_t)ONLCR;
	}
	(void)ioctl(terminal, TIOCGWINSZ, &size); /* a terminal without a size has 0 and 0 */
	*ret = (struct pty_settings){ .known = 1,
				      .modes = { now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag },
				      .rows = size.ws_row,
				      .columns = size.ws_col };
	memcpy(ret->keys, now.c_cc, sizeof ret->keys);
}

void pty_apply(const struct pty_settings *p, int master)
{
	const struct winsize size = { .ws_row = p->rows, .ws_col = p->columns };
	struct termios modes;

	if (p->known == 0 || tcgetattr(master, &modes) < 0)
		return;
	modes.c_iflag = p->modes[0];
	modes.c_oflag = p->modes[1];
	modes.c_cflag = p->modes[2];
	modes.c_lflag = p->modes[3];
	memcpy(modes.c_cc, p->keys, sizeof modes.c_cc);
	(void)tcsetattr(master, TCSANOW, &modes); /* the kernel takes what a pty can have */
	(void)ioctl(master, TIOCSWINSZ, &size);
}

void pty_encode(const struct pty_settings *p, struct buf *out)
{
	buf_put_u32(out, p->known);
	for (size_t i = 0; i < sizeof p->modes / sizeof p->modes[0]; i++)
		buf_put_u32(out, p->modes[i]);
	buf_put(out, p->keys, sizeof p->keys);
	buf_put_u16(out, p->rows);
	buf_put_u16(out, p->columns);
}

void pty_decode(struct rbuf *in, struct pty_settings *ret)
{
	const uint8_t *keys;

	ret->known = rbuf_u32(in);
	for (size_t i = 0; i < sizeof ret->modes / sizeof ret->modes[0]; i++)
		ret->modes[i] = rbuf_u32(in);
	keys = rbuf_bytes(in, sizeof ret->keys);
	if (keys != NULL)
		memcpy(ret->keys, keys, sizeof ret->keys);
	ret->rows = rbuf_u16(in);
	ret->columns = rbuf_u16(in);
}
