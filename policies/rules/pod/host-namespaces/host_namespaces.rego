# METADATA
# scope: package
# title: "Pods stay out of the host's namespaces"
# description: "No pod shares the network, process or IPC namespace of its node."
# custom:
#   severity: high
#   controls: [cis:5.2.3, cis:5.2.4, cis:5.2.5, pss:baseline/hostNamespaces]
#   remedy: "remove hostNetwork, hostPID and hostIPC"
package countersign.rules.pod.host_namespaces

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("the pod sets %s", [field]), "path": sprintf("%s/%s", [pods.spec_path, field])} if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	object.get(pods.spec, field, false) != false
}
