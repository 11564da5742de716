# window.ps1 LINES TOKEN_FILE: a window in which an administrator types the guide's lines, one a line of LINES, and
# pastes the token. What each line printed is between marks. Of what is not Windows' here: Wine 8 finds no program by
# its name from within PowerShell, so each has an alias.
param([string]$LinesFile, [string]$TokenFile)
Add-Type -Namespace Window -Name Keys -MemberDefinition @'
[DllImport("kernel32.dll", CharSet = CharSet.Unicode)]
static extern IntPtr CreateFileW(string name, uint access, uint share, IntPtr security, uint how, uint flags, IntPtr template);
[DllImport("kernel32.dll")] static extern bool WriteConsoleInputW(IntPtr console, byte[] events, uint count, out uint written);
public static void Press(string text)
{
    IntPtr console = CreateFileW("CONIN$", 0xC0000000, 3, IntPtr.Zero, 3, 0, IntPtr.Zero);
    foreach (char letter in text)
    {
        byte[] pressed = new byte[20]; // INPUT_RECORD with a KEY_EVENT_RECORD
        pressed[0] = 1; pressed[4] = 1; pressed[8] = 1;
        pressed[10] = (byte)(letter == '\r' ? 13 : 0);
        pressed[14] = (byte)letter; pressed[15] = (byte)(letter >> 8);
        uint written;
        if (!WriteConsoleInputW(console, pressed, 1, out written)) throw new Exception("no console to type in");
    }
}
'@
foreach ($name in 'powershell.exe', 'certutil') {
    $file = if ($name -eq 'powershell.exe') { 'WindowsPowerShell\v1.0\powershell.exe' } else { "$name.exe" }
    if (-not (Get-Command $name -CommandType Application -ErrorAction SilentlyContinue)) {
        Set-Alias $name ([Environment]::SystemDirectory + '\' + $file)
    }
}
foreach ($typed in [IO.File]::ReadAllLines($LinesFile)) {
    [Console]::Out.WriteLine('>>> ' + $typed)
    if ($typed -match 'Read-Host') { [Window.Keys]::Press([IO.File]::ReadAllText($TokenFile) + "`r") }
    . ([scriptblock]::Create($typed)) | Out-Host
    if (-not $?) { [Console]::Out.WriteLine('!!!') }
}
