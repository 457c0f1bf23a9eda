"""The control loops: each looks at one workload and takes it a step nearer to what was asked for."""
