from momus.cli import main

main()
