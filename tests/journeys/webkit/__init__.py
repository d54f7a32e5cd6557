"""The main journeys again in WebKit, the engine of Safari, by its own driver."""
