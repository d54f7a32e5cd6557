"""Files from outside: import, trial, checks and export. Only the admin and commands import it."""
