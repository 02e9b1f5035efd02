"""Energies of continuous states: the potential, and problems written as its terms and penalties."""
