# METADATA
# scope: package
# title: "Containers say what they need"
# description: "Each container requests cpu and memory and limits memory."
# custom:
#   severity: medium
#   controls: [nsa-cisa:resource-policies]
#   remedy: "set resources.requests.cpu, resources.requests.memory and resources.limits.memory"
package countersign.rules.pod.resource_limits

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q has no %s", [entry.name, concat(".", field)]), "path": _path(entry)} if {
	some entry in pods.containers
	not _is_ephemeral(entry)
	some field in [["requests", "cpu"], ["requests", "memory"], ["limits", "memory"]]
	not _is_set(object.get(entry.container, array.concat(["resources"], field), null))
}

# The API server accepts no resources on an ephemeral container.
_is_ephemeral(entry) if startswith(entry.path, sprintf("%s/ephemeralContainers/", [pods.spec_path]))

_is_set(value) if {
	is_number(value)
	value > 0
}

# A limit of zero is no limit to Kubernetes, however it is written: 0, "0Mi", "0.0", "0e3".
_is_set(value) if {
	is_string(value)
	substring(trim_left(value, "+0."), 0, 1) in _digits
}

_digits := {"1", "2", "3", "4", "5", "6", "7", "8", "9"}

_path(entry) := sprintf("%s/resources", [entry.path]) if entry.container.resources

_path(entry) := entry.path if not entry.container.resources
