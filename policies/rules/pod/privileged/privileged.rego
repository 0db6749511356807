# METADATA
# scope: package
# title: "Containers are not privileged"
# description: "No container sets securityContext.privileged to anything but false."
# custom:
#   severity: critical
#   controls: [cis:5.2.2, pss:baseline/privileged]
#   remedy: "remove securityContext.privileged, or set it to false"
package countersign.rules.pod.privileged

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q runs privileged", [entry.name]), "path": sprintf("%s/securityContext/privileged", [entry.path])} if {
	some entry in pods.containers
	object.get(pods.security(entry), "privileged", false) != false
}
