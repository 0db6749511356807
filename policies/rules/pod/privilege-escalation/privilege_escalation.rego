# METADATA
# scope: package
# title: "Processes cannot gain privileges"
# description: "Each container sets allowPrivilegeEscalation to false."
# custom:
#   severity: medium
#   controls: [cis:5.2.6, pss:restricted/allowPrivilegeEscalation]
#   remedy: "set securityContext.allowPrivilegeEscalation to false"
package countersign.rules.pod.privilege_escalation

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q allows privilege escalation", [entry.name]), "path": pods.security_path(entry)} if {
	some entry in pods.containers
	object.get(pods.security(entry), "allowPrivilegeEscalation", true) != false
}
