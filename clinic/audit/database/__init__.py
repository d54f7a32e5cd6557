"""The two roles of the database: one owns the tables, the other runs the site and cannot change the logs."""
