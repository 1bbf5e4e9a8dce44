"""The console engine: reads always, matches from cursors, never guesses."""
