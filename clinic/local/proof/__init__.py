"""`make proof`: a visitor books a visit on the site as deploy/ runs it."""
