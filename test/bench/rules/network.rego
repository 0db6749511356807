package main

import rego.v1

deny contains msg if {
	input.kind == "Service"
	input.spec.type in {"NodePort", "LoadBalancer"}
	not annotations["shop.example.com/exposed-by"]
	msg := sprintf("Service %s: type %s needs an approval annotation", [name, input.spec.type])
}

deny contains msg if {
	input.kind == "Ingress"
	some rule in input.spec.rules
	not glob.match("*.shop.example.com", ["/"], rule.host)
	msg := sprintf("Ingress %s: host %s is not below shop.example.com", [name, rule.host])
}
