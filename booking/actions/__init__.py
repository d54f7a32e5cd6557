"""What changes several things in one transaction: book, hold, move, cancel, attend, take an offer, block time."""
