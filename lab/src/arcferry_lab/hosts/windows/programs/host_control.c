/* What the lab runs inside a Windows host: "hold" keeps Wine's services running; "run FILE" runs one program.

   FILE holds, in UTF-16 and each ended by a zero: the command line as CreateProcess takes it, the folder or nothing,
   and NAME=VALUE as often as wanted. The program's whole exit code, of which Unix would see the last eight bits, is
   written to FILE.code. It and its children end with this program, however that ends. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

enum { LARGEST = 1 << 20, NOT_STARTED = 9009, FAILED = 1, TRIES = 4 };

static wchar_t *content(const wchar_t *path)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    wchar_t *data = calloc(1, LARGEST + 2 * sizeof *data);
    DWORD count = 0;
    if (file == INVALID_HANDLE_VALUE || !data || !ReadFile(file, data, LARGEST, &count, NULL))
        return NULL;
    CloseHandle(file);
    DeleteFileW(path);
    return data;
}

static HANDLE job_that_ends_with_us(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

static DWORD run(wchar_t *line)
{
    wchar_t *folder = line + wcslen(line) + 1;
    for (wchar_t *value, *pair = folder + wcslen(folder) + 1; *pair; pair = value + wcslen(value) + 1) {
        value = wcschr(pair, L'=');
        if (!value)
            break;
        *value++ = 0;
        SetEnvironmentVariableW(pair, value);
    }
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    PROCESS_INFORMATION made;
    HANDLE job = job_that_ends_with_us();
    for (int tries = 1; !CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL,
                                        *folder ? folder : NULL, &start, &made); tries++) {
        DWORD error = GetLastError();
        /* Wine says so where the new process was gone before it had begun, which it now and then is. */
        if (error == ERROR_INTERNAL_ERROR && tries < TRIES)
            continue;
        fwprintf(stderr, L"'%ls' is not recognized as an internal or external command (%lu)\n", line, error);
        return NOT_STARTED;
    }
    AssignProcessToJobObject(job, made.hProcess);
    ResumeThread(made.hThread);
    WaitForSingleObject(made.hProcess, INFINITE);
    DWORD code = NOT_STARTED;
    GetExitCodeProcess(made.hProcess, &code);
    return code;
}

static int keep(const wchar_t *path, DWORD code)
{
    wchar_t name[MAX_PATH];
    swprintf(name, MAX_PATH, L"%ls.code", path);
    FILE *file = _wfopen(name, L"w");
    if (!file)
        return FAILED;
    fprintf(file, "%lu", (unsigned long)code);
    return fclose(file) ? FAILED : 0;
}

int wmain(int count, wchar_t **words)
{
    if (count == 2 && wcscmp(words[1], L"hold") == 0) {
        puts("ready");
        fflush(stdout);
        Sleep(INFINITE);
    }
    if (count != 3 || wcscmp(words[1], L"run") != 0)
        return FAILED;
    wchar_t *line = content(words[2]);
    return line ? keep(words[2], run(line)) : FAILED;
}
