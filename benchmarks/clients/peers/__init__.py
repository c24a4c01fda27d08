"""Other load generators: how each is installed and run, and how its report is read."""
