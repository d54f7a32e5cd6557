"""Template contexts and view steps that several pages share."""
