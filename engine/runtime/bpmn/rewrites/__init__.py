"""Rewrites of a diagram before it is parsed. Ids of drawn elements stay; what is put in carries ``gc:generated="true"``."""
