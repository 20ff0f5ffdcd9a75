"""The whole loop as stages that go on where they stopped, from one TOML file to a table."""
