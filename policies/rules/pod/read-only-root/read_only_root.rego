# METADATA
# scope: package
# title: "Containers cannot write their own image"
# description: "Each container sets readOnlyRootFilesystem to true."
# custom:
#   severity: low
#   controls: [nsa-cisa:immutable-container-file-systems]
#   remedy: "set securityContext.readOnlyRootFilesystem to true and mount an emptyDir where files are written"
package countersign.rules.pod.read_only_root

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q can write its root file system", [entry.name]), "path": pods.security_path(entry)} if {
	some entry in pods.containers
	object.get(pods.security(entry), "readOnlyRootFilesystem", false) != true
}
