package k8s.simple
import rego.v1
deny contains "simple"
