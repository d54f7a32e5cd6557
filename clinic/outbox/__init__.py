"""Every message that leaves the clinic: its row, its text, when it is due, how it is sent."""
