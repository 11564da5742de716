/* The machine's own certificate, as Schannel wants it: with its key in a key container. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "tls.h"

struct identity {
    PCCERT_CONTEXT certificate;
    wchar_t *container;
};

/* From the certificate and the RSA key that `connect` kept. NULL, or what went wrong. */
char *identity_open(struct identity *identity);
/* Removes the key container again. */
void identity_close(struct identity *identity);

#endif
