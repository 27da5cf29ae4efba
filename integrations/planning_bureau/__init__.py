"""市规划资源局: feeds parcels."""
