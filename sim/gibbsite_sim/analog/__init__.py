"""The analog device: stochastic circuits with mismatch, and what calibrates them."""
