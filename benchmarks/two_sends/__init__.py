"""The same two emails a customer, four ways: this engine, plain batched SQL, tasks by hand, and durable workflows."""
