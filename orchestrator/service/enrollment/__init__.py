"""Starting, advancing and ending enrollments, a batch of customers per transaction."""
