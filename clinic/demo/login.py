"""The demo's logins, which are public; `make run` prints them. Both have the same password."""

EMAIL = "nora@lakeside.example"
FRONT_DESK_EMAIL = "sam@lakeside.example"
PASSWORD = "easy-run-by-the-lake"
