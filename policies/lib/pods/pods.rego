# METADATA
# scope: package
# title: Pods
# description: The pod spec of every workload kind, and its containers, with their JSON pointers.
package countersign.lib.pods

import rego.v1

_templates := {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"}

# The JSON pointer of the pod spec; undefined for kinds that run no pod.
spec_path := "/spec" if input.object.kind == "Pod"

spec_path := "/template/spec" if input.object.kind == "PodTemplate"

spec_path := "/spec/template/spec" if input.object.kind in _templates

spec_path := "/spec/jobTemplate/spec/template/spec" if input.object.kind == "CronJob"

# A kind that we do not know (an Argo Rollout, a Knative Service) with a pod template in the usual place runs pods too.
spec_path := "/spec/template/spec" if {
	not input.object.kind in _placed
	"containers" in object.keys(object.get(input.object, ["spec", "template", "spec"], {}))
}

# What a StatefulSet or DaemonSet is rolled back to.
spec_path := "/data/spec/template/spec" if {
	input.object.kind == "ControllerRevision"
	input.object.data.spec.template
}

_placed := _templates | {"Pod", "PodTemplate", "CronJob", "ControllerRevision"}

_keys := array.slice(split(spec_path, "/"), 1, 10)

# The pod spec, an empty object where it is missing or is no object: nothing may slip through by being malformed.
spec := found if {
	found := object.get(input.object, _keys, {})
	is_object(found)
}

spec := {} if {
	spec_path
	not is_object(object.get(input.object, _keys, {}))
}

_lists := ["containers", "initContainers", "ephemeralContainers"]

# Every container: {"name", "path", "container"}; one that is no object is an empty one.
containers contains {"name": _name(item), "path": sprintf("%s/%s/%d", [spec_path, list, i]), "container": _object(item)} if {
	some list in _lists
	is_array(spec[list])
	some i, item in spec[list]
}

# What cannot be read as a pod. Every rule over pods denies it, since any of them may be used alone.
malformed contains {"msg": sprintf("%s is not a list of containers", [list]), "path": sprintf("%s/%s", [spec_path, list])} if {
	some list in _lists
	value := spec[list]
	not is_array(value)
	value != null
}

malformed contains {"msg": "the pod has no containers", "path": spec_path} if {
	spec_path
	object.get(spec, "containers", null) in {null, []}
}

malformed contains {"msg": sprintf("%s/%d is not a container", [list, i]), "path": sprintf("%s/%s/%d", [spec_path, list, i])} if {
	some list in _lists
	is_array(spec[list])
	some i, item in spec[list]
	not is_object(item)
}

malformed contains {"msg": sprintf("container %q has a securityContext that is no object", [entry.name]), "path": sprintf("%s/securityContext", [entry.path])} if {
	some entry in containers
	not _is_object_or_null(object.get(entry.container, "securityContext", null))
}

malformed contains {"msg": "the pod has a securityContext that is no object", "path": sprintf("%s/securityContext", [spec_path])} if {
	spec_path
	not _is_object_or_null(object.get(spec, "securityContext", null))
}

_is_object_or_null(value) if is_object(value)

_is_object_or_null(value) if value == null

_object(item) := item if is_object(item)

_object(item) := {} if not is_object(item)

_name(item) := item.name if is_string(item.name)

_name(item) := "" if not is_string(object.get(_object(item), "name", null))

# The security context of a container, an empty object where it is missing or is no object.
security(entry) := _object(object.get(entry.container, "securityContext", {}))

# The pointer to a security context where there is one, else to what should have it.
security_path(entry) := sprintf("%s/securityContext", [entry.path]) if entry.container.securityContext

security_path(entry) := entry.path if not entry.container.securityContext

pod_security := _object(object.get(spec, "securityContext", {}))

# What holds for a container: its own security setting, else its pod's; null is not set, as for the API server.
inherited(entry, key) := value if {
	value := object.get(security(entry), key, null)
	value != null
} else := object.get(pod_security, key, null)
