"""The demo's login, known to everybody; `make run` prints it."""

EMAIL = "nora@lakeside.example"
PASSWORD = "easy-run-by-the-lake"
