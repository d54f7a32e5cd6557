"""The demo's login, which is public; `make run` prints it."""

EMAIL = "nora@lakeside.example"
PASSWORD = "easy-run-by-the-lake"
