from arcferry.cli import main

main()
