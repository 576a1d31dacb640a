"""Files of any size: unpacked, known by their first bytes, read record by record."""
