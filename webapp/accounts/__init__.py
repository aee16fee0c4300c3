"""Users: register, sign in, reset, profile, avatar."""
