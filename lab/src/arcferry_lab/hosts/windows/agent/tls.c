#include "tls.h"

#include <stdlib.h>
#include <string.h>
#include <schannel.h>

#define FLAGS (ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_ALLOCATE_MEMORY | \
               ISC_REQ_STREAM | ISC_REQ_MANUAL_CRED_VALIDATION | ISC_REQ_USE_SUPPLIED_CREDS)
#define RECORD 16384
#define ALERT 21

static SECURITY_STATUS acquire(struct tls *tls, PCCERT_CONTEXT identity)
{
    SCHANNEL_CRED wanted = {.dwVersion = SCHANNEL_CRED_VERSION,
                            .grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT,
                            .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS};
    if (identity) {
        wanted.cCreds = 1;
        wanted.paCred = &identity;
    }
    return AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, SECPKG_CRED_OUTBOUND, NULL, &wanted, NULL, NULL,
                                     &tls->credentials, NULL);
}

/* What is left of `received` after `used` bytes. */
static void keep_rest(struct tls *tls, size_t used)
{
    memmove(tls->received.data, tls->received.data + used, tls->received.length - used);
    tls->received.length -= used;
}

static int receive_more(struct tls *tls)
{
    char block[RECORD];
    int count = wire_receive(&tls->wire, block, sizeof block);
    if (count > 0)
        text_add(&tls->received, block, (size_t)count);
    return count;
}

/* One step of the handshake with what was received so far. */
static SECURITY_STATUS step(struct tls *tls, const wchar_t *host)
{
    SecBuffer input[] = {{(ULONG)tls->received.length, SECBUFFER_TOKEN, tls->received.data}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer output = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc given = {SECBUFFER_VERSION, 2, input}, made = {SECBUFFER_VERSION, 1, &output};
    bool first = !tls->has_context;
    ULONG flags;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &tls->credentials, first ? NULL : &tls->context, (wchar_t *)host, FLAGS, 0, 0, first ? NULL : &given, 0,
        &tls->context, &made, &flags, NULL);
    tls->has_context |= status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED;
    if (output.pvBuffer) {
        bool sent = wire_send(&tls->wire, output.pvBuffer, output.cbBuffer);
        FreeContextBuffer(output.pvBuffer);
        if (!sent)
            return SEC_E_INTERNAL_ERROR;
    }
    if (!first && (status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED))
        keep_rest(tls, tls->received.length - (input[1].BufferType == SECBUFFER_EXTRA ? input[1].cbBuffer : 0));
    return status;
}

static char *shake_hands(struct tls *tls, const char *host)
{
    wchar_t *name = widen(host);
    SECURITY_STATUS status = step(tls, name);
    while (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE) {
        if (!tls->received.length || status == SEC_E_INCOMPLETE_MESSAGE) {
            int count = receive_more(tls);
            if (count < 0 && WSAGetLastError() == WSAETIMEDOUT)
                return copy_text("net/http: TLS handshake timeout", 31);
            if (count <= 0)
                return copy_text("EOF", 3);
        }
        status = step(tls, name);
    }
    return status == SEC_E_OK ? NULL : format_text("remote error: tls: handshake failure (0x%08lx)", status);
}

char *tls_open(struct tls *tls, const char *host, const char *ca_file, PCCERT_CONTEXT identity)
{
    PCCERT_CONTEXT certificate = NULL;
    SECURITY_STATUS status = acquire(tls, identity);
    if (status != SEC_E_OK)
        return format_text("tls: no credentials (0x%08lx)", status);
    tls->has_credentials = true;
    char *problem = shake_hands(tls, host);
    if (problem)
        return problem;
    if (QueryContextAttributesW(&tls->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, (void *)&certificate) != SEC_E_OK)
        return copy_text("tls: failed to verify certificate: there is none", 48);
    problem = verify_server(certificate, host, ca_file);
    CertFreeCertificateContext(certificate);
    return problem ? format_text("tls: failed to verify certificate: x509: %s", problem) : NULL;
}

