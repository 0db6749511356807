package main

import rego.v1

deny contains msg if {
	input.kind == "Deployment"
	not input.spec.template.metadata.labels["app.kubernetes.io/name"]
	msg := sprintf("Deployment %s: its pods have no label app.kubernetes.io/name", [input.metadata.name])
}

warn contains msg if {
	input.kind == "Deployment"
	input.spec.replicas < 2
	msg := sprintf("Deployment %s has %d replica", [input.metadata.name, input.spec.replicas])
}
