"""Parse and format names, email addresses, phone and other numbers, money, dates and time zones. No query."""
