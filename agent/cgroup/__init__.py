"""Control groups of either version of the kernel's interface (cgroups(7))."""
