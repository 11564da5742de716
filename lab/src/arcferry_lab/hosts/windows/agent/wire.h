/* TCP with one deadline for everything, and DNS over it: the lab's resolver listens at a port that Windows' own
   cannot ask. */
#ifndef WIRE_H
#define WIRE_H

#include <winsock2.h>
#include <ws2tcpip.h>

#include "text.h"

/* `deadline` is on the clock of GetTickCount64. */
struct wire {
    SOCKET socket;
    ULONGLONG deadline;
};

/* Milliseconds that are left, at least one. */
DWORD time_left(ULONGLONG deadline);

/* Connects from `source`, where that is a loopback address. NULL, or what went wrong in the words of Go's library. */
char *wire_dial(struct wire *wire, const char *address, int port, const char *source);
bool wire_send(const struct wire *wire, const char *data, size_t length);
/* Bytes received; 0 at the end, -1 where it failed or took too long, as WSAGetLastError tells. */
int wire_receive(const struct wire *wire, char *data, int room);
void wire_close(struct wire *wire);

/* The first IPv4 address of `name`, aliases followed; `resolver` is ADDRESS:PORT. NULL, or what went wrong. */
char *resolve(const char *name, const char *resolver, ULONGLONG deadline, char **address);

/* The port behind the last colon, and the text before it. */
int split_port(const char *place, char **host);

#endif
