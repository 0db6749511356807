package main

import rego.v1

allowed_capabilities := {"NET_BIND_SERVICE", "CHOWN"}

secret_name := `(?i)(password|passwd|secret|token|api_?key)`

deny contains msg if {
	some container in containers
	container.securityContext.privileged
	msg := sprintf("%s %s: container %s must not be privileged", [input.kind, name, container.name])
}

deny contains msg if {
	some container in containers
	not runs_as_non_root(container)
	msg := sprintf("%s %s: container %s must set runAsNonRoot", [input.kind, name, container.name])
}

runs_as_non_root(container) if container.securityContext.runAsNonRoot

runs_as_non_root(container) if {
	not container.securityContext.runAsNonRoot == false
	pod_spec.securityContext.runAsNonRoot
}

deny contains msg if {
	some container in containers
	not container.resources.limits.memory
	msg := sprintf("%s %s: container %s has no memory limit", [input.kind, name, container.name])
}

warn contains msg if {
	some container in containers
	not container.resources.requests.cpu
	msg := sprintf("%s %s: container %s has no cpu request", [input.kind, name, container.name])
}

deny contains msg if {
	some container in containers
	some capability in container.securityContext.capabilities.add
	not capability in allowed_capabilities
	msg := sprintf("%s %s: container %s adds capability %s", [input.kind, name, container.name, capability])
}

deny contains msg if {
	some container in containers
	not container.securityContext.allowPrivilegeEscalation == false
	msg := sprintf("%s %s: container %s may escalate privileges", [input.kind, name, container.name])
}

warn contains msg if {
	input.kind in long_running
	some container in pod_spec.containers
	not container.readinessProbe
	msg := sprintf("%s %s: container %s has no readiness probe", [input.kind, name, container.name])
}

deny contains msg if {
	some container in containers
	some variable in container.env
	regex.match(secret_name, variable.name)
	variable.value != ""
	msg := sprintf("%s %s: container %s has %s in clear text", [input.kind, name, container.name, variable.name])
}
