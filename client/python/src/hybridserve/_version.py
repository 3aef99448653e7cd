"""The version of this package: the programs' own (`hybridserve --version`)."""

__version__ = "0.1.0"
