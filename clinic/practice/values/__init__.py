"""Values as people type them: phones, names, addresses, zones, money. Pure."""
