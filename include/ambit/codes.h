/* codes - every way a call can fail, told once.
 *
 * Owns:   the one table of error codes: name, text, exit status of `ambit`, JSON-RPC number.
 * Holds:  a code never changes its number or meaning; new ones go at the end.
 * Used:   by everything. Functions return 0 or a count, or the negative of one of these. */
#ifndef AMBIT_CODES_H
#define AMBIT_CODES_H

/*                 name         number  text                                    exit  JSON-RPC */
/* clang-format off */
#define AMBIT_CODES(X)                                                                          \
	X(OK,           0, "no error",                                             0,      0)   \
	X(MALFORMED,    1, "malformed input",                                    125, -32700)   \
	X(USAGE,        2, "wrong usage",                                        125, -32602)   \
	X(UNKNOWN,      3, "not a known word",                                   125, -32601)   \
	X(UNAVAILABLE,  4, "not available in this build",                        125, -32001)   \
	X(DENIED,       5, "not granted",                                        125, -32002)   \
	X(NOT_FOUND,    6, "not found",                                          125, -32003)   \
	X(NOT_RUNNABLE, 7, "cannot be executed",                                 126, -32004)   \
	X(LIMIT,        8, "over a limit",                                       125, -32005)   \
	X(HOST,         9, "this host lacks a mechanism",                        125, -32006)   \
	X(SYSTEM,      10, "a system call failed",                               125, -32007)   \
	X(PROTOCOL,    11, "a message that is not allowed here",                 125, -32008)   \
	X(UNTRUSTED,   12, "not trusted",                                        125, -32009)   \
	X(CONFLICT,    13, "conflicts with what is there",                       125, -32010)   \
	X(GONE,        14, "the other side is gone",                             125, -32011)   \
	X(MEMORY,      15, "out of memory",                                      125, -32012)   \
	X(INTERNAL,    16, "a mistake in Ambit",                                 125, -32603)   \
	X(NO_PROGRAM,  17, "no such program",                                    127, -32013)   \
	X(FROZEN,      18, "frozen until somebody thaws it",                     125, -32014)
/* clang-format on */

enum ambit_code {
#define AMBIT_CODE_ENUM(name, number, text, exit_status, rpc) AMBIT_##name = number,
	AMBIT_CODES(AMBIT_CODE_ENUM)
#undef AMBIT_CODE_ENUM
};

#endif
