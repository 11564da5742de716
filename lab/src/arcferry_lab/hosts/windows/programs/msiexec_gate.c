/* msiexec.exe of a host with a fault: what Wine's never does. Beside it lies the real one, as msiexec_real.exe.

   C:\ProgramData\arcferry-lab\msiexec says what to do, as "HOW TIMES"; TIMES counts down, 0 means always:
   1618      ends with it, as while another installation runs
   3010      installs, and then wants a restart
   restart   begins, and waits for the restart that it asks for by making the file with the ending .restart */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define ORDER L"C:\\ProgramData\\arcferry-lab\\msiexec"

static DWORD install(void)
{
    static wchar_t line[32768];
    const wchar_t *words = GetCommandLineW();
    for (int quoted = 0; *words && (quoted || (*words != L' ' && *words != L'\t')); words++)
        quoted ^= *words == L'"';
    swprintf(line, 32768, L"C:\\windows\\system32\\msiexec_real.exe%ls", words);
    STARTUPINFOW how = {.cb = sizeof how};
    PROCESS_INFORMATION made;
    DWORD code = 1601; /* ERROR_INSTALL_SERVICE_FAILURE */
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &how, &made))
        return code;
    WaitForSingleObject(made.hProcess, INFINITE);
    GetExitCodeProcess(made.hProcess, &code);
    return code;
}

static void order(char how[16])
{
    int times = 0;
    FILE *file = _wfopen(ORDER, L"r");
    if (!file)
        return;
    (void)!fscanf(file, "%15s %d", how, &times);
    fclose(file);
    if (times == 1)
        DeleteFileW(ORDER);
    else if (times > 1 && (file = _wfopen(ORDER, L"w")))
        fprintf(file, "%s %d", how, times - 1), fclose(file);
}

int wmain(void)
{
    char how[16] = "";
    /* the installer calls itself for its service, and for custom actions */
    if (wcsstr(GetCommandLineW(), L"/q"))
        order(how);
    if (strcmp(how, "1618") == 0)
        return ERROR_INSTALL_ALREADY_RUNNING;
    if (strcmp(how, "restart") == 0) {
        fclose(_wfopen(ORDER L".restart", L"w"));
        Sleep(INFINITE);
    }
    DWORD code = install();
    return (int)(strcmp(how, "3010") == 0 && code == 0 ? ERROR_SUCCESS_REBOOT_REQUIRED : code);
}
