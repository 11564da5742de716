/* TLS by Windows' own library (Schannel). The server's certificate is always verified. */
#ifndef TLS_H
#define TLS_H

#define SECURITY_WIN32
#include "wire.h"

#include <wincrypt.h>
#include <security.h>

struct tls {
    struct wire wire;
    CredHandle credentials;
    CtxtHandle context;
    bool has_credentials, has_context;
    struct text received; /* not decrypted yet */
};

/* Greets `host` on a connected wire, and verifies its certificate.

   `ca_file` holds the only roots that are trusted, in PEM; "" stands for the system's own.
   `identity` is the client's certificate, NULL for none. NULL, or what went wrong. */
char *tls_open(struct tls *tls, const char *host, const char *ca_file, PCCERT_CONTEXT identity);
bool tls_send(struct tls *tls, const char *data, size_t length);
/* Bytes received; 0 at the end, -1 where it failed. */
int tls_receive(struct tls *tls, char *data, int room);
/* Such as "TLS 1.2". */
const char *tls_version(struct tls *tls);
/* Closes the wire too. */
void tls_close(struct tls *tls);

/* NULL where `certificate` is good for `host`, or what is wrong with it. */
char *verify_server(PCCERT_CONTEXT certificate, const char *host, const char *ca_file);

/* Every certificate of a PEM text; NULL where there is none. */
HCERTSTORE read_certificates(const char *pem);

#endif
