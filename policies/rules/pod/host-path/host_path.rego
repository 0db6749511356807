# METADATA
# scope: package
# title: "Pods mount nothing of the host"
# description: "No volume is a hostPath, no PersistentVolume either."
# custom:
#   severity: high
#   controls: [cis:5.2.12, pss:baseline/hostPath]
#   remedy: "use a persistentVolumeClaim, configMap, secret or emptyDir instead of hostPath"
package countersign.rules.pod.host_path

import data.countersign.lib.pods
import rego.v1

deny contains pods.malformed[_]

deny contains {"msg": sprintf("volume %q mounts %q of the host", [_text(volume, "name"), _text(object.get(volume, "hostPath", {}), "path")]), "path": sprintf("%s/volumes/%d/hostPath", [pods.spec_path, i])} if {
	is_array(pods.spec.volumes)
	some i, volume in pods.spec.volumes
	is_object(volume)
	some key, _ in volume
	key == "hostPath"
}

deny contains {"msg": sprintf("the volume is %q of the host", [_text(input.object.spec.hostPath, "path")]), "path": "/spec/hostPath"} if {
	input.object.kind == "PersistentVolume"
	object.get(input.object.spec, "hostPath", null) != null
}

deny contains {"msg": "volumes is not a list of volumes", "path": sprintf("%s/volumes", [pods.spec_path])} if {
	volumes := object.get(pods.spec, "volumes", [])
	not _is_list(volumes)
}

_is_list(volumes) if volumes == null

_is_list(volumes) if {
	is_array(volumes)
	every volume in volumes { is_object(volume) }
}

_text(value, key) := found if {
	is_object(value)
	found := object.get(value, key, "")
	is_string(found)
} else := ""
