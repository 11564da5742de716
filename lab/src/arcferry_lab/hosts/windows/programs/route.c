/* route.exe, which Wine lacks: `print` writes the IPv4 routes as Windows does; it changes none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>
#include <iphlpapi.h>
#include <wchar.h>

static void print_address(DWORD address, int width)
{
    struct in_addr value = {.S_un.S_addr = address};
    printf("%*s", width, inet_ntoa(value));
}

static void print_route(const MIB_IPFORWARDROW *row)
{
    print_address(row->dwForwardDest, 17);
    print_address(row->dwForwardMask, 17);
    if (row->dwForwardNextHop)
        print_address(row->dwForwardNextHop, 17);
    else
        printf("%17s", "On-link");
    printf("%17lu%7lu\n", (unsigned long)row->dwForwardIfIndex, (unsigned long)row->dwForwardMetric1);
}

int wmain(int count, wchar_t **words)
{
    ULONG size = 0;
    if (count < 2 || _wcsicmp(words[1], L"print") != 0) {
        fprintf(stderr, "The twin's route.exe prints routes, and changes none.\n");
        return 1;
    }
    GetIpForwardTable(NULL, &size, TRUE);
    MIB_IPFORWARDTABLE *table = calloc(1, size + sizeof *table);
    if (!table || GetIpForwardTable(table, &size, TRUE) != NO_ERROR)
        table = calloc(1, sizeof *table);
    puts("===========================================================================\n\nIPv4 Route Table\n"
         "===========================================================================\nActive Routes:\n"
         "Network Destination        Netmask          Gateway       Interface  Metric");
    for (DWORD at = 0; table && at < table->dwNumEntries; at++)
        print_route(table->table + at);
    puts("===========================================================================\nPersistent Routes:\n  None");
    return 0;
}
