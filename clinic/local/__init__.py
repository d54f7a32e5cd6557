"""Commands for this machine: run, test and check the site, and prove that it works in production."""
