"""Item-to-item tables in closed form: what an item says of the others."""
