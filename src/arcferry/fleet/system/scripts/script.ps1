# The host script from standard input: a block is nothing that an execution policy asks about.
$text = (New-Object IO.StreamReader ([Console]::OpenStandardInput()), (New-Object Text.UTF8Encoding $false)).ReadToEnd()
& ([ScriptBlock]::Create($text)) @args
