package main

import rego.v1

allowed_storage_classes := {"standard", "fast-ssd"}

deny contains msg if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	pod_spec[field]
	msg := sprintf("%s %s: %s must not be set", [input.kind, name, field])
}

deny contains msg if {
	some volume in pod_spec.volumes
	volume.hostPath
	msg := sprintf("%s %s: volume %s mounts %s of the host", [input.kind, name, volume.name, volume.hostPath.path])
}

deny contains msg if {
	pod_spec
	not pod_spec.automountServiceAccountToken == false
	not annotations["shop.example.com/needs-api"] == "true"
	msg := sprintf("%s %s: the service account token is mounted without need", [input.kind, name])
}

warn contains msg if {
	input.kind == "Deployment"
	labels["shop.example.com/tier"] == "critical"
	input.spec.replicas < 2
	msg := sprintf("Deployment %s: tier critical with %d replica", [name, input.spec.replicas])
}

deny contains msg if {
	input.kind == "StatefulSet"
	some claim in input.spec.volumeClaimTemplates
	class := object.get(claim.spec, "storageClassName", "none")
	not class in allowed_storage_classes
	msg := sprintf("StatefulSet %s: claim %s asks for storage class %q", [name, claim.metadata.name, class])
}

warn contains msg if {
	input.kind == "CronJob"
	object.get(input.spec, "concurrencyPolicy", "Allow") == "Allow"
	not input.spec.startingDeadlineSeconds
	msg := sprintf("CronJob %s: runs may pile up: %s", [name, input.spec.schedule])
}
