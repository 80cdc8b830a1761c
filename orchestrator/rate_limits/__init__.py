"""How often something may happen: moving windows, in one process or shared through Redis."""
