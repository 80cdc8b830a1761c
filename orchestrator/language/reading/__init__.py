"""From text or Python values to the model, every problem at once."""
