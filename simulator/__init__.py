"""The simulated cluster: a control plane in virtual time, its scenarios, and the Source that kstream reads.

engine          virtual time and seeded chance
objects         pods, nodes and namespaces as compact state; the Change that leaves
workloads       what somebody asked for: templates, Deployments, Jobs, …
cluster         the storage: every write becomes a Change
controllers/    the loops that take each workload a step nearer to what was asked for
scheduler, kubelet, churn
render          state as Kubernetes objects
scenario, actions, director   what befalls the cluster, described and carried out
construction    how a scenario's cluster comes to be
simulation      all of it, stepped
source, pace, commands, testing   kstream's side: the Source, live control, the command line, a line for tests
apiserver/      the fake Kubernetes API server
"""
