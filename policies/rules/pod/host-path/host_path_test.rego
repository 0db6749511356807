package countersign.rules.pod.host_path_test

import data.countersign.rules.pod.host_path as rule
import rego.v1

_good := {
	"name": "web",
	"resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
	"securityContext": {
		"privileged": false,
		"runAsNonRoot": true,
		"allowPrivilegeEscalation": false,
		"readOnlyRootFilesystem": true,
		"capabilities": {"drop": ["ALL"]},
	},
}

_pod(spec) := {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}

_with(patch) := _pod({"automountServiceAccountToken": false, "containers": [object.union(_good, patch)]})

test_good if {
	rule.deny == set() with input.object as _pod({"containers": [_good], "volumes": [{"name": "v", "emptyDir": {}}]})
	rule.deny == set() with input.object as _with({})
	rule.deny == set() with input.object as _pod({"containers": [_good], "volumes": null})
}

test_host_path if {
	rule.deny == {{"msg": "volume \"v\" mounts \"/etc\" of the host", "path": "/spec/volumes/0/hostPath"}} with input.object as _pod({"containers": [_good], "volumes": [{"name": "v", "hostPath": {"path": "/etc"}}]})
	rule.deny == {{"msg": "volume \"v\" mounts \"\" of the host", "path": "/spec/volumes/0/hostPath"}} with input.object as _pod({"containers": [_good], "volumes": [{"name": "v", "hostPath": null}]})
}

test_malformed if {
	rule.deny == {{"msg": "volumes is not a list of volumes", "path": "/spec/volumes"}} with input.object as _pod({"containers": [_good], "volumes": "x"})
}

test_malformed_volumes if {
	rule.deny == {{"msg": "volumes is not a list of volumes", "path": "/spec/volumes"}} with input.object as _pod({"containers": [_good], "volumes": {"v": {"hostPath": {"path": "/"}}}})
	rule.deny == {{"msg": "volumes is not a list of volumes", "path": "/spec/volumes"}} with input.object as _pod({"containers": [_good], "volumes": ["hostPath"]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}

test_persistent_volume if {
	rule.deny == {{"msg": "the volume is \"/etc\" of the host", "path": "/spec/hostPath"}} with input.object as {"kind": "PersistentVolume", "spec": {"hostPath": {"path": "/etc"}}}
	rule.deny == set() with input.object as {"kind": "PersistentVolume", "spec": {"nfs": {}}}
}