bool tls_send(struct tls *tls, const char *data, size_t length)
{
    SecPkgContext_StreamSizes sizes;
    if (QueryContextAttributesW(&tls->context, SECPKG_ATTR_STREAM_SIZES, &sizes) != SEC_E_OK)
        return false;
    char *record = allocate(sizes.cbHeader + sizes.cbMaximumMessage + sizes.cbTrailer);
    bool good = true;
    while (good && length) {
        ULONG part = length < sizes.cbMaximumMessage ? (ULONG)length : sizes.cbMaximumMessage;
        memcpy(record + sizes.cbHeader, data, part);
        SecBuffer parts[] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, record},
                             {part, SECBUFFER_DATA, record + sizes.cbHeader},
                             {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes.cbHeader + part},
                             {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
        good = EncryptMessage(&tls->context, 0, &message, 0) == SEC_E_OK &&
               wire_send(&tls->wire, record, parts[0].cbBuffer + parts[1].cbBuffer + parts[2].cbBuffer);
        data += part;
        length -= part;
    }
    free(record);
    return good;
}

static SecBuffer *find_buffer(SecBuffer *parts, ULONG kind)
{
    for (int at = 0; at < 4; at++)
        if (parts[at].BufferType == kind)
            return &parts[at];
    return NULL;
}

/* One record; its content is copied, because it lies in what is moved up afterwards. */
static int decrypt(struct tls *tls, char *data, int room, SECURITY_STATUS *status)
{
    SecBuffer parts[4] = {{(ULONG)tls->received.length, SECBUFFER_DATA, tls->received.data},
                          {0, SECBUFFER_EMPTY, NULL},
                          {0, SECBUFFER_EMPTY, NULL},
                          {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    *status = DecryptMessage(&tls->context, &message, 0, NULL);
    if (*status != SEC_E_OK)
        return *status == SEC_I_CONTEXT_EXPIRED ? 0 : -1;
    SecBuffer *content = find_buffer(parts, SECBUFFER_DATA), *rest = find_buffer(parts, SECBUFFER_EXTRA);
    int count = content ? (int)content->cbBuffer : 0;
    if (count > room)
        return -1;
    memcpy(data, content ? content->pvBuffer : "", (size_t)count);
    keep_rest(tls, tls->received.length - (rest ? rest->cbBuffer : 0));
    return count;
}

int tls_receive(struct tls *tls, char *data, int room)
{
    SECURITY_STATUS status = SEC_E_INCOMPLETE_MESSAGE;
    int count = 0;
    do {
        /* Of an alert, the usual end, Schannel of Wine 8.0 says the same as of an empty record. */
        if (tls->received.length && tls->received.data[0] == ALERT)
            return 0;
        if (tls->received.length)
            count = decrypt(tls, data, room, &status);
        if (status == SEC_E_INCOMPLETE_MESSAGE && receive_more(tls) <= 0)
            return -1;
        if (status == SEC_E_OK && !count) /* a record with nothing in it */
            status = SEC_E_INCOMPLETE_MESSAGE;
    } while (status == SEC_E_INCOMPLETE_MESSAGE);
    return count;
}

const char *tls_version(struct tls *tls)
{
    SecPkgContext_ConnectionInfo info;
    if (QueryContextAttributesW(&tls->context, SECPKG_ATTR_CONNECTION_INFO, &info) != SEC_E_OK)
        return "unknown";
    return info.dwProtocol & SP_PROT_TLS1_2_CLIENT ? "TLS 1.2" : info.dwProtocol & SP_PROT_TLS1_3_CLIENT ? "TLS 1.3"
                                                                                                         : "unknown";
}

void tls_close(struct tls *tls)
{
    if (tls->has_context)
        DeleteSecurityContext(&tls->context);
    if (tls->has_credentials)
        FreeCredentialsHandle(&tls->credentials);
    wire_close(&tls->wire);
}
