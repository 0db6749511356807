package kubernetes.pods
import rego.v1
deny_all contains "no" if input.kind == "Pod"
