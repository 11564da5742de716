/* HTTPS as the agent speaks it: the lab's resolver and port, its CA, the host's own address, a proxy. */
#ifndef HTTP_H
#define HTTP_H

#include "json.h"

/* How this host reaches Azure: written by the lab, amended by `config set`. */
struct network {
    char *resolver, *ca_file, *address, *proxy;
    int port;
    const struct json *blocked; /* names to which every connection times out, for faults */
    const struct json *bypass;  /* groups of names that the proxy is not used for */
};

/* One request. `token` and `body` may hold secrets, and are in no error text. */
struct request {
    const char *method, *host, *path; /* the path with its query */
    const char *token;                /* NULL for none */
    const char *body, *content_type;  /* NULL for none */
    int seconds;                      /* for everything; 30 where 0 */
    bool identified;                  /* with the machine's own certificate */
};

/* `problem` is NULL where there was an answer, whatever its status. */
struct response {
    char *problem;
    int status;
    struct text body;
    char *retry_after, *date; /* "" where the server does not say */
    const char *tls;
    char *address; /* "" through a proxy */
};

struct network load_network(void);
bool uses_proxy(const struct network *network, const char *host);

/* One request over one connection; redirects are not followed. */
struct response http_send(const struct network *network, const struct request *request);

/* The body's object; NULL where it is none. */
struct json *http_object(const struct response *response);

#endif
