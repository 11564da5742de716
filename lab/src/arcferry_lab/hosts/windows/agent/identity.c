#include "identity.h"

#include <string.h>

#include "state.h"

#define PROVIDER MS_ENH_RSA_AES_PROV_W

/* Where the key itself begins in a PKCS #8 structure of an RSA key, 0 where it is another; Wine 8.0 does not take
   such structures apart. Version 0, the algorithm, and an octet string whose length takes two bytes. */
static DWORD rsa_key_at(const BYTE *data, DWORD length)
{
    static const BYTE head[] = {2, 1, 0, 0x30, 13, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 13, 1, 1, 1, 5, 0, 4, 0x82};
    bool fits = length > 4 + sizeof head + 2 && data[0] == 0x30 && data[1] == 0x82;
    return fits && memcmp(data + 4, head, sizeof head) == 0 ? 4 + sizeof head + 2 : 0;
}

/* The private key of a PKCS #8 PEM text, as a key container takes it; NULL where it is no RSA key. */
static BYTE *rsa_blob(const char *pem, DWORD *size)
{
    DWORD length = 0;
    BYTE *blob = NULL;
    CryptStringToBinaryA(pem, 0, CRYPT_STRING_BASE64HEADER, NULL, &length, NULL, NULL);
    BYTE *data = allocate(length);
    if (!CryptStringToBinaryA(pem, 0, CRYPT_STRING_BASE64HEADER, data, &length, NULL, NULL))
        return NULL;
    DWORD at = rsa_key_at(data, length);
    if (!at || !CryptDecodeObjectEx(X509_ASN_ENCODING, PKCS_RSA_PRIVATE_KEY, data + at, length - at,
                                    CRYPT_DECODE_ALLOC_FLAG, NULL, &blob, size))
        blob = NULL;
    SecureZeroMemory(data, length);
    return blob;
}

static bool import_key(const wchar_t *container, const BYTE *blob, DWORD size)
{
    HCRYPTPROV provider;
    HCRYPTKEY key = 0;
    if (!CryptAcquireContextW(&provider, container, PROVIDER, PROV_RSA_AES, CRYPT_NEWKEYSET))
        return false;
    /* Schannel of Wine 8.0 reads the key out of its container, so it must be exportable. */
    BOOL good = CryptImportKey(provider, blob, size, 0, CRYPT_EXPORTABLE, &key);
    if (good)
        CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    return good;
}

char *identity_open(struct identity *identity)
{
    struct text certificate = {0}, key = {0};
    DWORD size = 0;
    if (!read_file(state_path(CERTIFICATE), &certificate) || !read_file(state_path(PRIVATE_KEY), &key))
        return format_text("the machine's certificate: %s", problem_text(GetLastError()));
    HCERTSTORE store = read_certificates(certificate.data);
    identity->certificate = store ? CertEnumCertificatesInStore(store, NULL) : NULL;
    if (!identity->certificate)
        return format_text("the machine's certificate cannot be read");
    BYTE *blob = rsa_blob(key.data, &size);
    SecureZeroMemory(key.data, key.length);
    if (!blob)
        return format_text("the machine's key is no RSA key, and Schannel takes no other from a file");
    identity->container = widen(format_text("arcferry-twin-%s", new_guid()));
    bool kept = import_key(identity->container, blob, size);
    SecureZeroMemory(blob, size);
    LocalFree(blob);
    CRYPT_KEY_PROV_INFO place = {.pwszContainerName = identity->container,
                                 .pwszProvName = (wchar_t *)PROVIDER,
                                 .dwProvType = PROV_RSA_AES,
                                 .dwKeySpec = AT_KEYEXCHANGE};
    if (kept && CertSetCertificateContextProperty(identity->certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &place))
        return NULL;
    char *problem = format_text("the machine's key: %s", problem_text(GetLastError()));
    identity_close(identity);
    return problem;
}

void identity_close(struct identity *identity)
{
    HCRYPTPROV provider;
    CertFreeCertificateContext(identity->certificate);
    CryptAcquireContextW(&provider, identity->container, PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
}
