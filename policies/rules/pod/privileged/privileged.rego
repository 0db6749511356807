# METADATA
# scope: package
# title: "Containers are not privileged"
# description: "No container sets securityContext.privileged or windowsOptions.hostProcess to anything but false, or procMount to anything but Default."
# custom:
#   severity: critical
#   controls: [cis:5.2.2, pss:baseline/privileged]
#   remedy: "remove privileged, windowsOptions.hostProcess and procMount from securityContext, or set them to false and Default"
package countersign.rules.pod.privileged

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("container %q runs privileged", [entry.name]), "path": sprintf("%s/securityContext/privileged", [entry.path])} if {
	some entry in pods.containers
	object.get(pods.security(entry), "privileged", false) != false
}

# A host process of Windows is what a privileged container is of Linux.
deny contains {"msg": sprintf("container %q is a host process", [entry.name]), "path": sprintf("%s/securityContext/windowsOptions/hostProcess", [entry.path])} if {
	some entry in pods.containers
	_is_host_process(pods.security(entry))
}

deny contains {"msg": "the pod runs host processes", "path": sprintf("%s/securityContext/windowsOptions/hostProcess", [pods.spec_path])} if {
	_is_host_process(pods.pod_security)
}

deny contains {"msg": sprintf("container %q sees all of /proc", [entry.name]), "path": sprintf("%s/securityContext/procMount", [entry.path])} if {
	some entry in pods.containers
	not object.get(pods.security(entry), "procMount", null) in {null, "Default"}
}

_is_host_process(security) if not object.get(security, ["windowsOptions", "hostProcess"], false) in {null, false}
