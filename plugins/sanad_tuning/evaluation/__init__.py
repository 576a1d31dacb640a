"""How well and how safely a responder answers; imported by `sanad eval responder` alone."""
