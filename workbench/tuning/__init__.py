"""Examples become an adapter a lane can use."""
