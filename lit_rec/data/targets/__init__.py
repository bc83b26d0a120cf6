"""What is predicted of a row of behaviors."""
