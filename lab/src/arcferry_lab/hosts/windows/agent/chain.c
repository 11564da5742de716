#include <stdlib.h>
#include <string.h>

#include "ecdsa.h"
#include "state.h"
#include "tls.h"

HCERTSTORE read_certificates(const char *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    bool any = false;
    for (const char *at = strstr(pem, begin); at; at = strstr(at + 1, begin)) {
        const char *close = strstr(at, end);
        DWORD length = 0;
        if (!close)
            break;
        DWORD size = (DWORD)(close + strlen(end) - at);
        CryptStringToBinaryA(at, size, CRYPT_STRING_BASE64HEADER, NULL, &length, NULL, NULL);
        BYTE *data = allocate(length);
        if (CryptStringToBinaryA(at, size, CRYPT_STRING_BASE64HEADER, data, &length, NULL, NULL))
            any |= CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, data, length, CERT_STORE_ADD_ALWAYS,
                                                    NULL);
    }
    return any ? store : NULL;
}

/* An engine that trusts these roots and no others. NULL, or what went wrong. */
static char *engine_of(const char *ca_file, HCERTCHAINENGINE *engine)
{
    struct text pem = {0};
    if (!read_file(ca_file, &pem))
        return format_text("%s: %s", ca_file, problem_text(GetLastError()));
    HCERTSTORE roots = read_certificates(pem.data);
    if (!roots)
        return format_text("%s holds no certificate", ca_file);
    CERT_CHAIN_ENGINE_CONFIG settings = {.cbSize = sizeof settings, .hExclusiveRoot = roots};
    settings.dwFlags = CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL;
    if (!CertCreateCertificateChainEngine(&settings, engine))
        return format_text("%s: %s", ca_file, problem_text(GetLastError()));
    return NULL;
}

/* Whether the signatures that Wine 8.0 refuses in a chain hold after all.

   It refuses an ECDSA signature whose numbers begin with a zero byte, as one in 128 does. */
static bool signatures_hold(const CERT_SIMPLE_CHAIN *chain)
{
    for (DWORD at = 0; at < chain->cElement; at++) {
        DWORD above = at + 1 < chain->cElement ? at + 1 : at;
        bool refused = chain->rgpElement[at]->TrustStatus.dwErrorStatus & CERT_TRUST_IS_NOT_SIGNATURE_VALID;
        if (refused && !signed_by(chain->rgpElement[at]->pCertContext, chain->rgpElement[above]->pCertContext))
            return false;
    }
    return true;
}

static char *judge(const CERT_CHAIN_CONTEXT *found, const char *host)
{
    CERT_CHAIN_CONTEXT corrected = *found, *chain = &corrected;
    if (chain->TrustStatus.dwErrorStatus & CERT_TRUST_IS_NOT_SIGNATURE_VALID && chain->cChain == 1 &&
        signatures_hold(chain->rgpChain[0]))
        chain->TrustStatus.dwErrorStatus &= ~(DWORD)CERT_TRUST_IS_NOT_SIGNATURE_VALID;
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA server = {.cbSize = sizeof server, .dwAuthType = AUTHTYPE_SERVER};
    server.pwszServerName = widen(host);
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy, .pvExtraPolicyPara = &server};
    CERT_CHAIN_POLICY_STATUS verdict = {.cbSize = sizeof verdict};
    if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &verdict))
        return problem_text(GetLastError());
    if (verdict.dwError == (DWORD)CERT_E_CN_NO_MATCH)
        return format_text("certificate is not valid for %s", host);
    if (verdict.dwError == (DWORD)CERT_E_EXPIRED)
        return format_text("certificate has expired or is not yet valid");
    /* Of a chain that reaches no root, Wine 8.0's policy says nothing. */
    if (verdict.dwError == (DWORD)CERT_E_UNTRUSTEDROOT || verdict.dwError == (DWORD)CERT_E_CHAINING ||
        chain->TrustStatus.dwErrorStatus & (CERT_TRUST_IS_PARTIAL_CHAIN | CERT_TRUST_IS_UNTRUSTED_ROOT))
        return format_text("certificate signed by unknown authority");
    if (verdict.dwError || chain->TrustStatus.dwErrorStatus)
        return format_text("certificate is refused (0x%08lx, 0x%08lx)", verdict.dwError,
                           chain->TrustStatus.dwErrorStatus);
    return NULL;
}

char *verify_server(PCCERT_CONTEXT certificate, const char *host, const char *ca_file)
{
    HCERTCHAINENGINE engine = NULL;
    PCCERT_CHAIN_CONTEXT chain = NULL;
    char *problem = *ca_file ? engine_of(ca_file, &engine) : NULL;
    if (problem)
        return problem;
    LPSTR use = (LPSTR)szOID_PKIX_KP_SERVER_AUTH;
    CERT_CHAIN_PARA wanted = {.cbSize = sizeof wanted};
    wanted.RequestedUsage.dwType = USAGE_MATCH_TYPE_AND;
    wanted.RequestedUsage.Usage = (CERT_ENHKEY_USAGE){1, &use};
    if (CertGetCertificateChain(engine, certificate, NULL, certificate->hCertStore, &wanted,
                                CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL, NULL, &chain)) {
        problem = judge(chain, host);
        CertFreeCertificateChain(chain);
    } else {
        problem = problem_text(GetLastError());
    }
    if (engine)
        CertFreeCertificateChainEngine(engine);
    return problem;
}
