#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "state.h"
#include "tls.h"

#define LARGEST_BODY (1u << 20)
#define LARGEST_HEAD 16384u
#define USUAL_SECONDS 30

static const char *const aad[] = {"login.windows.net", "login.microsoftonline.com", "pas.windows.net", NULL};
static const char *const arm[] = {"management.azure.com", NULL};
static const char *const arc[] = {"his.arc.azure.com", "guestconfiguration.azure.com", NULL};

struct network load_network(void)
{
    struct json *lab = lab_settings(), *local = state_json(LOCAL_CONFIG);
    struct json *port = json_get(lab, "service_port");
    const char *resolver = json_text(lab, "resolver");
    return (struct network){
        .resolver = (char *)(*resolver ? resolver : "127.0.0.53:53"),
        .ca_file = (char *)json_text(lab, "ca_file"),
        .address = (char *)json_text(lab, "address"),
        .proxy = (char *)json_text(local, "proxy.url"),
        .port = port && port->kind == JSON_NUMBER ? atoi(port->text) : 443,
        .blocked = json_get(lab, "blocked"),
        .bypass = json_get(local, "proxy.bypass"),
    };
}

static bool in_group(const char *host, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(host, *names) == 0 || ends_with(host, format_text(".%s", *names)))
            return true;
    return false;
}

bool uses_proxy(const struct network *network, const char *host)
{
    if (!*network->proxy)
        return false;
    for (const struct json *item = network->bypass ? network->bypass->first : NULL; item; item = item->next) {
        const char *name = item->kind == JSON_TEXT ? item->text : "";
        if ((same_word(name, "AAD") && in_group(host, aad)) || (same_word(name, "ARM") && in_group(host, arm)) ||
            (same_word(name, "ARC") && in_group(host, arc)))
            return false;
    }
    return true;
}

static bool is_blocked(const struct network *network, const char *host)
{
    for (const struct json *item = network->blocked ? network->blocked->first : NULL; item; item = item->next)
        if (item->kind == JSON_TEXT && strcmp(item->text, host) == 0)
            return true;
    return false;
}

static char *dial_directly(const struct network *network, const char *host, struct wire *wire, char **address)
{
    char *problem = resolve(host, network->resolver, wire->deadline, address);
    if (problem)
        return problem;
    if (is_blocked(network, host))
        return format_text("dial tcp %s:%d: i/o timeout", *address, network->port);
    return wire_dial(wire, *address, network->port, network->address);
}

/* Nothing of the server's own is read here: it speaks only after the client has. */
static char *proxy_answer(const struct wire *wire)
{
    struct text head = {0};
    char letter;
    text_put(&head, "");
    while (!strstr(head.data, "\r\n\r\n") && head.length < LARGEST_HEAD && wire_receive(wire, &letter, 1) == 1)
        text_add(&head, &letter, 1);
    const char *space = strchr(head.data, ' ');
    if (space && strncmp(space + 1, "200", 3) == 0)
        return NULL;
    return format_text("proxyconnect tcp: %.*s", space ? (int)strcspn(space + 1, "\r\n") : 28,
                       space ? space + 1 : "no answer from the proxy");
}

static char *dial_through_proxy(const struct network *network, const char *host, struct wire *wire)
{
    char *name, *address;
    struct in_addr parsed;
    const char *place = strstr(network->proxy, "://") ? strstr(network->proxy, "://") + 3 : network->proxy;
    int port = split_port(copy_text(place, strcspn(place, "/")), &name);
    address = name;
    char *problem = InetPtonA(AF_INET, name, &parsed) == 1
                        ? NULL
                        : resolve(name, network->resolver, wire->deadline, &address);
    if (!problem)
        problem = wire_dial(wire, address, port ? port : 80, network->address);
    if (problem)
        return problem;
    char *asked = format_text("CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n", host, network->port, host,
                              network->port);
    problem = wire_send(wire, asked, strlen(asked)) ? proxy_answer(wire) : format_text("proxyconnect tcp: EOF");
    if (problem)
        wire_close(wire);
    return problem;
}

