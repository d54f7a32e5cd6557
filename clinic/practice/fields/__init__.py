"""Form fields that several rooms use."""
