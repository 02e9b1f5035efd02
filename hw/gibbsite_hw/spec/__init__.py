"""Every fact that hardware, golden model, simulation and driver share; standard library only."""
