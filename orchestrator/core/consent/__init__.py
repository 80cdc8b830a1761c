"""What a customer's consents allow."""
