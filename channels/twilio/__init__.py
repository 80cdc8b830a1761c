"""SMS, WhatsApp and chat through Twilio."""
