"""The commands: each parses, calls one function, shows what it gives; `cli.py` names them."""
