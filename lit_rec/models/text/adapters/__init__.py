"""Ways of tuning an encoder that train few parameters."""
