"""The embedded cloud: runs the real engine against emulated AWS and Kubernetes APIs."""
