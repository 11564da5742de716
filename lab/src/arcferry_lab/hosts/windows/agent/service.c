#include "service.h"

#include <stdlib.h>
#include <windows.h>

#include "azure.h"
#include "console.h"
#include "state.h"

#define HEARTBEAT_SECONDS 300
#define LOOK_MILLISECONDS 2000
#define WAIT_MILLISECONDS 20000
#define POLL_MILLISECONDS 20

static const struct {
    const wchar_t *name, *program;
} services[] = {
    {HIMDS, L"himds.exe"},
    {GC_SERVICE, L"gc_arc_service.exe"},
    {EXTENSION_SERVICE, L"gc_extension_service.exe"},
};
#define SERVICES (sizeof services / sizeof *services)

static HANDLE stopping;
static SERVICE_STATUS_HANDLE reported;

static void report(DWORD state)
{
    SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state};
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0;
    SetServiceStatus(reported, &status);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    if (code == SERVICE_CONTROL_STOP || code == SERVICE_CONTROL_SHUTDOWN) {
        report(SERVICE_STOP_PENDING);
        SetEvent(stopping);
    }
    return NO_ERROR;
}

static DWORD interval(void)
{
    struct json *seconds = json_get(lab_settings(), "heartbeat_seconds");
    double given = seconds && seconds->kind == JSON_NUMBER ? atof(seconds->text) : HEARTBEAT_SECONDS;
    return (DWORD)(given * 1000);
}

/* A heartbeat at the start and every interval, for as long as the machine is connected. */
static void send_heartbeats(void)
{
    ULONGLONG next = 0;
    DWORD pause;
    log_to(state_path(HIMDS_LOG), "info", "Hybrid Instance Metadata Service is running", NULL);
    do {
        pause = interval();
        if (!state_json(AGENT_CONFIG)) {
            next = 0;
        } else if (GetTickCount64() >= next) {
            struct network network = load_network();
            beat(&network);
            next = GetTickCount64() + pause;
        }
    } while (WaitForSingleObject(stopping, pause < LOOK_MILLISECONDS ? pause : LOOK_MILLISECONDS) == WAIT_TIMEOUT);
}

static void WINAPI serve(DWORD count, wchar_t **words)
{
    WSADATA sockets;
    stopping = CreateEventW(NULL, TRUE, FALSE, NULL);
    reported = RegisterServiceCtrlHandlerExW(count ? words[0] : HIMDS, control, NULL);
    report(SERVICE_RUNNING);
    if (count && _wcsicmp(words[0], HIMDS) != 0)
        WaitForSingleObject(stopping, INFINITE);
    else if (WSAStartup(MAKEWORD(2, 2), &sockets) == 0)
        send_heartbeats();
    report(SERVICE_STOPPED);
}

bool serve_as(const wchar_t *program)
{
    const wchar_t *last = wcsrchr(program, L'\\');
    for (size_t at = 0; at < SERVICES; at++) {
        if (_wcsicmp(last ? last + 1 : program, services[at].program) != 0)
            continue;
        SERVICE_TABLE_ENTRYW table[] = {{(wchar_t *)services[at].name, serve}, {NULL, NULL}};
        return StartServiceCtrlDispatcherW(table);
    }
    return false;
}

static SC_HANDLE open_service(const wchar_t *name, DWORD access, SC_HANDLE *manager)
{
    *manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    return *manager ? OpenServiceW(*manager, name, access) : NULL;
}

static DWORD state_of(SC_HANDLE service)
{
    SERVICE_STATUS status = {0};
    return service && QueryServiceStatus(service, &status) ? status.dwCurrentState : 0;
}

const char *service_state(const wchar_t *name)
{
    SC_HANDLE manager, service = open_service(name, SERVICE_QUERY_STATUS, &manager);
    DWORD state = state_of(service);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return state == SERVICE_RUNNING ? "running" : state ? "stopped" : "unknown";
}

static void bring_to(const wchar_t *name, DWORD state)
{
    SC_HANDLE manager, service = open_service(name, SERVICE_ALL_ACCESS, &manager);
    SERVICE_STATUS status;
    if (service && state_of(service) != state) {
        if (state == SERVICE_RUNNING)
            StartServiceW(service, 0, NULL);
        else
            ControlService(service, SERVICE_CONTROL_STOP, &status);
        ULONGLONG end = GetTickCount64() + WAIT_MILLISECONDS;
        while (state_of(service) != state && GetTickCount64() < end)
            Sleep(POLL_MILLISECONDS);
    }
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

void start_services(void)
{
    for (size_t at = 0; at < SERVICES; at++)
        bring_to(services[at].name, SERVICE_RUNNING);
}

void stop_services(void)
{
    for (size_t at = 0; at < SERVICES; at++)
        bring_to(services[at].name, SERVICE_STOPPED);
}