/* HTTP/1.0, to which no server answers in chunks. */
static bool send_request(struct tls *tls, const struct request *request)
{
    struct text text = {0};
    text_format(&text, "%s %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: azcmagent-twin\r\n", request->method, request->path,
                request->host);
    if (request->token)
        text_format(&text, "Authorization: Bearer %s\r\n", request->token);
    if (request->body)
        text_format(&text, "Content-Type: %s\r\nContent-Length: %u\r\n", request->content_type,
                    (unsigned)strlen(request->body));
    text_format(&text, "\r\n%s", request->body ? request->body : "");
    bool sent = tls_send(tls, text.data, text.length);
    SecureZeroMemory(text.data, text.length);
    return sent;
}

/* A header's value, "" where there is none. */
static char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (_strnicmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return trimmed(copy_text(line + 3 + length, strcspn(line + 3 + length, "\r\n")));
    return copy_text("", 0);
}

static char *read_response(struct tls *tls, struct response *response)
{
    struct text all = {0};
    char block[20000];
    int count;
    text_put(&all, "");
    while ((count = tls_receive(tls, block, sizeof block)) > 0 && all.length < LARGEST_BODY)
        text_add(&all, block, (size_t)count);
    char *end = strstr(all.data, "\r\n\r\n");
    if (!end || strncmp(all.data, "HTTP/1.", 7) != 0)
        return format_text(all.length ? "malformed HTTP response" : "EOF");
    char *head = copy_text(all.data, (size_t)(end + 2 - all.data));
    response->status = atoi(head + strcspn(head, " "));
    response->retry_after = header(head, "retry-after");
    response->date = header(head, "date");
    const char *length = header(head, "content-length");
    size_t have = all.length - (size_t)(end + 4 - all.data);
    if (*length && have < strtoul(length, NULL, 10) && have < LARGEST_BODY)
        return format_text("unexpected EOF");
    text_add(&response->body, end + 4, have);
    return NULL;
}

static char *exchange(struct tls *tls, const char *ca_file, const struct request *request, struct response *response)
{
    struct identity identity = {0};
    char *problem = request->identified ? identity_open(&identity) : NULL;
    if (problem)
        return problem;
    problem = tls_open(tls, request->host, ca_file, identity.certificate);
    if (!problem) {
        response->tls = tls_version(tls);
        problem = send_request(tls, request) ? read_response(tls, response) : format_text("EOF");
    }
    if (identity.certificate)
        identity_close(&identity);
    return problem;
}

struct response http_send(const struct network *network, const struct request *request)
{
    struct response response = {.tls = "unknown", .address = (char *)"", .retry_after = (char *)"", .date = (char *)""};
    struct tls tls = {.wire.socket = INVALID_SOCKET};
    tls.wire.deadline = GetTickCount64() + 1000u * (ULONGLONG)(request->seconds ? request->seconds : USUAL_SECONDS);
    text_put(&response.body, "");
    char *problem = uses_proxy(network, request->host)
                        ? dial_through_proxy(network, request->host, &tls.wire)
                        : dial_directly(network, request->host, &tls.wire, &response.address);
    if (!problem) {
        problem = exchange(&tls, network->ca_file, request, &response);
        tls_close(&tls);
    }
    if (problem && GetTickCount64() >= tls.wire.deadline && !strstr(problem, "timeout"))
        problem = format_text("context deadline exceeded");
    if (problem)
        response.problem = format_text("%c%s \"https://%s%s\": %s", request->method[0], lower(request->method + 1),
                                       request->host, request->path, problem);
    return response;
}

struct json *http_object(const struct response *response)
{
    struct json *value = json_read(response->body.data, response->body.length);
    return value && value->kind == JSON_OBJECT ? value : NULL;
}
