"""Text messages: consent, caps, providers, replies."""
