/* Stands in for python.org's installer of CPython, and for the python.exe that it installs: one program. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

static void installed(int argc, char **argv, const char *everybody)
{
	wchar_t own[MAX_PATH];
	char target[] = "C:\\stand-in\\python.exe";
	HKEY root = strcmp(everybody, "1") ? HKEY_CURRENT_USER : HKEY_LOCAL_MACHINE, key;
	FILE *out;
	int i;
	GetModuleFileNameW(NULL, own, MAX_PATH);
	CreateDirectoryA("C:\\stand-in", NULL);
	CopyFileW(own, L"C:\\stand-in\\python.exe", FALSE);
	RegCreateKeyExA(root, "SOFTWARE\\Python\\PythonCore\\" MINOR "\\InstallPath", 0, NULL, 0, KEY_WRITE, NULL, &key, NULL);
	RegSetValueExA(key, "ExecutablePath", 0, REG_SZ, (BYTE *)target, strlen(target) + 1);
	out = fopen("C:\\stand-in\\asked.txt", "w");
	for (i = 1; i < argc; i++) fprintf(out, "%s\n", argv[i]);
	fclose(out);
}

int main(int argc, char **argv)
{
	char *code = getenv("STAND_IN_ENDS");
	if (argc > 2 && !strcmp(argv[1], "/quiet")) {
		if (code) return atoi(code);
		installed(argc, argv, strchr(argv[2], '=') + 1);
		return 0;
	}
	if (argc > 2 && !strcmp(argv[2], "-c")) puts("cp" DIGITS);
	else for (int i = 1; i < argc; i++) puts(argv[i]);
	return 0;
}
