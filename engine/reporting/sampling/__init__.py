"""Draws: which things of a population are picked, by a rule and a public seed, so that anybody can draw them again."""
