package main

import rego.v1

required_labels := {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "shop.example.com/team"}

deny contains msg if {
	missing := required_labels - {label | some label, _ in labels}
	count(missing) > 0
	msg := sprintf("%s %s: labels are missing: %s", [input.kind, name, concat(", ", sort(missing))])
}

warn contains msg if {
	owner := annotations["shop.example.com/owner"]
	not regex.match(`^[a-z0-9.+-]+@shop\.example\.com$`, owner)
	msg := sprintf("%s %s: owner %q is no address of ours", [input.kind, name, owner])
}

deny contains msg if {
	not startswith(input.kind, "Cluster")
	object.get(input.metadata, "namespace", "default") == "default"
	msg := sprintf("%s %s: must not live in the default namespace", [input.kind, name])
}
