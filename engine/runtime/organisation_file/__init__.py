"""The organisation as an Excel file: units, people, posts, certificates; every row judged before anything is written, and taken back while untouched."""
