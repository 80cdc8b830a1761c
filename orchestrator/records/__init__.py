"""Values that several rooms share, each declared once: frozen, compared by content, and every field explained.

What callers hand in and get back, and what the services and the store hand each other. Nothing here decides or reads
anything, and nothing of orchestrator is imported: this room knows nobody, and everybody may know it.
"""
