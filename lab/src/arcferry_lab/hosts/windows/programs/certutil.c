/* certutil.exe, where Wine's does nothing: `-addstore [-f] STORE FILE` puts certificates into a store of the computer. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>
#include <wincrypt.h>

static int fail(const wchar_t *what, DWORD error)
{
    wprintf(L"CertUtil: %ls command FAILED: 0x%08lx\n", what, error);
    return error ? (int)error : 1;
}

static HCERTSTORE read_file(const wchar_t *path)
{
    HCERTSTORE found = NULL;
    DWORD kinds = CERT_QUERY_CONTENT_FLAG_CERT | CERT_QUERY_CONTENT_FLAG_PKCS7_SIGNED;
    if (!CryptQueryObject(CERT_QUERY_OBJECT_FILE, path, kinds, CERT_QUERY_FORMAT_FLAG_ALL, 0, NULL, NULL, NULL, &found,
                          NULL, NULL))
        return NULL;
    return found;
}

int wmain(int count, wchar_t **words)
{
    int at = 1;
    while (at < count && _wcsicmp(words[at], L"-f") == 0)
        at++;
    if (at + 2 >= count || _wcsicmp(words[at], L"-addstore") != 0) {
        puts("The twin's certutil adds certificates to a store: -addstore [-f] STORE FILE");
        return 1;
    }
    at++;
    while (at + 2 < count && _wcsicmp(words[at], L"-f") == 0)
        at++;
    HCERTSTORE given = read_file(words[at + 1]);
    if (!given)
        return fail(L"-addstore", GetLastError());
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, words[at]);
    if (!store)
        return fail(L"-addstore", GetLastError());
    wchar_t name[256];
    wprintf(L"%ls\n", words[at]);
    for (PCCERT_CONTEXT one = CertEnumCertificatesInStore(given, NULL); one;
         one = CertEnumCertificatesInStore(given, one)) {
        if (!CertAddCertificateContextToStore(store, one, CERT_STORE_ADD_REPLACE_EXISTING, NULL))
            return fail(L"-addstore", GetLastError());
        CertGetNameStringW(one, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, 256);
        wprintf(L"Certificate \"%ls\" added to store.\n", name);
    }
    CertCloseStore(store, 0);
    puts("CertUtil: -addstore command completed successfully.");
    return 0;
}
