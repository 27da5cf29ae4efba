"""12345 热线: feeds tickets; takes replies."""
