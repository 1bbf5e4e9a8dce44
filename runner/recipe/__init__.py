"""Recipes: text to model, and everything that can be checked before the first step."""
