"""What it costs, as tables; `make bench` prints them."""
