/* hello_say - what is read of hellos, for who asks others too: of each line of hexadecimal digits the state and the name, or `-`. */
#include <stdio.h>
#include <string.h>

#include "net/hello.h"
#include "octets.h"

int main(void)
{
	static char line[8 * HELLO_MAX];
	static uint8_t bytes[4 * HELLO_MAX];
	static struct hello hello;

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = 0;
		hello_init(&hello);
		(void)hello_read(&hello, bytes, octets(line, bytes, sizeof bytes));
		(void)printf("%d %s\n", hello.state, hello.has_name ? hello.name.text : "-");
	}
	return 0;
}
