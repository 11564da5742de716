/* schtasks.exe, where Wine's does nothing: keeps tasks as Windows does (system32\Tasks), and runs them when asked to.

   /create /tn NAME /xml FILE [/f], /run /tn NAME, /query /tn NAME, /delete /tn NAME /f. Of a task it knows one Exec
   action, and no trigger: it runs when told. A run goes on without the one who asked, as a child of a schtasks of its
   own, which writes the last result. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { LARGEST = 1 << 20, LONGEST = 32767 };

static wchar_t *option(int count, wchar_t **words, const wchar_t *name)
{
    for (int at = 2; at < count; at++)
        if (_wcsicmp(words[at], name) == 0)
            return at + 1 < count ? words[at + 1] : L"";
    return NULL;
}

static int refuse(const char *why)
{
    fprintf(stderr, "ERROR: %s\n", why);
    return 1;
}

/* A file in UTF-16 with its mark, or in UTF-8, as text. */
static wchar_t *read_text(const wchar_t *path)
{
    FILE *file = _wfopen(path, L"rb");
    char *data = calloc(1, LARGEST + 2);
    wchar_t *text = calloc(LARGEST + 1, sizeof *text);
    if (!file || !data || !text)
        return NULL;
    size_t length = fread(data, 1, LARGEST, file);
    fclose(file);
    if (length >= 2 && memcmp(data, "\xFF\xFE", 2) == 0)
        memcpy(text, data + 2, length - 2);
    else
        MultiByteToWideChar(CP_UTF8, 0, data, -1, text, LARGEST);
    return text;
}

/* The text of the first element of a name, its entities resolved. */
static wchar_t *element(const wchar_t *text, const wchar_t *name)
{
    static const struct {
        const wchar_t *entity;
        wchar_t letter;
    } known[] = {{L"&quot;", L'"'}, {L"&apos;", L'\''}, {L"&lt;", L'<'}, {L"&gt;", L'>'}, {L"&amp;", L'&'}};
    wchar_t open[64], close[64];
    wchar_t *value = calloc(LONGEST + 1, sizeof *value), *to = value;
    swprintf(open, 64, L"<%ls>", name);
    swprintf(close, 64, L"</%ls>", name);
    const wchar_t *from = wcsstr(text, open), *end = from ? wcsstr(from, close) : NULL;
    for (from = end ? from + wcslen(open) : NULL; from && from < end && to < value + LONGEST;) {
        size_t at = 0;
        while (at < 5 && wcsncmp(from, known[at].entity, wcslen(known[at].entity)) != 0)
            at++;
        *to++ = at < 5 ? known[at].letter : *from;
        from += at < 5 ? wcslen(known[at].entity) : 1;
    }
    return value;
}

static void place(wchar_t *path, const wchar_t *name, const wchar_t *end)
{
    wchar_t system[MAX_PATH];
    GetSystemDirectoryW(system, MAX_PATH);
    swprintf(path, MAX_PATH, L"%ls\\Tasks", system);
    CreateDirectoryW(path, NULL);
    swprintf(path, MAX_PATH, L"%ls\\Tasks\\%ls%ls", system, *name == L'\\' ? name + 1 : name, end);
}

static bool start(wchar_t *line, DWORD flags, PROCESS_INFORMATION *made)
{
    STARTUPINFOW how = {.cb = sizeof how};
    wchar_t system[MAX_PATH];
    GetSystemDirectoryW(system, MAX_PATH);
    return CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, NULL, system, &how, made);
}

static void write_result(const wchar_t *name, const char *status, DWORD code)
{
    wchar_t path[MAX_PATH];
    place(path, name, L".result");
    FILE *file = _wfopen(path, L"w");
    if (file)
        fprintf(file, "%s %lu", status, (unsigned long)code), fclose(file);
}

/* The run itself, in a schtasks of its own. */
static int carry_out(const wchar_t *name, const wchar_t *text)
{
    static wchar_t line[2 * LONGEST];
    PROCESS_INFORMATION made;
    DWORD code = ERROR_FILE_NOT_FOUND;
    swprintf(line, 2 * LONGEST, L"\"%ls\" %ls", element(text, L"Command"), element(text, L"Arguments"));
    if (start(line, CREATE_NO_WINDOW, &made)) {
        WaitForSingleObject(made.hProcess, INFINITE);
        GetExitCodeProcess(made.hProcess, &code);
    }
    write_result(name, "Ready", code);
    return 0;
}

static int run(const wchar_t *name)
{
    wchar_t own[MAX_PATH], line[2 * MAX_PATH];
    PROCESS_INFORMATION made;
    GetModuleFileNameW(NULL, own, MAX_PATH);
    swprintf(line, 2 * MAX_PATH, L"\"%ls\" /carry-out /tn \"%ls\"", own, name);
    write_result(name, "Running", 267009); /* SCHED_S_TASK_RUNNING */
    if (!start(line, CREATE_NO_WINDOW | CREATE_BREAKAWAY_FROM_JOB, &made) && !start(line, CREATE_NO_WINDOW, &made))
        return refuse("the task could not be started.");
    wprintf(L"SUCCESS: Attempted to run the scheduled task \"%ls\".\n", name);
    return 0;
}

static int query(const wchar_t *name, const wchar_t *text)
{
    wchar_t path[MAX_PATH];
    char status[32] = "Ready";
    unsigned long code = 267011; /* SCHED_S_TASK_HAS_NOT_RUN */
    place(path, name, L".result");
    FILE *file = _wfopen(path, L"r");
    if (file)
        (void)!fscanf(file, "%31s %lu", status, &code), fclose(file);
    wprintf(L"\nFolder: \\\nTaskName:                             \\%ls\nStatus:                               %hs\n"
            L"Last Result:                          %lu\nTask To Run:                          %ls\n"
            L"Run As User:                          SYSTEM\n",
            *name == L'\\' ? name + 1 : name, status, code, element(text, L"Command"));
    return 0;
}

int wmain(int count, wchar_t **words)
{
    wchar_t path[MAX_PATH];
    const wchar_t *name = option(count, words, L"/tn"), *given = option(count, words, L"/xml");
    if (count < 2 || !name || !*name || wcslen(name) > 100 || wcsstr(name, L".."))
        return refuse("the twin's schtasks knows /create, /run, /query and /delete, each with /tn NAME.");
    place(path, name, L"");
    if (_wcsicmp(words[1], L"/create") == 0) {
        if (!given || !read_text(given))
            return refuse("The system cannot find the file specified.");
        if (!CopyFileW(given, path, !option(count, words, L"/f")))
            return refuse("a task of this name exists already; /f takes its place.");
        wprintf(L"SUCCESS: The scheduled task \"%ls\" has successfully been created.\n", name);
        return 0;
    }
    wchar_t *text = read_text(path);
    if (!text)
        return refuse("The system cannot find the file specified.");
    if (_wcsicmp(words[1], L"/carry-out") == 0)
        return carry_out(name, text);
    if (_wcsicmp(words[1], L"/run") == 0)
        return run(name);
    if (_wcsicmp(words[1], L"/query") == 0)
        return query(name, text);
    if (_wcsicmp(words[1], L"/delete") != 0)
        return refuse("Invalid argument/option.");
    DeleteFileW(path);
    place(path, name, L".result");
    DeleteFileW(path);
    wprintf(L"SUCCESS: The scheduled task \"%ls\" was successfully deleted.\n", name);
    return 0;
}
