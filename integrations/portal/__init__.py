"""市局门户网站: where announcements are shown."""
