package main

import rego.v1

secret_value := `(-----BEGIN [A-Z ]*PRIVATE KEY-----|(?i)password\s*[=:]\s*[^\s$]+)`

deny contains msg if {
	input.kind == "ConfigMap"
	some key, value in input.data
	regex.match(secret_value, value)
	msg := sprintf("ConfigMap %s: %s holds a secret", [name, key])
}

deny contains msg if {
	input.kind in {"Role", "ClusterRole"}
	some index, rule in input.rules
	some field in ["verbs", "resources", "apiGroups"]
	"*" in rule[field]
	msg := sprintf("%s %s: rule %d has a wildcard in %s", [input.kind, name, index, field])
}
