"""The contenders: each a process of its own that serves the same messages to the same reader."""
