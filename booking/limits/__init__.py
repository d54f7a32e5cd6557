"""Rate limits of booking: what each act spends, and the pages shown over a limit."""
