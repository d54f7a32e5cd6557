"""Parse and format values that people type: phones, names, addresses, zones, money. Pure."""
