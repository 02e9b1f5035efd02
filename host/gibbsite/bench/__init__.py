"""Benchmarks: named suites of measures, beside peers from PyPI, in one table with all that made it.

gibbsite.bench.command      the command `gibbsite bench`
gibbsite.bench.suites       the suites by name
gibbsite.bench.figures      `write_figures`, for whoever commits figures as JSON
"""
