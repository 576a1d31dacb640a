"""Personal data in what people write: found by recognisers, and put out under pseudonyms."""
