-- Runs once, when the volume is new: the registry keeps its schemas in a database of its own.
CREATE DATABASE registry;
