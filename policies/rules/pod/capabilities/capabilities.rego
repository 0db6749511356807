# METADATA
# scope: package
# title: "Containers drop all capabilities"
# description: "Each container drops ALL and adds at most NET_BIND_SERVICE."
# custom:
#   severity: medium
#   controls: [cis:5.2.8, cis:5.2.10, pss:restricted/capabilities]
#   remedy: "set capabilities.drop to [ALL] and add nothing but NET_BIND_SERVICE"
package countersign.rules.pod.capabilities

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q does not drop ALL capabilities", [entry.name]), "path": pods.security_path(entry)} if {
	some entry in pods.containers
	not "ALL" in _list(entry, "drop")
}

deny contains {"msg": sprintf("container %q adds capability %v", [entry.name, capability]), "path": sprintf("%s/securityContext/capabilities/add", [entry.path])} if {
	some entry in pods.containers
	some capability in _list(entry, "add")
	capability != "NET_BIND_SERVICE"
}

deny contains {"msg": sprintf("container %q has capabilities that are no lists", [entry.name]), "path": sprintf("%s/securityContext/capabilities", [entry.path])} if {
	some entry in pods.containers
	capabilities := object.get(pods.security(entry), "capabilities", {})
	not _is_readable(capabilities)
}

_is_readable(capabilities) if capabilities == null

_is_readable(capabilities) if {
	is_object(capabilities)
	every key in ["add", "drop"] { _is_list(object.get(capabilities, key, [])) }
}

_is_list(value) if is_array(value)

_is_list(value) if value == null

_list(entry, key) := found if {
	found := object.get(pods.security(entry), ["capabilities", key], [])
	is_array(found)
} else := []
