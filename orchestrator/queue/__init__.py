"""Wake-ups: who is told that something is due, through a broker or inside the process."""
