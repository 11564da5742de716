/* Signatures of certificates by P-256 keys, verified by CNG. */
#ifndef ECDSA_H
#define ECDSA_H

#include "tls.h"

/* Whether `issuer`'s key signed `certificate`, with ECDSA and SHA-256; false for any other kind of signature. */
bool signed_by(PCCERT_CONTEXT certificate, PCCERT_CONTEXT issuer);

#endif
