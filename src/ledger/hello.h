/* hello - what the ledger says of its key to the one who connects first.
 *
 * Owns:   the first byte of LEDGER_HELLO. Called: ledger/serve.c, lib/ledger.c. */
#ifndef LEDGER_HELLO_H
#define LEDGER_HELLO_H

enum hello {
	HELLO_KNOWN, /* it was told before */
	HELLO_NEW,   /* it was made just now, and nobody has heard of it */
	HELLO_NAMED  /* likewise; and the key before it named it */
};

#endif
