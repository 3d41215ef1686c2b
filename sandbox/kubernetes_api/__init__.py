"""A real Kubernetes API for each emulated EKS cluster: etcd, kube-apiserver and kube-controller-manager."""
