#include "ecdsa.h"

#include <string.h>
#include <bcrypt.h>

#define FIELD 32

/* A number of a signature, which the library gives from its last byte to its first, at its full length. */
static bool put_number(BYTE *place, const CRYPT_UINT_BLOB *number)
{
    DWORD length = number->cbData;
    while (length && !number->pbData[length - 1])
        length--;
    for (DWORD at = 0; at < length && length <= FIELD; at++)
        place[FIELD - 1 - at] = number->pbData[at];
    return length <= FIELD;
}

static bool raw_signature(const CRYPT_BIT_BLOB *signature, BYTE raw[2 * FIELD])
{
    CERT_ECC_SIGNATURE *pair = NULL;
    DWORD size = 0;
    bool good = CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ECC_SIGNATURE, signature->pbData, signature->cbData,
                                    CRYPT_DECODE_ALLOC_FLAG, NULL, &pair, &size);
    memset(raw, 0, 2 * FIELD);
    good = good && put_number(raw, &pair->r) && put_number(raw + FIELD, &pair->s);
    LocalFree(pair);
    return good;
}

static bool hash_of(const CRYPT_DER_BLOB *data, BYTE digest[FIELD])
{
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0))
        return false;
    bool good = !BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0);
    if (good) {
        good = !BCryptHashData(hash, data->pbData, data->cbData, 0) && !BCryptFinishHash(hash, digest, FIELD, 0);
        BCryptDestroyHash(hash);
    }
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return good;
}

static bool verify(const CERT_PUBLIC_KEY_INFO *key, BYTE digest[FIELD], BYTE raw[2 * FIELD])
{
    struct {
        BCRYPT_ECCKEY_BLOB head;
        BYTE point[2 * FIELD];
    } blob = {.head = {BCRYPT_ECDSA_PUBLIC_P256_MAGIC, FIELD}};
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_KEY_HANDLE handle;
    /* An uncompressed point: 4, then both coordinates. */
    if (key->PublicKey.cbData != 1 + sizeof blob.point || key->PublicKey.pbData[0] != 4 ||
        strcmp(key->Algorithm.pszObjId, szOID_ECC_PUBLIC_KEY) != 0)
        return false;
    memcpy(blob.point, key->PublicKey.pbData + 1, sizeof blob.point);
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_ECDSA_P256_ALGORITHM, NULL, 0))
        return false;
    bool good = !BCryptImportKeyPair(algorithm, NULL, BCRYPT_ECCPUBLIC_BLOB, &handle, (BYTE *)&blob, sizeof blob, 0);
    if (good) {
        good = !BCryptVerifySignature(handle, NULL, digest, FIELD, raw, 2 * FIELD, 0);
        BCryptDestroyKey(handle);
    }
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return good;
}

bool signed_by(PCCERT_CONTEXT certificate, PCCERT_CONTEXT issuer)
{
    CERT_SIGNED_CONTENT_INFO *content = NULL;
    DWORD size = 0;
    BYTE digest[FIELD], raw[2 * FIELD];
    if (!CryptDecodeObjectEx(X509_ASN_ENCODING, X509_CERT, certificate->pbCertEncoded, certificate->cbCertEncoded,
                             CRYPT_DECODE_ALLOC_FLAG | CRYPT_DECODE_NO_SIGNATURE_BYTE_REVERSAL_FLAG, NULL, &content,
                             &size))
        return false;
    bool good = strcmp(content->SignatureAlgorithm.pszObjId, "1.2.840.10045.4.3.2") == 0 &&
                raw_signature(&content->Signature, raw) && hash_of(&content->ToBeSigned, digest) &&
                verify(&issuer->pCertInfo->SubjectPublicKeyInfo, digest, raw);
    LocalFree(content);
    return good;
}
