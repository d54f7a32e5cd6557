"""The wait list: its entries, and offers of freed times."""
