"""Training of the screening model; needs the extra `train`, and nothing else imports it."""
