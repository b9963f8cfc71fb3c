"""LAW: read the command line, call what does it, print, set the exit code."""
