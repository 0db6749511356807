package countersign.rules.pod.read_only_root_test

import data.countersign.rules.pod.read_only_root as rule
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
	rule.deny == set() with input.object as _with({})
}

test_missing_false_or_a_string if {
	every value in [false, "true", null] {
		rule.deny == {{"msg": "container \"web\" can write its root file system", "path": "/spec/containers/0/securityContext"}} with input.object as _with({"securityContext": {"readOnlyRootFilesystem": value}})
	}
	rule.deny == {{"msg": "container \"web\" can write its root file system", "path": "/spec/containers/0"}} with input.object as _pod({"containers": [{"name": "web"}]})
}

test_containers_that_are_no_list if {
	rule.deny == {{"msg": "containers is not a list of containers", "path": "/spec/containers"}} with input.object as _pod({"containers": "x"})
}
