#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

enum { A = 1, CNAME = 5, NXDOMAIN = 3, MOST_ALIASES = 10, LARGEST_MESSAGE = 4096, LONGEST_NAME = 254, QUESTION = 1 };

struct message {
    const unsigned char *data;
    size_t length, at;
    bool cut; /* something was read beyond the end */
};

static unsigned take_number(struct message *message, int bytes)
{
    unsigned value = 0;
    for (; bytes; bytes--) {
        message->cut |= message->at >= message->length;
        value = value << 8 | (message->cut ? 0u : message->data[message->at++]);
    }
    return value;
}

/* The name at a place, in lower case; a name that loops or is cut short marks the message as cut. */
static void take_name(struct message *message, char name[LONGEST_NAME + 2])
{
    size_t after = 0, length = 0;
    for (int jumps = 0; jumps < LONGEST_NAME; jumps++) {
        unsigned size = take_number(message, 1);
        if ((size & 0xC0) == 0xC0) {
            unsigned place = (size & 0x3F) << 8 | take_number(message, 1);
            after = after ? after : message->at;
            message->at = place;
            continue;
        }
        if (!size || message->cut || length + size + 1 > LONGEST_NAME) {
            message->cut |= size != 0;
            name[length ? length - 1 : 0] = 0;
            message->at = after ? after : message->at;
            return;
        }
        for (; size; size--)
            name[length++] = (char)tolower((int)take_number(message, 1));
        name[length++] = '.';
    }
    message->cut = true;
    name[0] = 0;
}

static size_t write_query(unsigned char *query, const char *name)
{
    static const unsigned char head[] = {0, QUESTION, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    size_t at = sizeof head;
    memcpy(query, head, at);
    for (const char *label = name; *label;) {
        size_t length = strcspn(label, ".");
        if (!length || length > 63 || at + length + 6 > LONGEST_NAME)
            return 0;
        query[at++] = (unsigned char)length;
        memcpy(query + at, label, length);
        at += length;
        label += length + (label[length] == '.');
    }
    memcpy(query + at, "\0\0\1\0\1", 5);
    return at + 5;
}

/* What the answers say of `name`: where its aliases lead, and an address where there is one. */
static const char *read_answers(struct message *message, char *name, char address[16])
{
    char owner[LONGEST_NAME + 2];
    take_number(message, 2);
    unsigned flags = take_number(message, 2), questions = take_number(message, 2), answers = take_number(message, 2);
    take_number(message, 4);
    if ((flags & 0xF) == NXDOMAIN)
        return "no such host";
    if (flags & 0xF)
        return "server misbehaving";
    for (; questions && !message->cut; questions--) {
        take_name(message, owner);
        take_number(message, 4);
    }
    for (; answers && !message->cut; answers--) {
        take_name(message, owner);
        unsigned kind = take_number(message, 2);
        take_number(message, 6);
        size_t end = take_number(message, 2) + message->at;
        if (strcmp(owner, name) == 0 && kind == CNAME) {
            take_name(message, name);
        } else if (strcmp(owner, name) == 0 && kind == A && end - message->at == 4 && !*address) {
            unsigned value = take_number(message, 4);
            char *text = format_text("%u.%u.%u.%u", value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255);
            strcpy(address, text);
        }
        message->at = end;
    }
    return message->cut ? "cannot unmarshal DNS message" : NULL;
}

/* One question over TCP: no answer is too long, and nobody else can answer it. */
static const char *ask_server(char *name, const char *server, int port, ULONGLONG deadline, char address[16])
{
    unsigned char buffer[LARGEST_MESSAGE + 2];
    struct wire wire = {INVALID_SOCKET, deadline};
    size_t length = write_query(buffer + 2, name), have = 0, want = 2;
    if (!length)
        return "no such host";
    buffer[0] = (unsigned char)(length >> 8);
    buffer[1] = (unsigned char)length;
    if (wire_dial(&wire, server, port, ""))
        return "i/o timeout";
    bool good = wire_send(&wire, (const char *)buffer, length + 2);
    while (good && have < want && want <= sizeof buffer) {
        int count = wire_receive(&wire, (char *)buffer + have, (int)(want - have));
        good = count > 0;
        have += good ? (size_t)count : 0;
        if (have == 2 && want == 2)
            want = 2u + (buffer[0] << 8 | buffer[1]);
    }
    wire_close(&wire);
    if (!good || have < 4)
        return "i/o timeout";
    struct message message = {buffer + 2, have - 2, 0, false};
    bool ours = (buffer[2] << 8 | buffer[3]) == QUESTION && have > 4 && buffer[4] & 0x80;
    return ours ? read_answers(&message, name, address) : "cannot unmarshal DNS message";
}

char *resolve(const char *name, const char *resolver, ULONGLONG deadline, char **address)
{
    char owner[LONGEST_NAME + 2], found[16] = "", before[LONGEST_NAME + 2];
    char *server;
    int port = split_port(resolver, &server);
    const char *problem = strlen(name) > LONGEST_NAME ? "no such host" : NULL;
    strcpy(owner, problem ? "" : lower(name));
    for (int aliases = 0; !problem && !*found; aliases++) {
        strcpy(before, owner);
        problem = ask_server(owner, server, port, deadline, found);
        if (!problem && !*found && (strcmp(before, owner) == 0 || aliases >= MOST_ALIASES))
            problem = aliases >= MOST_ALIASES ? "too many aliases" : "no such host";
    }
    if (problem)
        return format_text("lookup %s on %s: %s", name, resolver, problem);
    *address = copy_text(found, strlen(found));
    return NULL;
}
