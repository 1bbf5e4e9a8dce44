"""JSON Schemas, generated from the declarations."""
