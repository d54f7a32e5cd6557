"""What the pages share: access to stored answers, and the order of the hip screen."""
