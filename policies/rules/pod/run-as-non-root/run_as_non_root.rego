# METADATA
# scope: package
# title: "Containers do not run as root"
# description: "Each container says runAsNonRoot true, itself or by its pod, and no user id 0."
# custom:
#   severity: high
#   controls: [cis:5.2.7, pss:restricted/runAsNonRoot, pss:restricted/runAsUser]
#   remedy: "set securityContext.runAsNonRoot to true and use an image whose user is not root"
package countersign.rules.pod.run_as_non_root

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q may run as root", [entry.name]), "path": pods.security_path(entry)} if {
	some entry in pods.containers
	not _is_non_root(entry)
}

deny contains {"msg": sprintf("container %q runs as user %v", [entry.name, user]), "path": pods.security_path(entry)} if {
	some entry in pods.containers
	user := pods.inherited(entry, "runAsUser")
	not _is_other_user(user)
}

_is_non_root(entry) if pods.inherited(entry, "runAsNonRoot") == true

# Not said, or a number above 0; the text "0" is neither.
_is_other_user(user) if user == null

_is_other_user(user) if {
	is_number(user)
	user > 0
}
