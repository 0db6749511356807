package k8s.combined.pod
import rego.v1
warn contains "combined"
