"""Who is told what a watch sees: a program, a log, a web server, a mailbox, a monitoring system."""
