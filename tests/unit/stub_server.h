/*
 * A small HTTP server in a child process, which behaves well or badly as its
 * path asks: what the HTTP client is tested against.
 *
 *	/echo           200, "METHOD PATH token type expect extra body"
 *	/status/N       status N, with Retry-After: 7
 *	/retry/TEXT     503, with Retry-After: TEXT
 *	/bytes/N        200, N bytes
 *	/wait           no answer ever
 *	/cut            the connection ends without an answer
 *	/half           a body shorter than its Content-Length
 *	/redirect       302 to /echo
 *	/seen           200, how many requests there were for /cut
 */
#ifndef SORTIE_TESTS_STUB_SERVER_H
#define SORTIE_TESTS_STUB_SERVER_H

#include <sys/types.h>

struct stub_server {
	pid_t pid;
	char http[64];         /* "http://127.0.0.1:PORT" */
	char https[64];        /* "https://localhost:PORT" */
	char https_ip[64];     /* the same by address */
	char unix_socket[128]; /* "unix:/..." */
	const char *ca_file;   /* the certificate, which is for localhost */
};

/* The paths are made; ca_file is borrowed. Dies when it cannot. */
void stub_server_start(struct stub_server *s, const char *socket_path,
		       const char *ca_file);
void stub_server_stop(struct stub_server *s);

#endif
