"""What an operator does with what was recorded: resets, comparisons, replays, relays."""
