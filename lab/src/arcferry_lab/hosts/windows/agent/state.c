#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <objbase.h>
#include <sddl.h>
#include <shlobj.h>

#define LARGEST_FILE (16u << 20)
#define ALL_ACCESS_FOR_SYSTEM_AND_ADMINISTRATORS L"D:P(A;;FA;;;SY)(A;;FA;;;BA)"

static char *program_data(const char *name)
{
    /* not the variable, which Wine gives its services another value of */
    wchar_t folder[MAX_PATH];
    bool known = SHGetFolderPathW(NULL, CSIDL_COMMON_APPDATA, NULL, SHGFP_TYPE_CURRENT, folder) == S_OK;
    const char *base = known ? narrow(folder) : "C:\\ProgramData";
    return format_text("%s\\%s", base, name);
}

char *state_path(const char *name)
{
    return program_data(format_text("AzureConnectedMachineAgent\\%s", name));
}

static struct json *json_file(const char *path)
{
    struct text content = {0};
    if (!read_file(path, &content))
        return NULL;
    struct json *value = json_read(content.data, content.length);
    return value && value->kind == JSON_OBJECT ? value : NULL;
}

struct json *lab_settings(void)
{
    return json_file(program_data("arcferry-lab.json"));
}

struct json *state_json(const char *name)
{
    return json_file(state_path(name));
}

bool read_file(const char *path, struct text *content)
{
    HANDLE file = CreateFileW(widen(path), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                              FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    char block[16384];
    DWORD count = 0;
    BOOL good;
    text_put(content, "");
    while ((good = ReadFile(file, block, sizeof block, &count, NULL)) && count && content->length < LARGEST_FILE)
        text_add(content, block, count);
    DWORD error = good ? ERROR_FILE_TOO_LARGE : GetLastError();
    CloseHandle(file);
    SetLastError(error);
    return good && !count;
}

static void make_folders(const char *path)
{
    char *folder = copy_text(path, strlen(path));
    for (char *at = strchr(folder, '\\'); at; at = strchr(at + 1, '\\')) {
        *at = 0;
        CreateDirectoryW(widen(folder), NULL);
        *at = '\\';
    }
}

static HANDLE create_file(const char *path, enum access access)
{
    SECURITY_ATTRIBUTES rights = {.nLength = sizeof rights};
    if (access == FOR_ADMINISTRATORS &&
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(ALL_ACCESS_FOR_SYSTEM_AND_ADMINISTRATORS,
                                                              SDDL_REVISION_1, &rights.lpSecurityDescriptor, NULL))
        return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(widen(path), GENERIC_WRITE, 0, &rights, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD error = GetLastError();
    LocalFree(rights.lpSecurityDescriptor);
    SetLastError(error);
    return file;
}

bool state_write(const char *name, const char *data, size_t length, enum access access)
{
    char *path = state_path(name);
    char *beside = format_text("%s.%lu", path, (unsigned long)GetCurrentProcessId());
    make_folders(path);
    HANDLE file = create_file(beside, access);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    DWORD count = 0;
    bool written = WriteFile(file, data, (DWORD)length, &count, NULL) && count == length && FlushFileBuffers(file);
    DWORD error = GetLastError();
    CloseHandle(file);
    if (written && MoveFileExW(widen(beside), widen(path), MOVEFILE_REPLACE_EXISTING))
        return true;
    error = written ? GetLastError() : error;
    DeleteFileW(widen(beside));
    SetLastError(error);
    return false;
}

bool state_write_json(const char *name, const struct json *value)
{
    struct text text = {0};
    json_write(&text, value);
    text_put(&text, "\n");
    return state_write(name, text.data, text.length, FOR_EVERYBODY);
}

void state_remove(const char *name)
{
    DeleteFileW(widen(state_path(name)));
}

void state_append(const char *path, const char *line)
{
    make_folders(path);
    HANDLE file = CreateFileW(widen(path), FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return;
    DWORD count;
    WriteFile(file, line, (DWORD)strlen(line), &count, NULL);
    CloseHandle(file);
}

char *new_guid(void)
{
    GUID guid;
    CoCreateGuid(&guid);
    const unsigned char *rest = guid.Data4;
    return format_text("%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid.Data1, guid.Data2, guid.Data3,
                       rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]);
}

char *vm_id(void)
{
    struct text kept = {0};
    if (read_file(state_path(VM_ID), &kept)) {
        char *id = trimmed(kept.data);
        if (strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36)
            return id;
    }
    char *made = new_guid();
    state_write(VM_ID, made, strlen(made), FOR_EVERYBODY);
    return made;
}

char *problem_text(unsigned long error)
{
    wchar_t words[256];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error, 0, words,
                                  256, NULL);
    return length ? trimmed(narrow(words)) : format_text("error %lu", error);
}
