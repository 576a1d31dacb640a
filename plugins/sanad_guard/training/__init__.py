"""Training of the guard's encoder; imported by `sanad train guard` alone."""
