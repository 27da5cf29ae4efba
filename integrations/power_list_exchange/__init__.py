"""权责清单联动: the exchange through which business systems learn that an item of the list of powers changed."""
