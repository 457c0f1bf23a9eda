"""A fake Kubernetes API server: a test double for anything that lists and watches nodes, pods and namespaces."""
