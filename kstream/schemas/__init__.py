"""What is said over the socket and over HTTP, as schemas that are made of the code that says it (docs/schemas.md)."""
