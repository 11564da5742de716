#include "wire.h"

#include <stdlib.h>
#include <string.h>

DWORD time_left(ULONGLONG deadline)
{
    ULONGLONG now = GetTickCount64();
    return now < deadline ? (DWORD)(deadline - now) : 1;
}

int split_port(const char *place, char **host)
{
    const char *colon = strrchr(place, ':');
    *host = copy_text(place, colon ? (size_t)(colon - place) : strlen(place));
    return colon ? atoi(colon + 1) : 0;
}

static bool to_address(const char *text, int port, struct sockaddr_in *address)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    return InetPtonA(AF_INET, text, &address->sin_addr) == 1;
}

static bool ready(SOCKET channel, ULONGLONG deadline)
{
    DWORD left = time_left(deadline);
    struct timeval wait = {(long)(left / 1000), (long)(left % 1000 * 1000)};
    fd_set written, failed;
    FD_ZERO(&written);
    FD_ZERO(&failed);
    FD_SET(channel, &written);
    FD_SET(channel, &failed);
    return select(0, NULL, &written, &failed, &wait) > 0;
}

static char *refusal(int error, const char *address, int port)
{
    const char *words = error == WSAECONNREFUSED
                            ? "No connection could be made because the target machine actively refused it."
                        : error == WSAENETUNREACH || error == WSAEHOSTUNREACH
                            ? "A socket operation was attempted to an unreachable network."
                            : "connection failed";
    return format_text("dial tcp %s:%d: connectex: %s", address, port, words);
}

/* Connects without blocking, so that the deadline holds. */
static char *connected(struct wire *wire, const struct sockaddr_in *target, const char *address, int port)
{
    u_long yes = 1, no = 0;
    int error = 0, length = sizeof error;
    ioctlsocket(wire->socket, FIONBIO, &yes);
    if (connect(wire->socket, (const struct sockaddr *)target, sizeof *target) != 0) {
        if (WSAGetLastError() != WSAEWOULDBLOCK)
            return refusal(WSAGetLastError(), address, port);
        if (!ready(wire->socket, wire->deadline))
            return format_text("dial tcp %s:%d: i/o timeout", address, port);
        getsockopt(wire->socket, SOL_SOCKET, SO_ERROR, (char *)&error, &length);
        if (error)
            return refusal(error, address, port);
    }
    ioctlsocket(wire->socket, FIONBIO, &no);
    return NULL;
}

char *wire_dial(struct wire *wire, const char *address, int port, const char *source)
{
    struct sockaddr_in target, from;
    if (!to_address(address, port, &target))
        return format_text("dial tcp %s:%d: no address", address, port);
    wire->socket = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (strncmp(source, "127.", 4) == 0 && to_address(source, 0, &from))
        bind(wire->socket, (struct sockaddr *)&from, sizeof from);
    char *problem = connected(wire, &target, address, port);
    if (problem)
        wire_close(wire);
    return problem;
}

static void set_patience(const struct wire *wire)
{
    DWORD left = time_left(wire->deadline);
    setsockopt(wire->socket, SOL_SOCKET, SO_SNDTIMEO, (const char *)&left, sizeof left);
    setsockopt(wire->socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&left, sizeof left);
}

bool wire_send(const struct wire *wire, const char *data, size_t length)
{
    while (length) {
        set_patience(wire);
        int count = send(wire->socket, data, (int)length, 0);
        if (count <= 0)
            return false;
        data += count;
        length -= (size_t)count;
    }
    return true;
}

int wire_receive(const struct wire *wire, char *data, int room)
{
    set_patience(wire);
    return recv(wire->socket, data, room, 0);
}

void wire_close(struct wire *wire)
{
    closesocket(wire->socket);
    wire->socket = INVALID_SOCKET;
}
