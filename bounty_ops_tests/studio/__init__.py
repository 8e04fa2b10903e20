"""The command line, tested as its users meet it: as a process."""
