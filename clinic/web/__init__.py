"""What every response and request passes: headers, limits, kept pages, health, logs."""
