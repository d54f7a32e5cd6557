"""Commands for this machine: run the site, test it, check it, prove that it works in production. The site imports none of it."""
