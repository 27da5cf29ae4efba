"""Names, errors, clock, settings, registry, cryptography and the ports by which a lower floor calls upward. Imports nothing of ours."""
