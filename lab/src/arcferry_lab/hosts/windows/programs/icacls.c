/* icacls.exe, where Wine's does nothing: says what it would do to a file that exists. Wine keeps no access rights. */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

int wmain(int count, wchar_t **words)
{
    if (count < 2)
        return 1;
    if (GetFileAttributesW(words[1]) == INVALID_FILE_ATTRIBUTES) {
        wprintf(L"%ls: The system cannot find the file specified.\n"
                L"Successfully processed 0 files; Failed processing 1 files\n",
                words[1]);
        return ERROR_FILE_NOT_FOUND;
    }
    wprintf(L"processed file: %ls\nSuccessfully processed 1 files; Failed processing 0 files\n", words[1]);
    return 0;
}
