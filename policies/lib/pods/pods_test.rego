package countersign.lib.pods_test

import data.countersign.lib.pods
import rego.v1

_pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}

test_spec_of_every_kind if {
	spec := {"containers": []}
	pods.spec_path == "/spec" with input.object as _pod(spec)
	pods.spec_path == "/template/spec" with input.object as {"kind": "PodTemplate", "template": {"spec": spec}}
	every kind in ["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"] {
		pods.spec == spec with input.object as {"kind": kind, "spec": {"template": {"spec": spec}}}
	}
	pods.spec == spec with input.object as {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}
}

test_other_kinds_have_no_pod if {
	not pods.spec_path with input.object as {"kind": "Service", "spec": {}}
	count(pods.containers) == 0 with input.object as {"kind": "Service", "spec": {"containers": [{}]}}
	count(pods.malformed) == 0 with input.object as {"kind": "Service", "spec": {}}
}

test_containers_of_every_list if {
	object := _pod({"containers": [{"name": "a"}], "initContainers": [{"name": "b"}], "ephemeralContainers": ["c"]})
	pods.containers == {
		{"name": "a", "path": "/spec/containers/0", "container": {"name": "a"}},
		{"name": "b", "path": "/spec/initContainers/0", "container": {"name": "b"}},
		{"name": "", "path": "/spec/ephemeralContainers/0", "container": {}},
	} with input.object as object
}

test_malformed if {
	pods.malformed == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
	pods.malformed == {{"msg": "the pod has no containers", "path": "/spec"}} with input.object as _pod({})
	pods.malformed == {{"msg": "the pod has no containers", "path": "/spec"}} with input.object as _pod("x")
	pods.malformed == set() with input.object as _pod({"containers": [{"name": "a"}]})
}

test_security if {
	pods.security({"container": {"securityContext": "x"}}) == {}
	pods.security({"container": {"securityContext": {"privileged": true}}}) == {"privileged": true}
	pods.security_path({"path": "/a", "container": {"securityContext": {}}}) == "/a/securityContext"
	pods.security_path({"path": "/a", "container": {}}) == "/a"
	pods.pod_security == {} with input.object as _pod({"securityContext": []})
}

test_malformed_parts if {
	pods.malformed == {{"msg": "the pod has no containers", "path": "/spec"}} with input.object as _pod({"containers": null})
	pods.malformed == {{"msg": "containers/0 is not a container", "path": "/spec/containers/0"}} with input.object as _pod({"containers": ["x"]})
	pods.malformed == {{"msg": "initContainers is not a list of containers", "path": "/spec/initContainers"}} with input.object as _pod({"containers": [{"name": "a"}], "initContainers": {"a": {}}})
	pods.containers == set() with input.object as _pod({"containers": {"a": {}}})
	pods.malformed == {{"msg": "container \"a\" has a securityContext that is no object", "path": "/spec/containers/0/securityContext"}} with input.object as _pod({"containers": [{"name": "a", "securityContext": "x"}]})
	pods.malformed == {{"msg": "the pod has a securityContext that is no object", "path": "/spec/securityContext"}} with input.object as _pod({"containers": [{"name": "a"}], "securityContext": []})
	pods.malformed == set() with input.object as _pod({"containers": [{"name": "a", "securityContext": null}], "securityContext": null})
}

test_inherited if {
	entry := {"path": "/a", "container": {"securityContext": {"runAsUser": 7, "runAsGroup": null}}}
	pod := _pod({"securityContext": {"runAsUser": 1, "runAsGroup": 2}})
	pods.inherited(entry, "runAsUser") == 7 with input.object as pod
	pods.inherited(entry, "runAsGroup") == 2 with input.object as pod
	pods.inherited(entry, "runAsNonRoot") == null with input.object as pod
}

test_unknown_kinds_with_a_pod_template if {
	template := {"template": {"spec": {"containers": [{"name": "a"}]}}}
	pods.spec_path == "/spec/template/spec" with input.object as {"kind": "Rollout", "spec": template}
	pods.spec_path == "/spec/template/spec" with input.object as {"kind": "Service", "spec": template}
	pods.spec_path == "/data/spec/template/spec" with input.object as {"kind": "ControllerRevision", "data": {"spec": template}}
	not pods.spec_path with input.object as {"kind": "ControllerRevision", "data": {}}
	not pods.spec_path with input.object as {"kind": "Rollout", "spec": {"workloadRef": {}}}
	not pods.spec_path with input.object as {"kind": "Rollout", "spec": {"template": {"spec": {"rules": []}}}}
}

test_no_containers_is_malformed if {
	every containers in [[], null] {
		pods.malformed == {{"msg": "the pod has no containers", "path": "/spec"}} with input.object as _pod({"containers": containers})
	}
}
