#include "host.h"

#include <windows.h>

#include "state.h"

static char *computer_name(COMPUTER_NAME_FORMAT format)
{
    wchar_t name[256];
    DWORD length = 256;
    return GetComputerNameExW(format, name, &length) ? narrow(name) : copy_text("", 0);
}

char *host_name(void)
{
    char *name = computer_name(ComputerNameDnsHostname);
    return *name ? name : computer_name(ComputerNameNetBIOS);
}

static char *of_windows(const wchar_t *name)
{
    wchar_t value[256];
    DWORD size = sizeof value;
    LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", name,
                                  RRF_RT_REG_SZ, NULL, value, &size);
    return status == ERROR_SUCCESS ? narrow(value) : copy_text("", 0);
}

char *windows_name(void)
{
    return of_windows(L"ProductName");
}

struct json *machine_properties(void)
{
    struct json *properties = json_object();
    char *fqdn = computer_name(ComputerNameDnsFullyQualified);
    json_put_text(properties, "vmId", vm_id());
    json_put_text(properties, "osName", "windows");
    json_put_text(properties, "osType", "windows");
    json_put_text(properties, "osSku", windows_name());
    json_put_text(properties, "osVersion",
                  format_text("%s.%s", of_windows(L"CurrentVersion"), of_windows(L"CurrentBuildNumber")));
    json_put_text(properties, "machineFqdn", *fqdn ? fqdn : host_name());
    json_put_text(properties, "agentVersion", AGENT_VERSION);
    json_put_text(json_put(properties, "osProfile", json_object()), "computerName", host_name());
    return properties;
}
