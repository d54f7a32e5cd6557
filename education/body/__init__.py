"""Body sites, warning signs, pain and load guides. Pure."""
